"""The records of recommendation: what became of earlier offers, and the signals that speak for a product."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator

from openteller.core.records import LocalText, Record
from openteller.products.records import Product

Fits = Callable[[Product], bool]
"""Whether a signal speaks for a product."""


class OfferEvent(Record):
    """What became of an offer."""

    product_id: str
    action: Literal["shown", "opened", "dismissed"]
    at: datetime


class Impression(Record):
    """That a product was shown, by which policy, how likely that was, and what the ranking knew at that moment."""

    product_id: str
    place: int = Field(ge=0, description="0 for the first of the list")
    propensity: float = Field(
        gt=0, le=1, description="the exact chance of this product in this place, given those before"
    )
    policy: str = Field(description="rules, or the version of the model that ranked")
    score: float = Field(ge=0, le=1)
    features: dict[str, float] = Field({}, description="name → value (recommendation/features.py)")
    among: dict[str, float] = Field({}, description="product → score of all it was drawn among; empty: it was the best")


class LoggedImpression(Impression):
    """An impression as it is stored, with what came of it."""

    customer_id: str | None
    experiment: str | None = None
    arm: str | None = None
    at: datetime
    opened: bool


class ImpressionCount(Record):
    """How often a policy showed a product, and how often it was opened then."""

    product_id: str
    policy: str
    shown: int = Field(ge=0)
    opened: int = Field(ge=0)


class Campaign(Record):
    """How often a product may be offered from `valid_from` to `valid_to`, both inclusive."""

    product_id: str = Field(min_length=1)
    budget: int = Field(gt=0, le=1_000_000_000, description="offers")
    spent: int = Field(0, ge=0, description="offers made so far")
    valid_from: date
    valid_to: date | None = None


class Experiment(Record):
    """Ways that are compared: arm → its share of customers, the control first; they sum to 1."""

    name: str
    arms: dict[str, float]
    started_at: datetime
    ended_at: datetime | None = None

    @field_validator("arms", mode="before")
    @classmethod
    def _in_their_order(cls, arms: Any) -> Any:
        """As the store keeps them: pairs, since its JSON objects have no order."""
        return {name: share for name, share in arms} if isinstance(arms, list) else arms


class WhyNot(Record):
    """Why a product is not offered, or that it is."""

    product_id: str
    name: str
    offered: bool
    code: str = Field(
        description="consent, moment, not_on_sale, held, dismissed, …, no_reason, others_first or offered"
    )
    reason: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that speaks for certain products.

    `phrase` is a clause about the customer, without a full stop, in which ``{}`` stands for `about`. `weight` is the
    chance, 0–1, that a product it fits is worth offering for this alone; `stated` says that the customer named it in
    this inquiry, rather than that it was read from behaviour. `only` names the one product it fits, where that is one,
    and `within` the money, in CNY, that a product may ask for at least. `fits` is one function for all customers.
    """

    code: str
    weight: float
    phrase: LocalText
    fits: Fits
    stated: bool = False
    only: str = ""
    about: str = ""
    within: Decimal | None = None

    def clause(self, language: str) -> str:
        """The phrase in `language`."""
        return self.phrase.of(language).format(self.about)


def anything(product: Product) -> bool:
    """Fits every product: for signals whose `only` says which."""
    return True
