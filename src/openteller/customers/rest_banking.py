"""Core banking over HTTP: the bank implements core_banking_contract.json, this client speaks it.

The contract file lists every endpoint with an example exchange; tests replay those examples, so it cannot rot.
An answer that belongs to another customer is refused. What is not covered: retries and circuit breaking, which belong
into the gateway in front of a core-banking system.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from openteller.core.errors import BadInput, Conflict, NotFound, OpenTellerError, Unavailable
from openteller.core.money import Money, decimal_of
from openteller.core.records import Principal, Record
from openteller.customers.behaviour import CustomerFile, observe, window
from openteller.customers.core_banking import MAX_TRANSACTIONS, customer_of
from openteller.customers.profile.categorising import all_categorised
from openteller.customers.records import (
    SPENDING_CATEGORIES,
    Account,
    Bill,
    Card,
    Consent,
    Customer,
    Holding,
    RiskAssessment,
    ScheduledPayment,
    Transaction,
)

R = TypeVar("R", bound=Record)
_STEP = "Try again later; `teller doctor` checks the connection."


class RestCoreBanking:
    """CoreBanking of a bank's own system.

    Args:
        base_url: where the contract's paths begin, e.g. ``https://core.bank.example/api``.
        token: bearer token of OpenTeller at that system.
        client: carries timeouts, certificates and proxies; the caller closes it. None: one with a 10 s timeout.
        zone: IANA name of the bank's time zone.
    """

    def __init__(
        self, base_url: str, token: str, client: httpx.Client | None = None, zone: str = "Asia/Shanghai"
    ) -> None:
        self._base = base_url.rstrip("/")
        self._token = token
        self._client = client or httpx.Client(timeout=10.0)
        self._zone = zone

    def profile(self, principal: Principal) -> Customer:
        """The customer's profile."""
        return self._one(Customer, principal, self._call(principal, "GET", ""))

    def file(self, principal: Principal, on: date) -> CustomerFile:
        """All that is known about the customer on day `on`; of the movements the latest MAX_TRANSACTIONS."""
        assessed = self._call(principal, "GET", "/risk-assessment")
        accounts = self._many(Account, principal, self._call(principal, "GET", "/accounts"))
        holdings = self._many(Holding, principal, self._call(principal, "GET", "/holdings"))
        recent = self.transactions(principal, *window(on, self._zone), MAX_TRANSACTIONS)
        return CustomerFile(
            customer=self.profile(principal),
            assessment=None if assessed is None else self._one(RiskAssessment, principal, assessed),
            consents=tuple(self._many(Consent, principal, self._call(principal, "GET", "/consents"))),
            accounts=tuple(accounts),
            cards=tuple(self.cards(principal)),
            holdings=tuple(holdings),
            bills=tuple(self.bills(principal)),
            behaviour=observe(accounts, holdings, recent, on, self._zone),
        )

    def balances(self, principal: Principal) -> list[Account]:
        """The accounts that are not closed, with their balances."""
        accounts = self._many(Account, principal, self._call(principal, "GET", "/accounts"))
        return [account for account in accounts if account.status != "closed"]

    def transactions(self, principal: Principal, since: datetime, until: datetime, limit: int) -> list[Transaction]:
        """The movements booked in that time, newest first, at most `limit`."""
        if not 1 <= limit <= MAX_TRANSACTIONS:
            raise BadInput(
                f"The limit {limit} is out of bounds.", next_step=f"Ask for 1 to {MAX_TRANSACTIONS} movements."
            )
        query = {"since": _moment(since), "until": _moment(until), "limit": str(limit)}
        movements = all_categorised(
            self._many(Transaction, principal, self._call(principal, "GET", "/transactions", query))
        )
        return sorted(movements, key=lambda movement: movement.booked_at, reverse=True)[:limit]

    def spending(self, principal: Principal, since: datetime, until: datetime) -> dict[str, Money]:
        """Net spending a category in that time in CNY, positive, largest first."""
        query = {"since": _moment(since), "until": _moment(until), "currency": "CNY"}
        body = self._call(principal, "GET", "/spending", query)
        try:
            totals = {category: Money(decimal_of(total)) for category, total in body["categories"].items()}
        except (BadInput, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(str(error)) from error
        if body.get("customer_id") != principal.customer_id or not set(totals) <= SPENDING_CATEGORIES:
            raise _unreadable("The spending is of another customer, or of an unknown category.")
        positive = [category for category, total in totals.items() if total.amount > 0]
        return {category: totals[category] for category in sorted(positive, key=lambda c: (-totals[c].amount, c))}

    def cards(self, principal: Principal) -> list[Card]:
        """The cards, whatever their status."""
        return self._many(Card, principal, self._call(principal, "GET", "/cards"))

    def freeze_card(self, principal: Principal, card_id: str) -> Card:
        """Freeze an active card; a frozen one stays so."""
        body = self._call(principal, "POST", f"/cards/{quote(card_id, safe='')}/freeze")
        card = self._one(Card, principal, body)
        if card.card_id != card_id or card.status != "frozen":
            raise _unreadable(f"The card came back as {card.status}.")
        return card

    def bills(self, principal: Principal) -> list[Bill]:
        """The latest card statements, newest first."""
        bills = self._many(Bill, principal, self._call(principal, "GET", "/bills"))
        return sorted(bills, key=lambda bill: bill.due_on, reverse=True)

    def next_payment(self, principal: Principal) -> ScheduledPayment | None:
        """The payment that leaves an account soonest, from today on; None when none is planned."""
        body = self._call(principal, "GET", "/payments/next")
        return None if body is None else self._one(ScheduledPayment, principal, body)

    def _call(self, principal: Principal, method: str, path: str, query: Mapping[str, str] | None = None) -> Any:
        url = f"{self._base}/v1/customers/{quote(customer_of(principal), safe='')}{path}"
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "X-OpenTeller-Subject": quote(principal.subject, safe=":@"),
        }
        try:
            response = self._client.request(method, url, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(
                "The core-banking system does not answer.", cause=type(error).__name__, next_step=_STEP
            ) from error
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        if not response.is_success:
            raise _refusal(response)
        try:
            return response.json()
        except ValueError as error:
            raise _unreadable("It is not JSON.") from error

    def _many(self, kind: type[R], principal: Principal, body: Any) -> list[R]:
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise _unreadable("It has no list of items.")
        return [self._one(kind, principal, item) for item in items]

    def _one(self, kind: type[R], principal: Principal, item: Any) -> R:
        """A record from JSON; fields we do not know are left out, another customer's data is refused."""
        if not isinstance(item, dict) or item.get("customer_id") != principal.customer_id:
            raise _unreadable("It does not belong to the customer who was asked for.")
        try:
            return kind.model_validate({name: value for name, value in item.items() if name in kind.model_fields})
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise _unreadable(f"{kind.__name__}.{place}: {first['msg']}.") from error


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _refusal(response: httpx.Response) -> OpenTellerError:
    code = response.status_code
    if code == httpx.codes.NOT_FOUND:
        return NotFound("The core-banking system does not know this.", next_step="Check the customer and card number.")
    if code == httpx.codes.CONFLICT:
        return Conflict(
            "The core-banking system refused the change.",
            cause="The card is lost or expired.",
            next_step="A lost or expired card is blocked already; order a replacement.",
        )
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        step = "Check the token that OpenTeller uses for the core-banking system."
        return Unavailable("The core-banking system rejects our token.", cause=f"HTTP {code}", next_step=step)
    return Unavailable("The core-banking system failed.", cause=f"HTTP {code}", next_step=_STEP)


def _unreadable(cause: str) -> Unavailable:
    return Unavailable(
        "The core-banking system gave an answer that cannot be used.",
        cause=cause,
        next_step="Compare its answer with core_banking_contract.json.",
    )
