/**
 * From one sampling rate to another, piece by piece, with the low-pass that keeps what the lower rate cannot hold from
 * folding back into speech. Runs in the audio thread; knows nothing about microphones.
 *
 * A polyphase filter from a Kaiser-windowed sinc (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5 and 4.6):
 * flat to 90 % of the lower rate's half, 70 dB down at its half. Costs half the filter's length in delay: 3 ms.
 */

const STOP_BAND_DB = 70;
const PASS_BAND = 0.9;

export class Resampler {
  #up;
  #down;
  #taps;
  #phases;
  #held;
  /** Where the next sample lies, in 1/up of an input sample from the start of what is held. */
  #place = 0;

  /** @param {number} from @param {number} to sampling rates in Hz, whole numbers */
  constructor(from, to) {
    const shared = divisor(from, to);
    [this.#up, this.#down] = [to / shared, from / shared];
    this.#phases = from === to ? [Float32Array.of(1)] : filters(this.#up, from, to);
    this.#taps = this.#phases[0].length;
    this.#held = new Float32Array(this.#taps - 1);
  }

  /** @param {Float32Array} input @returns {Float32Array} as many samples as are due by now */
  process(input) {
    const signal = new Float32Array(this.#held.length + input.length);
    signal.set(this.#held);
    signal.set(input, this.#held.length);
    const last = (signal.length - this.#taps + 1) * this.#up;
    const output = new Float32Array(Math.max(0, Math.ceil((last - this.#place) / this.#down)));
    for (let index = 0; index < output.length; index += 1, this.#place += this.#down) {
      const start = Math.floor(this.#place / this.#up);
      output[index] = weighted(signal, start, this.#phases[this.#place % this.#up]);
    }
    const spent = Math.min(Math.floor(this.#place / this.#up), signal.length);
    this.#held = signal.slice(spent);
    this.#place -= spent * this.#up;
    return output;
  }
}

function weighted(signal, start, filter) {
  let sum = 0;
  for (let tap = 0; tap < filter.length; tap += 1) sum += signal[start + tap] * filter[tap];
  return sum;
}

/** One filter for each place that an output sample may have between two input samples. */
function filters(up, from, to) {
  const half = Math.min(from, to) / 2;
  const width = (2 * Math.PI * half * (1 - PASS_BAND)) / from;
  const reach = Math.ceil((STOP_BAND_DB - 8) / (2.285 * width) / 2);
  const cut = (half * (1 + PASS_BAND)) / 2 / from;
  return Array.from({ length: up }, (_, phase) => filter(reach, cut, phase / up));
}

function filter(reach, cut, shift) {
  const beta = 0.1102 * (STOP_BAND_DB - 8.7);
  const taps = Float32Array.from({ length: 2 * reach }, (_, tap) => {
    const time = tap - reach + 1 - shift;
    const inside = 1 - (time / reach) ** 2;
    return inside < 0 ? 0 : sinc(2 * cut * time) * bessel(beta * Math.sqrt(inside));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

function sinc(value) {
  return value === 0 ? 1 : Math.sin(Math.PI * value) / (Math.PI * value);
}

/** The modified Bessel function of the first kind, order 0, by its series. */
function bessel(value) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-10; k += 1) {
    term *= (value / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}
