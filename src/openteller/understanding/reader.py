"""Understanding in one pass: one run of the encoder feeds every head, rules add what is exact.

The heads give intent, sentiment, needs and entity tags, each scaled by the temperature fitted on validation; rules give
language, normalised amounts, dates and terms, personal data and risk flags. Where a rule and a tag overlap, the rule
wins: it carries a normalised value. Knows nothing about answers or about who asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from openteller.core.records import Entity, IntentPrediction, Language, Scored, Sentiment, Understanding
from openteller.products.names import ProductNames
from openteller.runtime.onnx_backend import ranked, softmax
from openteller.runtime.protocols import Encoding, Floats, MultiHeadEncoder, TextKind
from openteller.understanding import entities as rules
from openteller.understanding.language import detect
from openteller.understanding.personal_data import find
from openteller.understanding.risk_flags import flags

_ALTERNATIVES = 4
_NEED_FROM = 0.5
_TAGGED = frozenset({"product", "card", "account", "person"})  # tags without a number to normalise
_TAG_FROM = 0.6


class RetrievalSpace(Protocol):
    """Turns encoder vectors into search vectors (runtime.use_backend.JointEmbedder does), at work while they are made."""

    def completing(self, texts: Sequence[str], kind: TextKind) -> Callable[[Floats], Floats]: ...


@dataclass(frozen=True)
class Reading:
    """An understanding with what later stops need besides.

    vector: (dimension,) float32, what knowledge is searched with; intents: the whole distribution.
    """

    understanding: Understanding
    vector: Floats
    intents: dict[str, float]


class Reader:
    """Reads inquiries with `encoder`, whose heads are intent, sentiment, needs and tags.

    Args:
        encoder: the shipped multi-head encoder, or a bank's own.
        temperatures: head → divisor of its logits.
        timezone: IANA zone in which "today" is meant.
        space: turns the encoder's vector into the one that knowledge is searched with.
    """

    def __init__(
        self, encoder: MultiHeadEncoder, temperatures: Mapping[str, float], timezone: str, space: RetrievalSpace
    ) -> None:
        self._encoder, self._temperatures, self._timezone = encoder, temperatures, timezone
        self._space = space

    def read(self, text: str, today: date, names: ProductNames, declared: Language | None = None) -> Reading:
        """Understand one normalised text as of `today`; a `declared` language is believed."""
        complete = self._space.completing([text], "query")
        encoding = self._encoder.encode([text])
        intents = self._ranked(encoding, "intent")
        language = Scored(label=declared.value, probability=1.0) if declared else detect(text)
        understanding = Understanding(
            language=language,
            intent=IntentPrediction(
                label=intents[0].label,
                probability=intents[0].probability,
                alternatives=tuple(intents[1 : 1 + _ALTERNATIVES]),
            ),
            sentiment=self._sentiment(encoding),
            needs=self._needs(encoding),
            entities=self._entities(text, encoding, names, today),
            personal_data=find(text),
            risk_flags=flags(text),
        )
        return Reading(understanding, complete(encoding.embedding)[0], {s.label: s.probability for s in intents})

    def _scaled(self, encoding: Encoding, head: str) -> Floats:
        scaled: Floats = encoding.logits[head][0] / self._temperatures.get(head, 1.0)
        return scaled

    def _ranked(self, encoding: Encoding, head: str) -> list[Scored]:
        return ranked(self._encoder.labels[head], softmax(self._scaled(encoding, head)))

    def _sentiment(self, encoding: Encoding) -> Sentiment:
        chances = {s.label: s.probability for s in self._ranked(encoding, "sentiment")}
        label = max(chances, key=lambda name: chances[name])
        score = max(-1.0, min(1.0, chances["positive"] - chances["negative"]))
        return Sentiment(label=label, probability=chances[label], score=score)

    def _needs(self, encoding: Encoding) -> tuple[Scored, ...]:
        chances = (1 / (1 + np.exp(-self._scaled(encoding, "needs")))).astype(np.float32)
        found = [s for s in ranked(self._encoder.labels["needs"], chances) if s.probability >= _NEED_FROM]
        return tuple(found)

    def _entities(self, text: str, encoding: Encoding, names: ProductNames, today: date) -> tuple[Entity, ...]:
        exact = rules.parse(text, names.find(text), today, self._timezone)
        tagged = self._tagged(text, encoding.token_logits["tags"][0], encoding.offsets[0])
        taken = [(e.start, e.end) for e in exact]
        free = [e for e in tagged if not any(e.start < end and start < e.end for start, end in taken)]
        return tuple(sorted((*exact, *free), key=lambda e: e.start))

    def _tagged(self, text: str, logits: Floats, offsets: Sequence[Sequence[int]] | np.ndarray) -> list[Entity]:
        labels = self._encoder.labels["tags"]
        chances = softmax(logits / self._temperatures.get("tags", 1.0))
        spans: list[tuple[str, int, int, list[float]]] = []
        for row, (start, end) in zip(chances, offsets, strict=True):
            side, _, kind = labels[int(row.argmax())].partition("-")
            if side == "O":
                continue
            chance = float(row.max())
            if side == "I" and spans and spans[-1][0] == kind and int(start) - spans[-1][2] <= 1:
                kind, first, _, seen = spans[-1]
                spans[-1] = (kind, first, int(end), [*seen, chance])
            else:
                spans.append((kind, int(start), int(end), [chance]))
        return [
            _entity(text, kind, start, end, min(seen))
            for kind, start, end, seen in spans
            if kind in _TAGGED and min(seen) >= _TAG_FROM and text[start:end].strip()
        ]


def _entity(text: str, kind: str, start: int, end: int, chance: float) -> Entity:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    surface = text[start:end].rstrip()
    value = surface if kind == "person" else ""
    return Entity(
        type=kind, text=surface, start=start, end=start + len(surface), value=value, probability=min(1.0, chance)
    )
