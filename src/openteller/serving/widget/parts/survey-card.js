/**
 * The bank's survey as a card: its first question, and after the first answer the others. Texts of questions are the
 * bank's, in both languages. What was filled in lives on the screen alone. Knows nothing about when it is shown.
 */

import { ApiError } from "./client.js";

const ENDS = { nps: [0, 10], csat: [1, 5], ces: [1, 7] };
const MAX_TEXT = 2000;
/** As many numbers stand in one row where there is room, and where there is little. */
const ROW = 11;
const NARROW_ROW = 7;

let count = 0;

export class SurveyCard {
  #widget;
  #actions;
  #survey;
  #fields;
  #trouble;
  #id;

  /**
   * @param widget as of the other parts
   * @param {object} survey as the API gives it
   * @param {object} actions `send(values, contact)` tells the bank, or throws; `decline()`; `resized(node)` and `sent()`
   *   tell that more or less of it is to be seen, and that the bank has it
   */
  constructor(widget, survey, actions) {
    count += 1;
    this.#id = `survey-${count}`;
    [this.#widget, this.#survey, this.#actions] = [widget, survey, actions];
    this.#fields = survey.questions.map((question) => this.#field(question));
    this.node = widget.elements.make("section", { class: "survey", "aria-labelledby": `${this.#id}-title` });
    this.node.append(this.#form());
  }

  /** Say that a person of the bank will write here. */
  promise() {
    this.node.append(this.#widget.elements.make("p", { class: "caption", word: "outcome_handed_off" }));
  }

  /** Whether anything was answered, or is being answered. */
  get isTouched() {
    return this.node.dataset.state !== undefined || this.node.contains(this.node.getRootNode().activeElement);
  }

  #form() {
    const { make } = this.#widget.elements;
    const { title, intro } = this.#survey;
    const [first, ...others] = this.#fields;
    this.#trouble = make("p", { class: "trouble", role: "status" });
    const send = make("button", { type: "submit", class: "primary wide", word: "survey_send", hidden: true });
    const not = { type: "button", class: "plain wide", word: "survey_not_now", on: { click: () => this.#actions.decline() } };
    const more = make("div", { class: "questions", hidden: true }, ...others, this.#contact(), this.#trouble);
    const form = make(
      "form",
      { novalidate: true },
      make("p", { id: `${this.#id}-title`, class: "strong", word: title }),
      intro ? make("p", { class: "caption", word: intro }) : null,
      first,
      more,
      make("div", { class: "actions" }, send, make("button", not)),
    );
    form.addEventListener("input", (event) => {
      event.target.closest("[data-question]")?.classList.remove("missing");
      if (!more.hidden) return;
      more.hidden = send.hidden = false;
      this.node.dataset.state = "open";
      this.#actions.resized(this.node);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(form, send);
    });
    return form;
  }

  #field(question) {
    const { make } = this.#widget.elements;
    const name = make("span", { word: question.text });
    const must = question.required ? make("span", { class: "caption", word: "survey_required" }) : null;
    const own = { "data-question": question.id, class: "asked" };
    if (question.kind === "text") {
      const id = `${this.#id}-${question.id}`;
      const area = make("textarea", { id, name: question.id, rows: "3", maxlength: MAX_TEXT, required: question.required });
      return make("div", own, make("label", { for: id, class: "strong" }, name, " ", must), area);
    }
    const [answers, ends] = question.options?.length ? [this.#options(question), null] : this.#scale(question);
    const legend = make("legend", { class: "strong" }, name, " ", must);
    return make("fieldset", { ...own, "aria-describedby": ends?.id }, legend, answers, ends);
  }

  #options({ id, kind, options, required }) {
    const { make } = this.#widget.elements;
    const type = kind === "choices" ? "checkbox" : "radio";
    const rows = options.map((option) => {
      const input = make("input", { type, name: id, value: option.id, required: required && type === "radio" });
      return make("label", { class: "option" }, input, make("span", { word: option.text }));
    });
    return make("div", { class: "options" }, ...rows);
  }

  /** The numbers of a scale, and the names of its ends where they have any. */
  #scale({ id, kind, low, high, low_text: lowText, high_text: highText, required }) {
    const { make } = this.#widget.elements;
    const [first, last] = ENDS[kind] || [low, high];
    const numbers = Array.from({ length: last - first + 1 }, (_, place) => first + place);
    const boxes = numbers.map((value) =>
      make("label", {}, make("input", { type: "radio", name: id, value, required }), make("span", {}, String(value))),
    );
    const row = make("div", { class: "numbers" }, ...boxes);
    row.style.setProperty("--wide", columns(numbers.length, ROW));
    row.style.setProperty("--narrow", columns(numbers.length, NARROW_ROW));
    const end = (number, text) => (text ? make("span", { word: ["survey_end", { number, text }] }) : null);
    const named = [end(first, lowText), end(last, highText)];
    const ends = named.some(Boolean) ? make("p", { class: "ends caption", id: `${this.#id}-${id}-ends` }, ...named) : null;
    return [row, ends];
  }

  /** Whom nobody knows cannot be called back. */
  #contact() {
    if (!this.#widget.client.token) return null;
    const { make } = this.#widget.elements;
    const box = make("input", { type: "checkbox", name: "contact" });
    return make("label", { class: "option bare" }, box, make("span", { word: "survey_contact" }));
  }

  async #send(form, send) {
    const { elements } = this.#widget;
    const values = this.#values(form);
    // What is said twice in a row would be read out once.
    this.#trouble.textContent = "";
    const missing = this.#survey.questions.find(({ id, required }) => required && !(id in values));
    if (missing) return this.#miss(missing);
    if (!Object.keys(values).length) return elements.say(this.#trouble, "survey_empty");
    send.disabled = true;
    try {
      await this.#actions.send(values, Boolean(form.elements.contact?.checked));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return this.#thank("survey_over");
      send.disabled = false;
      this.#fail(error);
      return send.focus();
    }
    this.#thank(this.#survey.thanks || "survey_thanks");
    return this.#actions.sent();
  }

  /** Question id → number, option, options or text; what was not answered is left out. */
  #values(form) {
    const data = new FormData(form);
    const value = ({ id, kind }) => {
      const given = data.getAll(id).map((one) => one.trim()).filter(Boolean);
      if (!given.length) return undefined;
      if (kind === "choices") return given;
      return kind === "choice" || kind === "text" ? given[0] : Number(given[0]);
    };
    const all = this.#survey.questions.map((question) => [question.id, value(question)]);
    return Object.fromEntries(all.filter(([, given]) => given !== undefined));
  }

  #miss({ id }) {
    const field = this.#fields.find((one) => one.dataset.question === id);
    field.classList.add("missing");
    this.#widget.elements.say(this.#trouble, "survey_missing");
    field.querySelector("input, textarea").focus();
  }

  #fail(error) {
    const { elements } = this.#widget;
    if (!(error instanceof ApiError) || error.isPassing) elements.say(this.#trouble, "survey_failed");
    else elements.say(this.#trouble, ["survey_refused", { why: [error.message, error.nextStep].filter(Boolean).join(" ") }]);
    if (error instanceof ApiError && error.status === 401) this.#widget.emit("open-teller-unauthorised");
  }

  #thank(text) {
    const thanks = this.#widget.elements.make("p", { class: "strong", id: `${this.#id}-title`, tabindex: "-1", word: text });
    this.node.replaceChildren(thanks);
    this.node.dataset.state = "sent";
    this.#actions.resized(this.node);
    thanks.focus();
  }
}

/** In how many columns `numbers` stand evenly where a row takes `most`. */
function columns(numbers, most) {
  return String(Math.ceil(numbers / Math.ceil(numbers / most)));
}
