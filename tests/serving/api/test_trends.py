"""Trends and alerts over HTTP: staff see groups, customers see themselves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from openteller.core.clock import utc_now
from openteller.core.records import LocalText, Role
from openteller.customers.repository import CustomerRepository
from openteller.insights.alerts.records import NewAlert, Severity
from tests.insights.trends.said import person, said
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of
from tests.store.people import ANN

Staff = Callable[[Role], Headers]
PATHS = (
    "/v1/trends",
    "/v1/trends/topics",
    "/v1/trends/needs",
    "/v1/trends/funnel",
    "/v1/alerts",
    "/v1/alerts/deliveries",
)


@pytest.fixture
def asked(house: House) -> House:
    for number in range(6):
        mood = "negative" if number < 3 else "neutral"
        said(house.database, person(number), utc_now() - timedelta(minutes=5), mood, need="saving")
    said(house.database, ANN, utc_now() - timedelta(minutes=5), "positive")
    return house


def test_staff_see_groups(client: TestClient, asked: House, as_staff: Staff) -> None:
    headers = as_staff(Role.ANALYST)
    overview = client.get("/v1/trends", params={"days": 7}, headers=headers).json()
    assert overview["bank"]["whole"]["conversations"] == 7
    assert overview["span"]["every"] == "day"
    (topic,) = client.get("/v1/trends/topics", headers=headers).json()["topics"]
    assert (topic["topic"], topic["name"]) == ("card", {"zh": "银行卡", "en": "Cards"})
    (need,) = client.get("/v1/trends/needs", headers=headers).json()["needs"]
    assert (need["need"], need["conversations"]) == ("saving", 6)
    funnel = client.get("/v1/trends/funnel", params={"topic": "card", "language": "zh-Hans"}, headers=headers).json()
    assert [stage["through"] for stage in funnel["stages"]] == [7, 7, 6, 6, 0]


@pytest.mark.parametrize("path", PATHS)
def test_groups_are_for_staff(client: TestClient, ann: Headers, path: str) -> None:
    error_of(client.get(path), 401, "not_authenticated")
    error_of(client.get(path, headers=ann), 403, "not_allowed")


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"topic": "cards"}, 404, "not_found"),
        ({"days": 0}, 422, "bad_input"),
        ({"days": 731}, 422, "bad_input"),
        ({"every": "year"}, 422, "bad_input"),
        ({"language": "xx"}, 422, "bad_input"),
    ],
)
def test_what_cannot_be_looked_at(
    client: TestClient, as_staff: Staff, params: dict[str, str], status: int, code: str
) -> None:
    error_of(client.get("/v1/trends", params=params, headers=as_staff(Role.AGENT)), status, code)


def test_a_customers_own_mood(client: TestClient, asked: House, ann: Headers, ben: Headers, as_staff: Staff) -> None:
    assert client.get("/v1/trends/me", headers=ann).json()["personalised"] is False
    with asked.database.session(ANN) as session:
        CustomerRepository().set_consent(session, "C000001", "personalisation", True)
    mine = client.get("/v1/trends/me", headers=ann).json()
    assert mine["mood"]["value"] > 0
    assert len(mine["conversations"]) == 1
    served = client.get("/v1/trends/customers/C000001", headers=as_staff(Role.AGENT)).json()
    assert served["mood"]["value"] == pytest.approx(mine["mood"]["value"], abs=1e-4)
    assert client.get("/v1/trends/me", headers=ben).json()["conversations"] == []
    error_of(client.get("/v1/trends/customers/C000001", headers=ben), 403, "not_allowed")
    error_of(client.get("/v1/trends/customers/C999999", headers=as_staff(Role.AGENT)), 404, "not_found")
    error_of(client.get("/v1/trends/customers/C000001", headers=as_staff(Role.ANALYST)), 403, "not_allowed")


def test_alerts_are_listed_and_acknowledged(client: TestClient, house: House, as_staff: Staff) -> None:
    raised = house.alerts.raise_alert(
        NewAlert(kind="trend.mood", key="k", severity=Severity.WARNING, title=LocalText(zh="变", en="changed"))
    )
    assert raised is not None
    headers = as_staff(Role.AGENT)
    (listed,) = client.get("/v1/alerts", params={"open_only": True}, headers=headers).json()["alerts"]
    assert listed["id"] == str(raised.id)
    seen = client.post(f"/v1/alerts/{raised.id}/acknowledge", headers=headers).json()
    assert seen["acknowledged_by"] == "agent.li"
    assert client.get("/v1/alerts", params={"open_only": True}, headers=headers).json() == {"alerts": []}
    assert client.get("/v1/alerts/deliveries", headers=headers).json() == {"deliveries": []}
    missing = f"/v1/alerts/{'0' * 8}-0000-0000-0000-{'0' * 12}/acknowledge"
    error_of(client.post(missing, headers=headers), 404, "not_found")
