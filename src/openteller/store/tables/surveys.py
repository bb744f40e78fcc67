"""Surveys with their answers and links, and complaints with what became of them. Under row-level security.

A customer sees their own answers and complaints, staff all. Knows nothing about what is asked.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of


class SurveyRow(Base):
    """A version of a survey: its definition whole as JSON. What was asked stays; only `open` changes."""

    __tablename__ = "surveys"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]]
    open: Mapped[bool] = mapped_column(server_default=text("true"))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SurveyAnswerRow(Base):
    """One answer; its texts are masked. Of two with one key, the first stays."""

    __tablename__ = "survey_answers"
    __table_args__ = (
        one_of("channel", "link", "widget", "import", "staff"),
        one_of("language", "zh", "en", "mixed"),
        ForeignKeyConstraint(["survey", "version"], ["surveys.name", "surveys.version"], ondelete="CASCADE"),
        UniqueConstraint("survey", "key"),
        Index("ix_survey_answers_survey_answered_at", "survey", "answered_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    survey: Mapped[str]
    version: Mapped[int]
    key: Mapped[str]
    channel: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(index=True)
    trace_id: Mapped[UUID | None] = mapped_column(ForeignKey("turns.trace_id", ondelete="CASCADE"), index=True)
    language: Mapped[str]
    contact: Mapped[bool] = mapped_column(server_default=text("false"))
    values: Mapped[dict[str, Any]]
    groups: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    answered_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SurveyLinkRow(Base):
    """An invitation: whoever has its signed address may answer, once or until it expires."""

    __tablename__ = "survey_links"
    __table_args__ = (
        ForeignKeyConstraint(["survey", "version"], ["surveys.name", "surveys.version"], ondelete="CASCADE"),
        Index("ix_survey_links_survey", "survey"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    survey: Mapped[str]
    version: Mapped[int]
    customer_id: Mapped[str | None] = mapped_column(index=True)
    single_use: Mapped[bool]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ComplaintRow(Base):
    """A complaint with its statutory clock; `text` is masked. Of two from one source, the first stays."""

    __tablename__ = "complaints"
    __table_args__ = (
        one_of("source", "conversation", "survey", "staff"),
        one_of("status", "open", "assigned", "closed"),
        CheckConstraint("extensions BETWEEN 0 AND 2", name="extensions"),
        CheckConstraint("due_on > received_on", name="due"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("status <> 'assigned' OR owner IS NOT NULL", name="owned"),
        UniqueConstraint("source", "source_id"),
        Index("ix_complaints_status_due_on", "status", "due_on"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(index=True)
    source: Mapped[str]
    source_id: Mapped[str | None]
    language: Mapped[str]
    text: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    owner: Mapped[str | None]
    received_on: Mapped[date]
    due_on: Mapped[date]
    extensions: Mapped[int] = mapped_column(server_default="0")
    opened_by: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(server_default="")


class ComplaintEventRow(Base):
    """What was done about a complaint, by whom; only ever added."""

    __tablename__ = "complaint_events"
    __table_args__ = (
        one_of("kind", "opened", "assigned", "extended", "noted", "closed"),
        Index("ix_complaint_events_complaint_at", "complaint", "at"),
    )

    id: Mapped[BigId]
    complaint: Mapped[int] = mapped_column(BigInteger, ForeignKey("complaints.number", ondelete="CASCADE"))
    kind: Mapped[str]
    actor: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
