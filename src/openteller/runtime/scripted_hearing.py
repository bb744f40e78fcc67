"""The Transcriber that ships beside the real ones: it plays prepared texts, without weights, and hears nothing itself.

For tests and demonstrations without models. A misused script raises AssertionError rather than one of the house's errors, which
the code under test might fall back from.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from openteller.core.errors import Unavailable
from openteller.runtime.hearing_limits import check, language_of
from openteller.runtime.protocols import Audio, Recognition

Step = str | Recognition | Exception


@dataclass(frozen=True)
class Asked:
    """One call. seconds: of its sound."""

    seconds: float
    language: str | None
    hotwords: tuple[str, ...]


class ScriptedTranscriber:
    """A Transcriber that plays its script, one step a call, in order. Safe to share between threads.

    Args:
        steps: for each call what it hears: a text, a whole Recognition, or an error to raise; or a function of the sound, such as
            a look-up by its length.
        fails_after: raise Unavailable from the call after so many on; None: never.
        probability: of the texts.

    Attributes:
        requests: every call so far that was answered.
    """

    rate = 16_000

    def __init__(
        self,
        steps: Iterable[Step] | Callable[[Audio], Step],
        *,
        fails_after: int | None = None,
        probability: float = 0.9,
    ) -> None:
        self._steps = steps if callable(steps) else list(steps)
        self._fails_after, self._probability = fails_after, probability
        self._lock = Lock()
        self.requests: list[Asked] = []

    def transcribe(self, audio: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()) -> Recognition:
        """The next step. Raises BadInput, Unavailable when told to, AssertionError when the script is over."""
        check(audio, self.rate, language)
        with self._lock:
            position = len(self.requests)
            if self._fails_after is not None and position >= self._fails_after:
                raise Unavailable("The scripted ears fail here.", cause="Their script says so.", next_step="None.")
            self.requests.append(Asked(audio.seconds, language, tuple(hotwords)))
        step = self._steps(audio) if callable(self._steps) else self._at(self._steps, position)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Recognition):
            return step
        return Recognition(
            step, language or language_of(step), self._probability if step else 0.0, 0.0 if step else 1.0
        )

    def finish(self) -> None:
        """Raise AssertionError unless every step was played."""
        left = 0 if callable(self._steps) else len(self._steps) - len(self.requests)
        if left > 0:
            raise AssertionError(f"{left} steps of the script were not played.")

    def _at(self, steps: list[Step], position: int) -> Step:
        if position >= len(steps):
            raise AssertionError(f"The script has {len(steps)} steps and was asked for one more.")
        return steps[position]
