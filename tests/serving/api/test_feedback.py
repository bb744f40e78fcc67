"""Feedback over HTTP: agents write, analysts and administrators see the queue and review, nobody their own."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Role
from tests.serving.api.conftest import Headers
from tests.serving.api.house import error_of

QUEUE, CORRECTIONS = "/v1/feedback/queue", "/v1/feedback/corrections"
RIGHT = {"head": "intent", "labels": ["card_atm_trouble"]}
Staff = Callable[[Role], Headers]


def badly_rated(client: TestClient, headers: Headers) -> str:
    turn = client.post("/v1/inquiries", json={"text": "卡被吞了，我叫王芳"}, headers=headers).json()
    client.post(f"/v1/inquiries/{turn['trace_id']}/satisfaction", json={"rating": 1}, headers=headers)
    return str(turn["trace_id"])


def written(client: TestClient, headers: Headers, **changes: Any) -> dict[str, Any]:
    answer = client.post(CORRECTIONS, json={"text": "卡被吞了"} | RIGHT | changes, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_from_a_bad_rating_to_an_accepted_correction(client: TestClient, ann: Headers, as_staff: Staff) -> None:
    trace_id = badly_rated(client, ann)
    agent, analyst, admin = (as_staff(role) for role in (Role.AGENT, Role.ANALYST, Role.ADMIN))
    (waiting,) = client.get(QUEUE, headers=analyst).json()["turns"]
    assert (waiting["trace_id"], waiting["reasons"]) == (trace_id, ["rated 1 of 5"])
    made = client.post(CORRECTIONS, json={"trace_id": trace_id} | RIGHT, headers=agent).json()
    assert (made["status"], made["author"], made["trace_id"]) == ("pending", "agent.li", trace_id)
    assert "王芳" not in made["text"]
    assert client.get(QUEUE, headers=analyst).json() == {"turns": []}
    review = f"{CORRECTIONS}/{made['id']}/review"
    decided = client.post(review, json={"decision": "accepted"}, headers=analyst)
    assert (decided.status_code, decided.json()["reviewer"]) == (200, "analyst.li")
    error_of(client.post(review, json={"decision": "rejected"}, headers=admin), 409, "conflict")
    for status, count in (("accepted", 1), ("pending", 0), ("rejected", 0)):
        listed = client.get(CORRECTIONS, params={"status": status}, headers=admin).json()["corrections"]
        assert len(listed) == count


def test_nobody_reviews_their_own(client: TestClient, as_staff: Staff) -> None:
    made = written(client, as_staff(Role.ANALYST))
    review = f"{CORRECTIONS}/{made['id']}/review"
    own = error_of(client.post(review, json={"decision": "accepted"}, headers=as_staff(Role.ANALYST)), 409, "conflict")
    assert "your own" in own["message"]
    assert own["next_step"]


def test_who_may_do_what(client: TestClient, ann: Headers, as_staff: Staff) -> None:
    made = written(client, as_staff(Role.AGENT))
    calls = [
        ("GET", QUEUE, None, {Role.ANALYST, Role.ADMIN}),
        ("GET", "/v1/feedback/labels", None, {Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE}),
        ("GET", CORRECTIONS, None, {Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE}),
        ("POST", CORRECTIONS, {"text": "a"} | RIGHT, {Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE}),
        ("POST", f"{CORRECTIONS}/{made['id']}/review", {"decision": "rejected"}, {Role.ANALYST, Role.ADMIN}),
    ]
    for method, path, body, allowed in calls:
        error_of(client.request(method, path, json=body), 401, "not_authenticated")
        error_of(client.request(method, path, json=body, headers=ann), 403, "not_allowed")
        for role in (Role.AGENT, Role.SERVICE):
            if role not in allowed:
                error_of(client.request(method, path, json=body, headers=as_staff(role)), 403, "not_allowed")
        for role in allowed - {Role.ADMIN}:
            answer = client.request(method, path, json=body, headers=as_staff(role))
            assert answer.status_code in (200, 201), (method, path, role, answer.text)


def test_the_labels_are_those_of_the_model(client: TestClient, as_staff: Staff) -> None:
    found = client.get("/v1/feedback/labels", headers=as_staff(Role.AGENT)).json()["labels"]
    assert found["intent"] == ["card_atm_trouble", "deposit_rates", "greeting"]
    assert found["needs"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_input"),
        ({"text": "a", "head": "intent", "labels": []}, 422, "bad_input"),
        ({"text": "a", "head": "intent", "labels": ["no_such_intent"]}, 422, "bad_input"),
        ({"text": "a", "head": "intent", "labels": ["greeting"] * 51}, 422, "bad_input"),
        ({"text": "a", "head": "intent", "labels": "greeting"}, 422, "bad_input"),
        ({"text": "a", "head": "tags", "labels": ["O"]}, 422, "bad_input"),
        ({"text": "a", "head": "intent", "labels": ["greeting", "deposit_rates"]}, 422, "bad_input"),
        (RIGHT, 422, "bad_input"),
        ({"text": "a", "trace_id": str(uuid4())} | RIGHT, 422, "bad_input"),
        ({"text": " \u200b "} | RIGHT, 422, "bad_input"),
        ({"trace_id": "not-a-uuid"} | RIGHT, 422, "bad_input"),
        ({"text": "a", "author": "somebody.else"} | RIGHT, 422, "bad_input"),
        ({"trace_id": str(uuid4())} | RIGHT, 404, "not_found"),
        ({"text": "好" * 4_001} | RIGHT, 413, "too_large"),
        ({"text": "好" * 1_000_000} | RIGHT, 413, "too_large"),
    ],
)
def test_what_cannot_be_used_is_refused(
    client: TestClient, as_staff: Staff, body: dict[str, Any], status: int, code: str
) -> None:
    error = error_of(client.post(CORRECTIONS, json=body, headers=as_staff(Role.ANALYST)), status, code)
    assert "no_such_intent" not in str(error)
    assert client.get(CORRECTIONS, headers=as_staff(Role.ADMIN)).json() == {"corrections": []}


def test_a_review_that_cannot_be_used_is_refused(client: TestClient, as_staff: Staff) -> None:
    made, admin = written(client, as_staff(Role.ANALYST)), as_staff(Role.ADMIN)
    path = f"{CORRECTIONS}/{made['id']}/review"
    for body in ({}, {"decision": "pending"}, {"decision": "accepted", "note": "x" * 1_001}):
        error_of(client.post(path, json=body, headers=admin), 422, "bad_input")
    unknown = f"{CORRECTIONS}/{uuid4()}/review"
    error_of(client.post(unknown, json={"decision": "accepted"}, headers=admin), 404, "not_found")
    error_of(client.get(CORRECTIONS, params={"status": "'; DROP TABLE"}, headers=admin), 422, "bad_input")
    for path, limit in ((QUEUE, 201), (CORRECTIONS, 0)):
        error_of(client.get(path, params={"limit": limit}, headers=admin), 422, "bad_input")
