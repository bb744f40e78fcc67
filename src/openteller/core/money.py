"""Money is decimal, never float: an amount with an ISO 4217 currency.

Knows nothing about exchange rates: amounts of two currencies do not mix.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from openteller.core.errors import BadInput

_MINOR_UNITS = {"JPY": 0, "KRW": 0}
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}


def decimal_of(value: str | int | Decimal) -> Decimal:
    """Parse a finite decimal. Raises BadInput for floats, NaN, infinities and anything else."""
    if isinstance(value, float):
        raise BadInput("A money amount was given as a binary float.", next_step="Pass a string or a Decimal.")
    try:
        number = Decimal(str(value).replace(",", ""))
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
