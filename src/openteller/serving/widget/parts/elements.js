/**
 * Building elements: text always becomes a text node, never markup. Interface words are remembered on the element,
 * so that a change of language rewrites what is already on the screen.
 */

import { word } from "./words.js";

const ATTRIBUTES = { label: "aria-label", placeholder: "placeholder", group: "label" };
const SVG = "http://www.w3.org/2000/svg";

/** Path data of the icons, on a 24 × 24 grid, drawn as strokes. */
const ICONS = {
  chat: "M5 18.5 4 21l3.6-1.2A9 8 0 1 0 5 18.5ZM8.5 11h7M8.5 14h4.5",
  close: "M6 6l12 12M18 6 6 18",
  send: "M5 12h13M12.5 5.5 19 12l-6.5 6.5",
  stop: "M7 7h10v10H7z",
  anew: "M12 5v14M5 12h14",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6",
  shield: "M12 3.5 5 6v5.5c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6l-7-2.5ZM12 8.5v4M12 15.7v.1",
  question: "M9 9.2a3.1 3.1 0 1 1 4.3 2.9c-.9.4-1.3 1-1.3 2M12 17.3v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  alert: "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 16.9v.1",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.05 5.9L12 16.9l-5.25 2.8 1.05-5.9L3.5 9.7l5.9-.8L12 3.5Z",
  microphone: "M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.5a6 6 0 0 0 12 0M12 17.5V21M9 21h6",
  hush: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM16 9.5l5 5M21 9.5l-5 5",
  end_call: "M3.5 14.8c0-4 3.8-6.3 8.5-6.3s8.5 2.3 8.5 6.3c0 .9-.6 1.5-1.5 1.3l-3-.6c-.7-.1-1.1-.6-1.1-1.3v-1.7c-1.9-.6-3.9-.6-5.8 0v1.7c0 .7-.4 1.2-1.1 1.3l-3 .6c-.9.2-1.5-.4-1.5-1.3Z",
  tick: "M5 12.5l4.5 4.5L19 7.5",
  page: "M7 3.5h7l4 4V20.5H7v-17ZM14 3.5v4h4M9.8 12h5.5M9.8 15.5h5.5",
};

export class Elements {
  /** @param {"zh"|"en"} language of the interface */
  constructor(language) {
    this.language = language;
  }

  /** The word `key` in the interface's language. */
  word(key, args) {
    return word(this.language, key, args);
  }

  /**
   * A new element.
   *
   * @param {string} tag
   * @param {object} props `word`, `label`, `placeholder`: keys of words (an array adds arguments), or a text of the
   *   bank's in both languages, `{zh, en}`; `on`: listeners; `true` sets an empty attribute, `false`, `null` and `undefined` set none; all else are attributes.
   * @param {...(Node|string|null)} children strings become text nodes
   */
  make = (tag, props = {}, ...children) => {
    const { word: text, label, placeholder, on = {}, ...attributes } = props;
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null && value !== false)
        element.setAttribute(name, value === true ? "" : value);
    }
    for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
    if (label) this.#remember(element, "label", label);
    if (placeholder) this.#remember(element, "placeholder", placeholder);
    if (text) this.#remember(element, "text", text);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };

  /** Give an element another word: `kind` is text, label, placeholder or group (the name of options). */
  say(element, text, kind = "text") {
    this.#remember(element, kind, text);
  }

  /** A decorative icon. */
  icon = (name) => {
    const svg = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) {
      svg.setAttribute(key, value);
    }
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };

  /** Rewrite every interface word below `root` in another language. */
  translate(root, language) {
    this.language = language;
    for (const element of root.querySelectorAll("[data-words]")) {
      for (const [kind, text] of Object.entries(JSON.parse(element.dataset.words))) this.#write(element, kind, text);
    }
  }

  #remember(element, kind, text) {
    const words = element.dataset.words ? JSON.parse(element.dataset.words) : {};
    words[kind] = text;
    element.dataset.words = JSON.stringify(words);
    this.#write(element, kind, text);
  }

  #write(element, kind, text) {
    const [key, args] = Array.isArray(text) ? text : [text];
    const written = typeof key === "object" ? key[this.language] : this.word(key, args);
    if (kind === "text") element.textContent = written;
    else element.setAttribute(ATTRIBUTES[kind], written);
  }
}
