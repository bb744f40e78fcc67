"""What a sound is like, and the little that is done to it before recognition: level, and silence cut off at both ends.

Denoising is left out on purpose: RNNoise and DeepFilterNet before Whisper raised the character error rate from 17 % to
34-47 %. What is not covered: echo, and telling one speaker from another. Knows nothing about words.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openteller.runtime.hearing_limits import check
from openteller.runtime.protocols import Audio, Floats
from openteller.voice.detectors import RATE, WINDOW, SileroDetector

_SPEAKS = 0.5  # probability from which a window counts as speech
_PERHAPS = 0.3  # a sound in which no window reaches this has no speech
_SHORTEST = 0.1  # seconds; the shortest word of Mandarin or English takes longer
_SILENT, _QUIET = -65.0, -45.0  # dBFS
_CLIPPED = 0.995  # of full scale
_CLIPPED_SHARE = 0.002  # of all samples; from here on words suffer
_LEVEL = -23.0  # dBFS that speech is brought to: the loudness of broadcasts (EBU R 128), roughly
_MOST_GAIN = 30.0  # dB
_HIGHEST = 0.98  # of full scale, after the gain
_BEFORE, _AFTER = 0.25, 0.4  # seconds of silence that stay: Whisper misses words that begin or end at the edge


@dataclass(frozen=True)
class Condition:
    """What a sound is like.

    seconds: how long it lasts.
    level: root mean square of its speech, of everything when there is none; dBFS.
    peak: its highest sample; dBFS.
    clipping: share of samples at full scale, 0 to 1.
    speech: share of 32 ms windows in which somebody speaks, 0 to 1.
    snr: speech over what is between, dB; None when nothing is between, or nobody speaks.
    spoken: seconds at which speech begins and ends; None when nobody speaks.
    problems: silent (nobody speaks), too_short, too_quiet, clipped.
    """

    seconds: float
    level: float
    peak: float
    clipping: float
    speech: float
    snr: float | None
    spoken: tuple[float, float] | None
    problems: tuple[str, ...]


def inspect(audio: Audio) -> Condition:
    """What `audio` is like.

    Raises:
        BadInput: audio at another rate than 16 kHz, or samples that are no numbers.
        MissingDependency: the extra `voice` is not installed.
    """
    check(audio, RATE, None)
    samples = audio.samples - audio.samples.mean() if len(audio.samples) else audio.samples
    peak = _decibels(float(np.abs(samples).max(initial=0.0)))
    clipping = float((np.abs(audio.samples) >= _CLIPPED).mean()) if len(samples) else 0.0
    chances = _chances(samples, peak) if peak > _SILENT else np.zeros(0, np.float32)
    powers = _powers(samples)
    speaks = chances >= min(_SPEAKS, max(_PERHAPS, float(chances.max(initial=0.0)) - 1e-6))
    voiced, between = powers[: len(speaks)][speaks], powers[: len(speaks)][~speaks]
    level = _decibels(float(np.sqrt((voiced if voiced.size else powers).mean()))) if powers.size else -np.inf
    spoken = _span(speaks, audio.seconds)
    problems = {
        "silent": spoken is None,
        "too_short": audio.seconds < _SHORTEST,
        "too_quiet": spoken is not None and level < _QUIET,
        "clipped": clipping > _CLIPPED_SHARE,
    }
    return Condition(
        seconds=audio.seconds,
        level=max(level, -120.0),
        peak=peak,
        clipping=clipping,
        speech=float(speaks.mean()) if speaks.size else 0.0,
        snr=_snr(voiced, between),
        spoken=spoken,
        problems=tuple(name for name, is_so in problems.items() if is_so),
    )


def prepare(audio: Audio, condition: Condition) -> Audio:
    """`audio` without its constant part, its speech at -23 dBFS, its outer silence cut to 0.25 s before and 0.4 s after.

    The gain is at most 30 dB and never clips. Sound in which nobody speaks is returned as it is.

    Args:
        audio: as `inspect` was given it.
        condition: what `inspect` said.
    """
    if condition.spoken is None:
        return audio
    begin, end = condition.spoken
    first, last = max(0, int((begin - _BEFORE) * RATE)), int((end + _AFTER) * RATE)
    samples = audio.samples[first:last]
    samples = samples - samples.mean()
    gain = 10 ** (min(_LEVEL - condition.level, _MOST_GAIN) / 20)
    highest = float(np.abs(samples).max(initial=1e-9))
    return Audio((samples * min(gain, _HIGHEST / highest)).astype(np.float32), RATE)


def _chances(samples: Floats, peak: float) -> Floats:
    """The probability of speech in each window; quiet sound is made louder first, as the detector is tuned to speech."""
    detector = SileroDetector()
    gain = 10 ** (min(max(0.0, -6.0 - peak), _MOST_GAIN) / 20)
    padded = np.pad(samples * np.float32(gain), (0, -len(samples) % WINDOW))
    return np.array([detector(window) for window in padded.reshape(-1, WINDOW)], np.float32)


def _span(speaks: NDArray[np.bool_], seconds: float) -> tuple[float, float] | None:
    """Seconds from the first window in which somebody speaks to the end of the last."""
    found = np.flatnonzero(speaks)
    if not found.size:
        return None
    return float(found[0]) * WINDOW / RATE, min(seconds, float(found[-1] + 1) * WINDOW / RATE)


def _powers(samples: Floats) -> Floats:
    padded = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
    powers: Floats = np.square(padded).mean(axis=1)
    return powers


def _snr(voiced: Floats, between: Floats) -> float | None:
    """A tenth of the windows between is enough to know the noise; those at the edge of a word still hold its end."""
    if not voiced.size or between.size < 3:
        return None
    noise = float(np.quantile(between, 0.3)) + 1e-12
    signal = max(float(voiced.mean()) - noise, 1e-12)
    return float(np.clip(10 * np.log10(signal / noise), -10, 60))


def _decibels(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-6)))
