"""What staff say about turns. Under row-level security for staff; a reviewer is never the author.

Knows nothing about which labels there are.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, one_of


class CorrectionRow(Base):
    """The labels that a text should have had under one head. `text` is masked; without `trace_id` it is of no turn."""

    __tablename__ = "corrections"
    __table_args__ = (
        one_of("head", "intent", "sentiment", "needs"),
        one_of("status", "pending", "accepted", "rejected"),
        CheckConstraint("cardinality(labels) > 0", name="labels"),
        CheckConstraint("reviewer <> author", name="four_eyes"),
        CheckConstraint(
            "(status = 'pending') = (reviewer IS NULL) AND (reviewer IS NULL) = (reviewed_at IS NULL)", name="reviewed"
        ),
        Index("ix_corrections_status_created_at", "status", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    trace_id: Mapped[UUID | None] = mapped_column(ForeignKey("turns.trace_id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    head: Mapped[str]
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    status: Mapped[str] = mapped_column(server_default="pending")
    reviewer: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")
