/**
 * The sentence that is being read out, lit up in the answer without touching its elements (CSS Custom Highlight API;
 * a browser without it shows none). A sentence that is read otherwise than it is written ("3.25%" in words) has none.
 */

import { locate } from "./citations.js";

export const HIGHLIGHT = "open-teller-spoken";

export class Spoken {
  #element = null;
  #from = 0;

  /** Light `sentence` up where it next stands in `element`. @returns {boolean} whether it stands there */
  mark(element, sentence) {
    const { text, nodes } = read(element);
    if (element !== this.#element) [this.#element, this.#from] = [element, 0];
    const span = find(text, sentence, this.#from) || find(text, sentence, 0);
    globalThis.CSS?.highlights?.delete(HIGHLIGHT);
    if (!span) return false;
    this.#from = span.start;
    const range = new Range();
    range.setStart(...place(nodes, span.start));
    range.setEnd(...place(nodes, span.end));
    globalThis.CSS?.highlights?.set(HIGHLIGHT, new Highlight(range));
    return true;
  }

  clear() {
    this.#element = null;
    globalThis.CSS?.highlights?.delete(HIGHLIGHT);
  }
}

/** The text below an element, chips aside; markers such as `[2]` are blanked, as they are not read out. */
function read(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let text = "";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest(".chip")) continue;
    nodes.push({ node, start: text.length });
    text += node.data;
  }
  return { text: text.replace(/\[\d{1,2}\]/g, (marker) => " ".repeat(marker.length)), nodes };
}

function find(text, sentence, from) {
  const span = locate(text.slice(from), sentence.replace(/\[\d{1,2}\]/g, ""));
  return span && { start: span.start + from, end: span.end + from };
}

/** Node and offset of a place in the text; an end falls into the node that it closes. */
function place(nodes, index) {
  const { node, start } = nodes.findLast((candidate) => candidate.start <= index);
  return [node, Math.min(index - start, node.data.length)];
}
