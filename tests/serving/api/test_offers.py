"""Offers over HTTP: customers see their own, agents those of a customer they serve, visitors log in first."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Role
from openteller.store.tables import AccountRow, ConsentRow, ImpressionRow, OfferEventRow
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of

Staff = Callable[[Role], Headers]


@pytest.fixture
def rich(house: House) -> None:
    """Ann has money at rest and has agreed to personal offers."""
    with house.database.owner_session() as session:
        account = session.get(AccountRow, "A-C000001")
        assert account is not None
        account.balance = 250_000  # type: ignore[assignment]
        session.add(ConsentRow(customer_id="C000001", purpose="personalisation", granted=True, at=datetime.now(UTC)))


def test_offers_with_reasons_in_both_languages(client: TestClient, rich: None, ann: Headers, house: House) -> None:
    zh, en = (
        client.get("/v1/offers", params={"language": language, "limit": 2}, headers=ann).json()["offers"]
        for language in ("zh", "en")
    )
    assert [offer["product_id"] for offer in zh] == [offer["product_id"] for offer in en]
    assert len(zh) == 2
    assert "暂时不用" in zh[0]["reason"]
    assert "sits idle" in en[0]["reason"]
    with house.database.owner_session() as session:
        assert session.query(ImpressionRow).count() == 4
        assert {row.action for row in session.query(OfferEventRow)} == {"shown"}


def test_staff_look_without_a_trace(client: TestClient, rich: None, as_staff: Staff, house: House) -> None:
    seen = client.get("/v1/offers", params={"customer_id": "C000001"}, headers=as_staff(Role.AGENT))
    assert seen.json()["offers"]
    assert (
        client.get("/v1/offers", params={"customer_id": "C000001"}, headers=as_staff(Role.ANALYST)).status_code == 403
    )
    with house.database.owner_session() as session:
        assert not session.query(ImpressionRow).count()


def test_what_is_dismissed_is_not_offered_and_says_why(client: TestClient, rich: None, ann: Headers) -> None:
    first = client.get("/v1/offers", headers=ann).json()["offers"][0]["product_id"]
    path = f"/v1/offers/{first}"
    asked = client.get(f"{path}/why-not", params={"language": "en"}, headers=ann).json()
    assert (asked["offered"], asked["code"]) == (True, "offered")
    assert client.post(path, json={"action": "dismissed"}, headers=ann).status_code == 204
    assert first not in {offer["product_id"] for offer in client.get("/v1/offers", headers=ann).json()["offers"]}
    asked = client.get(f"{path}/why-not", params={"language": "en"}, headers=ann).json()
    assert (asked["offered"], asked["code"]) == (False, "dismissed")
    assert "does not interest you" in asked["reason"]


def test_without_consent_there_are_none_and_why_not_says_so(client: TestClient, ben: Headers) -> None:
    assert client.get("/v1/offers", headers=ben).json() == {"offers": []}
    asked = client.get("/v1/offers/TD-CNY/why-not", headers=ben).json()
    assert (asked["code"], asked["name"]) == ("consent", "人民币整存整取定期存款")


def test_who_may_not_and_what_is_not(client: TestClient, ann: Headers) -> None:
    error_of(client.get("/v1/offers"), 401, "not_authenticated")
    error_of(client.get("/v1/offers", params={"customer_id": "C000002"}, headers=ann), 403, "not_allowed")
    error_of(client.get("/v1/offers", params={"limit": 21}, headers=ann), 422, "bad_input")
    error_of(client.get("/v1/offers/NOTHING/why-not", headers=ann), 404, "not_found")
    error_of(client.post("/v1/offers/NOTHING", json={"action": "opened"}, headers=ann), 404, "not_found")
    error_of(client.post("/v1/offers/TD-CNY", json={"action": "bought"}, headers=ann), 422, "bad_input")
