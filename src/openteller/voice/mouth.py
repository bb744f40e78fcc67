"""What is being said: sentences in line, how much of them was heard, and how speech gives way.

Whoever plays the sound pulls it at its own pace, so what was pulled is what was heard but for the player's buffer. Speech can be
made quieter, held, taken up again a little before where it was held, or dropped. Knows nothing about where the sound goes.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

import numpy as np

from openteller.runtime.protocols import Audio, Floats

_QUIETER = 10 ** (-14 / 20)  # while somebody may be about to speak
_REWIND = 0.35  # seconds said again when speech is taken up
_FADE = 0.008  # seconds over which loudness changes: no click


@dataclass
class _Line:
    """One sentence, as written and as sound; at: the next sample to be played."""

    text: str
    samples: Floats
    at: int = 0


class Mouth:
    """Plays sentences one after another. Safe to share between a thread that says and one that plays.

    Args:
        rate: samples a second of everything that is said.
        on_line: called with each sentence's text when its first sample is pulled.
    """

    def __init__(self, rate: int, on_line: Callable[[str], None] = lambda _: None) -> None:
        self.rate = rate
        self._on_line = on_line
        self._lock = RLock()
        self._lines: deque[_Line] = deque()
        self._said: list[str] = []
        self._tail = ""
        self._gain = self._target = 1.0
        self._held = False
        self._more = False

    @property
    def speaking(self) -> bool:
        """Whether there is something left to play, or announced, held or not."""
        return bool(self._lines) or self._more

    @property
    def held(self) -> bool:
        """Whether speech waits."""
        return self._held

    @property
    def last_line(self) -> bool:
        """Whether the sentence being played is the last one."""
        return not self._more and len(self._lines) <= 1

    @property
    def completed(self) -> int:
        """How many sentences of this reply were said to their end."""
        return len(self._said)

    @property
    def ahead(self) -> float:
        """Seconds of sound that are in line."""
        with self._lock:
            return sum(len(line.samples) - line.at for line in self._lines) / self.rate

    @property
    def line(self) -> str:
        """The text of the sentence being played; empty without one."""
        return self._lines[0].text if self._lines else ""

    def begin(self) -> None:
        """A new reply: what was said before is no longer remembered, and more is to come until `finish`."""
        with self._lock:
            self.drop()
            self._said, self._tail, self._more, self._target = [], "", True, 1.0

    def say(self, text: str, audio: Audio) -> None:
        """Put a sentence in line."""
        with self._lock:
            self._lines.append(_Line(text, audio.samples))

    def finish(self) -> None:
        """No more sentences belong to this reply."""
        self._more = False

    def pull(self, count: int) -> Floats | None:
        """The next `count` samples, at the end of speech fewer and then padded with silence; None when there are none."""
        with self._lock:
            if self._held or not self._lines:
                return None
            out = np.zeros(count, np.float32)
            filled = 0
            while filled < count and self._lines:
                filled += self._take(out[filled:])
            return self._faded(out)

    def _take(self, out: Floats) -> int:
        line = self._lines[0]
        if line.at == 0:
            self._on_line(line.text)
        piece = line.samples[line.at : line.at + len(out)]
        out[: len(piece)] = piece
        line.at += len(piece)
        if line.at >= len(line.samples):
            self._said.append(line.text)
            self._lines.popleft()
        return len(piece)

    def _faded(self, out: Floats) -> Floats:
        steps = min(len(out), max(1, round(_FADE * self.rate)))
        gains = np.full(len(out), self._target, np.float32)
        gains[:steps] = np.linspace(self._gain, self._target, steps, dtype=np.float32)
        self._gain = self._target
        return out * gains

    def duck(self) -> None:
        """Go on more quietly."""
        self._target = _QUIETER

    def unduck(self) -> None:
        """Go on as before."""
        self._target = 1.0

    def hold(self) -> None:
        """Fall silent, and keep what is left."""
        self._held = True

    def take_up(self) -> None:
        """Go on after `hold`, from a little before."""
        with self._lock:
            if self._lines:
                self._lines[0].at = max(0, self._lines[0].at - round(_REWIND * self.rate))
            self._held, self._target, self._gain = False, 1.0, 0.0

    def drop(self) -> None:
        """Fall silent for good; what was heard stays known until the next reply."""
        with self._lock:
            self._tail = self._part() or self._tail
            self._lines.clear()
            self._held = self._more = False

    def heard(self) -> str:
        """What the listener has heard of this reply: whole sentences, and of the present one the part that was played."""
        with self._lock:
            return "".join([*self._said, self._part() or self._tail])

    def _part(self) -> str:
        if not self._lines:
            return ""
        line = self._lines[0]
        return heard_part(line.text, line.at / len(line.samples) if len(line.samples) else 1.0)


def heard_part(text: str, share: float) -> str:
    """The beginning of `text` that takes `share` of its time; in Latin script only whole words."""
    end = round(len(text) * min(max(share, 0.0), 1.0))
    if 0 < end < len(text) and text[end - 1].isascii() and text[end].isascii():
        end = max(text.rfind(" ", 0, end), 0) if not text[end].isspace() else end
    return text[:end].rstrip()
