/**
 * The customer's microphone: asked for, listened to, and always given back. Knows nothing about where the sound goes.
 */

import { loudness, wake } from "./audio.js";
import { VoiceTrouble } from "./voice-trouble.js";

const WORKLET = new URL("./microphone-worklet.js", import.meta.url);
const WISHES = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
  #stream;
  #context = null;
  #node = null;
  #level = 0;
  /** Called with 32 ms of PCM each (16 bit, mono, 16 kHz). @type {(pcm: ArrayBuffer) => void} */
  onPiece = () => {};
  /** Called when the device is pulled out or the permission taken back. */
  onLost = () => {};

  /**
   * Ask for the microphone and begin to listen.
   *
   * @param {AbortSignal} signal aborting it gives back what comes too late
   * @throws {VoiceTrouble} denied, no_microphone, microphone_busy, insecure or unsupported
   */
  static async open(signal) {
    if (!navigator.mediaDevices?.getUserMedia) throw new VoiceTrouble(isSecureContext ? "unsupported" : "insecure");
    if (!globalThis.AudioWorkletNode) throw new VoiceTrouble("unsupported");
    let microphone = null;
    try {
      microphone = new Microphone(await navigator.mediaDevices.getUserMedia({ audio: WISHES }));
      signal.throwIfAborted();
      await microphone.#listen();
      signal.throwIfAborted();
      return microphone;
    } catch (error) {
      microphone?.close();
      throw VoiceTrouble.ofMicrophone(error);
    }
  }

  constructor(stream) {
    this.#stream = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.onLost());
  }

  /** The stream, for lines that carry it as it is. */
  get stream() {
    return this.#stream;
  }

  /** How loud it is now, 0 … 1. */
  get level() {
    return this.#level;
  }

  /** While muted the pieces go on, holding silence. */
  set isMuted(value) {
    for (const track of this.#stream.getTracks()) track.enabled = !value;
  }

  /** Let go of the device. */
  close() {
    this.onPiece = this.onLost = () => {};
    this.#node?.port.postMessage("close");
    for (const track of this.#stream.getTracks()) track.stop();
    if (this.#context && this.#context.state !== "closed") this.#context.close();
  }

  async #listen() {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#context = context;
    await context.audioWorklet.addModule(WORKLET);
    const node = new AudioWorkletNode(context, "open-teller-microphone", { outputChannelCount: [1] });
    this.#node = node;
    node.port.onmessage = ({ data }) => {
      this.#level = loudness(data.rms);
      this.onPiece(data.pcm);
    };
    context.createMediaStreamSource(this.#stream).connect(node);
    // Its output is silence; only what leads to the loudspeaker is sure to run.
    node.connect(context.destination);
    wake(context);
  }
}
