"""What the assistant asks of a core-banking system: one customer's own data, and freezing a card.

A bank plugs in its own implementation; it need not inherit. Two ship: on the store (store_banking.py) and over HTTP
(rest_banking.py, contract in core_banking_contract.json). tests/customers/ runs one suite over both.
Knows nothing about intents, wording or HTTP.
"""

from datetime import date, datetime
from typing import Protocol

from openteller.core.errors import Conflict, NotAuthenticated
from openteller.core.money import Money
from openteller.core.records import Principal
from openteller.customers.behaviour import CustomerFile
from openteller.customers.records import Account, Bill, Card, Customer, ScheduledPayment, Transaction

MAX_TRANSACTIONS = 1_000


class CoreBanking(Protocol):
    """One customer's own data. Every method reads for `principal.customer_id` and nobody else.

    All raise NotAuthenticated when the principal stands for no customer, NotFound when the customer is unknown and
    Unavailable when the system behind does not answer. Stretches of time run from `since` to before `until`, both with
    a time zone.
    """

    def profile(self, principal: Principal) -> Customer:
        """The customer's profile."""
        ...

    def file(self, principal: Principal, on: date) -> CustomerFile:
        """All that is known about the customer on day `on`, consents included: what offers are made from."""
        ...

    def balances(self, principal: Principal) -> list[Account]:
        """The accounts that are not closed, with their balances."""
        ...

    def transactions(self, principal: Principal, since: datetime, until: datetime, limit: int) -> list[Transaction]:
        """The movements booked in that time, newest first, at most `limit` (1 to MAX_TRANSACTIONS)."""
        ...

    def spending(self, principal: Principal, since: datetime, until: datetime) -> dict[str, Money]:
        """Net spending a category in that time in CNY, positive, largest first; transfers, investments are none."""
        ...

    def cards(self, principal: Principal) -> list[Card]:
        """The cards, whatever their status."""
        ...

    def freeze_card(self, principal: Principal, card_id: str) -> Card:
        """Freeze an active card; a frozen one stays so.

        Raises:
            NotFound: the customer has no such card.
            Conflict: the card is lost or expired.
        """
        ...

    def bills(self, principal: Principal) -> list[Bill]:
        """The latest card statements, newest first."""
        ...

    def next_payment(self, principal: Principal) -> ScheduledPayment | None:
        """The payment that leaves an account soonest, from today on; None when none is planned."""
        ...


def customer_of(principal: Principal) -> str:
    """The customer the principal stands for.

    Raises:
        NotAuthenticated: none.
    """
    if principal.customer_id is None:
        raise NotAuthenticated(
            "Account data is shown to its owner only.",
            cause="Nobody is logged in as a customer.",
            next_step="Log in and ask again.",
        )
    return principal.customer_id


def cannot_freeze(card: Card) -> Conflict:
    """The error for a card that is lost or expired."""
    return Conflict(
        f"The card ending in {card.tail} is {card.status} and cannot be frozen.",
        next_step="A lost or expired card is blocked already; order a replacement.",
    )
