/**
 * A person of the bank in the conversation: asks now and then whether one has written, and shows what they wrote.
 *
 * Knows nothing about how a person comes to lead a conversation.
 */

/** Milliseconds between two looks: while a person is expected or leads, and otherwise. */
const NEAR = 3_000;
const FAR = 30_000;
const SOON = 600;

export class Colleague {
  #widget;
  #session = null;
  #timer = 0;
  #after = 0;
  #isLeading = false;
  #isAwaited = false;

  /** @param widget the element, with its `client`, `elements` and `append` */
  constructor(widget) {
    this.#widget = widget;
  }

  /** Whether a person of the bank leads the conversation, or is to come into it. */
  get isAwaited() {
    return this.#isAwaited;
  }

  /** Look from now on in this session's conversation; soon when somebody is expected. */
  watch(session, isExpected) {
    if (session !== this.#session) this.stop();
    this.#session = session;
    this.#isAwaited ||= isExpected;
    this.#look(isExpected ? SOON : FAR);
  }

  /** Look no more; the conversation is another. */
  stop() {
    clearTimeout(this.#timer);
    this.#session = null;
    this.#after = 0;
    this.#isLeading = false;
    this.#isAwaited = false;
  }

  #look(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), pause);
  }

  async #ask() {
    const session = this.#session;
    if (!session || !this.#widget.isConnected) return;
    if (document.hidden) {
      this.#look(NEAR);
      return;
    }
    try {
      const news = await this.#widget.client.news(session.conversationId, this.#after);
      if (session !== this.#session) return;
      this.#isAwaited = news.standing !== "assistant";
      this.#show(news);
      this.#look(news.standing === "assistant" ? FAR : NEAR);
    } catch {
      // The network, or a conversation that is not there yet: later.
      if (session === this.#session) this.#look(FAR);
    }
  }

  #show({ standing, messages }) {
    const { make } = this.#widget.elements;
    const leads = standing === "person";
    if (leads && !this.#isLeading) this.#rule("person_joined");
    for (const message of messages) {
      this.#after = Math.max(this.#after, message.id);
      const text = make("div", { class: "text staff", dir: "auto" }, message.text);
      const label = make("p", { class: "maker person", word: "made_by_person" });
      this.#widget.append(make("article", { class: "exchange" }, make("div", { class: "reply" }, label, text)));
    }
    if (!leads && this.#isLeading) this.#rule("person_left");
    this.#isLeading = leads;
  }

  #rule(word) {
    this.#widget.append(this.#widget.elements.make("p", { class: "caption rule", word }));
  }
}
