"""What the bank's listening keeps: alerts, and the outbox of their deliveries. For staff alone; no row belongs to a customer.

Knows nothing about what is watched.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, one_of


class AlertRow(Base):
    """Something that somebody should look at; of two with one key, the first stays."""

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("severity", "info", "warning", "critical"),
        CheckConstraint("(acknowledged_by IS NULL) = (acknowledged_at IS NULL)", name="acknowledged"),
        Index("ix_alerts_raised_at", "raised_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    severity: Mapped[str]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    link: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    raised_at: Mapped[datetime] = mapped_column(server_default=func.now())
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """An alert on its way over one channel: tried at `next_at`, until it is sent or dead."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "channel"),
        one_of("channel", "email", "webhook"),
        one_of("status", "waiting", "sent", "dead"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(status = 'waiting') = (ended_at IS NULL)", name="ended"),
        Index("ix_alert_deliveries_waiting", "next_at", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    channel: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
