"""The exchanges of the core-banking contract, replayed by a scripted server and stored in the database."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import openteller.customers
from openteller.core.records import Principal, Role
from openteller.customers.records import (
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
from openteller.customers.rest_banking import RestCoreBanking
from openteller.customers.store_banking import StoreCoreBanking
from openteller.store.database import Database
from openteller.store.tables import (
    AccountRow,
    BillRow,
    CardRow,
    ConsentRow,
    CustomerRow,
    HoldingRow,
    RiskAssessmentRow,
    ScheduledPaymentRow,
    TransactionRow,
)

CONTRACT = json.loads(
    (Path(openteller.customers.__file__).parent / "core_banking_contract.json").read_text(encoding="utf-8")
)
TOKEN = "the-token-of-the-test"
OWNER = Principal(subject="C000042", role=Role.CUSTOMER, customer_id="C000042")
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def exchange(name: str) -> dict[str, Any]:
    return next(one for one in CONTRACT["exchanges"] if one["name"] == name)


class RecordedServer:
    """Answers exactly what the contract records, and keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401)
        for one in CONTRACT["exchanges"]:
            asked = one["request"]
            here = (request.method, request.url.path, dict(request.url.params))
            if here == (asked["method"], "/core" + asked["path"], asked.get("query", {})):
                answer = one["response"]
                return (
                    httpx.Response(answer["status"], json=answer["body"]) if "body" in answer else httpx.Response(204)
                )
        return httpx.Response(404, json={"message": "not in the contract"})


@pytest.fixture
def server() -> RecordedServer:
    return RecordedServer()


@pytest.fixture
def rest(server: RecordedServer) -> Iterator[RestCoreBanking]:
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        yield RestCoreBanking("https://bank.example/core/", TOKEN, client)


@pytest.fixture
def stored(clean: Database) -> Database:
    """The contract's customers as rows, with movements that make up the contract's spending."""
    customer = Customer.model_validate(exchange("profile")["response"]["body"])
    other = customer.model_copy(update={"customer_id": "C000043"})
    with clean.owner_session() as session:
        session.add_all([CustomerRow(**one.model_dump()) for one in (customer, other)])
        session.flush()
        parts = (
            ("balances", Account, AccountRow), ("cards", Card, CardRow), ("bills", Bill, BillRow),
            ("consents", Consent, ConsentRow), ("holdings", Holding, HoldingRow),
        )  # fmt: skip
        for name, kind, row in parts:
            items = exchange(name)["response"]["body"]["items"]
            session.add_all([row(**kind.model_validate(item).model_dump()) for item in items])
            session.flush()
        assessment = RiskAssessment.model_validate(exchange("risk_assessment")["response"]["body"])
        session.add(RiskAssessmentRow(**assessment.model_dump()))
        payment = ScheduledPayment.model_validate(exchange("next_payment")["response"]["body"])
        later = payment.model_copy(update={"due_on": date(2026, 12, 20)})
        past = payment.model_copy(update={"due_on": date(2026, 11, 22)})
        session.add_all([ScheduledPaymentRow(**one.model_dump()) for one in (later, past, payment)])
        session.add_all([TransactionRow(**movement.model_dump()) for movement in movements()])
    return clean


def movements() -> list[Transaction]:
    recorded = [Transaction.model_validate(item) for item in exchange("transactions")["response"]["body"]["items"]]
    groceries = recorded[0]

    def like(day: int, amount: str, category: str) -> Transaction:
        at = datetime(2026, 11, day, 3, tzinfo=UTC)
        changes = {"booked_at": at, "amount": amount, "category": category, "transaction_id": None, "merchant": "商户"}
        return Transaction.model_validate(groceries.model_dump() | changes)

    return [
        *recorded,
        like(3, "-1123.80", "groceries"),
        like(4, "-700.00", "dining"),
        like(5, "60.00", "dining"),
        like(6, "20.00", "shopping"),
        like(7, "-5000.00", "transfer"),
    ]


@pytest.fixture(params=["store", "rest"])
def banking(request: pytest.FixtureRequest) -> StoreCoreBanking | RestCoreBanking:
    if request.param == "rest":
        return request.getfixturevalue("rest")
    return StoreCoreBanking(request.getfixturevalue("stored"), now=lambda: NOW)


@pytest.fixture
def contract() -> dict[str, Any]:
    return CONTRACT
