"""The road as a voice needs it: text in, pieces of text out. Knows nothing about sound."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from openteller.assistant.dialogue import inquiry_of
from openteller.core.records import Inquiry, Language, Principal
from openteller.serving.deps import Serving
from openteller.voice.records import Piece

_LANGUAGES = {"zh": Language.ZH_HANS, "en": Language.EN}


class DialogueMind:
    """One caller's conversation on the road.

    The answer is spoken once it stands as a whole: what has been said aloud cannot be withdrawn.
    """

    def __init__(self, serving: Serving, principal: Principal, conversation_id: UUID) -> None:
        self._serving, self._principal, self._conversation_id = serving, principal, conversation_id

    def answer(self, text: str, language: str | None) -> Iterator[Piece]:
        """The reply to what was said, with the events of the turn."""
        dialogue, metrics = self._serving.application.dialogue, self._serving.metrics
        inquiry = self._inquiry(text, language)
        spoken = language or "zh"
        began = time.perf_counter()
        for event in dialogue.stream(inquiry, self._principal):
            data = event.data
            if event.name == "understanding":
                spoken = language or Language(data["language"]["label"]).spoken
            yield Piece(event=(event.name, self._on_the_wire(event.name, data)))
            if event.name == "answer":
                yield from (replace(piece, trace=str(inquiry.trace_id)) for piece in _spoken(data, spoken))
            elif event.name == "done":
                metrics.stage_seconds.labels("turn").observe(time.perf_counter() - began)
                metrics.turn(data["turn"])

    def prepare(self, text: str, language: str | None) -> None:
        """Read and search for what they may be about to say."""
        self._serving.application.dialogue.prepare(self._inquiry(text, language), self._principal)

    def _inquiry(self, text: str, language: str | None) -> Inquiry:
        known = _LANGUAGES.get(language or "")
        return inquiry_of(text, language=known, conversation_id=self._conversation_id, channel="voice")

    def _on_the_wire(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if name != "done":
            found: Mapping[str, Any] = to_jsonable_python(data)
            return found
        turn = data["turn"].inquiry
        return {"trace_id": str(turn.trace_id), "conversation_id": str(turn.conversation_id)}


def _spoken(answer: Mapping[str, Any], language: str) -> Iterator[Piece]:
    """The answer as it is said. Approved wording is kept as sound: it was written for everybody."""
    keep = not answer["generated"] and bool(answer["citations"]) and not answer["skill"]
    if answer["skill"] == "talk" or answer["outcome"] in ("refused", "handed_off"):
        keep = True
    yield Piece(answer["text"], language, keep, hands_over=answer["outcome"] == "handed_off")
    if answer["suggestions"]:
        yield Piece("", language, keep=True, choices=tuple(answer["suggestions"]))
