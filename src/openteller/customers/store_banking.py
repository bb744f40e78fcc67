"""Core banking on the store: for the demo bank, and for a bank that copies its data into OpenTeller.

Each call is one transaction under the principal's name, so row-level security guards it; a freeze leaves an audit row.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput
from openteller.core.money import Money
from openteller.core.records import Principal
from openteller.customers.behaviour import CustomerFile
from openteller.customers.core_banking import MAX_TRANSACTIONS, cannot_freeze, customer_of
from openteller.customers.profile.filed import with_profile, with_words
from openteller.customers.profile.profile import profile
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.records import Account, Bill, Card, Customer, ScheduledPayment, Transaction
from openteller.customers.repository import CustomerRepository
from openteller.store import audit
from openteller.store.database import Database


class StoreCoreBanking:
    """CoreBanking on OpenTeller's own tables.

    Args:
        database: where the customers are.
        zone: IANA name of the bank's time zone.
        now: the clock.
    """

    def __init__(self, database: Database, zone: str = "Asia/Shanghai", now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._customers, self._behaviour = CustomerRepository(zone), BehaviourRepository(zone)
        self._zone = zone
        self._now = now

    def profile(self, principal: Principal) -> Customer:
        """The customer's profile."""
        with self._database.session(principal) as session:
            return self._customers.require(session, customer_of(principal))

    def file(self, principal: Principal, on: date) -> CustomerFile:
        """All that is known about the customer on day `on`, with what their profile says."""
        customer_id = customer_of(principal)
        with self._database.session(principal) as session:
            file = self._customers.file(session, customer_id, on)
            words = self._behaviour.words(session, customer_id)
            if not file.granted("personalisation"):
                return with_words(file, words)
            state = self._behaviour.state(session, customer_id)
        return with_profile(file, profile(customer_id, state, on, personalised=True, words=words))

    def balances(self, principal: Principal) -> list[Account]:
        """The accounts that are not closed, with their balances."""
        with self._known(principal) as (session, customer_id):
            return [one for one in self._customers.accounts(session, customer_id) if one.status != "closed"]

    def transactions(self, principal: Principal, since: datetime, until: datetime, limit: int) -> list[Transaction]:
        """The movements booked in that time, newest first, at most `limit`."""
        if not 1 <= limit <= MAX_TRANSACTIONS:
            raise BadInput(
                f"The limit {limit} is out of bounds.", next_step=f"Ask for 1 to {MAX_TRANSACTIONS} movements."
            )
        with self._known(principal) as (session, customer_id):
            return list(self._customers.transactions(session, customer_id, since, until, limit))

    def spending(self, principal: Principal, since: datetime, until: datetime) -> dict[str, Money]:
        """Net spending a category in that time in CNY, positive, largest first."""
        with self._known(principal) as (session, customer_id):
            totals = self._customers.spending(session, customer_id, since, until)
        return {category: Money(totals[category]) for category in sorted(totals, key=lambda c: (-totals[c], c))}

    def cards(self, principal: Principal) -> list[Card]:
        """The cards, whatever their status."""
        with self._known(principal) as (session, customer_id):
            return list(self._customers.cards(session, customer_id))

    def freeze_card(self, principal: Principal, card_id: str) -> Card:
        """Freeze an active card; a frozen one stays so."""
        with self._known(principal) as (session, customer_id):
            card = self._customers.card(session, customer_id, card_id)
            if card.status == "frozen":
                return card
            if card.status != "active":
                raise cannot_freeze(card)
            frozen = self._customers.set_card_status(session, card, "frozen")
            audit.record(session, principal.subject, "card.frozen", card_id, {"customer_id": customer_id})
            return frozen

    def bills(self, principal: Principal) -> list[Bill]:
        """The latest card statements, newest first."""
        with self._known(principal) as (session, customer_id):
            return list(self._customers.bills(session, customer_id))

    def next_payment(self, principal: Principal) -> ScheduledPayment | None:
        """The payment that leaves an account soonest, from today on; None when none is planned."""
        today = local_date(self._now(), self._zone)
        with self._known(principal) as (session, customer_id):
            return next(iter(self._customers.scheduled_payments(session, customer_id, today)), None)

    @contextmanager
    def _known(self, principal: Principal) -> Iterator[tuple[Session, str]]:
        customer_id = customer_of(principal)
        with self._database.session(principal) as session:
            self._customers.require(session, customer_id)
            yield session, customer_id
