/**
 * One call: microphone, line and messages from the first ring to hanging up. Whatever ends it, the microphone is given
 * back. Knows nothing about the screen; what it learns goes to its handlers.
 */

import { Microphone } from "./microphone.js";
import { ApiError } from "./client.js";
import { SocketLine } from "./voice-socket.js";
import { VoiceTrouble } from "./voice-trouble.js";

/** Milliseconds within which the other side must be ready. */
const PATIENCE = 20_000;
/** Milliseconds that the microphone stays open after the button is let go: the last syllable ends later than the thumb. */
const TAIL = 180;
const RATE = 16_000;

let current = null;

export class Call {
  #client;
  #on;
  #transport;
  #start;
  #mode;
  #giveUp = new AbortController();
  #microphone = null;
  #line = null;
  #timers = {};
  #state = "";
  #complaint = "";
  #isTalking = false;
  #silences = 0;
  id = "";

  /**
   * @param {import("./client.js").Client} client
   * @param {object} options `transport` socket or webrtc, `mode` hands-free or push-to-talk, `conversationId`
   * @param {object} on handlers: `state(state)`, `ready(message)`, `end(trouble)`, and one for each other type of message
   */
  constructor(client, { transport, mode, conversationId }, on) {
    this.#client = client;
    this.#transport = transport;
    this.#mode = mode;
    this.#start = {
      type: "start",
      token: client.token || undefined,
      visitor: client.visitor || undefined,
      language: null,
      mode,
      conversation_id: conversationId,
      rate: RATE,
      record: false,
    };
    this.#on = on;
  }

  /** Whether the other side has answered and the call has not ended. */
  get isReady() {
    return this.id !== "";
  }

  /** How loud both sides are now, 0 … 1. */
  get levels() {
    return { you: this.#microphone?.level ?? 0, assistant: this.#line?.level ?? 0 };
  }

  /** Ask for the microphone and ring. There is one call in a page: another one ends. */
  async open() {
    current?.hangUp();
    current = this;
    const { signal } = this.#giveUp;
    try {
      this.#on.state("asking");
      this.#microphone = await Microphone.open(signal);
      this.#microphone.onLost = () => this.#end(new VoiceTrouble("microphone_lost"));
      this.#mute();
      this.#on.state("connecting");
      this.#timers.ringing = setTimeout(() => this.#end(new VoiceTrouble("unreachable")), PATIENCE);
      this.#line = await this.#newLine();
      signal.throwIfAborted();
      await this.#line.open(this.#start, this.#microphone);
    } catch (error) {
      this.#end(asTrouble(error));
    }
  }

  /** Push-to-talk: the button is pressed or let go. */
  talk(on) {
    if (!this.isReady || this.#mode !== "push-to-talk" || on === this.#isTalking) return;
    this.#isTalking = on;
    clearTimeout(this.#timers.tail);
    if (on) {
      if (this.#state === "speaking") this.#silence(true);
      this.#mute();
      this.#line.send({ type: "talk", on });
    } else this.#timers.tail = setTimeout(() => this.#stopTalking(), TAIL);
  }

  /** @param {"hands-free"|"push-to-talk"} mode */
  set mode(mode) {
    if (mode === this.#mode) return;
    if (this.#isTalking) this.#stopTalking();
    this.#mode = mode;
    this.#mute();
  }

  /** Send typed text; it is answered aloud, by events that bear `turn`. */
  type(text, turn) {
    this.#line.send({ type: "text", text, turn });
  }

  /** Agree to be recorded from now on, or no longer. */
  record(on) {
    this.#line?.send({ type: "record", on });
  }

  /** Stop the answer's being read out. */
  hush() {
    if (!this.isReady) return;
    this.#silence(true);
    this.#line.send({ type: "hush" });
  }

  hangUp() {
    this.#line?.send({ type: "bye" });
    this.#end(new VoiceTrouble("bye"));
  }

  async #newLine() {
    const handlers = {
      message: (message) => this.#take(message),
      closed: (code) => this.#end(VoiceTrouble.ofCode(code, this.isReady, this.#complaint)),
    };
    if (this.#transport !== "webrtc") return new SocketLine(this.#client, handlers);
    const { WebRtcLine } = await import("./voice-webrtc.js");
    return new WebRtcLine(this.#client, handlers);
  }

  #take(message) {
    if (this.#giveUp.signal.aborted) return;
    const { type } = message;
    if (type === "ready") this.#ready(message);
    else if (type === "state") this.#turn(message.state);
    else if (type === "say") this.#say(message);
    else if (type === "interrupted") this.#interrupted(message);
    else if (type === "closed") this.#end(VoiceTrouble.ofReason(message.reason, this.#complaint));
    else if (type === "event") this.#on.event(message.turn, { event: message.name, data: message.data });
    else if (type === "error") this.#error(message);
    else if (type === "notice") this.#notice(message);
    else if (type === "resumed") this.#resumed(message);
    else if (type === "partial") this.#on.partial(message);
    else if (type === "heard") this.#on.heard(message);
  }

  #ready(message) {
    clearTimeout(this.#timers.ringing);
    this.id = message.call_id;
    this.#line.connect(message.rate);
    this.#on.ready(message);
    this.#turn("listening");
  }

  #turn(state) {
    if (state === "speaking") this.#line.restart();
    else this.#line.resume();
    this.#state = state;
    this.#on.state(state);
  }

  #say(message) {
    const silences = this.#silences;
    setTimeout(() => silences === this.#silences && this.#on.say(message), this.#line.ahead);
  }

  #interrupted(message) {
    this.#silence(false);
    this.#on.interrupted(message);
  }

  #resumed(message) {
    this.#line.resume();
    this.#on.resumed(message);
  }

  #silence(isOurs) {
    this.#silences += 1;
    const ms = this.#line.flush(isOurs);
    if (ms) this.#line.send({ type: "played", ms });
    this.#on.quiet();
  }

  #error(message) {
    const { status, what, cause, next_step } = message;
    this.#complaint = [what, cause, next_step].filter(Boolean).join(" ");
    if (this.isReady) this.#on.error(new ApiError(status || 500, { message: what, cause, next_step }), message.turn);
  }

  #notice(message) {
    this.#complaint = message.text;
    this.#on.notice(message);
  }

  #stopTalking() {
    clearTimeout(this.#timers.tail);
    this.#isTalking = false;
    this.#mute();
    this.#line.send({ type: "talk", on: false });
  }

  #mute() {
    if (this.#microphone) this.#microphone.isMuted = this.#mode === "push-to-talk" && !this.#isTalking;
  }

  #end(trouble) {
    if (this.#giveUp.signal.aborted) return;
    this.#giveUp.abort();
    this.#silences += 1;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#microphone?.close();
    this.#line?.close(trouble.isOrderly);
    if (current === this) current = null;
    this.#on.end(trouble);
  }
}

function asTrouble(error) {
  if (error instanceof VoiceTrouble) return error;
  if (!(error instanceof ApiError)) return new VoiceTrouble("unreachable");
  const kind = { 401: "unauthorised", 429: "busy" }[error.status] || "fault";
  return new VoiceTrouble(kind, [error.message, error.cause, error.nextStep].filter(Boolean).join(" "));
}
