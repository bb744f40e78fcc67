/**
 * Which exchange on the screen a call's messages belong to: what was heard or typed opens one, events feed the one whose
 * name they bear, what is spoken lights up in the latest. Knows nothing about sound.
 *
 * Not everything heard is a question: "stop" or "say that again" bring no events, only speech or silence.
 */

import { Interrupted } from "./client.js";
import { Spoken } from "./spoken.js";

export class Turns {
  #log;
  /** Exchanges by the name of their turn. */
  #named = new Map();
  /** Those whose events have begun to come. */
  #fed = new Set();
  #typed = new Set();
  #latest = null;
  #isHeldUp = false;
  #sentence = "";
  #spoken = new Spoken();

  /** @param {{open: (text: string) => Exchange, changed: (exchange) => void, done: (exchange) => void}} log */
  constructor(log) {
    this.#log = log;
  }

  /** The customer's words were heard. @param {string} turn what the other side calls them */
  heard(text, turn) {
    this.quiet();
    this.#latest = this.#log.open(text);
    this.#named.set(turn, this.#latest);
    this.#isHeldUp = false;
  }

  /** The customer typed: this is a question in any case. @returns {string} the turn's name */
  typed(text) {
    const turn = `typed-${this.#typed.size + 1}`;
    this.heard(text, turn);
    this.#typed.add(this.#latest);
    return turn;
  }

  /** An event of the answer to a turn, as of the stream. */
  take(turn, event) {
    const exchange = this.#named.get(turn);
    if (!exchange?.node.isConnected) return;
    // "One moment, please" gives way to the answer.
    if (event.event === "understanding") exchange.begin();
    this.#fed.add(exchange);
    exchange.take(event);
    // The whole answer replaces the text's nodes.
    const isSpoken = event.event === "answer" && exchange === this.#latest && this.#sentence;
    if (isSpoken) this.#spoken.mark(exchange.textNode, this.#sentence);
    this.#log.changed(exchange);
    if (event.event === "done") this.#log.done(exchange);
  }

  /** This sentence is heard now. @returns {boolean} whether it stands on the screen */
  say(sentence) {
    this.#sentence = sentence;
    const exchange = this.#latest;
    if (!exchange?.node.isConnected) return false;
    if (!this.#fed.has(exchange)) {
      exchange.utter(sentence);
      if (!this.#isHeldUp) exchange.settle();
      this.#log.changed(exchange);
    }
    return this.#spoken.mark(exchange.textNode, sentence);
  }

  /** The answer takes longer; what is said now does not stand for it. */
  holdUp() {
    this.#isHeldUp = true;
  }

  /** Nothing is spoken any more. */
  quiet() {
    this.#sentence = "";
    this.#spoken.clear();
  }

  /** The other side listens: what has had no answer by now was no question. */
  rest() {
    this.quiet();
    for (const exchange of this.#open()) {
      if (!this.#fed.has(exchange) && !this.#typed.has(exchange)) exchange.settle();
    }
  }

  /** The customer cut in. */
  interrupt() {
    this.quiet();
    if (!this.#latest) return;
    this.#latest.interrupt();
    this.#log.changed(this.#latest);
  }

  /** They did not, after all. */
  resume() {
    this.#latest?.resume();
  }

  /** The answer to a turn will not come. @returns {boolean} whether one was on its way */
  fail(turn, error) {
    const exchange = this.#named.get(turn);
    if (!exchange?.isOpen) return false;
    exchange.fail(error);
    return true;
  }

  /** No more will come. @param {boolean} isOrderly the call ended as calls do */
  end(isOrderly) {
    this.quiet();
    for (const exchange of this.#open()) {
      if (exchange.isAnswered) exchange.settle();
      else if (isOrderly) exchange.stop();
      else exchange.fail(new Interrupted("interrupted"));
    }
    this.#named.clear();
    this.#latest = null;
  }

  #open() {
    return [...this.#named.values()].filter((exchange) => exchange.isOpen);
  }
}
