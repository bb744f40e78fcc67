"""Every wall between a product and one customer on one day: sale, what they have and said, the campaign, eligibility, suitability.

What does not change from product to product is made once. Suitability is asked of the one function that there is
(products/suitability.py), in the form of matching.py. Knows nothing about what speaks for a product.
"""

from collections.abc import Collection, Iterable
from datetime import date
from functools import cached_property

from openteller.customers.behaviour import CustomerFile
from openteller.products.eligibility import Applicant, eligible, generic
from openteller.products.records import Product, Verdict
from openteller.products.suitability import Approach, Case, Investment, Investor, suitable
from openteller.recommendation import rules
from openteller.recommendation.matching import case_of, investor_of
from openteller.recommendation.records import OfferEvent


def harmless(products: Iterable[Product], on: date) -> frozenset[str]:
    """The products that the suitability wall lets through to somebody of whom nothing is known: hence to everybody.

    The wall looks at nothing in an investor that it would not rather know (a property test holds that).
    """
    return frozenset(p.id for p in products if suitable(case_of(None, p, on, Approach.PUSH)).allowed)


class Walls:
    """Asked about one product after the other.

    Args:
        file: the customer; None for a visitor.
        events: what became of earlier offers.
        on: the day, in time zone `zone`.
        zone: IANA name of the bank's time zone.
        exhausted: the products whose campaign has used up its budget.
        harmless: the products that suit everybody (`harmless`), of which the wall need not be asked again.
    """

    def __init__(
        self,
        file: CustomerFile | None,
        events: Iterable[OfferEvent],
        on: date,
        zone: str,
        exhausted: Collection[str] = (),
        harmless: Collection[str] = (),
    ) -> None:
        self._file, self._events, self._on, self._zone = file, tuple(events), on, zone
        self._exhausted, self._harmless = exhausted, harmless
        self._held = frozenset[str]() if file is None else file.product_ids
        self._investors: dict[str, Investor] = {}

    def allow(self, product: Product) -> bool:
        """Whether every wall lets the product through."""
        return self.refusal(product) is None

    def refusal(self, product: Product) -> Verdict | None:
        """The first wall that keeps the product back, with its reason; None when none does."""
        if not product.on_sale(self._on):
            return rules.refused("not_on_sale", "该产品目前不在销售期。", "The product is not on sale.")
        return (
            rules.held(product.id, self._held)
            or rules.dismissed(product.id, self._events, self._on, self._zone)
            or rules.shown_enough(product.id, self._events, self._on, self._zone)
            or rules.spent(product.id, self._exhausted)
            or self._unsuitable(product)
        )

    def _unsuitable(self, product: Product) -> Verdict | None:
        if self._applicant is None:
            if generic(product, self._on) and suitable(self._case(product)).allowed:
                return None
            return rules.refused(
                "login", "该产品需登录并完成评估后推荐。", "It is offered only to customers whom the bank knows."
            )
        admits = eligible(product, self._applicant, self._on)
        if not admits.allowed:
            return admits
        if product.id in self._harmless:
            return None
        suits = suitable(self._case(product))
        return None if suits.allowed else rules.refused(suits.code, suits.reason("zh"), suits.reason("en"))

    def _case(self, product: Product) -> Case:
        return Case(
            investor=self._investor(product.currency),
            product=Investment.of(product),
            on=self._on,
            approach=Approach.PUSH,
        )

    def _investor(self, currency: str) -> Investor:
        found = self._investors.get(currency)
        if found is None:
            found = self._investors[currency] = investor_of(self._file, self._on, currency, self._zone)
        return found

    @cached_property
    def _applicant(self) -> Applicant | None:
        file = self._file
        if file is None:
            return None
        return Applicant(
            age=file.customer.age(self._on),
            monthly_income=file.customer.monthly_income,
            region=file.customer.city,
            segments=frozenset(file.customer.segment),
            assessed=file.assessment is not None and file.assessment.in_force(self._on, self._zone),
        )
