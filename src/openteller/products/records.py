"""The records of the catalogue: a product with its rate table, fees and conditions.

Rates and percent fees are in percent (1.25 is 1.25 % a year), money is in the unit named, ages are in whole years.
Knows nothing about where products are stored or who may buy them.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from openteller.core.records import LocalText, Record

_INVESTMENTS = frozenset({"fund", "wealth"})
RateKind = Literal["interest", "loan", "expected", "fee_per_period"]


class RiskGrade(StrEnum):
    """Product risk grade, R1 (low) to R5 (high)."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"

    @property
    def number(self) -> int:
        """1 to 5."""
        return int(self.value[1])


class LocalList(Record):
    """Several texts in Chinese and in English; the two need not pair up."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def of(self, language: str) -> tuple[str, ...]:
        """The texts in `language`."""
        return self.en if language.startswith("en") else self.zh


class Rate(Record):
    """One line of a rate table.

    `rate` is in percent: a year for interest, loan and expected (not guaranteed), a period for fee_per_period.
    """

    key: str = Field(description="as used in {{ID.rate.KEY}}, e.g. 12M, 7D, base")
    rate: Decimal
    kind: RateKind
    term_months: int | None = Field(None, gt=0)
    label: LocalText


class Fee(Record):
    """One fee: `amount` in `unit`, an ISO 4217 currency or ``percent``."""

    key: str = Field(description="as used in {{ID.fee.KEY}}, e.g. annual")
    amount: Decimal = Field(ge=0)
    unit: str = Field(pattern=r"^([A-Z]{3}|percent)$")
    label: LocalText
    note: LocalText | None = None


class Eligibility(Record):
    """Who may have the product. Ages inclusive, income in CNY a month, empty lists mean everybody."""

    min_age: int | None = Field(None, ge=0)
    max_age: int | None = Field(None, ge=0)
    min_monthly_income: Decimal | None = Field(None, ge=0)
    requires_risk_assessment: bool = False
    regions: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class Product(Record):
    """A product as sold from `valid_from` to `valid_to`, both inclusive."""

    id: str = Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")
    category: str = Field(description="deposit, loan, mortgage, card, fund, wealth, insurance or service")
    name: LocalText
    aliases: LocalList = LocalList()
    summary: LocalText
    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$")
    risk_grade: RiskGrade = RiskGrade.R1
    needs: tuple[str, ...] = Field((), description="labels of the need taxonomy that the product serves")
    rates: tuple[Rate, ...] = ()
    fees: tuple[Fee, ...] = ()
    min_amount: Decimal | None = Field(None, ge=0, description="smallest amount in `currency`")
    max_amount: Decimal | None = Field(None, ge=0, description="largest amount or limit in `currency`")
    eligibility: Eligibility = Eligibility()
    terms_months: tuple[int, ...] = ()
    features: LocalList = LocalList()
    popularity: int = Field(0, ge=0, le=100, description="relative sales, 100 is most sold")
    valid_from: date
    valid_to: date | None = None

    @field_validator("rates", "fees")
    @classmethod
    def _keys_differ(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        keys = [entry.key for entry in entries]
        if len(keys) != len(set(keys)):
            raise ValueError(f"two entries share a key: {keys}")
        return entries

    @model_validator(mode="after")
    def _ordered(self) -> "Product":
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        if self.min_amount is not None and self.max_amount is not None and self.max_amount < self.min_amount:
            raise ValueError("max_amount is less than min_amount")
        return self

    def on_sale(self, on: date) -> bool:
        """Whether the product is sold on `on`."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    @property
    def invests(self) -> bool:
        """Whether money is put at risk: a fund, a wealth-management product, or anything graded above R1."""
        return self.risk_grade is not RiskGrade.R1 or self.category in _INVESTMENTS

    def rate(self, key: str) -> Rate | None:
        """The line of the rate table with this key."""
        return next((rate for rate in self.rates if rate.key == key), None)

    def fee(self, key: str) -> Fee | None:
        """The fee with this key."""
        return next((fee for fee in self.fees if fee.key == key), None)


class Verdict(Record):
    """Whether something is allowed, with the reason for a program (`reason_code`) and for a person."""

    allowed: bool
    reason_code: str
    reason_zh: str
    reason_en: str

    def reason(self, language: str) -> str:
        """The reason in `language`."""
        return self.reason_en if language.startswith("en") else self.reason_zh
