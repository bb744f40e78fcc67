"""The offers that go with a turn: reads the customer and earlier events, and asks the recommender.

An anonymous visitor and a customer unknown to the store get what needs no profile. Knows nothing about ranking.
"""

from collections.abc import Callable
from datetime import date

from openteller.assistant.answering import Shelf
from openteller.core.errors import NotFound
from openteller.core.records import Offer, Principal, Role, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.customers.repository import CustomerRepository
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.repository import OfferEventRepository
from openteller.store.database import Database


class StoreOfferDesk:
    """Offers from the store's customers and products (assistant.dialogue.OfferDesk)."""

    def __init__(
        self, database: Database, shelf: Callable[[], Shelf], recommender: Recommender, customers: CustomerRepository
    ) -> None:
        self._database, self._shelf, self._recommender = database, shelf, recommender
        self._customers, self._events = customers, OfferEventRepository()

    def offers(self, principal: Principal, understanding: Understanding, language: str, on: date) -> tuple[Offer, ...]:
        """At most three offers in `language`, best first; none for staff who look at nobody."""
        if principal.customer_id is None and principal.role is not Role.VISITOR:
            return ()
        file: CustomerFile | None = None
        with self._database.session(principal) as session:
            if principal.customer_id is not None:
                try:
                    file = self._customers.file(session, principal.customer_id, on)
                except NotFound:  # the bank's core system knows the customer, the store has no profile to advise on
                    return ()
            events = self._events.recent(session, principal, on)
        products = self._shelf().products.values()
        return self._recommender.offers(file, understanding, products, events=events, on=on, language=language)
