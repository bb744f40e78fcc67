"""What every Synthesizer refuses, in one place, and how its sound is trimmed. Knows no engine."""

import math
from collections.abc import Mapping

import numpy as np

from openteller.core.errors import BadInput
from openteller.runtime.protocols import Audio, Floats

SLOWEST, FASTEST = 0.5, 2.0
_FRAME = 0.01  # seconds
_SILENT = 0.02  # of the loudest frame's level: 34 dB below it
_BEFORE, _AFTER = 0.06, 0.12  # seconds of silence that stay


def check(voices: Mapping[str, tuple[str, ...]], language: str, voice: str | None, speed: float) -> str:
    """The voice to use. Raises BadInput for an unknown language or voice, or a speed out of range."""
    if language not in voices:
        known = ", ".join(sorted(voices))
        raise BadInput(f"There is no voice for the language {language!r}.", next_step=f"Name one of {known}.")
    if not (math.isfinite(speed) and SLOWEST <= speed <= FASTEST):
        raise BadInput(f"Speech cannot have the speed {speed}.", next_step=f"Name one from {SLOWEST} to {FASTEST}.")
    names = [name for of_language in voices.values() for name in of_language]
    if voice is not None and voice not in names:
        raise BadInput(f"There is no voice called {voice!r}.", next_step=f"Name one of {', '.join(names)}.")
    return voice or voices[language][0]


def trimmed(audio: Audio) -> Audio:
    """`audio` with 60 ms of silence before and 120 ms after what is said; nothing of a sound without any level."""
    frame = max(1, int(_FRAME * audio.rate))
    count = len(audio.samples) // frame
    if count == 0:
        return audio
    levels = np.sqrt(np.mean(np.square(audio.samples[: count * frame].reshape(count, frame)), axis=1))
    loud = np.flatnonzero(levels > _SILENT * levels.max())
    if not loud.size:
        return Audio(np.zeros(0, np.float32), audio.rate)
    first = max(0, int(loud[0]) * frame - int(_BEFORE * audio.rate))
    last = (int(loud[-1]) + 1) * frame + int(_AFTER * audio.rate)
    return Audio(audio.samples[first:last], audio.rate)


def silence(rate: int, seconds: float = 0.0) -> Floats:
    """So many seconds without sound."""
    return np.zeros(int(seconds * rate), np.float32)
