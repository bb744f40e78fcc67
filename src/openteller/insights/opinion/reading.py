"""Reading an item: for each entity it names, the sentiment toward it, the kind of event and how bad that is.

Knows nothing about sources, topics or the store.
"""

from collections.abc import Sequence

from openteller.core.records import Record
from openteller.core.text import fold
from openteller.insights.opinion.events import level_of
from openteller.insights.opinion.linking import EntityLinker, Found
from openteller.insights.opinion.model import EVENT, SENTIMENT, OpinionModel
from openteller.insights.opinion.records import EventType, Level, Mention, SentimentLabel

_SENTIMENTS: tuple[SentimentLabel, ...] = ("negative", "neutral", "positive")
_SURE, _LEAST = 0.5, 0.4
"""Below these probabilities a sentiment is called neutral, an event other."""


class Reading(Record):
    """What an item says as a whole, and of each entity."""

    sentiment: SentimentLabel
    score: float
    event: EventType
    event_probability: float
    level: Level
    mentions: tuple[Mention, ...] = ()


class OpinionReader:
    """Reads with one model and one list of entities. Safe to share between threads."""

    def __init__(self, model: OpinionModel, linker: EntityLinker) -> None:
        self.model, self.linker = model, linker

    def read(self, words: str) -> Reading:
        """What `words` (title and text) say. As a whole an item is as bad as what it says of any entity."""
        view = fold(words)
        mentions = tuple(self._mention(view, found) for found in self.linker.find(words))
        if mentions:
            worst = max(mentions, key=lambda one: (one.level.number, -one.score))
            sentiment, score = worst.sentiment, worst.score
            event, probability = worst.event, worst.event_probability
        else:
            sentiment, score, event, probability = self._judged(view, ())
        return Reading(
            sentiment=sentiment,
            score=score,
            event=event,
            event_probability=probability,
            level=level_of(event, sentiment),
            mentions=mentions,
        )

    def _mention(self, view: str, found: Found) -> Mention:
        sentiment, score, event, probability = self._judged(view, found.spans)
        return Mention(
            entity_id=found.entity.id,
            sentiment=sentiment,
            score=score,
            event=event,
            event_probability=probability,
            level=level_of(event, sentiment),
        )

    def _judged(self, view: str, spans: Sequence[tuple[int, int]]) -> tuple[SentimentLabel, float, EventType, float]:
        read = self.model.read(view, spans)
        chances = read[SENTIMENT]
        best = max(_SENTIMENTS, key=lambda label: chances.get(label, 0.0))
        sentiment = best if chances[best] >= _SURE else "neutral"
        score = chances.get("positive", 0.0) - chances.get("negative", 0.0)
        event, probability = max(read[EVENT].items(), key=lambda pair: pair[1])
        sure = EventType(event) if probability >= _LEAST else EventType.OTHER
        return sentiment, round(score, 4), sure, round(probability, 4)
