"""A customer's profile, tags and switch over HTTP, and the staff's look at it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from openteller.core.records import Role
from openteller.customers.profile.tags import TAGS
from openteller.store.tables import AuditRow, ConsentRow, TransactionRow
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of

Staff = Callable[[Role], Headers]


@pytest.fixture
def spending(house: House) -> House:
    """Ann agreed, has a salary and went shopping."""
    with house.database.owner_session() as session:
        session.add(ConsentRow(customer_id="C000001", purpose="personalisation", granted=True))
        for month in range(1, 13):
            at = datetime(datetime.now(UTC).year - 1, month, 10, 4, tzinfo=UTC)
            row = {"customer_id": "C000001", "account_id": "A-C000001", "booked_at": at, "currency": "CNY"}
            session.add(TransactionRow(**row, amount=Decimal(9_000), merchant="工资", category="salary"))
            session.add(
                TransactionRow(**row, amount=Decimal(-800), merchant="橙果商城", category="shopping", channel="app")
            )
    return house


def test_a_customer_reads_their_profile(client: TestClient, spending: House, ann: Headers, ben: Headers) -> None:
    found = client.get("/v1/me/profile", headers=ann).json()
    assert (found["customer_id"], found["personalised"], found["movements"]) == ("C000001", True, 24)
    first = found["cash_flow"]["months"][0]
    # The movements begin on the tenth of January.
    assert (first["income"], first["surplus"], first["whole"]) == ("9000.00", "8200.00", False)
    assert client.get("/v1/me/profile", headers=ben).json()["movements"] == 0


def test_the_last_word_is_the_customers(client: TestClient, spending: House, ann: Headers) -> None:
    known = client.get("/v1/me/tags", headers=ann).json()
    assert known["known"].keys() == TAGS.keys()
    added = client.put("/v1/me/tags/drives", json={"stance": "mine"}, headers=ann).json()
    assert [(tag["tag"], tag["source"]) for tag in added["tags"] if tag["tag"] == "drives"] == [("drives", "own")]
    denied = client.put("/v1/me/tags/shops_much", json={"stance": "not_me"}, headers=ann).json()
    assert {word["tag"]: word["stance"] for word in denied["words"]} == {"drives": "mine", "shops_much": "not_me"}
    assert client.delete("/v1/me/tags/drives", headers=ann).status_code == 204
    assert client.delete("/v1/me/tags/shops_much/word", headers=ann).status_code == 204
    assert client.get("/v1/me/tags", headers=ann).json()["words"] == []
    client.delete("/v1/me/tags/drives", headers=ann)
    assert client.get("/v1/me/tags", headers=ann).json()["words"][0]["stance"] == "removed"
    assert client.delete("/v1/me/tags", headers=ann).status_code == 204
    assert client.get("/v1/me/tags", headers=ann).json()["words"] == []


def test_a_life_event_is_denied_removed_and_taken_back(client: TestClient, spending: House, ann: Headers) -> None:
    def events() -> list[str]:
        return [event["name"] for event in client.get("/v1/me/profile", headers=ann).json()["events"]]

    (stopped,) = events()
    assert stopped.startswith("event:salary_stopped:")
    for call in (client.put, client.delete):
        assert call(f"/v1/me/events/{stopped}", headers=ann).status_code == 204
        assert events() == []
    words = client.get("/v1/me/tags", headers=ann).json()["words"]
    assert [(word["tag"], word["stance"]) for word in words] == [(stopped, "removed")]
    assert client.delete(f"/v1/me/events/{stopped}/word", headers=ann).status_code == 204
    assert events() == [stopped]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        ("event:travel:2020-01-01", 404, "not_found"),
        ("event:travel:2020-02-31", 422, "bad_input"),
        ("event:wedding:2020-01-01", 404, "not_found"),
        ("event:travel", 404, "not_found"),
    ],
)
def test_events_that_there_are_not(
    client: TestClient, spending: House, ann: Headers, event: str, status: int, code: str
) -> None:
    error_of(client.put(f"/v1/me/events/{event}", headers=ann), status, code)
    assert client.get("/v1/me/tags", headers=ann).json()["words"] == []


def test_an_event_cannot_be_added(client: TestClient, spending: House, ann: Headers) -> None:
    event = client.get("/v1/me/profile", headers=ann).json()["events"][0]["name"]
    error_of(client.put(f"/v1/me/tags/{event}", json={"stance": "mine"}, headers=ann), 422, "bad_input")


def test_each_consent_says_what_follows(client: TestClient, spending: House, ann: Headers) -> None:
    found = {one["purpose"]: one for one in client.get("/v1/me/consents", headers=ann).json()["consents"]}
    assert {purpose: one["granted"] for purpose, one in found.items()} == {"personalisation": True, "marketing": False}
    assert all(one[part][lang] for one in found.values() for part in ("name", "on", "off") for lang in ("zh", "en"))
    assert found["marketing"]["at"] is None
    assert client.put("/v1/me/consents/marketing", json={"granted": True}, headers=ann).json()["granted"]
    again = {one["purpose"]: one for one in client.get("/v1/me/consents", headers=ann).json()["consents"]}
    assert again["marketing"]["at"]
    error_of(client.put("/v1/me/consents/recording", json={"granted": True}, headers=ann), 404, "not_found")
    error_of(client.put("/v1/me/consents/marketing", json={"granted": "maybe"}, headers=ann), 422, "bad_input")


def test_personalisation_is_switched_off_and_on(client: TestClient, spending: House, ann: Headers) -> None:
    answer = client.put("/v1/me/personalisation", json={"granted": False}, headers=ann)
    assert (answer.status_code, answer.json()["granted"]) == (200, False)
    found = client.get("/v1/me/profile", headers=ann).json()
    assert (found["personalised"], found["tags"], found["channels"]) == (False, [], [])
    assert len(found["cash_flow"]["months"]) >= 12
    with spending.database.owner_session() as session:
        details = session.scalars(select(AuditRow.detail).where(AuditRow.action == "consent.changed")).all()
    assert details == [{"purpose": "personalisation", "granted": False}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/v1/me/tags/rich", {"stance": "mine"}, 404, "not_found"),
        ("DELETE", "/v1/me/tags/rich", None, 404, "not_found"),
        ("DELETE", "/v1/me/tags/rich/word", None, 404, "not_found"),
        ("PUT", "/v1/me/tags/drives", {"stance": "removed"}, 422, "bad_input"),
        ("PUT", "/v1/me/tags/drives", {}, 422, "bad_input"),
        ("PUT", f"/v1/me/tags/{'x' * 101}", {"stance": "mine"}, 422, "bad_input"),
        ("PUT", "/v1/me/personalisation", {"granted": "perhaps"}, 422, "bad_input"),
    ],
)
def test_what_cannot_be_used_is_refused(
    client: TestClient, ann: Headers, method: str, path: str, body: dict[str, str] | None, status: int, code: str
) -> None:
    error_of(client.request(method, path, json=body, headers=ann), status, code)


def test_who_may_do_what(client: TestClient, spending: House, ann: Headers, as_staff: Staff) -> None:
    own = [
        ("GET", "/v1/me/profile", None),
        ("GET", "/v1/me/tags", None),
        ("PUT", "/v1/me/tags/drives", {"stance": "mine"}),
        ("DELETE", "/v1/me/tags/drives", None),
        ("DELETE", "/v1/me/tags/drives/word", None),
        ("DELETE", "/v1/me/tags", None),
        ("PUT", "/v1/me/personalisation", {"granted": True}),
    ]
    for method, path, body in own:
        error_of(client.request(method, path, json=body), 401, "not_authenticated")
        error_of(client.request(method, path, json=body, headers=as_staff(Role.AGENT)), 403, "not_allowed")
    theirs = "/v1/customers/C000001/profile"
    error_of(client.get(theirs), 401, "not_authenticated")
    error_of(client.get(theirs, headers=ann), 403, "not_allowed")
    error_of(client.get(theirs, headers=as_staff(Role.ANALYST)), 403, "not_allowed")
    error_of(client.get("/v1/customers/C999999/profile", headers=as_staff(Role.AGENT)), 404, "not_found")
    for role in (Role.AGENT, Role.ADMIN, Role.SERVICE):
        assert client.get(theirs, headers=as_staff(role)).json()["customer_id"] == "C000001"
    with spending.database.owner_session() as session:
        rows = session.execute(
            select(AuditRow.actor, AuditRow.subject).where(AuditRow.action == "profile.viewed")
        ).all()
    assert [tuple(row) for row in rows] == [(f"{role}.li", "C000001") for role in ("agent", "admin", "service")]
