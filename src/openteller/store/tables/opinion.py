"""Public opinion: sources, what they brought, what was read in it, topics and bursts. For staff alone; no row is a customer's.

Knows nothing about how any of it is read.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of

_EMPTY = text("'{}'::jsonb")
_NONE = text("'[]'::jsonb")


class OpinionSourceRow(Base):
    """A source and how far it has been read."""

    __tablename__ = "opinion_sources"
    __table_args__ = (one_of("kind", "feed", "file", "kafka", "push"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    location: Mapped[str] = mapped_column(server_default="")
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    cursor: Mapped[dict[str, Any]] = mapped_column(server_default=_EMPTY)
    failures: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str] = mapped_column(server_default="")
    read_at: Mapped[datetime | None]
    items: Mapped[int] = mapped_column(BigInteger, server_default="0")


class OpinionInboxRow(Base):
    """An item that was pushed and waits to be read."""

    __tablename__ = "opinion_inbox"
    __table_args__ = (Index("uq_opinion_inbox_source_external_id", "source", "external_id", unique=True),)

    id: Mapped[BigId]
    source: Mapped[str]
    external_id: Mapped[str]
    item: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class OpinionEntityRow(Base):
    """An entity of the bank's list."""

    __tablename__ = "opinion_entities"
    __table_args__ = (one_of("kind", "own", "peer", "company", "product"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    aliases: Mapped[list[Any]] = mapped_column(server_default=_NONE)
    context: Mapped[list[Any]] = mapped_column(server_default=_NONE)


class OpinionTopicRow(Base):
    """A topic; `weights` holds its centre, from which it goes on after a restart."""

    __tablename__ = "opinion_topics"
    __table_args__ = (
        one_of("status", "live", "merged", "ended"),
        CheckConstraint("(status = 'merged') = (merged_into IS NOT NULL)", name="merged"),
        Index("ix_opinion_topics_status_last_at", "status", "last_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    title: Mapped[str]
    terms: Mapped[list[Any]]
    status: Mapped[str]
    merged_into: Mapped[int | None] = mapped_column(BigInteger)
    items: Mapped[int]
    weights: Mapped[dict[str, Any]] = mapped_column(server_default=_EMPTY)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class OpinionItemRow(Base):
    """An item; of two with the same words the first stays and is counted up."""

    __tablename__ = "opinion_items"
    __table_args__ = (
        one_of("language", "zh-Hans", "zh-Hant", "en", "other"),
        one_of("sentiment", "negative", "neutral", "positive"),
        one_of("level", "none", "low", "medium", "high"),
        Index("ix_opinion_items_arrived_at", "arrived_at"),
        Index("ix_opinion_items_topic_id_arrived_at", "topic_id", "arrived_at"),
        Index("ix_opinion_items_source_external_id", "source", "external_id"),
    )

    id: Mapped[BigId]
    content_hash: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]
    external_id: Mapped[str] = mapped_column(server_default="")
    url: Mapped[str] = mapped_column(server_default="")
    title: Mapped[str]
    text: Mapped[str]
    language: Mapped[str]
    published_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime]
    copies: Mapped[int] = mapped_column(server_default="1")
    duplicate_of: Mapped[int | None] = mapped_column(BigInteger)
    topic_id: Mapped[int | None] = mapped_column(BigInteger)
    sentiment: Mapped[str]
    event: Mapped[str]
    level: Mapped[str]


class OpinionMentionRow(Base):
    """What an item says of one entity."""

    __tablename__ = "opinion_mentions"
    __table_args__ = (
        one_of("sentiment", "negative", "neutral", "positive"),
        one_of("level", "none", "low", "medium", "high"),
        Index("ix_opinion_mentions_entity_id_item_id", "entity_id", "item_id"),
    )

    item_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("opinion_items.id", ondelete="CASCADE"), primary_key=True
    )
    entity_id: Mapped[str] = mapped_column(primary_key=True)
    sentiment: Mapped[str]
    score: Mapped[float]
    event: Mapped[str]
    event_probability: Mapped[float]
    level: Mapped[str]


class OpinionBurstRow(Base):
    """A burst of one topic or one entity, with the items that made it one."""

    __tablename__ = "opinion_bursts"
    __table_args__ = (
        one_of("level", "none", "low", "medium", "high"),
        CheckConstraint("(topic_id IS NULL) <> (entity_id IS NULL)", name="subject"),
        Index("ix_opinion_bursts_found_at", "found_at"),
    )

    id: Mapped[BigId]
    topic_id: Mapped[int | None] = mapped_column(BigInteger)
    entity_id: Mapped[str | None]
    found_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    items: Mapped[int]
    expected: Mapped[float]
    window_seconds: Mapped[int]
    level: Mapped[str]
    item_ids: Mapped[list[Any]]
