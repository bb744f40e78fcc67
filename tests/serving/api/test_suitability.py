"""The questionnaire, a customer's class, verdicts, grades and holders over HTTP."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

import openteller.demo
from openteller.core.records import Role
from openteller.products.catalogue import read_products
from openteller.products.repository import ProductRepository
from openteller.store.tables import HoldingRow
from tests.customers.assessment.answers import BALANCED, BOLD
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of
from tests.store.people import ANN

Staff = Callable[[Role], Headers]
ASSESSMENTS, STANDING = "/v1/investor/assessments", "/v1/investor/standing"
FUND = "/v1/products/FUND-INDEX"
PRODUCTS = read_products(Path(openteller.demo.__file__).parent / "bank" / "products")


@pytest.fixture(autouse=True)
def shelf(house: House) -> None:
    """The demo catalogue; Ann holds the index fund."""
    with house.database.owner_session() as session:
        ProductRepository().upsert(session, PRODUCTS)
        session.add(
            HoldingRow(
                customer_id=ANN.subject, product_id="FUND-INDEX", amount=Decimal(500), cost=Decimal(400),
                currency="CNY", since=date(2026, 1, 1),
            )
        )  # fmt: skip


def test_the_questionnaire_shows_no_points(client: TestClient, ann: Headers) -> None:
    error_of(client.get("/v1/investor/questionnaire"), 401, "not_authenticated")
    asked = client.get("/v1/investor/questionnaire", headers=ann)
    assert "points" not in asked.text
    assert "cap" not in {key for q in asked.json()["questions"] for o in q["options"] for key in o}
    assert {q["id"] for q in asked.json()["questions"]} == set(BALANCED)


def test_from_the_questionnaire_to_a_changed_class(client: TestClient, ann: Headers) -> None:
    assert client.get(STANDING, headers=ann).json()["in_force"] is False
    first = client.post(ASSESSMENTS, json={"answers": BALANCED}, headers=ann)
    assert (first.status_code, first.json()["assessment"]["investor_class"]) == (200, "C3")
    changed = client.post(ASSESSMENTS, json={"answers": BOLD}, headers=ann).json()
    assert changed["assessment"] is None
    assert changed["to_confirm"][0]["code"] == "class_changed"
    standing = client.get(STANDING, headers=ann).json()
    assert (standing["assessment"]["investor_class"], standing["pending"]["investor_class"]) == ("C3", "C5")
    agree = f"{ASSESSMENTS}/{changed['filled']['id']}/confirm"
    assert client.post(agree, json={}, headers=ann).json()["assessment"]["investor_class"] == "C5"
    error_of(client.post(agree, json={}, headers=ann), 409, "conflict")
    standing = client.get(STANDING, headers=ann).json()
    assert standing["in_force"]
    assert standing["reasons"]
    third = error_of(client.post(ASSESSMENTS, json={"answers": BOLD}, headers=ann), 429, "too_many_requests")
    assert third["next_step"]


def test_contradictions_come_back_with_their_codes(client: TestClient, ann: Headers) -> None:
    answers = BOLD | {"loss": "none"}
    asked = client.post(ASSESSMENTS, json={"answers": answers}, headers=ann).json()
    codes = [remark["code"] for remark in asked["to_confirm"]]
    assert asked["filled"] is None
    meant = client.post(ASSESSMENTS, json={"answers": answers, "agreed": codes}, headers=ann).json()
    assert meant["assessment"]["investor_class"] == "C1"


def test_staff_act_for_the_customer_whom_they_serve(client: TestClient, ben: Headers, as_staff: Staff) -> None:
    body = {"answers": BALANCED, "customer_id": "C000001"}
    error_of(client.post(ASSESSMENTS, json=body), 401, "not_authenticated")
    error_of(client.post(ASSESSMENTS, json=body, headers=ben), 403, "not_allowed")
    error_of(client.post(ASSESSMENTS, json=body, headers=as_staff(Role.ANALYST)), 403, "not_allowed")
    error_of(client.post(ASSESSMENTS, json={"answers": BALANCED}, headers=as_staff(Role.AGENT)), 401, "not_authenticated")  # fmt: skip
    unknown = body | {"customer_id": "C999999"}
    error_of(client.post(ASSESSMENTS, json=unknown, headers=as_staff(Role.AGENT)), 404, "not_found")
    made = client.post(ASSESSMENTS, json=body, headers=as_staff(Role.AGENT)).json()
    assert made["filled"]["submitted_by"] == "agent.li"
    seen = client.get(STANDING, params={"customer_id": "C000001"}, headers=as_staff(Role.AGENT)).json()
    assert seen["assessment"]["investor_class"] == "C3"
    error_of(client.get(STANDING, params={"customer_id": "C000001"}, headers=ben), 403, "not_allowed")
    assert client.get(STANDING, headers=ben).json()["assessment"] is None


def test_holders_are_told_and_the_list_says_who(client: TestClient, ann: Headers, as_staff: Staff) -> None:
    analyst = as_staff(Role.ANALYST)
    grade = {"grade": "R5", "because": "波动加大"}
    assert client.post(f"{FUND}/grades", json=grade, headers=analyst).status_code == 201
    made = client.post(f"{FUND}/notices", json={"channel": "sms"}, headers=analyst).json()
    assert (made["added"], made["holders"], made["note"]) == (1, 1, None)
    assert client.post(f"{FUND}/notices", json={}, headers=analyst).json()["already"] == 1
    (listed,) = client.get(f"{FUND}/notices", params={"unsent": True}, headers=analyst).json()["notices"]
    assert (listed["customer_id"], listed["channel"], listed["sent_at"]) == ("C000001", "sms", None)
    sent = client.post(f"/v1/products/notices/{listed['id']}/sent", headers=as_staff(Role.SERVICE))
    assert sent.json()["sent_at"]
    (mine,) = client.get("/v1/me/notices", headers=ann).json()["notices"]
    assert mine["read_at"] is None
    assert client.post(f"/v1/me/notices/{mine['id']}/read", headers=ann).json()["read_at"]
    error_of(client.post(f"/v1/me/notices/{uuid4()}/read", headers=ann), 404, "not_found")
    error_of(client.post(f"{FUND}/notices", json={}, headers=as_staff(Role.AGENT)), 403, "not_allowed")
    error_of(client.post(f"{FUND}/notices", json={"channel": "pigeon"}, headers=analyst), 422, "bad_input")
    error_of(client.get("/v1/me/notices", headers=analyst), 403, "not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answers": {}},
        {"answers": BALANCED | {"loss": "a bit"}},
        {"answers": BALANCED | {"shoe": "43"}},
        {"answers": {"loss": 5}},
        {"answers": {f"q{n}": "x" for n in range(101)}},
        {"answers": {"x" * 101: "a"}},
        {"answers": BALANCED, "agreed": ["no_such_code"]},
        {"answers": BALANCED, "agreed": "class_changed"},
        {"answers": BALANCED, "investor_class": "C5"},
        {"answers": "'; DROP TABLE questionnaires; --"},
    ],
)
def test_answers_that_cannot_be_used(client: TestClient, ann: Headers, body: dict[str, Any]) -> None:
    error = error_of(client.post(ASSESSMENTS, json=body, headers=ann), 422, "bad_input")
    assert error["next_step"]
    assert client.get(STANDING, headers=ann).json()["left_today"] == 2
    error_of(client.post(f"{ASSESSMENTS}/{uuid4()}/confirm", json={}, headers=ann), 404, "not_found")


def test_a_verdict_names_its_reasons_and_rules(client: TestClient, ann: Headers, as_staff: Staff) -> None:
    verdict = client.get(f"{FUND}/suitability", headers=ann).json()
    assert verdict["outcome"] == "blocked"
    assert {reason["code"] for reason in verdict["reasons"]} == {"assessment_missing"}
    assert "第二十九条" in verdict["reasons"][0]["rule"]
    client.post(ASSESSMENTS, json={"answers": BOLD}, headers=ann)
    bound = {"amount": "50", "customer_id": "C000001"}
    assert client.get(f"{FUND}/suitability", params={"amount": "50"}, headers=ann).json()["outcome"] == "allowed"
    for_staff = client.get(f"{FUND}/suitability", params=bound, headers=as_staff(Role.AGENT))
    assert for_staff.json()["outcome"] == "allowed"
    over = client.get(f"{FUND}/suitability", params={"amount": "1000"}, headers=ann).json()
    assert (over["outcome"], over["reasons"][0]["code"]) == ("blocked", "funds_short")
    error_of(client.get(f"{FUND}/suitability"), 401, "not_authenticated")
    error_of(client.get("/v1/products/NO-SUCH/suitability", headers=ann), 404, "not_found")
    for amount in ("-1", "NaN", "Infinity", "1.234", "1e30", "ten"):
        error_of(client.get(f"{FUND}/suitability", params={"amount": amount}, headers=ann), 422, "bad_input")
    error_of(client.get("/v1/products/fund;--/suitability", headers=ann), 422, "bad_input")


def test_a_grade_changes_the_catalogue_and_lists_whom_to_tell(
    client: TestClient, ann: Headers, as_staff: Staff
) -> None:
    client.post(ASSESSMENTS, json={"answers": BOLD | {"loss": "much"}}, headers=ann)
    analyst = as_staff(Role.ANALYST)
    assert client.get(f"{FUND}/holders", headers=analyst).json()["notices"] == []
    body = {"grade": "R5", "because": "指数波动一季度内明显上升"}
    made = client.post(f"{FUND}/grades", json=body, headers=analyst)
    assert (made.status_code, made.json()["author"], made.json()["graded_by"]) == (201, "analyst.li", "bank")
    listed = {p["id"]: p["risk_grade"] for p in client.get("/v1/products").json()["products"]}
    assert listed["FUND-INDEX"] == "R5"
    (notice,) = client.get(f"{FUND}/holders", headers=analyst).json()["notices"]
    assert (notice["customer_id"], notice["codes"], notice["new"]) == ("C000001", ["grade_above_class"], True)
    file = client.get(f"{FUND}/grades", headers=as_staff(Role.AGENT)).json()
    assert [step["effective"] for step in file["history"]] == ["R4", "R5"]
    assert client.get(f"{FUND}/suitability", headers=ann).json()["reasons"][0]["code"] == "grade_above_class"


def test_who_may_grade_and_see_holders(client: TestClient, ann: Headers, as_staff: Staff) -> None:
    body = {"grade": "R5", "because": "b"}
    for headers in (ann, as_staff(Role.AGENT), as_staff(Role.SERVICE)):
        error_of(client.post(f"{FUND}/grades", json=body, headers=headers), 403, "not_allowed")
        error_of(client.get(f"{FUND}/holders", headers=headers), 403, "not_allowed")
    error_of(client.get(f"{FUND}/grades", headers=ann), 403, "not_allowed")
    for path in (f"{FUND}/grades", f"{FUND}/holders"):
        error_of(client.get(path), 401, "not_authenticated")
    feed = client.post(f"{FUND}/grades", json=body | {"graded_by": "issuer"}, headers=as_staff(Role.SERVICE))
    assert feed.status_code == 201
    assert client.post(f"{FUND}/grades", json=body, headers=as_staff(Role.ADMIN)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"grade": "R6", "because": "b"},
        {"grade": "R5"},
        {"grade": "R5", "because": " \u200b"},
        {"grade": "R5", "because": "好" * 1_001},
        {"grade": "R5", "because": "b", "from_on": "soon"},
        {"grade": "R5", "because": "b", "graded_by": "me"},
        {"grade": "R5", "because": "b", "author": "somebody.else"},
    ],
)
def test_grades_that_cannot_be_used(client: TestClient, as_staff: Staff, body: dict[str, Any]) -> None:
    error_of(client.post(f"{FUND}/grades", json=body, headers=as_staff(Role.ADMIN)), 422, "bad_input")
    unknown = client.post("/v1/products/NO-SUCH/grades", json={"grade": "R5", "because": "b"}, headers=as_staff(Role.ADMIN))  # fmt: skip
    error_of(unknown, 404, "not_found")
    assert client.get(f"{FUND}/grades", headers=as_staff(Role.ADMIN)).json()["gradings"] == []
