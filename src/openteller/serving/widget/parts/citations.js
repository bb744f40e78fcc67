/**
 * Where an answer comes from: numbered chips, and the sheet that shows the cited document with the passage marked.
 */

/** The row of chips below an answer; null when nothing is cited. */
export function sources(widget, citations) {
  if (!citations.length) return null;
  const { make } = widget.elements;
  const chips = citations.map((citation, index) => make("li", {}, chip(widget, citation, index + 1, citation.title)));
  return make(
    "div",
    { class: "sources" },
    make("span", { class: "caption", word: "sources" }),
    make("ol", {}, ...chips),
  );
}

/** One chip; without a title just its number, for use within a sentence. */
export function chip(widget, citation, number, title = "") {
  const { make } = widget.elements;
  const button = make(
    "button",
    {
      type: "button",
      class: title ? "chip" : "chip bare",
      "data-document": citation.document_id,
      label: ["open_source", { number, title: citation.title }],
      on: { click: () => widget.openSource(citation, number, button) },
    },
    make("span", { class: "number" }, String(number)),
    title ? make("span", { class: "title" }, title) : null,
  );
  return button;
}

/** The side sheet. One per widget; `opener` gets the focus back. */
export class Sheet {
  #widget;
  #opener = null;
  #heading;
  #title;
  #body;
  #wanted = null;

  constructor(widget) {
    this.#widget = widget;
    const { make, icon } = widget.elements;
    this.#heading = make("p", { class: "caption" });
    this.#title = make("h2", { id: "sheet-title", tabindex: "-1" });
    this.#body = make("div", { class: "document", tabindex: "0" });
    const close = { type: "button", class: "plain", label: "close_source", on: { click: () => this.close() } };
    this.node = make(
      "aside",
      { class: "sheet", role: "dialog", "aria-labelledby": "sheet-title", hidden: true },
      make("header", {}, make("div", {}, this.#heading, this.#title), make("button", close, icon("close"))),
      this.#body,
    );
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** Show a citation's document. */
  async open(citation, number, opener) {
    const { elements, client } = this.#widget;
    this.#opener = opener;
    this.#wanted = citation;
    elements.say(this.#heading, ["source_heading", { number }]);
    this.#title.textContent = citation.title;
    this.#body.replaceChildren(elements.make("p", { class: "caption", word: "loading" }));
    this.node.hidden = false;
    this.#widget.sheetChanged();
    this.#title.focus();
    let parts;
    try {
      parts = this.#document(await client.document(citation.document_id), citation);
    } catch {
      parts = [elements.make("p", { class: "notice", word: "source_failed" }), this.#quotation(citation)];
    }
    if (this.#wanted !== citation || !this.isOpen) return;
    this.#body.replaceChildren(...parts);
    this.#body.querySelector("mark")?.scrollIntoView({ block: "center" });
  }

  close() {
    if (!this.isOpen) return;
    this.node.hidden = true;
    this.#widget.sheetChanged();
    if (this.#opener?.isConnected) this.#opener.focus();
    this.#opener = null;
  }

  #document(found, citation) {
    const { make } = this.#widget.elements;
    // A text whose figures are not filled in is not fit to be read by a customer; the passage is.
    const texts = [found.answer, found.body].filter((text) => text && !text.includes("{{"));
    const text = texts.find((candidate) => locate(candidate, citation.passage)) || texts[0] || "";
    const span = locate(text, citation.passage);
    this.#title.textContent = found.title || citation.title;
    return [
      this.#validity(found),
      span ? null : this.#quotation(citation),
      make("div", { class: "prose", lang: found.language, dir: "auto" }, ...lines(text, span)),
    ].filter(Boolean);
  }

  #validity({ valid_from: from, valid_to: to }) {
    if (!from) return null;
    const text = to ? ["valid_between", { from, to }] : ["valid_from", { date: from }];
    return this.#widget.elements.make("p", { class: "caption", word: text });
  }

  #quotation(citation) {
    const { make } = this.#widget.elements;
    return make(
      "figure",
      {},
      make("figcaption", { class: "caption", word: "passage" }),
      make("blockquote", { class: "prose", dir: "auto" }, make("mark", {}, citation.passage)),
    );
  }
}

/** The text's lines, Markdown headings as such, with what lies in `span` marked. */
function lines(text, span) {
  let start = 0;
  return text.split("\n").map((line) => {
    const prefix = /^#{1,6}\s+/.exec(line)?.[0].length || 0;
    const element = document.createElement("p");
    if (prefix) element.className = "heading";
    element.append(...marked(text, start + prefix, start + line.length, span));
    start += line.length + 1;
    return element;
  });
}

function marked(text, from, to, span) {
  if (!span || span.end <= from || span.start >= to) return [text.slice(from, to)];
  const [start, end] = [Math.max(from, span.start), Math.min(to, span.end)];
  const mark = document.createElement("mark");
  mark.textContent = text.slice(start, end);
  return [text.slice(from, start), mark, text.slice(end, to)];
}

/**
 * Where `passage` stands in `text`, white space and a cut-off ellipsis at either end aside.
 *
 * @returns {{start: number, end: number}|null} offsets in UTF-16 units
 */
export function locate(text, passage) {
  const wanted = passage.replace(/^(…|\.\.\.)|(…|\.\.\.)$/g, "").replace(/\s+/g, "");
  if (!wanted) return null;
  let dense = "";
  const places = [];
  for (let index = 0; index < text.length; index += 1) {
    if (/\s/.test(text[index])) continue;
    dense += text[index];
    places.push(index);
  }
  const found = dense.indexOf(wanted);
  return found < 0 ? null : { start: places[found], end: places[found + wanted.length - 1] + 1 };
}
