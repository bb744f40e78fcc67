"""When somebody begins to speak, pauses, and has finished: turn-taking on the clock of the microphone.

Fed with windows of 32 ms, in real time or faster, it tells what happened in them. How long a pause may be before the turn is
over is for the caller to say (`patience`), from what was said and how it sounded. Knows nothing about words, models or time
of day: given the same sound it does the same.
"""

from dataclasses import dataclass, field

import numpy as np

from openteller.runtime.protocols import Floats
from openteller.voice.detectors import RATE, WINDOW

SECONDS = WINDOW / RATE  #: what one window lasts
_SPEAKS, _SILENT = 0.5, 0.35  # probabilities: between them the state stays (hysteresis)
_ONSET = 3  # windows of speech that begin it: 96 ms, longer than a click
_ONSET_OF = 4  # … among this many
_PAUSE = 3  # silent windows that make a pause: 96 ms, longer than most stops inside a word
PAUSE_SEEN = _PAUSE * SECONDS  #: seconds after the last sound at which a pause is told
_BACK = 2  # windows of speech that end a pause
_PREROLL = 10  # windows kept from before the onset: a soft first sound
_LONGEST = round(60 / SECONDS)  # a turn is cut after a minute


@dataclass(frozen=True)
class Onset:
    """Somebody began to speak."""


@dataclass(frozen=True)
class Pause:
    """They paused; `speech` is the turn so far, from just before its onset. `number` counts the pauses of the turn."""

    speech: Floats
    number: int


@dataclass(frozen=True)
class Resumed:
    """They went on after a pause that did not end the turn."""


@dataclass(frozen=True)
class Ended:
    """The turn is over. `speech` as in the last pause; silence: seconds since the last sound of speech."""

    speech: Floats
    number: int
    silence: float


TurnEvent = Onset | Pause | Resumed | Ended


@dataclass
class TurnTaking:
    """One call's turns.

    patience: seconds of silence that end the turn; set anew by the caller after each pause, and long until it knows.

    Attributes:
        voiced: seconds of speech in the present turn.
        silence: seconds since the last speech of the present turn.
    """

    unknown: float = 3.0
    patience: float = 3.0
    voiced: float = 0.0
    silence: float = 0.0
    _kept: list[Floats] = field(default_factory=list)
    _recent: list[bool] = field(default_factory=list)
    _in_turn: bool = False
    _in_pause: bool = False
    _streak: int = 0
    _pauses: int = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody is in the middle of a turn, pauses included."""
        return self._in_turn

    @property
    def is_paused(self) -> bool:
        """Whether the turn stands in a pause."""
        return self._in_pause

    def hear(self, window: Floats, probability: float) -> list[TurnEvent]:
        """What happened in the next (512,) samples, in order."""
        self._kept.append(window)
        if not self._in_turn:
            return self._wait(probability)
        return self._follow(probability)

    def close(self) -> Ended | None:
        """End the turn now: a button was let go. None when nobody has spoken."""
        return self._end() if self._in_turn else None

    def drop(self) -> None:
        """Forget the present turn: it was none."""
        self._kept = self._kept[-_PREROLL:]
        self._in_turn = self._in_pause = False
        self._recent.clear()

    def _wait(self, probability: float) -> list[TurnEvent]:
        self._recent = [*self._recent, probability >= _SPEAKS][-_ONSET_OF:]
        del self._kept[: -_PREROLL - _ONSET_OF]
        if sum(self._recent) < _ONSET:
            return []
        self._in_turn, self._in_pause = True, False
        self.voiced, self.silence, self._streak, self._pauses = sum(self._recent) * SECONDS, 0.0, 0, 0
        self.patience = self.unknown
        return [Onset()]

    def _follow(self, probability: float) -> list[TurnEvent]:
        if self._in_pause:
            return self._in_silence(probability)
        if probability >= _SILENT:
            self.voiced += SECONDS
            self._streak, self.silence = 0, 0.0
            if len(self._kept) < _LONGEST:
                return []
            self._pauses += 1  # cut as at a pause, for its text to be asked for
            return [self._end()]
        self._streak += 1
        self.silence = self._streak * SECONDS
        if self._streak < _PAUSE:
            return []
        self._in_pause, self._streak, self.patience = True, 0, self.unknown
        self._pauses += 1
        return [Pause(self._speech(), self._pauses)]

    def _in_silence(self, probability: float) -> list[TurnEvent]:
        self.silence += SECONDS
        self._streak = self._streak + 1 if probability >= _SPEAKS else 0
        if self._streak >= _BACK:
            self._in_pause, self._streak, self.silence = False, 0, 0.0
            self.voiced += _BACK * SECONDS
            return [Resumed()]
        return [self._end()] if self.silence >= self.patience and not self._streak else []

    def _end(self) -> Ended:
        ended = Ended(self._speech(), self._pauses, self.silence)
        self.drop()
        return ended

    def _speech(self) -> Floats:
        """The turn so far, a long pause at its end left out but for a moment."""
        spare = max(0, round(self.silence / SECONDS) - 2 * _PAUSE)
        return np.concatenate(self._kept[: len(self._kept) - spare])
