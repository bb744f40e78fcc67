"""The offers that go with a turn: reads the customer from core banking and earlier events, and asks the recommender.

An anonymous visitor gets what needs no profile; a customer whom core banking does not know, or who cannot be read just
now, gets no offer. Knows nothing about ranking.
"""

from collections.abc import Callable
from datetime import date

from openteller.assistant.answering import Shelf
from openteller.core.errors import NotFound, Unavailable
from openteller.core.records import Offer, Principal, Role, Understanding
from openteller.customers.core_banking import CoreBanking
from openteller.recommendation.recommender import Recommender, silent
from openteller.recommendation.repository import OfferEventRepository
from openteller.store.database import Database


class BankingOfferDesk:
    """Offers from core banking's customers and the store's products (assistant.dialogue.OfferDesk)."""

    def __init__(
        self, database: Database, shelf: Callable[[], Shelf], recommender: Recommender, banking: CoreBanking
    ) -> None:
        self._database, self._shelf, self._recommender = database, shelf, recommender
        self._banking, self._events = banking, OfferEventRepository()

    def offers(self, principal: Principal, understanding: Understanding, language: str, on: date) -> tuple[Offer, ...]:
        """At most three offers in `language`, best first; none for staff who look at nobody."""
        if (principal.customer_id is None and principal.role is not Role.VISITOR) or silent(understanding):
            return ()
        try:
            file = None if principal.customer_id is None else self._banking.file(principal, on)
        except (NotFound, Unavailable):  # the answer stands without an offer
            return ()
        with self._database.session(principal) as session:
            events = self._events.recent(session, principal, on)
        products = self._shelf().products.values()
        return self._recommender.offers(file, understanding, products, events=events, on=on, language=language)
