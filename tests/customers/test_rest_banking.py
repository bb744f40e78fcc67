from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import httpx
import pytest

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.core.records import InvestorClass, Principal, Role
from openteller.customers import records
from openteller.customers.rest_banking import RestCoreBanking
from openteller.store.tables.customers import TRANSACTION_CATEGORIES

OWNER = Principal(subject="代理 1", role=Role.AGENT, customer_id="C000042")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> RestCoreBanking:
    return RestCoreBanking("https://bank.example", "token", httpx.Client(transport=httpx.MockTransport(answer)))


def card(**changes: Any) -> dict[str, Any]:
    whole = {"card_id": "K-1", "customer_id": "C000042", "account_id": "A-1", "product_id": "CARD-DEBIT"}
    return whole | {"tail": "4821", "status": "frozen", "expires_on": "2029-03-31"} | changes


def test_who_asks_and_the_token_travel_in_headers(server: Any, rest: RestCoreBanking) -> None:
    rest.cards(OWNER)
    (request,) = server.seen
    assert request.headers["X-OpenTeller-Subject"] == "%E4%BB%A3%E7%90%86%201"
    assert request.headers["Authorization"].startswith("Bearer ")
    assert request.url == "https://bank.example/core/v1/customers/C000042/cards"


def test_the_contract_lists_the_values_of_the_records(contract: dict[str, Any]) -> None:
    values = contract["values"]
    assert values["account.kind"] == list(get_args(records.AccountKind))
    assert values["account.status"] == list(get_args(records.AccountStatus))
    assert values["card.status"] == list(get_args(records.CardStatus))
    assert values["payment.kind"] == list(get_args(records.PaymentKind))
    assert values["payment.status"] == list(get_args(records.PaymentStatus))
    assert values["consent.purpose"] == list(get_args(records.Purpose))
    assert values["assessment.investor_class"] == [one.value for one in InvestorClass]
    categories = {value for part in get_args(records.TransactionCategory) for value in get_args(part)}
    assert set(values["transaction.category"]) == categories == set(TRANSACTION_CATEGORIES)


@pytest.mark.parametrize(
    "body",
    [
        {"items": [card(customer_id="C000043")]},
        {"items": [card(tail="48211")]},
        {"items": [card(status="melted")]},
        {"items": [{}]},
        {"items": "no"},
        [],
        None,
        "text",
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(body: Any) -> None:
    with pytest.raises(Unavailable) as raised:
        answering(lambda request: httpx.Response(200, json=body)).cards(OWNER)
    assert raised.value.cause


def test_unknown_fields_are_ignored() -> None:
    banking = answering(lambda request: httpx.Response(200, json={"items": [card(colour="red")]}))
    assert [one.card_id for one in banking.cards(OWNER)] == ["K-1"]


def test_a_freeze_that_did_not_happen_is_noticed() -> None:
    for answer in (card(status="active"), card(card_id="K-2")):
        with pytest.raises(Unavailable):
            answering(lambda request, answer=answer: httpx.Response(200, json=answer)).freeze_card(OWNER, "K-1")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 302])
def test_status_codes_become_unavailable(status: int) -> None:
    with pytest.raises(Unavailable, match=r"core-banking"):
        answering(lambda request: httpx.Response(status)).bills(OWNER)


def test_html_and_a_broken_connection() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no", request=request)

    with pytest.raises(Unavailable):
        answering(lambda request: httpx.Response(200, text="<html>")).profile(OWNER)
    with pytest.raises(Unavailable):
        answering(refuse).profile(OWNER)


def test_somebody_never_assessed_has_a_file_without_assessment(contract: dict[str, Any]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        part = request.url.path.removeprefix("/v1/customers/C000042")
        if part == "/risk-assessment":
            return httpx.Response(204)
        profile = contract["exchanges"][0]["response"]["body"]
        return httpx.Response(200, json={"items": []} if part else profile)

    file = answering(answer).file(OWNER, NOW.date())
    assert (file.assessment, file.consents, file.product_ids) == (None, (), frozenset())


def test_an_assessment_of_another_customer_is_refused(contract: dict[str, Any]) -> None:
    body = {
        "customer_id": "C000043",
        "investor_class": "C5",
        "assessed_at": NOW.isoformat(),
        "expires_at": NOW.isoformat(),
    }
    with pytest.raises(Unavailable):
        answering(lambda request: httpx.Response(200, json=body)).file(OWNER, NOW.date())


def test_spending_of_another_customer_or_category() -> None:
    for body in (
        {"customer_id": "C000043", "categories": {"dining": "1.00"}},
        {"customer_id": "C000042", "categories": {"yachts": "1.00"}},
        {"customer_id": "C000042", "categories": {"dining": "NaN"}},
        {"customer_id": "C000042"},
        [],
    ):
        with pytest.raises(OpenTellerError) as raised:
            answering(lambda request, body=body: httpx.Response(200, json=body)).spending(OWNER, NOW, NOW)
        assert isinstance(raised.value, Unavailable)
