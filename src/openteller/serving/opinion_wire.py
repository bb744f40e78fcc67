"""Bodies of requests and answers about public opinion, where they are not its records."""

from typing import Self

from pydantic import Field, model_validator

from openteller.core.records import Record
from openteller.insights.opinion.desk import MAX_PUSHED
from openteller.insights.opinion.records import Burst, Entity, RawItem, SourceState, StoredItem, Topic, TrendPoint


class ItemList(Record):
    """Items, the newest first."""

    items: tuple[StoredItem, ...]


class PushBody(Record):
    """Items of one source, each with an external_id."""

    source: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    items: tuple[RawItem, ...] = Field(min_length=1, max_length=MAX_PUSHED)


class Pushed(Record):
    """How many of the items are new."""

    new: int


class TopicList(Record):
    """Topics, the latest first."""

    topics: tuple[Topic, ...]


class BurstList(Record):
    """Bursts, the newest first."""

    bursts: tuple[Burst, ...]


class Trend(Record):
    """Points in the order of time; hours and days without an item are left out."""

    points: tuple[TrendPoint, ...]


class EntityList(Record):
    """The list of entities."""

    entities: tuple[Entity, ...] = Field(max_length=10_000)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({entity.id for entity in self.entities}) < len(self.entities):
            raise ValueError("Two entities have one id.")
        return self


class SourceList(Record):
    """Sources by name."""

    sources: tuple[SourceState, ...]
