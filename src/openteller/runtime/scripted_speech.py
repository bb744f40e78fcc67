"""The Synthesizer that ships beside the real ones: tones instead of words, without weights, the same every time.

For tests and demonstrations without models. A tone of 80 ms a character, its pitch drawn from the character, so that two
texts sound different and longer ones last longer. Nobody can understand it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np

from openteller.core.errors import Unavailable
from openteller.runtime.protocols import Audio
from openteller.runtime.speech_limits import check, silence

_TONE = 0.08  # seconds a character at speed 1
_LEVEL = 0.3
_FADE = 0.005  # seconds, so that tones do not click


@dataclass(frozen=True)
class Asked:
    """One call."""

    text: str
    language: str
    voice: str
    speed: float


class ScriptedSynthesizer:
    """A Synthesizer of tones. Safe to share between threads.

    Args:
        fails_after: raise Unavailable from the call after so many on; None: never.

    Attributes:
        requests: every call that was answered so far.
    """

    def __init__(self, fails_after: int | None = None) -> None:
        self.rate = 24_000
        self.voices: Mapping[str, tuple[str, ...]] = {"zh": ("zh_low", "zh_high"), "en": ("en_low", "en_high")}
        self._fails_after = fails_after
        self._lock = Lock()
        self.requests: list[Asked] = []

    def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
        """A tone for each letter or Han character of `text`. Raises BadInput, Unavailable when told to."""
        asked = Asked(text, language, check(self.voices, language, voice, speed), speed)
        with self._lock:
            if self._fails_after is not None and len(self.requests) >= self._fails_after:
                raise Unavailable("The scripted voice fails here.", cause="Its script says so.", next_step="None.")
            self.requests.append(asked)
        octave = 2 if asked.voice.endswith("high") else 1
        tones = [self._tone(ord(c) * octave, speed) for c in text if c.isalnum()]
        return Audio(np.concatenate(tones) if tones else silence(self.rate), self.rate)

    def _tone(self, code: int, speed: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time = np.arange(int(_TONE / speed * self.rate)) / self.rate
        fade = np.minimum(1, np.minimum(time, time[::-1]) / _FADE)
        tone = _LEVEL * fade * np.sin(2 * np.pi * (200 + code % 600) * time)
        return np.asarray(tone, np.float32)
