"""From sound to a text that the assistant can be asked: recognised, the bank's own words put right, numbers in figures.

It ends in a verdict: clear; unsure (the caller asks again); or nothing, when no words were said. Knows no engine and no assistant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from openteller.core.text import normalise, traditional
from openteller.runtime.protocols import Audio, Recognition, Transcriber
from openteller.voice.bank_words import Written
from openteller.voice.homophones import Change, Hotwords
from openteller.voice.inverse import written
from openteller.voice.preprocessing import Condition, inspect, prepare

Script = Literal["simplified", "traditional"]
Verdict = Literal["clear", "unsure", "nothing"]

_SURE = 0.45  # an engine's probability from which a text is taken as it is
_NOISY = 3.0  # dB of speech over noise; below, more is asked of the probability
_SURE_IN_NOISE = 0.6


@dataclass(frozen=True)
class Heard:
    """What was said.

    text: corrected, numbers in figures; empty when the verdict is nothing.
    raw: the engine's own words.
    language: zh or en.
    probability: the engine's, 0 to 1.
    seconds: length of the sound.
    verdict: clear, unsure or nothing.
    changes: what was corrected, by offsets in `raw`, normalised.
    condition: what the sound was like; None when nobody looked.
    """

    text: str
    raw: str
    language: str
    probability: float
    seconds: float
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    condition: Condition | None = None


class Hearing:
    """Recognition as the bank needs it. Safe to share between threads.

    Args:
        transcriber: the engine; it must want 16 kHz.
        hotwords: gives the words of the bank's own, the likeliest first; asked at every utterance.
        written: gives what the bank writes; asked likewise.
        script: of Chinese, whatever the engine writes: simplified or traditional.
        sure: the engine's probability below which the verdict is unsure.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        hotwords: Callable[[], Sequence[str]] = tuple,
        written: Callable[[], Written] = Written,
        *,
        script: Script = "simplified",
        sure: float = _SURE,
    ) -> None:
        self._transcriber, self._hotwords, self._written = transcriber, hotwords, written
        self._script, self._sure = script, sure
        self._known: tuple[tuple[str, ...], Written, Hotwords] = ((), Written(), Hotwords(()))

    def learn(self) -> None:
        """Learn the words that are put right, and how numbers are read: a second or two that the first utterance would wait for."""
        self._corrector(tuple(self._hotwords()))
        for language in ("zh", "en"):
            written("", language)

    def hear(self, audio: Audio, language: str | None = None) -> Heard:
        """What is said in `audio`.

        Args:
            audio: 16 kHz.
            language: zh or en; None follows the speaker.

        Raises:
            BadInput: another rate, samples that are no numbers, another language.
            Unavailable: the engine does not answer.
        """
        condition = inspect(audio)
        if {"silent", "too_short"} & set(condition.problems):
            return self._nothing(audio, language or "zh", condition)
        words = tuple(self._hotwords())
        recognition = self._transcriber.transcribe(prepare(audio, condition), language=language, hotwords=words)
        raw = normalise(recognition.text)
        if not any(character.isalnum() for character in raw):
            return self._nothing(audio, recognition.language, condition)
        corrected = self._corrector(words).correct(raw, recognition.language)
        text = written(corrected.text, recognition.language)
        return Heard(
            text=traditional(text) if self._script == "traditional" and recognition.language == "zh" else text,
            raw=recognition.text,
            language=recognition.language,
            probability=recognition.probability,
            seconds=audio.seconds,
            verdict=self._verdict(recognition, condition),
            changes=corrected.changes,
            condition=condition,
        )

    def _verdict(self, recognition: Recognition, condition: Condition) -> Verdict:
        noisy = condition.snr is not None and condition.snr < _NOISY
        needed = max(self._sure, _SURE_IN_NOISE) if noisy else self._sure
        return "clear" if recognition.probability >= needed else "unsure"

    def _corrector(self, words: tuple[str, ...]) -> Hotwords:
        known, documents = self._known, self._written()
        if known[0] != words or known[1] != documents:
            known = self._known = (words, documents, Hotwords(words, documents))
        return known[2]

    def _nothing(self, audio: Audio, language: str, condition: Condition) -> Heard:
        return Heard("", "", language, 0.0, audio.seconds, "nothing", condition=condition)
