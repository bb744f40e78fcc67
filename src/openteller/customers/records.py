"""The records of a customer and of what belongs to one.

Amounts are Decimal in the ISO 4217 `currency` beside them, debits negative; moments are UTC, dates are local to the
bank. Knows nothing about where they come from: the store, a core-banking system or the demo generator.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from pydantic import Field

from openteller.core.clock import local_date
from openteller.core.records import Record

Purpose = Literal["personalisation", "marketing", "recording"]
AccountKind = Literal["savings", "fixed", "credit", "loan", "mortgage"]
AccountStatus = Literal["active", "frozen", "dormant", "closed"]
CardStatus = Literal["active", "frozen", "lost", "expired"]
PaymentKind = Literal["mortgage", "loan", "standing_order", "insurance", "subscription"]
PaymentStatus = Literal["pending", "paid", "cancelled"]
SpendingCategory = Literal[
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
    "fees",
    "insurance",
    "cash",
]
TransactionCategory = SpendingCategory | Literal["transfer", "salary", "interest", "investment", "uncategorised"]
Channel = Literal["app", "web", "branch", "atm", "pos", "phone", "auto"]

SPENDING_CATEGORIES: frozenset[str] = frozenset(get_args(SpendingCategory))
"""The categories that count as spending; moving one's own money and income do not."""

UNCATEGORISED: Final = "uncategorised"
"""What a bank that names no category sends, and what a text says nothing of is left as."""


class Customer(Record):
    """A profile. `monthly_income` is in CNY; the whole identity number is never held."""

    customer_id: str = Field(min_length=1)
    name: str
    name_en: str
    phone: str
    id_number_masked: str
    birth_date: date
    gender: str
    city: str
    segment: tuple[str, ...] = Field((), description="student, payroll, private, business, senior, youth")
    monthly_income: Decimal = Field(ge=0)
    language: Literal["zh", "en"] = "zh"
    created_at: datetime

    def age(self, on: date) -> int:
        """Whole years on `on`; somebody born on 29 February turns a year older on 1 March."""
        had_birthday = (on.month, on.day) >= (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - (0 if had_birthday else 1)


class RiskAssessment(Record):
    """One investor risk assessment: class C1 (conservative) to C5 (aggressive), good until `expires_at`."""

    customer_id: str
    investor_class: str = Field(pattern=r"^C[1-5]$")
    assessed_at: datetime
    expires_at: datetime

    def in_force(self, on: date, zone: str) -> bool:
        """Whether it holds on the whole of day `on` in time zone `zone`; no more on the day on which it expires."""
        return local_date(self.assessed_at, zone) <= on < local_date(self.expires_at, zone)


class Consent(Record):
    """What the customer said about one purpose; without a record it is not granted."""

    customer_id: str
    purpose: Purpose
    granted: bool
    at: datetime


class Account(Record):
    """An account. `balance` is negative when money is owed; `tail` is the last four digits."""

    account_id: str
    customer_id: str
    kind: AccountKind
    product_id: str
    currency: str = "CNY"
    tail: str = Field(pattern=r"^\d{4}$")
    balance: Decimal
    credit_limit: Decimal | None = None
    opened_on: date
    status: AccountStatus = "active"


class Card(Record):
    """A card on an account. The number itself is never held."""

    card_id: str
    customer_id: str
    account_id: str
    product_id: str
    tail: str = Field(pattern=r"^\d{4}$")
    status: CardStatus = "active"
    expires_on: date


class Transaction(Record):
    """One booked movement; a debit is negative. `transaction_id` is given by the store when None.

    `category_confidence` is the chance, 0-1, that a category read from the text is right; None for the bank's own.
    `channel` says how the movement was made: at a shop (pos), by itself (auto, such as a standing order), in the app …
    """

    transaction_id: int | None = None
    customer_id: str
    account_id: str
    booked_at: datetime
    amount: Decimal
    currency: str = "CNY"
    merchant: str
    category: TransactionCategory = UNCATEGORISED
    counterparty: str | None = None
    channel: Channel | None = None
    category_confidence: float | None = Field(None, ge=0, le=1)


class ScheduledPayment(Record):
    """A payment that will leave an account on `due_on`; `amount` is positive."""

    customer_id: str
    account_id: str
    due_on: date
    amount: Decimal = Field(ge=0)
    currency: str = "CNY"
    payee: str
    kind: PaymentKind
    status: PaymentStatus = "pending"


class Bill(Record):
    """A credit-card statement; all amounts are positive."""

    customer_id: str
    account_id: str
    statement_on: date
    due_on: date
    amount_due: Decimal = Field(ge=0)
    minimum_due: Decimal = Field(ge=0)
    paid_amount: Decimal = Field(Decimal(0), ge=0)
    currency: str = "CNY"

    @property
    def outstanding(self) -> Decimal:
        """What is still to be paid, never negative."""
        return max(self.amount_due - self.paid_amount, Decimal(0))


class Holding(Record):
    """A position in an investment product: market value `amount` and what it cost, in `currency`."""

    customer_id: str
    product_id: str
    amount: Decimal
    cost: Decimal
    currency: str = "CNY"
    since: date


class Holder(Record):
    """Somebody who holds a product: what, who, and their latest assessment."""

    holding: Holding
    customer: Customer
    assessment: RiskAssessment | None = None
