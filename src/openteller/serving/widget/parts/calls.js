/**
 * The widget's calls, one at a time: joins the call, what is seen of it, and the exchanges it writes. Knows of the widget
 * only what its host offers.
 */

import { Call } from "./voice.js";
import { Turns } from "./voice-turns.js";
import { VoiceBar } from "./voice-bar.js";

export class Calls {
  #widget;
  #host;
  #bar;
  #call = null;
  #turns = null;
  #session = null;

  /**
   * @param widget as of the other parts
   * @param {object} host `open(text)` makes an exchange, `follow(exchange)` keeps it in view, `answered(exchange, session)`
   *   tells that its answer is whole, `changed(isOn)` and `leave()` that a call began or ended, and that the focus must go
   *   elsewhere
   */
  constructor(widget, host) {
    this.#widget = widget;
    this.#host = host;
    this.#bar = new VoiceBar(widget.elements, {
      talk: (on) => this.#call?.talk(on),
      mode: (mode) => this.#call && (this.#call.mode = mode),
      hush: () => this.#call?.hush(),
      record: (on) => this.#call?.record(on),
      end: () => this.hangUp(),
      retry: () => widget.talk(),
      dismissed: () => host.leave(),
    });
    this.node = this.#bar.node;
  }

  get isOn() {
    return this.#call !== null;
  }

  /** @param {"socket"|"webrtc"} transport @param {Session} session the conversation that goes on */
  async begin(transport, session) {
    const options = { transport, mode: this.#bar.mode, conversationId: session.conversationId };
    const call = new Call(this.#widget.client, options, this.#handlers());
    [this.#call, this.#session, this.#turns] = [call, session, this.#newTurns(session)];
    this.#host.changed(true);
    this.#bar.open(() => call.levels);
    await call.open();
  }

  /** Ask in writing. @returns {boolean} whether a call took it */
  type(text) {
    if (!this.#call?.isReady) return false;
    this.#call.type(text, this.#turns.typed(text));
    return true;
  }

  hangUp() {
    this.#call?.hangUp();
  }

  #handlers() {
    const bar = this.#bar;
    return {
      state: (state) => this.#turnTo(state),
      ready: (message) => this.#ready(message),
      recording: ({ on }) => (bar.recorded = on),
      partial: ({ text }) => (bar.partial = text),
      heard: ({ text, turn }) => {
        bar.partial = bar.said = "";
        this.#turns.heard(text, turn);
      },
      event: (turn, event) => this.#turns.take(turn, event),
      say: ({ text }) => (bar.said = this.#turns.say(text) ? "" : text),
      quiet: () => this.#turns.quiet(),
      interrupted: () => this.#turns.interrupt(),
      resumed: () => this.#turns.resume(),
      notice: ({ code, text }) => {
        bar.said = text;
        if (code === "busy") this.#turns.holdUp();
      },
      error: (error, turn) => this.#fail(error, turn),
      end: (trouble) => this.#end(trouble),
    };
  }

  #turnTo(state) {
    this.#bar.state = state;
    if (state !== "listening") return;
    this.#bar.partial = "";
    this.#turns.rest();
  }

  #ready(message) {
    this.#bar.introduce(message);
    if (message.visitor) this.#session.visitor = this.#widget.client.visitor = message.visitor;
    if (message.conversation_id) this.#session.conversationId = message.conversation_id;
    this.#widget.emit("open-teller-call", { call_id: message.call_id });
  }

  #fail(error, turn) {
    if (!this.#turns.fail(turn, error)) {
      this.#bar.said = [error.message, error.cause, error.nextStep].filter(Boolean).join(" ");
    }
    if (error.status === 401) this.#widget.emit("open-teller-unauthorised");
  }

  #end(trouble) {
    const { id } = this.#call;
    this.#call = null;
    this.#turns.end(trouble.isOrderly);
    this.#host.changed(false);
    const hadFocus = this.node.contains(this.node.getRootNode().activeElement);
    this.#bar.close(trouble);
    if (hadFocus) this.#host.leave();
    this.#widget.emit("open-teller-call-end", { call_id: id, reason: trouble.kind });
    if (trouble.kind === "unauthorised") this.#widget.emit("open-teller-unauthorised");
  }

  #newTurns(session) {
    const { open, follow, answered } = this.#host;
    return new Turns({ open, changed: follow, done: (exchange) => answered(exchange, session) });
  }
}
