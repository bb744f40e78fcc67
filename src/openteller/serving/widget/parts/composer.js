/**
 * Where the question is typed: grows with the text, counts it, sends on Enter. Never loses or cuts what was typed.
 * Beside it the button that begins and ends a call.
 */

import { MAX_CHARACTERS } from "./words.js";

const TALLEST = 160;

export class Composer {
  #elements;
  #input;
  #count;
  #warning;
  #button;
  #voice;
  #isBusy = false;

  /** @param {{send: (text: string) => void, stop: () => void, call: () => void}} actions */
  constructor(elements, actions) {
    this.#elements = elements;
    const { make, icon } = elements;
    this.#input = make("textarea", {
      id: "question",
      rows: "1",
      label: "input",
      placeholder: "placeholder",
      autocomplete: "off",
      "aria-describedby": "count warning",
      on: { input: () => this.#refresh(), keydown: (event) => this.#key(event, actions) },
    });
    this.#count = make("span", { id: "count", class: "count" });
    this.#warning = make("p", { id: "warning", class: "trouble", role: "status" });
    this.#button = make("button", { type: "submit", class: "primary round" });
    const call = { click: () => actions.call() };
    this.#voice = make("button", { type: "button", class: "plain round call", label: "voice_call", on: call });
    this.#voice.append(icon("microphone"));
    const submit = (event) => {
      event.preventDefault();
      if (this.#isBusy) actions.stop();
      else this.#send(actions);
    };
    this.node = make(
      "form",
      { class: "composer", novalidate: true, on: { submit } },
      make("div", { class: "field" }, this.#input, this.#voice, this.#button),
      make("div", { class: "below" }, this.#warning, this.#count),
    );
    this.busy = false;
    this.calling = false;
  }

  /** Whether calls are possible at all. */
  set isVocal(value) {
    this.#voice.hidden = !value;
  }

  /** Whether a call is on. */
  set calling(value) {
    this.#voice.setAttribute("aria-pressed", String(value));
  }

  /** While an answer streams the button stops it; typing goes on. */
  set busy(value) {
    const { icon } = this.#elements;
    this.#isBusy = value;
    this.#elements.say(this.#button, value ? "stop" : "send", "label");
    this.#button.replaceChildren(icon(value ? "stop" : "send"));
    this.#refresh();
  }

  get text() {
    return this.#input.value;
  }

  set text(value) {
    this.#input.value = value;
    this.#refresh();
  }

  focus() {
    this.#input.focus();
  }

  /** To the button that began the call. */
  focusCall() {
    this.#voice.focus();
  }

  #key(event, actions) {
    // Enter also ends the composition of Chinese text in an input method; that Enter must not send (229: Safari).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send(actions);
  }

  #send(actions) {
    const text = this.#input.value.trim();
    if (!text || this.#isBusy || length(text) > MAX_CHARACTERS) return;
    this.text = "";
    actions.send(text);
  }

  #refresh() {
    const count = length(this.#input.value.trim());
    const over = count - MAX_CHARACTERS;
    this.#elements.say(this.#count, [
      "count",
      { count: count.toLocaleString("en"), limit: MAX_CHARACTERS.toLocaleString("en") },
    ]);
    this.#count.classList.toggle("over", over > 0);
    if (over > 0) this.#elements.say(this.#warning, ["too_long", { over: over.toLocaleString("en") }]);
    else {
      this.#warning.textContent = "";
      delete this.#warning.dataset.words;
    }
    this.#input.setAttribute("aria-invalid", String(over > 0));
    this.#button.disabled = !this.#isBusy && (count === 0 || over > 0);
    this.#grow();
  }

  /** As tall as the text; while the panel is hidden nothing can be measured and the style sheet's height holds. */
  #grow() {
    const { style } = this.#input;
    style.height = "";
    if (this.#input.value) style.height = `${Math.min(this.#input.scrollHeight, TALLEST)}px`;
  }
}

/** Characters as the API counts them: code points, not UTF-16 units. */
function length(text) {
  return Array.from(text).length;
}
