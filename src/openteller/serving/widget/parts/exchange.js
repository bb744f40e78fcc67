/**
 * One exchange on the screen: the question, and below it the answer as it streams in with all that hangs on it.
 */

import { ApiError } from "./client.js";
import { chip, sources } from "./citations.js";
import { offers } from "./offers.js";
import { rating } from "./rating.js";

const OUTCOME_ICONS = { clarify: "question", refused: "shield", handed_off: "person" };
/** The skill of an answer that says no more than that a person has the message. */
const LEFT_TO_A_PERSON = "person";
const ERROR_WORDS = new Set([400, 401, 403, 404, 413, 422, 429]);

export class Exchange {
  #widget;
  #reply;
  #text;
  #thinking;
  #answer = null;
  #offers = [];
  #cut = null;

  constructor(widget, question) {
    this.#widget = widget;
    this.question = question;
    this.traceId = "";
    const { make } = widget.elements;
    this.#reply = make("div", { class: "reply" });
    this.node = make(
      "article",
      { class: "exchange", tabindex: "-1" },
      make("div", { class: "question" }, spoken(make, "you"), make("p", { dir: "auto" }, question)),
      this.#reply,
    );
  }

  /** Show that the answer is on its way. */
  begin() {
    const { make } = this.#widget.elements;
    this.#answer = null;
    this.#offers = [];
    this.#text = make("div", { class: "text", dir: "auto" });
    this.#thinking = make(
      "p",
      { class: "thinking" },
      make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")),
      make("span", { word: "thinking" }),
    );
    this.#reply.replaceChildren(spoken(make, "assistant_says"), this.#thinking, this.#text);
    // Screen readers wait for the whole answer instead of reading each piece.
    this.#reply.setAttribute("aria-busy", "true");
  }

  /** Take in one event of the stream. */
  take({ event, data }) {
    if (event === "understanding") this.#speak(data);
    else if (event === "delta") this.#delta(data.text);
    else if (event === "replace") this.#text.textContent = data.text;
    else if (event === "answer") this.#whole(data);
    else if (event === "offers") this.#offers = data.offers;
    else if (event === "done") this.#done(data.trace_id);
  }

  /** Show a stored turn. */
  restore(turn) {
    this.begin();
    this.#speak(turn.understanding);
    this.#whole(turn.answer);
    this.#reply.removeAttribute("aria-busy");
  }

  /** Whether the answer arrived whole. */
  get isAnswered() {
    return this.#answer !== null;
  }

  /** Whether a person of the bank is to answer. */
  get isHandedOff() {
    return this.#answer?.outcome === "handed_off";
  }

  /** Whether more may come. */
  get isOpen() {
    return this.node.isConnected && this.#reply.hasAttribute("aria-busy");
  }

  /** The answer's own text. */
  get textNode() {
    return this.#text;
  }

  /** The assistant says something that is no answer: that it did not understand, or will not be long. */
  utter(text) {
    if (this.#text.textContent) this.#text.append(" ");
    this.#text.append(text);
    this.#thinking.remove();
  }

  /** The answer was being read out, and the customer cut in. */
  interrupt() {
    this.resume();
    this.#cut = this.#widget.elements.make("p", { class: "caption", word: "voice_interrupted" });
    this.#text.after(this.#cut);
  }

  /** The reading goes on. */
  resume() {
    this.#cut?.remove();
  }

  /** No more will come; what is there stays. */
  settle() {
    this.#thinking.remove();
    this.#reply.removeAttribute("aria-busy");
  }

  /** The reader stopped the answer. */
  stop() {
    const { make } = this.#widget.elements;
    this.settle();
    this.#reply.append(make("p", { class: "caption", word: "stopped" }), this.#again());
  }

  /** The answer did not come. What was asked stays, to be sent again or changed. */
  fail(error) {
    const { make, icon } = this.#widget.elements;
    this.settle();
    this.#text.remove();
    const lines = this.#complaint(error);
    const [edit, retry] = [this.#edit(), this.#again()];
    const canRetry = !(error instanceof ApiError) || error.isPassing || error.status === 401;
    this.#reply.append(
      make(
        "div",
        { class: "notice failed" },
        icon("alert"),
        make("div", {}, ...lines, make("div", { class: "actions" }, canRetry ? retry : null, edit)),
      ),
    );
  }

  #complaint(error) {
    const { make } = this.#widget.elements;
    if (!(error instanceof ApiError)) {
      return [
        make("p", { class: "strong", word: `error_${error.kind || "other"}` }),
        make("p", { word: "error_next_network" }),
      ];
    }
    const general = ERROR_WORDS.has(error.status)
      ? `error_${error.status}`
      : error.status >= 500
        ? "error_5xx"
        : "error_other";
    const own = [error.message, error.cause, error.nextStep].filter((part) => part && !part.startsWith("HTTP "));
    return [
      make("p", { class: "strong", word: general }),
      error.status === 401 ? make("p", { word: "error_next_401" }) : null,
      own.length ? make("p", { class: "detail", dir: "auto" }, own.join(" ")) : null,
      error.traceId ? make("p", { class: "caption", word: ["reference", { id: error.traceId }] }) : null,
    ].filter(Boolean);
  }

  #again() {
    const { make } = this.#widget.elements;
    return make("button", {
      type: "button",
      class: "secondary",
      word: "retry",
      on: { click: () => this.#widget.askAgain(this) },
    });
  }

  #edit() {
    const { make } = this.#widget.elements;
    return make("button", {
      type: "button",
      class: "plain wide",
      word: "edit",
      on: { click: () => this.#widget.edit(this) },
    });
  }

  #speak(understanding) {
    const label = understanding?.language?.label;
    if (label) this.#text.lang = label === "mixed" ? "zh-Hans" : label;
  }

  #delta(piece) {
    this.#thinking.remove();
    this.#text.append(piece);
  }

  #whole(answer) {
    const { make, icon } = this.#widget.elements;
    const citations = answer.citations || [];
    this.#answer = answer;
    this.#thinking.remove();
    this.#text.replaceChildren(...withChips(this.#widget, answer.text, citations));
    if (answer.skill === LEFT_TO_A_PERSON) {
      this.#text.classList.add("caption");
      return;
    }
    if (answer.outcome in OUTCOME_ICONS) {
      const notice = make("p", { class: `notice ${answer.outcome}` }, icon(OUTCOME_ICONS[answer.outcome]));
      notice.append(make("span", { word: `outcome_${answer.outcome}` }));
      this.#text.before(notice);
    }
    const label = make("p", { class: "maker", word: answer.generated ? "made_by_model" : "made_by_bank" });
    const after = [label, sources(this.#widget, citations), this.#suggestions(answer.suggestions || [])];
    this.#reply.append(...after.filter(Boolean));
  }

  #suggestions(list) {
    if (!list.length) return null;
    const { make } = this.#widget.elements;
    const buttons = list.map((text) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", class: "quick", dir: "auto", on: { click: () => this.#widget.ask(text) } },
          text,
        ),
      ),
    );
    return make(
      "div",
      { class: "suggestions" },
      make("span", { class: "caption", word: "suggestions" }),
      make("ul", {}, ...buttons),
    );
  }

  #done(traceId) {
    this.traceId = traceId;
    this.#reply.removeAttribute("aria-busy");
    if (this.#answer?.skill === LEFT_TO_A_PERSON) return;
    const after = [offers(this.#widget, traceId, this.#offers), rating(this.#widget, traceId)];
    this.#reply.append(...after.filter(Boolean));
  }
}

function spoken(make, key) {
  return make("span", { class: "unseen", word: key });
}

/** The text's nodes, with `[2]` turned into the chip of the second citation where there is one. */
function withChips(widget, text, citations) {
  return text.split(/(\[\d{1,2}\])/).map((piece) => {
    const number = Number(/^\[(\d+)\]$/.exec(piece)?.[1]);
    const citation = citations[number - 1];
    return citation ? chip(widget, citation, number) : document.createTextNode(piece);
  });
}
