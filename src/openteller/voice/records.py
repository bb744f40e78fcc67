"""What passes between a call and the world: text from a mind, messages for the customer's side, sound for a tape.

Knows nothing about how any of it comes about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from openteller.runtime.protocols import Floats


@dataclass(frozen=True)
class Piece:
    """A part of what a mind answers.

    text: one or more whole sentences; empty when the piece only tells an event.
    language: zh or en, of `text`.
    keep: approved wording with nobody's data in it: its sound may be stored.
    replaces: all text given before is withdrawn, and this stands in its place.
    choices: questions that the customer may choose from by number; they are read out.
    hands_over: a person goes on from here.
    event: told to the caller as it is.
    trace: the id of the turn that it belongs to.
    """

    text: str = ""
    language: str = "zh"
    keep: bool = False
    replaces: bool = False
    choices: tuple[str, ...] = ()
    hands_over: bool = False
    event: tuple[str, Mapping[str, Any]] | None = None
    trace: str = ""


class Mind(Protocol):
    """Whoever answers: text in, a stream of text out. Called away from the call's thread."""

    def answer(self, text: str, language: str | None) -> Iterator[Piece]:
        """The reply to what a customer said."""
        ...

    def prepare(self, text: str, language: str | None) -> None:
        """They may be about to say `text`: look up what will be needed. Nothing is stored or said."""
        ...


class Tape(Protocol):
    """Whatever records a call, as `openteller.voice.recorder.Recorder` does."""

    def heard(self, samples: Floats) -> None:
        """(n,) samples of the customer at 16 kHz."""
        ...

    def played(self, samples: Floats) -> None:
        """(n,) samples of ours at the voice's rate."""
        ...


@dataclass(frozen=True)
class Message:
    """Something the customer's side should know: `type` and fields as in docs/guide/voice.md."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
