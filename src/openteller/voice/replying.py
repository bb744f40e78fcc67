"""From the text of a reply to sound in the mouth: cut into sentences, put into spoken words, synthesised one after another.

The first sentence is played while the next is made, and no more than `_AHEAD` seconds are: what a listener cuts short is not made
in vain, and other callers' first sentences are not kept waiting. A long reply stops after so many words and keeps the rest for when it is
asked for. When the engine does not answer the reply goes on as text. Knows nothing about turns or about what is said.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from openteller.core.errors import OpenTellerError
from openteller.core.text import han_share
from openteller.runtime.protocols import Audio
from openteller.voice.aloud import aloud, sentences_aloud
from openteller.voice.listening import Work
from openteller.voice.mouth import Mouth

_PAUSE = re.compile(r"[，；：,;:](?!\d)\s*")
_SHORTEST_OPENING = 5  # characters: less is no sentence
_SHORT_ENOUGH = {"zh": 14, "en": 45}  # spoken characters, about three seconds
_AHEAD = 8.0  # seconds of sound in line from which the next sentence can wait
_ENOUGH = 34.0  # seconds of speech after which a listener is asked whether to go on
_ZH_CHARACTERS, _EN_CHARACTERS = 4.6, 15.0  # spoken in a second, about


class Voice(Protocol):
    """What replying needs of synthesis: `openteller.voice.speech.Speech` fits."""

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    def say(self, spoken: str, language: str, *, speed: float = 1.0, keep: bool = False) -> Audio:
        """`spoken` as sound. keep: approved wording without anybody's data, whose sound may be stored."""
        ...

    def prepare(self, sentences: Iterable[tuple[str, str]], *, stopped: Callable[[], bool]) -> int:
        """Make the sound of approved (spoken, language) ahead until stopped; how many were made."""
        ...


@dataclass(frozen=True)
class Sentence:
    """One sentence: as written, in spoken words, and whether its sound may be stored."""

    written: str
    spoken: str
    language: str
    keep: bool

    @property
    def seconds(self) -> float:
        """About how long it takes to say."""
        a_second = _ZH_CHARACTERS if han_share(self.spoken) > 0.3 else _EN_CHARACTERS
        return len(self.spoken) / a_second


def pieces(text: str, language: str, *, opens: bool) -> list[tuple[str, str]]:
    """`text` as pairs of what is written and what is said; joined, the written ones are `text`.

    opens: whether a reply begins with it. Then its first piece is short, since a caller waits until it is made.
    """
    pairs = sentences_aloud(text, language)
    if not opens or not pairs:
        return pairs
    written, spoken = pairs[0]
    cut = next((m.end() for m in _PAUSE.finditer(written) if m.end() >= _SHORTEST_OPENING), 0)
    if not 0 < cut < len(written) or len(spoken) <= _SHORT_ENOUGH[language]:
        return pairs
    parts = [written[:cut], written[cut:]]
    return [*((part, aloud(part, language)) for part in parts), *pairs[1:]]


class Replying:
    """Speaks the replies of one call. Every method runs in the call's thread.

    Args:
        voice: synthesis.
        mouth: where sound is put in line.
        work: where synthesis runs.
        failed: told once a reply when the engine does not answer.
        more: gives the sentence that asks whether to go on, in a language.
    """

    def __init__(
        self,
        voice: Voice,
        mouth: Mouth,
        work: Work,
        failed: Callable[[OpenTellerError], None],
        more: Callable[[str], str],
    ) -> None:
        self._voice, self._mouth, self._work = voice, mouth, work
        self._failed, self._more = failed, more
        self._line: deque[Sentence] = deque()
        self._reply = 0
        self._busy = self._closed = self._is_mute = False
        self._seconds = 0.0
        self._question: Sentence | None = None
        self._sentences: list[Sentence] = []
        self._rest: list[Sentence] = []
        self.speed = 1.0
        self.asks_to_go_on = False

    def begin(self) -> None:
        """A new reply; what was not said of the one before is dropped."""
        self.stop()
        self._sentences, self._rest = [], []
        self._closed = self._is_mute = self.asks_to_go_on = False
        self._seconds = 0.0
        self._mouth.begin()

    def stop(self) -> None:
        """Say no more of this reply."""
        self._reply += 1
        self._line.clear()
        self._busy = False
        self._mouth.drop()

    def unsaid(self) -> list[Sentence]:
        """The sentences that were not said to their end, those kept back included."""
        return [s for s in self._sentences[self._mouth.completed :] if s is not self._question] + self._rest

    def add(self, text: str, language: str, *, keep: bool = False) -> None:
        """More of the reply: one or more whole sentences."""
        for written, spoken in pieces(text, language, opens=not self._sentences):
            self._put(Sentence(written, spoken, language, keep))
        self._next()

    def go_on(self, rest: list[Sentence]) -> None:
        """Say what was left of a long reply, as a reply of its own."""
        self.begin()
        for sentence in rest:
            self._put(sentence)
        self.close()

    def close(self) -> None:
        """Nothing more belongs to this reply."""
        self._closed = True
        self._next()

    def keep_up(self) -> None:
        """Some of what is in line was played: make more if it is time."""
        if self._line:
            self._next()

    def _put(self, sentence: Sentence) -> None:
        if self._seconds > 0 and self._seconds + sentence.seconds > _ENOUGH:
            self._rest.append(sentence)
            if self.asks_to_go_on:
                return
            self.asks_to_go_on = True
            question = self._more(sentence.language)
            sentence = self._question = Sentence(question, question, sentence.language, keep=True)
        self._seconds += sentence.seconds
        self._sentences.append(sentence)
        self._line.append(sentence)

    def _next(self) -> None:
        if self._busy:
            return
        if not self._line:
            if self._closed:
                self._mouth.finish()
            return
        if self._mouth.ahead >= _AHEAD:
            return
        self._busy, sentence, reply, speed = True, self._line.popleft(), self._reply, self.speed

        def made(result: Audio | OpenTellerError) -> None:
            if reply != self._reply:
                return
            self._busy = False
            self._take(sentence, result)
            self._next()

        self._work.submit(
            "speak",
            lambda: self._voice.say(sentence.spoken, sentence.language, speed=speed, keep=sentence.keep),
            made,
        )

    def _take(self, sentence: Sentence, result: Audio | OpenTellerError) -> None:
        if not isinstance(result, OpenTellerError):
            self._mouth.say(sentence.written, result)
        elif not self._is_mute:
            self._is_mute = True
            self._failed(result)
