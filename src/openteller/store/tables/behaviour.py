"""What is kept of customers' behaviour: a running state each, their own words about tags, and runs over all of them.

The first two are under row-level security; a run holds figures of the whole bank and nobody's own. Knows nothing about
what a state or a tag means.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, Numeric, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of


class BehaviourStateRow(Base):
    """The running state of a customer's movements. The last three columns are null without consent to personalisation."""

    __tablename__ = "behaviour_states"
    __table_args__ = (Index("ix_behaviour_states_last_purchase_on", "last_purchase_on"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_purchase_on: Mapped[date | None]
    frequency: Mapped[int | None] = mapped_column(Integer)
    monetary: Mapped[Decimal | None]


class CustomerTagRow(Base):
    """What a customer said of one tag. Erased with the customer, or when they take it back."""

    __tablename__ = "customer_tags"
    __table_args__ = (one_of("stance", "mine", "not_me", "removed"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    stance: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class BehaviourRunRow(Base):
    """One computation over all customers: how far it came, and the bank's quintiles when it was done."""

    __tablename__ = "behaviour_runs"

    id: Mapped[BigId]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    after: Mapped[str] = mapped_column(server_default="")
    done: Mapped[int] = mapped_column(Integer, server_default="0")
    customers: Mapped[int | None] = mapped_column(Integer)
    recency: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    frequency: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    monetary: Mapped[list[Decimal] | None] = mapped_column(ARRAY(Numeric(18, 2)))
