"""Sentences as sound: looked up among those made before, else synthesised, at one loudness.

Only what its caller calls keepable is stored: approved wording. A sentence with somebody's name or amounts never reaches the
disk. Knows nothing about numbers (aloud), files, or who listens.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition

from openteller.core.errors import BadInput
from openteller.core.text import normalise
from openteller.runtime.protocols import Audio, Synthesizer
from openteller.voice.loudness import levelled
from openteller.voice.speech_cache import SpeechCache

_POLL = 0.2  # seconds between two looks whether to stop
Progress = Callable[[int, int], None]
Sentence = tuple[str, str]  #: in spoken words, and zh or en


class Speech:
    """Says sentences. Safe to share between threads.

    Args:
        synthesizer: the engine.
        engine: its name and version: another engine's sound is not taken for this one's.
        cache: what was made before; None: nothing is kept.
        voices: zh and en → the voice to use instead of the engine's first.

    Raises:
        BadInput: the engine does not have one of `voices`.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        engine: str,
        cache: SpeechCache | None = None,
        voices: Mapping[str, str] | None = None,
    ) -> None:
        self._synthesizer, self._engine, self._cache = synthesizer, engine, cache
        self._voices = {language: names[0] for language, names in synthesizer.voices.items()}
        for language, voice in (voices or {}).items():
            self._voices[language] = self._known(voice)
        self._live = 0
        self._quiet = Condition()

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._synthesizer.rate

    @property
    def engine(self) -> str:
        """The engine's name and version."""
        return self._engine

    @property
    def voices(self) -> Mapping[str, tuple[str, ...]]:
        """For zh and en the names of the voices, the engine's first choice first."""
        return self._synthesizer.voices

    def voice_of(self, language: str) -> str | None:
        """The voice that speaks a language when none is named; None for a language without."""
        return self._voices.get(language)

    def say(
        self, spoken: str, language: str, *, voice: str | None = None, speed: float = 1.0, keep: bool = False
    ) -> Audio:
        """`spoken` as sound at −19 LUFS; a text without anything to say gives no samples.

        Args:
            spoken: one sentence in spoken words.
            language: zh or en.
            voice: one of `voices`; None: the language's.
            speed: 0.5 to 2.
            keep: approved wording without anybody's data, whose sound may be stored.

        Raises:
            BadInput: an unknown voice or language, a speed out of range.
            Unavailable: the engine does not answer.
        """
        with self._speaking():
            return self._sound(normalise(spoken), language, voice or self._voices.get(language), speed, keep)

    def prepare(
        self,
        sentences: Iterable[Sentence],
        progress: Progress = lambda done, total: None,
        stopped: Callable[[], bool] = lambda: False,
        *,
        speed: float = 1.0,
    ) -> int:
        """Make the sound of approved sentences ahead; how many were made now.

        Those that are there already are passed over, so that a stopped run goes on where it was. Gives way to whoever
        waits for speech: between two sentences it waits until nobody does.

        Args:
            sentences: approved ones, without anybody's data.
            progress: told how many are done, of how many.
            stopped: asked before each sentence.
            speed: as they will be said.

        Raises:
            Unavailable: the engine does not answer; what was made stays.
        """
        if self._cache is None:
            return 0
        wanted = list(dict.fromkeys((normalise(spoken), language) for spoken, language in sentences))
        made = 0
        for done, (spoken, language) in enumerate(wanted):
            progress(done, len(wanted))
            voice = self._voices.get(language)
            if self._key(spoken, language, voice, speed) in self._cache:
                continue
            if not self._may_go_on(stopped):
                return made
            self._sound(spoken, language, voice, speed, keep=True)
            made += 1
        progress(len(wanted), len(wanted))
        return made

    def kept(self, sentences: Iterable[Sentence]) -> Iterator[tuple[str, Audio]]:
        """Of `sentences` those that were made before, each under the name by which `keep` takes it."""
        for spoken, language in sentences:
            key = self._key(normalise(spoken), language, self._voices.get(language), 1.0)
            if self._cache and (found := self._cache.get(key)):
                yield key, found

    def has(self, key: str) -> bool:
        """Whether there is sound under a name of `kept`."""
        return self._cache is not None and key in self._cache

    def keep(self, key: str, audio: Audio) -> bool:
        """Take in what another installation made, under the name of its `kept`; whether it could be stored."""
        if self._cache is None or audio.rate != self.rate:
            return False
        self._cache.put(key, audio, self._engine)
        return key in self._cache

    def _sound(self, spoken: str, language: str, voice: str | None, speed: float, keep: bool) -> Audio:
        key = self._key(spoken, language, voice, speed)
        found = self._cache.get(key) if self._cache else None
        if found is not None and found.rate == self.rate:
            return found
        made = levelled(self._synthesizer.synthesize(spoken, language=language, voice=voice, speed=speed))
        if keep and self._cache and len(made.samples):
            self._cache.put(key, made, f"{self._engine} {voice}")
        return made

    def _key(self, spoken: str, language: str, voice: str | None, speed: float) -> str:
        what = json.dumps([self._engine, language, voice, round(speed, 3), spoken], ensure_ascii=False)
        return hashlib.sha256(what.encode()).hexdigest()

    def _known(self, voice: str) -> str:
        names = [name for of_language in self._synthesizer.voices.values() for name in of_language]
        if voice not in names:
            raise BadInput(f"There is no voice called {voice!r}.", next_step=f"Name one of {', '.join(names)}.")
        return voice

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        with self._quiet:
            self._live += 1
        try:
            yield
        finally:
            with self._quiet:
                self._live -= 1
                self._quiet.notify_all()

    def _may_go_on(self, stopped: Callable[[], bool]) -> bool:
        """Wait until nobody waits for speech; False when asked to stop."""
        with self._quiet:
            while not stopped():
                if self._quiet.wait_for(lambda: self._live == 0, _POLL):
                    return not stopped()
        return False
