"""What recommendation keeps: what was shown and how likely that was, campaigns with their budgets, experiments.

Impressions belong to whoever saw them and are under row-level security; campaigns and experiments are the bank's.
Knows nothing about how an offer comes about.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId


class ImpressionRow(Base):
    """A product that was shown in one place of a list, with the exact chance of that and what the ranking knew."""

    __tablename__ = "impressions"
    __table_args__ = (
        CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity"),
        CheckConstraint("place >= 0", name="place"),
        Index("ix_impressions_customer_id_at", "customer_id", "at"),
        Index("ix_impressions_trace_id_product_id", "trace_id", "product_id"),
    )

    id: Mapped[BigId]
    owner: Mapped[str]
    customer_id: Mapped[str | None]
    trace_id: Mapped[UUID | None]
    product_id: Mapped[str]
    place: Mapped[int]
    propensity: Mapped[float] = mapped_column(Double())
    policy: Mapped[str]
    score: Mapped[float] = mapped_column(Double())
    features: Mapped[dict[str, Any]]
    among: Mapped[dict[str, Any]]
    experiment: Mapped[str | None]
    arm: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class CampaignRow(Base):
    """How often a product may be offered from `valid_from` to `valid_to` inclusive; `spent` never exceeds `budget`."""

    __tablename__ = "campaigns"
    __table_args__ = (CheckConstraint("budget > 0 AND spent >= 0 AND spent <= budget", name="budget"),)

    product_id: Mapped[str] = mapped_column(primary_key=True)
    budget: Mapped[int]
    spent: Mapped[int] = mapped_column(server_default="0")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExperimentRow(Base):
    """Arms as [name, share], the control first, which customers are divided among until it has ended."""

    __tablename__ = "experiments"

    name: Mapped[str] = mapped_column(primary_key=True)
    arms: Mapped[list[Any]]
    created_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
