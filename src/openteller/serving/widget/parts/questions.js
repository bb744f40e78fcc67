/**
 * The investor questionnaire, one question at a time: back and forth, then the answers are sent; contradictions come
 * back to be corrected or meant. What was answered lives as long as this object. Knows nothing about points.
 */

export class Questions {
  #page;
  #asked;
  #answers = {};
  #place = 0;

  /** @param {object[]} asked questions as the API gives them */
  constructor(page, asked) {
    this.#page = page;
    this.#asked = asked;
  }

  /** Show the question that it is at. */
  show() {
    const { make } = this.#page.elements;
    const [question, place, count] = [this.#asked[this.#place], this.#place + 1, this.#asked.length];
    const trouble = make("p", { class: "trouble", role: "status" });
    const isLast = place === count;
    const form = make(
      "form",
      { class: "quiz", novalidate: true },
      make("p", { class: "caption", word: ["quiz_place", { place, count }] }),
      make("progress", { max: count, value: place, "aria-hidden": "true" }),
      make(
        "fieldset",
        {},
        make("legend", { class: "strong", "data-section": "question", tabindex: "-1", word: question.text }),
        ...question.options.map((option) => this.#option(question, option)),
      ),
      trouble,
      make(
        "div",
        { class: "actions" },
        make("button", { type: "submit", class: "primary wide", word: isLast ? "quiz_submit" : "quiz_next" }),
        this.#place ? this.#button("quiz_back", () => this.#go(-1)) : null,
        this.#button("quiz_leave", () => this.#page.show()),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#answers[question.id]) this.#page.elements.say(trouble, "quiz_choose");
      else if (isLast) this.#send([], form);
      else this.#go(1);
    });
    this.#page.fill([form], "question");
  }

  #option(question, option) {
    const { make } = this.#page.elements;
    const radio = make("input", { type: "radio", name: question.id, value: option.id });
    radio.checked = this.#answers[question.id] === option.id;
    radio.addEventListener("change", () => {
      this.#answers[question.id] = option.id;
    });
    return make("label", { class: "option" }, radio, make("span", { word: option.text }));
  }

  #go(step) {
    this.#place += step;
    this.show();
  }

  async #send(agreed, place) {
    for (const button of place.querySelectorAll("button")) button.disabled = true;
    let found;
    try {
      found = await this.#page.api.assess(this.#answers, agreed);
    } catch (error) {
      for (const button of place.querySelectorAll("button")) button.disabled = false;
      place.append(this.#page.trouble(error));
      return;
    }
    if (!found.filled) this.#doubt(found.to_confirm);
    else {
      // What has to be agreed to waits at the top of the tab.
      await this.#page.show("investor", found.to_confirm.length ? "pending" : "class");
      if (!found.to_confirm.length) this.#page.tell(["quiz_done", { name: found.filled.investor_class }]);
    }
  }

  #doubt(remarks) {
    const { make } = this.#page.elements;
    const codes = remarks.map(({ code }) => code);
    const meant = make("button", { type: "button", class: "secondary", word: "quiz_meant" });
    const body = this.#page.section(
      "doubt",
      "quiz_doubt",
      make("ul", { class: "reasons" }, ...remarks.map(({ text }) => make("li", { word: text }))),
      make("div", { class: "actions" }, this.#button("quiz_correct", () => this.#correct(), "primary wide"), meant),
    );
    meant.addEventListener("click", () => this.#send(codes, body));
    this.#page.fill([body], "doubt");
  }

  #correct() {
    this.#place = 0;
    this.show();
  }

  #button(word, click, look = "plain wide") {
    return this.#page.elements.make("button", { type: "button", class: look, word, on: { click } });
  }
}
