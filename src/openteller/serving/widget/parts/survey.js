/**
 * When the bank's survey is asked: once in a conversation, when it seems to be over. What is shown is survey-card.js's.
 *
 * A conversation seems over when nothing was said for a while after an answer, when the panel is opened again, and when
 * another one is begun. Nothing is asked while an answer is on its way, in a call, while something is being typed, or
 * while a person of the bank is awaited or leads.
 */

import { SurveyCard } from "./survey-card.js";

const DEFAULT_SECONDS = 90;
const LONGEST_SECONDS = 86_400;

export class Survey {
  #widget;
  #host;
  #session = null;
  #timer = 0;
  #card = null;

  /**
   * @param widget as of the other parts
   * @param {object} host `isQuiet()` tells whether nothing is going on, `show(node)` puts something at the end of the
   *   log, `reveal(node)` brings more of it into view, `leave()` takes the focus
   */
  constructor(widget, host) {
    this.#widget = widget;
    this.#host = host;
  }

  /** An answer came in this session: ask when nothing more is said for a while. */
  watch(session) {
    this.#session = session;
    this.#wait();
  }

  /** The panel was opened again: ask now. */
  comeBack() {
    if (this.#session) this.#ask(this.#session, this.#session.turns.at(-1));
  }

  /** Another conversation has begun in this session: ask about the turn that was the last of the one before. */
  lookBack(session, traceId) {
    this.#ask(session, traceId);
  }

  /** The conversation goes on: a card that nobody has touched goes. */
  goOn() {
    clearTimeout(this.#timer);
    if (this.#card && !this.#card.isTouched) this.#drop();
  }

  /** Ask no more; the conversation is another. */
  stop() {
    clearTimeout(this.#timer);
    this.#session = null;
    this.#drop();
  }

  /** Milliseconds; 0: never ask. */
  get #patience() {
    const seconds = Number(this.#widget.getAttribute("survey-after") ?? DEFAULT_SECONDS);
    return seconds > 0 ? 1000 * Math.min(seconds, LONGEST_SECONDS) : 0;
  }

  #wait() {
    clearTimeout(this.#timer);
    const [session, patience] = [this.#session, this.#patience];
    if (!patience || !session.takesSurvey) return;
    this.#timer = setTimeout(() => {
      if (!this.#widget.isConnected) return;
      // Somebody who is typing, or looks at another page, will be done with it.
      if (document.hidden || !this.#host.isQuiet()) this.#wait();
      else this.#ask(session, session.turns.at(-1));
    }, patience);
  }

  async #ask(session, traceId) {
    clearTimeout(this.#timer);
    if (!traceId || !this.#patience || !this.#isTime(session)) return;
    const { client } = this.#widget;
    const [stored, conversation] = [await client.survey().catch(() => null), session.conversationId];
    // Meanwhile the next question may have been asked, or somebody have logged in.
    if (!stored || client !== this.#widget.client || conversation !== session.conversationId || !this.#isTime(session)) return;
    session.noteSurvey();
    const card = new SurveyCard(this.#widget, stored.survey, {
      send: (values, contact) => client.answerSurvey(stored.survey.name, traceId, values, contact),
      decline: () => {
        session.declineSurveys();
        this.#drop();
        this.#host.leave();
      },
      resized: (node) => this.#host.reveal(node),
      sent: () => this.#sent(card, client, session, traceId),
    });
    this.#card = card;
    this.#host.show(card.node);
  }

  #isTime(session) {
    return session.takesSurvey && this.#host.isQuiet();
  }

  /** A low score may have asked for a person, who will write in the conversation of the turn. */
  async #sent(card, client, session, traceId) {
    if (!session.turns.includes(traceId)) return;
    const news = await client.news(session.conversationId, 0).catch(() => null);
    if (!news || news.standing === "assistant" || !card.node.isConnected) return;
    card.promise();
    this.#widget.lookForColleague(session);
  }

  #drop() {
    this.#card?.node.remove();
    this.#card = null;
  }
}
