"""Movements of invented lives, month after month, for the tests of features."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from openteller.customers.records import Transaction

ON = date(2026, 11, 23)
CUSTOMER = "C000042"


def movement(on: date, amount: str | Decimal | int, merchant: str, category: str, **changes: Any) -> Transaction:
    """One movement at noon in China."""
    whole = {"customer_id": CUSTOMER, "account_id": "A-1", "booked_at": datetime.combine(on, time(4), UTC)}
    said = {"amount": amount, "merchant": merchant, "category": category}
    return Transaction.model_validate(whole | said | changes)


def months(first: date, count: int, day: int) -> Iterator[date]:
    """That day of `count` months from the one of `first` on."""
    for number in range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count):
        yield date(number // 12, number % 12 + 1, day)


def salary(first: date, count: int, amount: int, payer: str = "云杉科技", day: int = 10) -> list[Transaction]:
    return [movement(on, amount, "工资", "salary", counterparty=payer) for on in months(first, count, day)]


def paid(first: date, count: int, amount: int, payee: str, category: str, day: int = 1) -> list[Transaction]:
    return [movement(on, -amount, payee, category) for on in months(first, count, day)]
