"""The profile desk: a customer's profile for those who may see it, and the customer's own word about it.

Staff read, customers read and correct: nobody else writes what a customer says, and the audit log has each change
without the tag, so that what a customer deletes is gone. Where the movements are in the bank's own core-banking system
only, the profile is made of the latest ones that it sends. Knows nothing about HTTP.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.core_banking import MAX_TRANSACTIONS, CoreBanking, customer_of
from openteller.customers.profile.consents import ConsentState, consent_states, switch
from openteller.customers.profile.profile import profile
from openteller.customers.profile.records import Profile, Stance
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.profile.running import running_state
from openteller.customers.profile.tags import TAGS, known
from openteller.customers.records import Consent, Customer
from openteller.customers.repository import CustomerRepository
from openteller.store import audit
from openteller.store.database import Database

_PURPOSE: Final = "personalisation"
_DAYS = 400


class ProfileDesk:
    """Profiles, tags and the personalisation switch.

    Args:
        database: where states and tags are.
        banking: where the movements of a customer are who is not in the database.
        zone: IANA name of the bank's time zone.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        banking: CoreBanking,
        zone: str = "Asia/Shanghai",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._banking, self._zone, self._now = database, banking, zone, now
        self._behaviour, self._customers = BehaviourRepository(zone), CustomerRepository(zone)

    def profile(self, principal: Principal) -> Profile:
        """The profile of the customer whom the principal stands for; staff looking at one leave an audit row.

        Raises:
            NotAuthenticated: the principal stands for no customer.
            NotFound: there is no such customer.
        """
        customer_id, on = customer_of(principal), local_date(self._now(), self._zone)
        with self._database.session(principal) as session:
            if self._customers.get(session, customer_id) is None:
                return self._from_core_banking(principal, customer_id)
            found = profile(
                customer_id,
                self._behaviour.state(session, customer_id),
                on,
                personalised=_granted(self._customers.consents(session, customer_id)),
                words=self._behaviour.words(session, customer_id),
                cuts=self._behaviour.cuts(session),
            )
            if principal.role.is_staff:
                audit.record(session, principal.subject, "profile.viewed", customer_id, {})
            return found

    def customer(self, principal: Principal) -> Customer:
        """Whose profile it is."""
        return self._banking.profile(principal)

    def say(self, principal: Principal, tag: str, stance: Stance) -> None:
        """Keep the customer's word about a tag or a life event; it stands against what is derived from then on.

        Raises:
            NotFound: there is no such tag, or no such event of theirs.
            BadInput: a life event is to be added: events are read from movements.
            NotAllowed: the principal is not the customer.
        """
        self._known(principal, tag)
        if stance == "mine" and tag not in TAGS:
            raise BadInput(
                "Life events cannot be added.", next_step="Add a tag that says so: GET /v1/me/tags lists them."
            )
        with self._own(principal) as session:
            self._behaviour.say(session, customer_of(principal), tag, stance)
            self._note(session, principal, "tag.said", {"stance": stance})

    def remove(self, principal: Principal, tag: str) -> None:
        """Take a tag or event away: a customer's own is deleted, a derived one stays away until they say otherwise."""
        self._known(principal, tag)
        with self._own(principal) as session:
            customer_id = customer_of(principal)
            said = {word.tag: word.stance for word in self._behaviour.words(session, customer_id)}
            self._behaviour.unsay(session, customer_id, tag)
            if said.get(tag) != "mine":
                self._behaviour.say(session, customer_id, tag, "removed")
            self._note(session, principal, "tag.removed", {})

    def forget(self, principal: Principal, tag: str | None = None) -> None:
        """Delete what the customer said of one tag or event, or of all; what is derived may come back."""
        if tag is not None:
            known(tag)
        with self._own(principal) as session:
            self._behaviour.unsay(session, customer_of(principal), tag)
            self._note(session, principal, "tag.forgotten" if tag else "tags.forgotten", {})

    def consents(self, principal: Principal) -> tuple[ConsentState, ...]:
        """The customer's switches, each with what follows from yes and from no."""
        with self._database.session(principal) as session:
            customer_id = customer_of(principal)
            self._customers.require(session, customer_id)
            return consent_states(self._customers.consents(session, customer_id))

    def agree(self, principal: Principal, purpose: str, granted: bool) -> Consent:
        """Keep whether the customer agrees; without personalisation nothing but the plain cash flow is derived.

        Raises:
            NotFound: there is no such switch, or the customer is not in this store.
            NotAllowed: the principal is not the customer.
        """
        named = switch(purpose)
        with self._own(principal) as session:
            consent = self._customers.set_consent(session, customer_of(principal), named, granted)
            self._note(session, principal, "consent.changed", {"purpose": named, "granted": granted})
            return consent

    def _known(self, principal: Principal, tag: str) -> None:
        """Nobody says anything of an event that is not in their profile, or was not before they refused it."""
        if known(tag) in TAGS:
            return
        found = self.profile(principal) if principal.role is Role.CUSTOMER else None
        if found and tag not in {event.name for event in found.events} | {word.tag for word in found.words}:
            raise NotFound("There is no such event of yours.", next_step="GET /v1/me/profile lists them.")

    @contextmanager
    def _own(self, principal: Principal) -> Iterator[Session]:
        if principal.role is not Role.CUSTOMER:
            raise NotAllowed(
                "Only customers themselves say what is true of them.",
                cause=f"This login's role is {principal.role.value}.",
                next_step="Ask the customer to log in and change it.",
            )
        with self._database.session(principal) as session:
            self._customers.require(session, customer_of(principal))
            yield session

    def _note(self, session: Session, principal: Principal, action: str, detail: dict[str, Any]) -> None:
        audit.record(session, principal.subject, action, customer_of(principal), detail)

    def _from_core_banking(self, principal: Principal, customer_id: str) -> Profile:
        """From what the core-banking system sends; it keeps consents too, and nothing is stored here."""
        now = self._now()
        on = local_date(now, self._zone)
        file = self._banking.file(principal, on)
        movements = self._banking.transactions(principal, now - timedelta(days=_DAYS), now, MAX_TRANSACTIONS)
        state = running_state(movements, self._zone)
        return profile(customer_id, state, on, personalised=file.granted(_PURPOSE))


def _granted(consents: Iterable[Consent]) -> bool:
    return any(consent.granted for consent in consents if consent.purpose == _PURPOSE)
