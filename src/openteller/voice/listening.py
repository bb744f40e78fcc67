"""From the microphone to what was said: turns are found, transcribed at every pause, and ended when they sound and read as over.

Transcribing begins as soon as somebody pauses, before it is known whether the turn is over: when it is, the text is there or
nearly so; when it is not, it was a partial result. Knows nothing about replies; it tells its caller what happens.

Latency budget of a turn: 0.1 s to see the pause, then Smart Turn beside the recogniser; the turn ends after `_OVER` seconds
of silence at the soonest, when both say so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from openteller.core.errors import OpenTellerError
from openteller.runtime.protocols import Audio, Floats
from openteller.voice import manners, turns
from openteller.voice.detectors import RATE, WINDOW, EndDetector, SpeechDetector
from openteller.voice.hearing import Heard
from openteller.voice.turn_ends import load_turn_ends

_OVER, _MAYBE, _HARDLY = 0.45, 1.2, 1.8  # seconds of silence that end a turn, by how finished it sounds
_SOUNDS_OVER, _SOUNDS_OPEN = 0.5, 0.15  # Smart Turn's probability
_ASKED = 0.8  # … at the most, after what reads as a question
# Seconds of silence by the least probability that the turn is over (turn_ends). A number is read out in groups, with pauses, and
# sounds over after each; in other words the sound says more. Chosen on the lines that the probability was fitted on, cross-
# validated, and on benchmarks/voice_utterances.yaml and voice_blind.yaml (lab/LOG.md).
_IN_NUMBERS = ((0.85, 0.45), (0.7, 0.95), (0.5, 1.6), (0.0, 2.4))
_IN_WORDS = ((0.4, 0.0), (0.0, 1.5))
_OPEN_SOUND = 1.5  # … in a number that sounds open
# A product's name and no more reads as unfinished, and is asked often: where it sounds over, little longer than a pause for breath.
_NAMED, _SOUNDS_SURELY_OVER, _NOT_JUST_BEGUN = 0.95, 0.9, 0.12
_LIKELY_OVER = 0.6  # from here on the last words alone are no reason to wait, but in a long number
_NOTHING = 0.9  # seconds of silence after a sound in which no words were heard
_DOUBTFUL = 1.5  # … after a few sounds of which the recogniser is not sure: nobody knows what they begin
_SURE = 0.8  # the recogniser's probability
_AT_ONCE = 2  # transcriptions of one call
_SHORTEST_PUSHED = 0.2  # seconds: less is a slip of the finger

_FEW = {"zh": 4, "en": 10}  # characters

T = TypeVar("T")


class Ears(Protocol):
    """What listening needs of recognition: `openteller.voice.hearing.Hearing` fits."""

    def hear(self, audio: Audio, language: str | None = None) -> Heard:
        """What was said. Raises Unavailable when the engine does not answer."""
        ...


class Work(Protocol):
    """Runs what takes long away from the call, and brings the result back to it."""

    def submit(self, kind: str, job: Callable[[], T], then: Callable[[T | OpenTellerError], None]) -> None:
        """Run `job`, then `then` with its result or error where the call runs. kind: which line it waits in."""
        ...

    def post(self, then: Callable[[], None]) -> None:
        """Run `then` where the call runs; for a job that has something to tell before it is done."""
        ...


@dataclass(frozen=True)
class Began:
    """Somebody began to speak."""


@dataclass(frozen=True)
class Speaking:
    """They have spoken for `voiced` seconds by now; told with every window."""

    voiced: float


@dataclass(frozen=True)
class Paused:
    """They paused after `voiced` seconds of speech."""

    voiced: float


@dataclass(frozen=True)
class Guess:
    """What they said up to a pause; the turn may go on."""

    heard: Heard


@dataclass(frozen=True)
class Over:
    """A turn is over; its text may be a moment away."""


@dataclass(frozen=True)
class Utterance:
    """A turn is over, and this was said in it."""

    heard: Heard


@dataclass(frozen=True)
class Nothing:
    """There was a sound, and no words in it."""


@dataclass(frozen=True)
class Deaf:
    """The recogniser does not answer."""

    error: OpenTellerError


Listened = Began | Speaking | Paused | Guess | Over | Utterance | Nothing | Deaf


@dataclass
class _Turn:
    """What is known of one turn, by the number of the pause."""

    over: dict[int, float] = field(default_factory=dict)
    texts: dict[int, Heard] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    ended: turns.Ended | None = None
    dropped: bool = False


class Listening:
    """One call's ears. Every method, and what `Work` brings back, runs in the same thread.

    Args:
        ears: recognition.
        speaks: the speech detector of this call.
        finished: the end-of-turn detector.
        work: where recognition runs.
        tell: told what happens.
        language: zh or en; None follows the speaker.
    """

    def __init__(
        self,
        ears: Ears,
        speaks: SpeechDetector,
        finished: EndDetector,
        work: Work,
        tell: Callable[[Listened], None],
        language: str | None = None,
    ) -> None:
        self._ears, self._speaks, self._finished = ears, speaks, finished
        self._work, self._tell, self._language = work, tell, language
        self._turns = turns.TurnTaking()
        self._left: Floats = np.zeros(0, np.float32)
        self._turn = _Turn()
        self._busy = 0
        self._waiting: list[tuple[_Turn, int, Floats]] = []
        self._pushed: list[Floats] | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody is in the middle of a turn, or one waits to be understood."""
        return self._turns.is_open or self._turn.ended is not None or self._pushed is not None

    @property
    def voiced(self) -> float:
        """Seconds of speech in the present turn."""
        return self._turns.voiced

    def hear(self, samples: Floats) -> None:
        """Take the next samples at 16 kHz, any number of them."""
        if self._pushed is not None:
            self._pushed.append(samples)
            return
        self._left = np.concatenate([self._left, samples])
        while len(self._left) >= WINDOW:
            window, self._left = self._left[:WINDOW], self._left[WINDOW:]
            for event in self._turns.hear(window, self._speaks(window)):
                self._follow(event)
            if self._turns.is_open and not self._turns.is_paused:
                self._tell(Speaking(self._turns.voiced))

    def push(self) -> None:
        """A button is pressed: all that comes until `release` is one turn."""
        self.drop()
        self._pushed = []
        self._tell(Began())

    def release(self) -> None:
        """The button was let go."""
        if self._pushed is None:
            return
        speech = np.concatenate([*self._pushed, np.zeros(0, np.float32)])
        self._pushed = None
        if len(speech) < _SHORTEST_PUSHED * RATE:
            self._tell(Nothing())
            return
        self._turn = _Turn(ended=turns.Ended(speech, 1, 0.0))
        self._tell(Over())
        self._transcribe(self._turn, 1, speech)

    def drop(self) -> None:
        """Forget the present turn: it was none of the caller's business."""
        self._turns.drop()
        self._turn.dropped = True
        self._turn = _Turn()

    def _follow(self, event: turns.TurnEvent) -> None:
        turn = self._turn
        match event:
            case turns.Onset():
                self._turn = _Turn()
                self._tell(Began())
            case turns.Pause(speech=speech, number=number):
                self._tell(Paused(self._turns.voiced))
                self._judge_end(turn, number, speech)
                self._transcribe(turn, number, speech)
            case turns.Resumed():
                pass
            case turns.Ended(speech=speech, number=number):
                turn.ended = event
                self._tell(Over())
                if number not in turn.asked:
                    self._transcribe(turn, number, speech)
                self._finish(turn)

    def _judge_end(self, turn: _Turn, number: int, speech: Floats) -> None:
        def judged(result: float | OpenTellerError) -> None:
            turn.over[number] = 1.0 if isinstance(result, OpenTellerError) else result
            self._be_patient(turn, number)

        self._work.submit("turn", lambda: self._finished(speech), judged)

    def _transcribe(self, turn: _Turn, number: int, speech: Floats) -> None:
        """Transcribe a pause's speech. Two at a time, so that the last need not wait for one that the speaker outran; of
        those that wait only the newest of each turn is left.
        """
        turn.asked.add(number)
        self._waiting = [one for one in self._waiting if one[0] is not turn and not one[0].dropped]
        self._waiting.append((turn, number, speech))
        self._transcribe_next()

    def _transcribe_next(self) -> None:
        if not self._waiting or self._busy >= _AT_ONCE:
            return
        self._busy += 1
        turn, number, speech = self._waiting.pop(0)

        def transcribed(result: Heard | OpenTellerError) -> None:
            self._busy -= 1
            if not turn.dropped:
                self._take(turn, number, result)
            self._transcribe_next()

        self._work.submit("hear", lambda: self._ears.hear(Audio(speech, RATE), self._language), transcribed)

    def _take(self, turn: _Turn, number: int, result: Heard | OpenTellerError) -> None:
        if isinstance(result, OpenTellerError):
            self.drop()
            self._tell(Deaf(result))
            return
        is_newest = all(number >= known for known in turn.texts)
        turn.texts[number] = result
        if result.text and turn.ended is None and is_newest:
            self._tell(Guess(result))
        self._be_patient(turn, number)
        self._finish(turn)

    def _be_patient(self, turn: _Turn, number: int) -> None:
        """Say how long this pause may last, once it is known how the turn sounds and how it reads."""
        if turn is self._turn and number in turn.texts and number in turn.over and self._turns.is_paused:
            self._turns.patience = patience(turn.texts[number], turn.over[number])

    def _finish(self, turn: _Turn) -> None:
        """The turn is over and its text there: tell."""
        ended = turn.ended
        if ended is None or ended.number not in turn.texts or turn.dropped:
            return
        heard, turn.dropped = turn.texts[ended.number], True
        if turn is self._turn:
            self._turn = _Turn()
        self._tell(Utterance(heard) if heard.text else Nothing())


