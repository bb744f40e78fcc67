"""Behaviour features: what a customer's accounts and recent movements say, in figures a person can check.

Pure functions over records; only CNY is looked at. What is not covered: seasonality, and money at other banks.
Knows nothing about products or offers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import Field

from openteller.core.clock import local_date
from openteller.core.records import Record
from openteller.customers.profile.records import LifeEvent, Tag
from openteller.customers.records import (
    SPENDING_CATEGORIES,
    Account,
    Bill,
    Card,
    Consent,
    Customer,
    Holding,
    RiskAssessment,
)

WINDOW_DAYS = 90
_RESERVE_MONTHS = 2
_MONTH_DAYS = Decimal("30.4375")
_CENT = Decimal("0.01")
_HOME = "CNY"


class Movement(Protocol):
    """What features read of a movement: a `Transaction`, or a row of the store."""

    @property
    def booked_at(self) -> datetime: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...
    @property
    def category(self) -> str: ...


class Behaviour(Record):
    """Features over the `WINDOW_DAYS` days up to a date; money in CNY, shares and use in 0–1."""

    monthly_spending: Mapping[str, Decimal] = Field(description="category → average spent a month, positive")
    monthly_salary: Decimal = Field(description="average salary or pension received a month")
    savings_balance: Decimal = Field(description="sum of active savings accounts")
    idle_balance: Decimal = Field(description="savings beyond two months of spending, never negative")
    fixed_balance: Decimal = Field(description="sum of fixed deposits")
    invested: Decimal = Field(description="market value of holdings")
    owed: Decimal = Field(description="what is owed on loans, mortgages and cards, positive")
    card_use: float = Field(ge=0, description="share of the credit limits that is used; 0 without a credit card")
    days_since_income: int | None = Field(None, description="days since the last salary in the window")

    @property
    def spending(self) -> Decimal:
        """Average spent a month, all categories."""
        return sum(self.monthly_spending.values(), Decimal(0))


class CustomerFile(Record):
    """All that is known about one customer on a day, for whoever decides what suits them."""

    customer: Customer
    assessment: RiskAssessment | None = Field(None, description="the latest one, in force or not")
    consents: tuple[Consent, ...] = ()
    accounts: tuple[Account, ...] = ()
    cards: tuple[Card, ...] = ()
    holdings: tuple[Holding, ...] = ()
    bills: tuple[Bill, ...] = ()
    behaviour: Behaviour
    tags: tuple[Tag, ...] = Field(
        (), description="what stands about the customer in words: their own, and what is derived"
    )
    denied: frozenset[str] = Field(frozenset(), description="tags that the customer said no to, or took away")
    life_events: tuple[LifeEvent, ...] = Field((), description="derived, with consent only")

    def granted(self, purpose: str) -> bool:
        """Whether the customer said yes to `purpose`; silence is no."""
        return any(consent.granted for consent in self.consents if consent.purpose == purpose)

    @property
    def product_ids(self) -> frozenset[str]:
        """Every product the customer has: open accounts, cards that are not expired, holdings."""
        accounts = {account.product_id for account in self.accounts if account.status != "closed"}
        cards = {card.product_id for card in self.cards if card.status != "expired"}
        return frozenset(accounts | cards | {holding.product_id for holding in self.holdings})


def spending_by_category(transactions: Sequence[Movement], currency: str = _HOME) -> dict[str, Decimal]:
    """Net spending a category, positive; refunds count against it, categories without net spending are left out."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for movement in transactions:
        if movement.category in SPENDING_CATEGORIES and movement.currency == currency:
            sums[movement.category] -= movement.amount
    return {category: total for category, total in sorted(sums.items()) if total > 0}


def window(on: date, zone: str = "Asia/Shanghai") -> tuple[datetime, datetime]:
    """The moments, in UTC, between which lie all movements that count on day `on`; the second is no more part of it."""
    first, last = on - timedelta(days=WINDOW_DAYS), on + timedelta(days=1)
    since, until = (datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (first, last))
    return since, until


def observe(
    accounts: Sequence[Account],
    holdings: Sequence[Holding],
    transactions: Sequence[Movement],
    on: date,
    zone: str = "Asia/Shanghai",
) -> Behaviour:
    """The features on day `on`; movements outside the window are ignored.

    Args:
        accounts: of the customer, any status.
        holdings: of the customer.
        transactions: any stretch that covers the window.
        on: last day of the window, in time zone `zone`.
        zone: IANA name of the bank's time zone.
    """
    recent = [movement for movement in transactions if _in_window(movement.booked_at, on, zone)]
    monthly = {category: _a_month(total) for category, total in spending_by_category(recent).items()}
    income = [movement for movement in recent if movement.category == "salary" and movement.currency == _HOME]
    savings = _balance(accounts, "savings")
    reserve = _RESERVE_MONTHS * sum(monthly.values(), Decimal(0))
    last = max((local_date(movement.booked_at, zone) for movement in income), default=None)
    return Behaviour(
        monthly_spending=monthly,
        monthly_salary=_a_month(sum((movement.amount for movement in income), Decimal(0))),
        savings_balance=savings,
        idle_balance=max(savings - reserve, Decimal(0)),
        fixed_balance=_balance(accounts, "fixed"),
        invested=sum((holding.amount for holding in holdings if holding.currency == _HOME), Decimal(0)),
        owed=-sum((_balance(accounts, kind) for kind in ("loan", "mortgage", "credit")), Decimal(0)),
        card_use=_card_use(accounts),
        days_since_income=None if last is None else (on - last).days,
    )


def _in_window(moment: datetime, on: date, zone: str) -> bool:
    return on - timedelta(days=WINDOW_DAYS) < local_date(moment, zone) <= on


def _a_month(total: Decimal) -> Decimal:
    return (total / WINDOW_DAYS * _MONTH_DAYS).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def _balance(accounts: Sequence[Account], kind: str) -> Decimal:
    return sum(
        (a.balance for a in accounts if a.kind == kind and a.currency == _HOME and a.status == "active"), Decimal(0)
    )


def _card_use(accounts: Sequence[Account]) -> float:
    credit = [account for account in accounts if account.kind == "credit" and account.credit_limit]
    limits = sum((account.credit_limit or Decimal(0) for account in credit), Decimal(0))
    used = sum((max(-account.balance, Decimal(0)) for account in credit), Decimal(0))
    return float(used / limits) if limits else 0.0
