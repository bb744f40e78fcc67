"""Customers and what belongs to them: profile, consents, accounts, cards, movements, bills, holdings.

Amounts are in the currency named in the row (ISO 4217), debits negative. Every table here has a `customer_id`
and is under row-level security. Knows nothing about products beyond their identifier.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Double, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of

TRANSACTION_CATEGORIES = (
    "groceries",
    "dining",
    "transport",
    "housing",
    "utilities",
    "shopping",
    "health",
    "education",
    "travel",
    "entertainment",
    "transfer",
    "salary",
    "interest",
    "fees",
    "insurance",
    "investment",
    "cash",
    "uncategorised",
)
CHANNELS = ("app", "web", "branch", "atm", "pos", "phone", "auto")


class CustomerRow(Base):
    """A customer's profile. `id_number_masked` never holds the whole number; `monthly_income` is in CNY."""

    __tablename__ = "customers"
    __table_args__ = (one_of("language", "zh", "en"),)

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str]
    phone: Mapped[str]
    id_number_masked: Mapped[str]
    birth_date: Mapped[date]
    gender: Mapped[str]
    city: Mapped[str]
    segment: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    monthly_income: Mapped[Decimal]
    language: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RiskAssessmentRow(Base):
    """One investor risk assessment: class C1 (conservative) to C5 (aggressive), good until `expires_at`."""

    __tablename__ = "risk_assessments"
    __table_args__ = (one_of("investor_class", "C1", "C2", "C3", "C4", "C5"),)

    id: Mapped[BigId]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), index=True)
    investor_class: Mapped[str]
    assessed_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class QuestionnaireRow(Base):
    """One filled-in investor questionnaire with its result. `pending` until the customer agrees to a changed class."""

    __tablename__ = "questionnaires"
    __table_args__ = (
        one_of("investor_class", "C1", "C2", "C3", "C4", "C5"),
        one_of("previous_class", "C1", "C2", "C3", "C4", "C5"),
        one_of("status", "pending", "confirmed"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint("(status = 'pending') = (confirmed_at IS NULL)", name="confirmed"),
        Index("ix_questionnaires_customer_id_submitted_at", "customer_id", text("submitted_at DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"))
    version: Mapped[str]
    answers: Mapped[dict[str, Any]]
    score: Mapped[int]
    investor_class: Mapped[str]
    previous_class: Mapped[str | None]
    reasons: Mapped[list[Any]]
    submitted_by: Mapped[str]
    submitted_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="pending")
    confirmed_at: Mapped[datetime | None]


class ConsentRow(Base):
    """What the customer allows, per purpose; no row means not granted."""

    __tablename__ = "consents"
    __table_args__ = (one_of("purpose", "personalisation", "marketing", "recording"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    granted: Mapped[bool]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class AccountRow(Base):
    """An account. `balance` is negative when money is owed; `tail` is the last four digits."""

    __tablename__ = "accounts"
    __table_args__ = (
        one_of("kind", "savings", "fixed", "credit", "loan", "mortgage"),
        one_of("status", "active", "frozen", "dormant", "closed"),
    )

    account_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    product_id: Mapped[str]
    currency: Mapped[str]
    tail: Mapped[str] = mapped_column(CHAR(4))
    balance: Mapped[Decimal]
    credit_limit: Mapped[Decimal | None]
    opened_on: Mapped[date]
    status: Mapped[str] = mapped_column(server_default="active")


class CardRow(Base):
    """A card on an account. `tail` is the last four digits; the number itself is never stored."""

    __tablename__ = "cards"
    __table_args__ = (one_of("status", "active", "frozen", "lost", "expired"),)

    card_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True)
    product_id: Mapped[str]
    tail: Mapped[str] = mapped_column(CHAR(4))
    status: Mapped[str] = mapped_column(server_default="active")
    expires_on: Mapped[date]


class TransactionRow(Base):
    """One booked movement; a debit is negative. `category_confidence` is null where the category is the bank's own."""

    __tablename__ = "transactions"
    __table_args__ = (
        one_of("category", *TRANSACTION_CATEGORIES),
        one_of("channel", *CHANNELS),
        Index("ix_transactions_customer_id_booked_at", "customer_id", text("booked_at DESC")),
    )

    transaction_id: Mapped[BigId]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True)
    booked_at: Mapped[datetime]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    merchant: Mapped[str]
    category: Mapped[str]
    counterparty: Mapped[str | None]
    channel: Mapped[str | None]
    category_confidence: Mapped[float | None] = mapped_column(Double)


class ScheduledPaymentRow(Base):
    """A payment that will leave an account on a known day; `amount` is positive."""

    __tablename__ = "scheduled_payments"
    __table_args__ = (
        one_of("kind", "mortgage", "loan", "standing_order", "insurance", "subscription"),
        one_of("status", "pending", "paid", "cancelled"),
        Index("ix_scheduled_payments_customer_id_due_on", "customer_id", "due_on"),
    )

    id: Mapped[BigId]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True)
    due_on: Mapped[date]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    payee: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")


class BillRow(Base):
    """A credit-card statement; all amounts are positive."""

    __tablename__ = "bills"
    __table_args__ = (Index("ix_bills_customer_id_due_on", "customer_id", "due_on"),)

    id: Mapped[BigId]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True)
    statement_on: Mapped[date]
    due_on: Mapped[date]
    amount_due: Mapped[Decimal]
    minimum_due: Mapped[Decimal]
    paid_amount: Mapped[Decimal] = mapped_column(server_default="0")
    currency: Mapped[str]


class HoldingRow(Base):
    """A position in an investment product: market value `amount` and what it cost, in `currency`."""

    __tablename__ = "holdings"

    id: Mapped[BigId]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"), index=True)
    product_id: Mapped[str]
    amount: Mapped[Decimal]
    cost: Mapped[Decimal]
    currency: Mapped[str]
    since: Mapped[date]
