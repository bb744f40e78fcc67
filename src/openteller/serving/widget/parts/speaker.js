/**
 * Speech out: pieces of PCM set one behind the other on the audio clock, without gaps, and silenced at once on demand.
 *
 * The context runs at the speech's own rate, so that pieces join sample by sample. Knows nothing about messages.
 */

import { loudness, wake } from "./audio.js";

/** Seconds that are gathered before the first piece sounds, and again after the stream ran dry. */
const CUSHION = 0.1;
/** Seconds in which a flush fades out: short enough to obey, long enough not to click. */
const FADE = 0.015;

export class Speaker {
  #context;
  #meter;
  #window;
  #voice = null;
  #pieces = [];
  #next = 0;
  #played = 0;

  /**
   * @param {number} rate of the PCM, in Hz
   * @param {BaseAudioContext} context for tests
   */
  constructor(rate, context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" })) {
    this.rate = rate;
    this.#context = context;
    this.#meter = new AnalyserNode(context, { fftSize: 1024 });
    this.#meter.connect(context.destination);
    this.#window = new Float32Array(this.#meter.fftSize);
    if (context instanceof AudioContext) wake(context);
  }

  /** @param {ArrayBuffer} pcm 16-bit little-endian, mono */
  push(pcm) {
    const samples = decode(pcm);
    if (!samples.length) return;
    const buffer = this.#context.createBuffer(1, samples.length, this.rate);
    buffer.copyToChannel(samples, 0);
    this.#tally();
    const now = this.#context.currentTime;
    const start = this.#next > now ? this.#next : now + CUSHION;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#output());
    source.start(start);
    this.#pieces.push({ source, start, end: start + buffer.duration });
    this.#next = start + buffer.duration;
  }

  /** A new reply begins: count what is played from here. */
  restart() {
    this.#tally();
    this.#played = 0;
  }

  /** Milliseconds that the customer has heard since `restart`. */
  get played() {
    this.#tally();
    const begun = this.#pieces[0] ? Math.max(0, this.#heardUntil - this.#pieces[0].start) : 0;
    return Math.round((this.#played + begun) * 1000);
  }

  /** Milliseconds until a piece pushed now would be heard. */
  get ahead() {
    return Math.max(0, Math.round((this.#next - this.#heardUntil) * 1000));
  }

  /** How loud it is now, 0 … 1. */
  get level() {
    this.#meter.getFloatTimeDomainData(this.#window);
    return loudness(Math.sqrt(this.#window.reduce((sum, value) => sum + value * value, 0) / this.#window.length));
  }

  /** Silence, and forget what has not been played. @returns {number} milliseconds that were, since `restart` */
  flush() {
    const { played } = this;
    const now = this.#context.currentTime;
    if (this.#voice) {
      this.#voice.gain.setValueAtTime(1, now);
      this.#voice.gain.linearRampToValueAtTime(0, now + FADE);
    }
    for (const { source } of this.#pieces) source.stop(now + FADE);
    this.#voice = null;
    [this.#pieces, this.#next, this.#played] = [[], 0, played / 1000];
    return played;
  }

  /** Let what is on its way be heard, then let go of the loudspeaker. */
  drain() {
    setTimeout(() => this.close(), this.ahead);
  }

  close() {
    if (this.#context.state !== "closed") this.#context.close();
  }

  /** What is heard now left the context a moment ago. */
  get #heardUntil() {
    return this.#context.currentTime - (this.#context.outputLatency || this.#context.baseLatency || 0);
  }

  /** The volume knob of what is said until the next flush. */
  #output() {
    if (!this.#voice) {
      this.#voice = new GainNode(this.#context);
      this.#voice.connect(this.#meter);
    }
    return this.#voice;
  }

  /** Add up the pieces that have been heard whole. */
  #tally() {
    const now = this.#heardUntil;
    while (this.#pieces.length && this.#pieces[0].end <= now) {
      const { start, end } = this.#pieces.shift();
      this.#played += end - start;
    }
  }
}

function decode(pcm) {
  const view = new DataView(pcm);
  return Float32Array.from({ length: pcm.byteLength >> 1 }, (_, index) => view.getInt16(2 * index, true) / 32_768);
}
