/**
 * A call's line over a WebSocket: messages as JSON, sound as PCM both ways. Knows nothing about what messages mean.
 */

import { Speaker } from "./speaker.js";

/** So many bytes of speech waiting to leave (8 s) mean that nothing leaves any more. */
const STUCK = 8 * 2 * 16_000;

export class SocketLine {
  #client;
  #handlers;
  #socket = null;
  #microphone = null;
  #speaker = null;
  #isSilenced = false;

  /**
   * @param {import("./client.js").Client} client
   * @param {{message: (message: object) => void, closed: (code: number) => void}} handlers
   */
  constructor(client, handlers) {
    this.#client = client;
    this.#handlers = handlers;
  }

  /** Call; `start` is the first message. */
  async open(start, microphone) {
    this.#microphone = microphone;
    const socket = new WebSocket(this.#client.voiceUrl);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.send(start));
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code }) => this.#handlers.closed(code));
    this.#socket = socket;
  }

  /** The other side is ready: let sound through, the reply's at `rate` Hz. */
  connect(rate) {
    this.#speaker = new Speaker(rate);
    this.#microphone.onPiece = (pcm) => this.#say(pcm);
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** A reply begins. */
  restart() {
    this.#isSilenced = false;
    this.#speaker?.restart();
  }

  /**
   * Silence the reply at once.
   *
   * @param {boolean} isOurs the server does not know yet: drop what it still sends, up to `resume` or `restart`
   * @returns {number} milliseconds of the reply that were heard
   */
  flush(isOurs) {
    this.#isSilenced = isOurs;
    return this.#speaker?.flush() ?? 0;
  }

  /** Let sound through again. */
  resume() {
    this.#isSilenced = false;
  }

  /** Milliseconds until a sentence announced now is heard. */
  get ahead() {
    return this.#speaker?.ahead ?? 0;
  }

  /** How loud the reply is now, 0 … 1. */
  get level() {
    return this.#speaker?.level ?? 0;
  }

  /** @param {boolean} isOrderly let the last words be heard */
  close(isOrderly) {
    this.#socket?.close(1000);
    if (isOrderly) this.#speaker?.drain();
    else this.#speaker?.close();
  }

  #take(data) {
    if (typeof data === "string") this.#handlers.message(JSON.parse(data));
    else if (!this.#isSilenced) this.#speaker?.push(data);
  }

  #say(pcm) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > STUCK) this.#handlers.closed(1006);
    else this.#socket.send(pcm);
  }
}
