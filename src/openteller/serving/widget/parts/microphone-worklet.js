/**
 * In the audio thread: the microphone's signal as 16-bit PCM, mono, 16 kHz, in pieces of 32 ms, each with its loudness.
 *
 * A file of its own, as a content security policy bars worklets made from text. Posts `{pcm: ArrayBuffer, rms}`.
 */

import { Resampler } from "./resampler.js";

const RATE = 16_000;
/** 32 ms: what voice detection on the other side looks at in one go. */
const SAMPLES = 512;

class MicrophoneProcessor extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #piece = new Int16Array(SAMPLES);
  #filled = 0;
  #energy = 0;
  #isOpen = true;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#isOpen = false;
    };
  }

  process([channels]) {
    if (channels.length) for (const sample of this.#resampler.process(mixed(channels))) this.#add(sample);
    return this.#isOpen;
  }

  #add(sample) {
    const value = Math.max(-1, Math.min(1, sample));
    this.#piece[this.#filled] = Math.round(value * 32_767);
    this.#energy += value * value;
    this.#filled += 1;
    if (this.#filled === SAMPLES) this.#post();
  }

  #post() {
    const pcm = this.#piece.buffer;
    this.port.postMessage({ pcm, rms: Math.sqrt(this.#energy / SAMPLES) }, [pcm]);
    this.#piece = new Int16Array(SAMPLES);
    [this.#filled, this.#energy] = [0, 0];
  }
}

function mixed(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, index) => channels.reduce((sum, channel) => sum + channel[index], 0) / channels.length);
}

registerProcessor("open-teller-microphone", MicrophoneProcessor);
