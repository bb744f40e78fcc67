"""Offers for many customers at once: the same decision as for one, over files that were read together.

Time grows with the number of customers and memory does not: files come in parts. Knows nothing about the store, and nothing
about processes: whoever has several calls `offers_of` in each.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from openteller.core.records import Offer, Record
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation.moments import unasked
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import OfferEvent
from openteller.recommendation.scoring import Case

_PART = 256  # customers whom the model ranks in one go


class CustomerOffers(Record):
    """One customer's offers, best first."""

    customer_id: str
    offers: tuple[Offer, ...]


def offers_of(
    recommender: Recommender,
    files: Iterable[CustomerFile],
    products: Iterable[Product],
    on: date,
    *,
    events: dict[str, tuple[OfferEvent, ...]] | None = None,
    exhausted: frozenset[str] = frozenset(),
    popular: Mapping[str, float] | None = None,
    limit: int = 3,
) -> Iterator[CustomerOffers]:
    """The offers of each, in the customer's language; customers may change places.

    Args:
        recommender: decides.
        files: of customers; those without consent get none.
        products: the catalogue.
        on: today.
        events: customer → what became of earlier offers.
        exhausted: the products whose campaign has used up its budget.
        popular: as of `Recommender.decide`.
        limit: how many offers at most.
    """
    catalogue, nothing, past = tuple(products), unasked(), events or {}
    for language, part in _parts(files):
        cases = [Case(file, nothing, past.get(file.customer.customer_id, ())) for file in part]
        found = recommender.offers_many(
            cases, catalogue, exhausted=exhausted, popular=popular or {}, on=on, language=language, limit=limit
        )
        for file, offers in zip(part, found, strict=True):
            yield CustomerOffers(customer_id=file.customer.customer_id, offers=offers)


def _parts(files: Iterable[CustomerFile]) -> Iterator[tuple[str, list[CustomerFile]]]:
    """Customers of one language, up to `_PART` at a time."""
    waiting: dict[str, list[CustomerFile]] = {}
    for file in files:
        part = waiting.setdefault(file.customer.language, [])
        part.append(file)
        if len(part) == _PART:
            yield file.customer.language, waiting.pop(file.customer.language)
    yield from waiting.items()
