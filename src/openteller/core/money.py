"""Money is decimal, never float: an amount with an ISO 4217 currency.

Knows nothing about exchange rates: amounts of two currencies do not mix.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from openteller.core.errors import BadInput

_MINOR_UNITS = {"JPY": 0, "KRW": 0}
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?\s*")


def decimal_of(value: str | int | Decimal) -> Decimal:
    """Parse a finite decimal; commas may group thousands, and nothing else.

    Raises:
        BadInput: a float, NaN, an infinity, a comma elsewhere (``1,5`` may be 1.5 or a slip for 15), or no number.
    """
    if isinstance(value, float):
        raise BadInput("A money amount was given as a binary float.", next_step="Pass a string or a Decimal.")
    text = str(value)
    if "," in text and not _GROUPED.fullmatch(text):
        raise BadInput(
            f"{value!r} has a comma that does not group thousands.", next_step="Write it like 1234.50 or 1,234.50."
        )
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise BadInput(f"{value!r} is not a decimal number.", next_step="Write it like 1234.50.") from error
    if not number.is_finite():
        raise BadInput(f"{value!r} is not a finite amount.", next_step="Write it like 1234.50.")
    return number


@dataclass(frozen=True, order=False)
class Money:
    """An amount of one currency, rounded half-even to the currency's minor unit."""

    amount: Decimal
    currency: str = "CNY"

    def __post_init__(self) -> None:
        exponent = Decimal(1).scaleb(-_MINOR_UNITS.get(self.currency, 2))
        try:
            amount = decimal_of(self.amount).quantize(exponent, rounding=ROUND_HALF_EVEN)
        except InvalidOperation as error:
            raise BadInput("The amount has more than 28 digits.", next_step="Check the amount.") from error
        object.__setattr__(self, "amount", amount)

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise BadInput(f"{self.currency} and {other.currency} cannot be added or compared.")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __str__(self) -> str:
        symbol = _SYMBOLS.get(self.currency, f"{self.currency} ")
        sign = "-" if self.amount < 0 else ""
        return f"{sign}{symbol}{abs(self.amount):,}"


def total(amounts: Iterable[Money], currency: str = "CNY") -> Money:
    """The sum of amounts of one currency; nothing sums to zero of `currency`.

    Raises:
        BadInput: an amount is of another currency, or the sum has more than 28 digits.
    """
    return sum(amounts, start=Money(Decimal(0), currency))
