"""The records of a profile: what a person reads about a customer, with the reason for each statement.

Money is in CNY, positive; dates are local to the bank; confidence is 0-1. Knows nothing about how any of it is found.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field, computed_field

from openteller.core.records import Record

Rhythm = Literal["monthly", "quarterly", "yearly"]
EventKind = Literal["salary_change", "salary_stopped", "retirement", "moving", "child", "travel"]
Stance = Literal["mine", "not_me", "removed"]
"""What a customer says of a tag: it is theirs, it is wrong, or it is not to be kept about them."""


class Wording(Record):
    """A clause or a name in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        """The text in `language`."""
        return self.en if language.startswith("en") else self.zh


KINDS: Mapping[str, Wording] = {
    "groceries": Wording(zh="超市买菜", en="groceries"),
    "dining": Wording(zh="餐饮", en="dining"),
    "transport": Wording(zh="交通", en="transport"),
    "housing": Wording(zh="住房", en="housing"),
    "utilities": Wording(zh="水电燃气通讯", en="utilities"),
    "shopping": Wording(zh="购物", en="shopping"),
    "health": Wording(zh="医疗", en="health"),
    "education": Wording(zh="教育", en="education"),
    "travel": Wording(zh="旅行", en="travel"),
    "entertainment": Wording(zh="娱乐", en="entertainment"),
    "fees": Wording(zh="手续费", en="fees"),
    "insurance": Wording(zh="保险", en="insurance"),
    "cash": Wording(zh="取现", en="cash"),
    "loan": Wording(zh="还贷款", en="loan repayment"),
    "given": Wording(zh="转给他人", en="transfers to others"),
    "uncategorised": Wording(zh="未分类", en="uncategorised"),
}
"""What money is spent on, as a person reads it."""


class Recurring(Record):
    """A payment that comes back: to whom, how much as a rule, on about which day."""

    payee: str
    category: str
    amount: Decimal = Field(description="the median payment, positive")
    rhythm: Rhythm
    day: int = Field(ge=1, le=31, description="of the month, the median")
    since: date
    last_on: date
    active: bool = Field(description="whether the latest payment is no longer ago than the rhythm allows")


class MonthFlow(Record):
    """One calendar month's money. `surplus` is income less spending, and may be negative."""

    month: date = Field(description="its first day")
    income: Decimal
    fixed: Decimal = Field(description="spending on recurring payments, net of refunds")
    free: Decimal = Field(description="all other spending, net of refunds")
    whole: bool = Field(description="whether the books cover the whole month")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def surplus(self) -> Decimal:
        """What is left."""
        return self.income - self.fixed - self.free


class CashFlow(Record):
    """Money in and out by month; the averages are over the last twelve whole months, or as many as there are."""

    months: tuple[MonthFlow, ...] = Field(description="oldest first, without gaps")
    averaged: int = Field(ge=0, description="how many whole months the averages are over")
    income: Decimal
    fixed: Decimal
    free: Decimal
    surplus: Decimal
    volatility: float = Field(ge=0, description="standard deviation of the surplus over the mean income; 0 without")
    spending: Mapping[str, Decimal] = Field(description="category → average a month, positive, largest first")
    recurring: tuple[Recurring, ...] = Field((), description="largest first")


class RfmFigures(Record):
    """Recency, frequency and monetary value of a customer's purchases up to a day."""

    last_purchase_on: date | None = None
    frequency: int = Field(ge=0, description="purchases in the last three whole months")
    monetary: Decimal = Field(description="spent on them, net of refunds")


class RfmCuts(Record):
    """The bank's quintile cut points; `recency` in days since the last purchase. Each list ascends, four values."""

    recency: tuple[int, int, int, int]
    frequency: tuple[int, int, int, int]
    monetary: tuple[Decimal, Decimal, Decimal, Decimal]
    customers: int = Field(ge=0, description="whom they were computed over: those who agreed to it")
    at: datetime


class RfmSegment(Record):
    """Where a customer stands among the bank's: each score is 1 (lowest fifth) to 5 (highest)."""

    recency: int = Field(ge=1, le=5)
    frequency: int = Field(ge=1, le=5)
    monetary: int = Field(ge=1, le=5)
    code: str
    name: Wording


class Evidence(Record):
    """A movement, or movements of a month, that something rests on, in words."""

    on: date
    text: Wording


class LifeEvent(Record):
    """Something that happened in a customer's life, as far as movements show it."""

    kind: EventKind
    on: date
    confidence: float = Field(ge=0, le=1)
    text: Wording
    evidence: tuple[Evidence, ...] = Field(min_length=1)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def name(self) -> str:
        """What the customer's word about it is kept under: ``event:KIND:DAY``."""
        return f"event:{self.kind}:{self.on}"


class ChannelShare(Record):
    """How much is done in one channel, of the last twelve months' movements that name one."""

    channel: str
    count: int
    share: float = Field(ge=0, le=1)


class TagWord(Record):
    """What a customer said of a tag or of a life event; it stands against whatever their movements say."""

    tag: str = Field(description="of the list of tags, or the name of a life event: event:KIND:DAY")
    stance: Stance
    at: datetime


class Tag(Record):
    """What the bank believes about a customer in words, or what the customer says of themselves."""

    tag: str
    name: Wording
    source: Literal["derived", "own"]
    reason: Wording


class Profile(Record):
    """What the movements of one customer say on a day. Without consent to personalisation only `cash_flow` and own tags."""

    customer_id: str
    on: date
    personalised: bool = Field(description="whether the customer agreed to personalisation")
    movements: int
    since: date | None = Field(None, description="day of the first movement")
    cash_flow: CashFlow
    channels: tuple[ChannelShare, ...] = ()
    segment: RfmSegment | None = Field(None, description="None without consent, purchases, or the bank's cut points")
    events: tuple[LifeEvent, ...] = Field((), description="latest first")
    tags: tuple[Tag, ...] = ()
    words: tuple[TagWord, ...] = Field((), description="what the customer said of tags")
