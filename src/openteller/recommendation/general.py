"""Offers that are not personal: what is popular with the bank's customers as a whole, for those who switched personalisation off.

    who has what, counted ─▶ products a stranger may be shown ─▶ the person's eligibility and the walls ─▶ the most held first

Chosen without the customer: no need, mood, behaviour, holding, tag, or what became of earlier offers is looked at. Of them only
what keeps a product back counts: its conditions and the suitability wall. Two people whom the same products admit get the same.
Decision: docs/decisions/0016. Knows nothing about the store.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from openteller.customers.behaviour import CustomerFile
from openteller.products.eligibility import generic
from openteller.products.records import Product, Verdict
from openteller.recommendation import rules
from openteller.recommendation.choosing import Entry
from openteller.recommendation.walls import Walls

LEAST_HOLDERS = 20
"""A product counts as popular from so many holders on, so that no count speaks of a few people."""
POLICY = "general"


def wanted(file: CustomerFile | None) -> bool:
    """Whether this customer gets general offers: they agreed to offers (marketing), and not to personal ones."""
    return file is not None and file.granted("marketing") and not file.granted("personalisation")


@dataclass(frozen=True)
class GeneralOffers:
    """What is offered in general on a day.

    Args:
        popular: product → the share, 0–1, of the bank's customers who have it; what fewer than `LEAST_HOLDERS` have is
            not in it.
        on: the day, in time zone `zone`.
        zone: IANA name of the bank's time zone.
        exhausted: the products whose campaign has used up its budget.
    """

    popular: Mapping[str, float]
    on: date
    zone: str
    exhausted: Collection[str] = ()

    def entries(self, file: CustomerFile, products: Iterable[Product]) -> Iterator[Entry]:
        """The products that may be shown to the customer, the most held first."""
        for product in sorted(products, key=lambda p: (-self.popular.get(p.id, 0.0), p.id)):
            if self.refusal(product, file) is None:
                yield Entry(round(self.popular[product.id], 4), product)

    def refusal(self, product: Product, file: CustomerFile) -> Verdict | None:
        """Why the product is not shown to a customer who switched personalisation off; None when it may be."""
        if product.id not in self.popular or not generic(product, self.on):
            return rules.refused(
                "general",
                "您已关闭个性化推荐，因此只展示许多客户都有、且无需了解您情况的产品。",
                "You have switched personalisation off, so only what many customers have and what needs no profile is shown.",
            )
        stranger = Walls(None, (), self.on, self.zone, self.exhausted).refusal(product)
        return stranger or Walls(_bare(file), (), self.on, self.zone).refusal(product)


def reason(language: str) -> str:
    """Why it is shown, without anything about the person."""
    if language.startswith("en"):
        return "Many of the bank's customers have it; a general suggestion, not chosen from your data."
    return "本行许多客户都有这款产品；这是通用推荐，并非根据您的资料挑选。"


def _bare(file: CustomerFile) -> CustomerFile:
    """Without what the customer has: that they hold a product already is not looked at either."""
    shown = [account.model_copy(update={"product_id": ""}) for account in file.accounts]
    return file.model_copy(update={"accounts": tuple(shown), "cards": (), "holdings": ()})