def patience(heard: Heard, over: float) -> float:
    """Seconds of silence that end a turn.

    Args:
        heard: its text so far.
        over: Smart Turn's probability that it is over.
    """
    if not heard.text:
        return _NOTHING
    if manners.stands_alone(heard.text):
        return _OVER
    words = max(manners.patience(heard.raw), manners.patience(heard.text))
    if heard.probability < _SURE and len(manners.plain(heard.text).replace(" ", "")) <= _FEW[heard.language]:
        return max(_DOUBTFUL, words)
    chance = load_turn_ends().probability(heard.text)
    if chance >= _LIKELY_OVER and words < manners.OPEN_LONG_NUMBER:
        words = 0.0
    if manners.has_number(heard.text):
        return max(words, _step(_IN_NUMBERS, chance), _OPEN_SOUND if over < _SOUNDS_OPEN else 0.0)
    reads = _step(_IN_WORDS, chance)
    if over >= _SOUNDS_SURELY_OVER and chance >= _NOT_JUST_BEGUN:
        reads = min(reads, _NAMED)
    return max(words, reads, _by_sound(heard, over))


def _by_sound(heard: Heard, over: float) -> float:
    seconds = _OVER if over >= _SOUNDS_OVER else _HARDLY if over < _SOUNDS_OPEN else _MAYBE
    return min(seconds, _ASKED) if heard.raw.rstrip().endswith(("?", "？")) else seconds


def _step(steps: tuple[tuple[float, float], ...], chance: float) -> float:
    return next(seconds for least, seconds in steps if chance >= least)


class AtOnce:
    """A Work that does everything at once, in the caller's thread: for tests, and for files that nobody waits for."""

    def submit(self, kind: str, job: Callable[[], T], then: Callable[[T | OpenTellerError], None]) -> None:
        """Run `job` now, then `then`."""
        try:
            result: T | OpenTellerError = job()
        except OpenTellerError as error:
            result = error
        then(result)

    def post(self, then: Callable[[], None]) -> None:
        """Run `then` now."""
        then()
