"""The records of public opinion: what a source brings, what is read in it, topics and bursts. Knows nothing about the store.

Moments are in UTC. Of an item `arrived_at` is when it reached us, by which everything is counted; `published_at` is what
its source says.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from openteller.core.records import LocalText, Record

MAX_TITLE_CHARACTERS = 500
MAX_TEXT_CHARACTERS = 20_000
MAX_ID_CHARACTERS = 500
MAX_URL_CHARACTERS = 2_000

SentimentLabel = Literal["negative", "neutral", "positive"]
Cursor = dict[str, Any]
"""How far a source has been read; only the source knows what stands in it. What JSON can hold."""


class RawItem(Record):
    """One thing as its source brought it."""

    external_id: str = Field("", max_length=MAX_ID_CHARACTERS, description="the source's own name of it; empty: none")
    url: str = Field("", max_length=MAX_URL_CHARACTERS)
    title: str = Field("", max_length=MAX_TITLE_CHARACTERS)
    text: str = Field("", max_length=MAX_TEXT_CHARACTERS)
    published_at: datetime | None = None

    @field_validator("published_at")
    @classmethod
    def _with_offset(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("has no offset from UTC, as 2026-03-01T09:30:00+08:00")
        return value

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        # It becomes a link on a page of the staff's.
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("is no http or https address")
        return value


class Batch(Record):
    """What one look at a source gave.

    The cursor is stored with the items in one transaction, so whatever happens between leaves both as they were.
    """

    items: tuple[RawItem, ...] = ()
    cursor: Cursor = Field(default_factory=dict)
    faults: tuple[str, ...] = Field((), description="what could not be read, and why; each was passed over")
    more: bool = Field(False, description="there is more right now")
    wait: float = Field(0.0, ge=0, description="seconds until another look is worth it")
    inbox: tuple[int, ...] = Field((), description="rows of the inbox that are done with")


class Item(Record):
    """A normalised item."""

    source: str
    external_id: str = ""
    content_hash: str = Field(
        description="SHA-256 of the folded title and text, hexadecimal: the same words, the same item"
    )
    url: str = ""
    title: str
    text: str
    language: Literal["zh-Hans", "zh-Hant", "en", "other"]
    published_at: datetime | None = None
    arrived_at: datetime

    @property
    def words(self) -> str:
        """Title and text as one."""
        return f"{self.title}\n{self.text}" if self.title and self.text else self.title or self.text


class EntityKind(StrEnum):
    """Who an entity is to the bank."""

    OWN = "own"
    PEER = "peer"
    COMPANY = "company"
    PRODUCT = "product"


class Alias(Record):
    """A name by which an entity goes."""

    text: str = Field(min_length=1, max_length=200)
    needs_context: bool = Field(False, description="means the entity only beside one of its context words")


class Entity(Record):
    """Somebody or something that the bank wants to hear about."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    kind: EntityKind
    name: LocalText
    aliases: tuple[Alias, ...] = Field((), max_length=100)
    context: tuple[str, ...] = Field((), max_length=100, description="words beside which an unsure alias is sure")


class EventType(StrEnum):
    """Kinds of risk event: those of FinESE (FinCUGE, Lu et al. 2023), in English terms."""

    OTHER = "other"
    DISCLOSURE = "disclosure_violation"
    CONTROL = "control_change"
    TRADING = "trading_violation"
    FUNDRAISING = "illegal_fundraising"
    ABSENCE = "executive_absence"
    RESTRUCTURING = "restructuring_failure"
    RATING = "rating_change"
    EARNINGS = "earnings_decline"
    OFFENCE = "suspected_offence"
    ACCOUNTING = "accounting_fraud"
    PYRAMID = "pyramid_selling"
    FRAUD = "suspected_fraud"
    FUNDS = "funds_at_risk"
    EXECUTIVE = "executive_misconduct"
    ASSETS = "asset_impairment"
    COMPLAINTS = "complaints"
    PRODUCT = "product_violation"
    WITHDRAWAL = "withdrawal_trouble"
    ABSCONDING = "absconding"
    CLOSURE = "business_closure"
    STOCK = "stock_anomaly"


class Level(StrEnum):
    """How bad an item is for whom it names."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def number(self) -> int:
        """0 to 3."""
        return list(Level).index(self)


class Mention(Record):
    """What an item says of one entity. Probabilities are the model's own, calibrated on its validation split."""

    entity_id: str
    sentiment: SentimentLabel
    score: float = Field(ge=-1, le=1, description="P(positive) - P(negative)")
    event: EventType
    event_probability: float = Field(ge=0, le=1)
    level: Level


class StoredItem(Item):
    """An item as it is stored, with what was read in it."""

    id: int
    copies: int = Field(1, description="how often the same words came")
    duplicate_of: int | None = Field(None, description="the item it nearly repeats; such an item is not counted")
    topic_id: int | None = None
    sentiment: SentimentLabel = "neutral"
    event: EventType = EventType.OTHER
    level: Level = Level.NONE
    mentions: tuple[Mention, ...] = ()


class TopicStatus(StrEnum):
    """Whether a topic still grows."""

    LIVE = "live"
    MERGED = "merged"
    ENDED = "ended"


class Topic(Record):
    """A group of items about one thing, found without anybody having named it."""

    id: int
    title: str = Field(description="of the item nearest to what its items have in common")
    terms: tuple[str, ...] = Field(description="what its items have in common, the weightiest first")
    status: TopicStatus = TopicStatus.LIVE
    merged_into: int | None = None
    items: int
    first_at: datetime
    last_at: datetime


class TopicGrowth(Record):
    """A topic, and how many counted items it got in the latest stretch of time and in the one before."""

    topic: Topic
    items: int
    before: int


class EntityTone(Record):
    """How many counted items of a stretch of time name an entity, by what they say of it; and how many did in the one before."""

    entity_id: str
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    before: int = 0

    @property
    def items(self) -> int:
        """All of them."""
        return self.negative + self.neutral + self.positive


class Burst(Record):
    """Far more items about one thing than its past lets expect."""

    id: int
    topic_id: int | None = None
    entity_id: str | None = None
    found_at: datetime
    ended_at: datetime | None = None
    items: int = Field(description="in the window, when it was found")
    expected: float = Field(description="in the window, by the past")
    window_seconds: int
    level: Level
    item_ids: tuple[int, ...] = Field(description="those that made it one, the newest last")


class SourceKind(StrEnum):
    """Where items come from."""

    FEED = "feed"
    FILE = "file"
    KAFKA = "kafka"
    PUSH = "push"


class SourceState(Record):
    """A source, and how far it has been read."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    kind: SourceKind
    location: str = Field("", max_length=MAX_URL_CHARACTERS, description="URL, path, or servers and topic")
    enabled: bool = True
    cursor: Cursor = Field(default_factory=dict)
    failures: int = 0
    last_error: str = ""
    read_at: datetime | None = None
    items: int = 0


class TrendPoint(Record):
    """How many items of each sentiment came in one hour or day."""

    at: datetime
    negative: int = 0
    neutral: int = 0
    positive: int = 0
