"""Conversations, the turns of the road, and what hangs on a turn: rating, hand-off, what staff wrote, offer events.

`owner` is the principal's subject (customer id, user name or visitor:<random>). All are under row-level security.
Knows nothing about how a turn came about.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of


class ConversationRow(Base):
    """A conversation; `state` holds what waits for the next turn, such as a card freeze awaiting a yes."""

    __tablename__ = "conversations"

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    customer_id: Mapped[str | None] = mapped_column(index=True)
    channel: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    state: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class TurnRow(Base):
    """One walk down the road: each record whole as JSON, with the columns that staff reports filter on."""

    __tablename__ = "turns"
    __table_args__ = (
        one_of("outcome", "answered", "clarify", "refused", "handed_off"),
        Index("ix_turns_conversation_id_at", "conversation_id", "at"),
        Index("ix_turns_customer_id_at", "customer_id", "at"),
    )

    trace_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.conversation_id", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(index=True)
    customer_id: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(index=True)
    language: Mapped[str]
    intent: Mapped[str]
    sentiment: Mapped[str]
    outcome: Mapped[str]
    inquiry: Mapped[dict[str, Any]]
    understanding: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]
    offers: Mapped[list[Any]]
    reply: Mapped[dict[str, Any]]


class TurnTimingRow(Base):
    """How many seconds each step of a spoken turn took. Written while the turn is still on its way, so no foreign key holds it."""

    __tablename__ = "turn_timings"

    trace_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    seconds: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class SatisfactionRow(Base):
    """The customer's rating of one turn, 1 (bad) to 5 (good)."""

    __tablename__ = "satisfactions"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),)

    trace_id: Mapped[UUID] = mapped_column(ForeignKey("turns.trace_id", ondelete="CASCADE"), primary_key=True)
    owner: Mapped[str]
    rating: Mapped[int]
    comment: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class HandOffRow(Base):
    """A turn that waits for a person of the bank; of one conversation at most one is taken, by one person."""

    __tablename__ = "hand_offs"
    __table_args__ = (
        one_of("status", "open", "taken", "closed"),
        CheckConstraint("status <> 'taken' OR (taken_by IS NOT NULL AND taken_at IS NOT NULL)", name="taken"),
        Index("ix_hand_offs_status_created_at", "status", "created_at"),
        Index("uq_hand_offs_taken", "conversation_id", unique=True, postgresql_where=text("status = 'taken'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    trace_id: Mapped[UUID] = mapped_column(ForeignKey("turns.trace_id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.conversation_id", ondelete="CASCADE"), index=True
    )
    owner: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    taken_by: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class StaffMessageRow(Base):
    """What a member of staff wrote to a customer in a conversation that they had taken."""

    __tablename__ = "staff_messages"
    __table_args__ = (Index("ix_staff_messages_conversation_id_id", "conversation_id", "id"),)

    id: Mapped[BigId]
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.conversation_id", ondelete="CASCADE"))
    hand_off_id: Mapped[UUID] = mapped_column(ForeignKey("hand_offs.id", ondelete="CASCADE"), index=True)
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class OfferEventRow(Base):
    """What became of an offer: shown, opened or dismissed."""

    __tablename__ = "offer_events"
    __table_args__ = (
        one_of("action", "shown", "opened", "dismissed"),
        Index("ix_offer_events_owner_product_id", "owner", "product_id"),
        Index("ix_offer_events_customer_id_at", "customer_id", "at"),
    )

    id: Mapped[BigId]
    owner: Mapped[str]
    customer_id: Mapped[str | None]
    product_id: Mapped[str]
    action: Mapped[str]
    trace_id: Mapped[UUID | None] = mapped_column(ForeignKey("turns.trace_id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
