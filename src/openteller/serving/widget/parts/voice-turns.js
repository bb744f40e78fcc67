/**
 * Which exchange on the screen a call's messages belong to: what was heard or typed opens one, events feed it, what is
 * spoken lights up in it. Knows nothing about sound.
 *
 * Not everything heard is a question: "stop" or "say that again" bring no events, only speech or silence. Events bear no
 * name of the words they answer; they come in the order of the questions.
 */

import { Interrupted } from "./client.js";
import { Spoken } from "./spoken.js";

export class Turns {
  #log;
  /** Exchanges whose events are still to come, oldest first. */
  #waiting = [];
  #typed = new Set();
  #fed = null;
  #latest = null;
  #isHeldUp = false;
  #sentence = "";
  #spoken = new Spoken();

  /** @param {{open: (text: string) => Exchange, changed: (exchange) => void, done: (exchange) => void}} log */
  constructor(log) {
    this.#log = log;
  }

  /** The customer's words were heard. */
  heard(text) {
    this.quiet();
    this.#latest = this.#log.open(text);
    this.#waiting.push(this.#latest);
    this.#isHeldUp = false;
  }

  /** The customer typed: this is a question in any case. */
  typed(text) {
    this.heard(text);
    this.#typed.add(this.#latest);
  }

  /** An event of an answer, as of the stream. */
  take(event) {
    if (event.event === "understanding") this.#turnTo(this.#waiting.shift() || this.#latest);
    const exchange = this.#fed;
    if (!exchange?.node.isConnected) return;
    exchange.take(event);
    // The whole answer replaces the text's nodes.
    if (event.event === "answer" && this.#sentence) this.#spoken.mark(exchange.textNode, this.#sentence);
    this.#log.changed(exchange);
    if (event.event === "done") this.#log.done(exchange);
  }

  /** This sentence is heard now. @returns {boolean} whether it stands on the screen */
  say(sentence) {
    this.#sentence = sentence;
    const exchange = this.#latest;
    if (!exchange?.node.isConnected) return false;
    if (exchange !== this.#fed) {
      exchange.utter(sentence);
      if (!this.#isHeldUp) this.#drop(exchange);
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
    for (const exchange of this.#waiting.filter((candidate) => !this.#typed.has(candidate))) this.#drop(exchange);
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

  /** The answer that is on its way will not come. @returns {boolean} whether one was */
  fail(error) {
    const exchange = [this.#fed, ...this.#waiting].find((candidate) => candidate?.isOpen);
    if (!exchange) return false;
    exchange.fail(error);
    this.#waiting = this.#waiting.filter((candidate) => candidate !== exchange);
    return true;
  }

  /** No more will come. @param {boolean} isOrderly the call ended as calls do */
  end(isOrderly) {
    this.quiet();
    for (const exchange of [this.#fed, ...this.#waiting]) {
      if (!exchange?.isOpen) continue;
      if (exchange.isAnswered) exchange.settle();
      else if (isOrderly) exchange.stop();
      else exchange.fail(new Interrupted("interrupted"));
    }
    [this.#fed, this.#latest, this.#waiting] = [null, null, []];
  }

  /** No answer will come for it; should one come all the same, it is the latest's. */
  #drop(exchange) {
    exchange.settle();
    this.#waiting = this.#waiting.filter((candidate) => candidate !== exchange);
  }

  #turnTo(exchange) {
    // The answer before was cut off: nothing more comes for it.
    if (this.#fed?.isOpen) this.#fed.settle();
    this.#fed = exchange;
    // "One moment, please" gives way to the answer.
    if (exchange?.node.isConnected) exchange.begin();
  }
}
