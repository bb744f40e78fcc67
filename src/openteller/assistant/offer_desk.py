"""The offers that go with a turn, or with no turn at all: reads the customer, asks the recommender, keeps what was shown.

An anonymous visitor gets what needs no profile; a customer whom core banking does not know, or who cannot be read just
now, gets no offer. Campaigns are spent here, so that an offer is counted exactly when it is made. While an experiment runs,
its arm ``rules`` is served without the model. Knows nothing about ranking.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from openteller.assistant.answering import Shelf
from openteller.core.clock import utc_now
from openteller.core.errors import NotFound, Unavailable
from openteller.core.records import Offer, Principal, Role, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.customers.core_banking import CoreBanking
from openteller.recommendation import general
from openteller.recommendation.choosing import Exploration
from openteller.recommendation.experiments import assigned
from openteller.recommendation.moments import unasked
from openteller.recommendation.recommender import Decision, Recommender
from openteller.recommendation.records import Experiment, WhyNot
from openteller.recommendation.repository import (
    CampaignRepository,
    ExperimentRepository,
    ImpressionRepository,
    OfferEventRepository,
    last_understanding,
    popularity,
)
from openteller.recommendation.rules import silent
from openteller.store.database import Database
from openteller.store.turns import OfferAction, TurnRepository

_REMEMBERED = timedelta(hours=24)  # the mood and needs of a turn this old still count
_RULES = "rules"
_SELF = Principal(subject="offers", role=Role.SERVICE)


class BankingOfferDesk:
    """Offers from core banking's customers and the store's products (assistant.dialogue.OfferDesk).

    Args:
        database: where events, impressions and campaigns are.
        shelf: gives the products on sale today.
        recommender: with the model, if there is one.
        banking: the customers.
        plain: without a model, for the arm ``rules``; None: the same as `recommender`.
        exploration: the share of choices, 0–1, that is made by chance.
    """

    def __init__(
        self,
        database: Database,
        shelf: Callable[[], Shelf],
        recommender: Recommender,
        banking: CoreBanking,
        plain: Recommender | None = None,
        exploration: float = 0.0,
    ) -> None:
        self._database, self._shelf, self._recommender = database, shelf, recommender
        self._banking, self._plain, self._exploration = banking, plain or recommender, exploration
        self._events, self._impressions = OfferEventRepository(), ImpressionRepository()
        self._counted: tuple[date, Mapping[str, float]] = date.min, {}
        self._campaigns, self._experiments = CampaignRepository(), ExperimentRepository()

    def offers(
        self,
        principal: Principal,
        understanding: Understanding,
        language: str,
        on: date,
        trace_id: UUID | None = None,
        limit: int = 3,
    ) -> tuple[Offer, ...]:
        """At most `limit` offers in `language`, best first; none for staff who look at nobody. They are kept as shown."""
        if (principal.customer_id is None and principal.role is not Role.VISITOR) or silent(understanding):
            return ()
        try:
            file = self._file(principal, on)
        except (NotFound, Unavailable):  # the answer stands without an offer
            return ()
        with self._database.session(principal) as session:
            running = self._experiments.running(session) if principal.customer_id else None
            arm = None if general.wanted(file) else _arm(running, principal)
            recommender = self._plain if arm is not None and arm[1] == _RULES else self._recommender
            decision = recommender.decide(
                file,
                understanding,
                self._shelf().products.values(),
                events=self._events.recent(session, principal, on),
                exhausted=self._campaigns.exhausted(session, on),
                popular=self._popular(file, on),
                exploration=Exploration(share=self._exploration, seed=_seed(principal, trace_id)),
                on=on,
                language=language,
                limit=limit,
            )
            granted = self._campaigns.spend(session, [offer.product_id for offer in decision.offers], on)
            decision = _only(decision, granted)
            self._impressions.add(session, principal, decision.impressions, trace_id=trace_id, arm=arm)
        return decision.offers

    def unasked(self, principal: Principal, language: str, on: date, limit: int = 3) -> tuple[Offer, ...]:
        """Offers outside of a turn, in the mood and with the needs of the customer's last one.

        The customer's own look is kept as shown; staff who look at a customer leave no trace of an offer.

        Raises:
            NotFound: core banking has no such customer.
            Unavailable: core banking does not answer.
        """
        if not principal.role.is_staff:
            offers = self.offers(principal, self._moment(principal), language, on, limit=limit)
            for offer in offers:
                self.note(principal, offer.product_id, "shown")
            return offers
        file, understanding = self._file(principal, on), self._moment(principal)
        with self._database.session(principal) as session:
            return self._recommender.decide(
                file,
                understanding,
                self._shelf().products.values(),
                events=self._events.recent(session, principal, on),
                exhausted=self._campaigns.exhausted(session, on),
                popular=self._popular(file, on),
                on=on,
                language=language,
                limit=limit,
            ).offers

    def why_not(self, principal: Principal, product_id: str, language: str, on: date) -> WhyNot:
        """Why the product is not among `unasked`, or that it is.

        Raises:
            NotFound: no such product is on sale, or core banking has no such customer.
            Unavailable: core banking does not answer.
        """
        products = self._shelf().products
        product = products.get(product_id)
        if product is None:
            raise NotFound(f"No product {product_id} is on sale.", next_step="GET /v1/products lists those that are.")
        file, understanding = self._file(principal, on), self._moment(principal)
        with self._database.session(principal) as session:
            return self._recommender.why_not(
                product,
                file,
                understanding,
                products.values(),
                events=self._events.recent(session, principal, on),
                exhausted=self._campaigns.exhausted(session, on),
                popular=self._popular(file, on),
                on=on,
                language=language,
            )

    def note(self, principal: Principal, product_id: str, action: OfferAction) -> None:
        """What became of an offer that was made in no turn."""
        if product_id not in self._shelf().products:
            raise NotFound(f"No product {product_id} is on sale.", next_step="GET /v1/products lists those that are.")
        with self._database.session(principal) as session:
            TurnRepository().offer_event(session, principal, product_id, action)

    def _popular(self, file: CustomerFile | None, on: date) -> Mapping[str, float]:
        """What the bank's customers have, for those who want nothing personal; counted once a day."""
        if not general.wanted(file):
            return {}
        if self._counted[0] != on:
            with self._database.session(_SELF) as session:
                self._counted = on, popularity(session)
        return self._counted[1]

    def _file(self, principal: Principal, on: date) -> CustomerFile | None:
        return None if principal.customer_id is None else self._banking.file(principal, on)

    def _moment(self, principal: Principal) -> Understanding:
        if principal.customer_id is None:
            return unasked()
        with self._database.session(principal) as session:
            return last_understanding(session, principal.customer_id, utc_now() - _REMEMBERED) or unasked()


def _arm(running: Experiment | None, principal: Principal) -> tuple[str, str] | None:
    """The running experiment and the customer's arm; visitors take no part."""
    if running is None or principal.customer_id is None:
        return None
    return running.name, assigned(running.name, principal.customer_id, running.arms)


def _only(decision: Decision, granted: frozenset[str]) -> Decision:
    """Without what no campaign had left; the places of the others stay as they were drawn."""
    return replace(
        decision,
        offers=tuple(offer for offer in decision.offers if offer.product_id in granted),
        impressions=tuple(shown for shown in decision.impressions if shown.product_id in granted),
    )


def _seed(principal: Principal, trace_id: UUID | None) -> int:
    """Of chance: the turn's, so that it can be told again; outside of turns the moment's."""
    return zlib.crc32(f"{principal.subject} {trace_id or utc_now().isoformat()}".encode())
