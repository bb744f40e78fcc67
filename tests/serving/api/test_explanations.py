"""Explaining an understanding over HTTP: for staff, within limits, nothing kept."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Role
from tests.serving.api.conftest import Headers
from tests.serving.api.house import error_of

PATH = "/v1/explanations"
Staff = Callable[[Role], Headers]


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_staff_see_which_word_decided(client: TestClient, as_staff: Staff, role: Role) -> None:
    answer = client.post(PATH, json={"text": "My card was swallowed 🙂"}, headers=as_staff(role))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["head"], body["label"]) == ("intent", "card_atm_trouble")
    best = max(body["spans"], key=lambda span: span["score"])
    assert best["text"] == "swallowed" == body["text"][best["start"] : best["end"]]


def test_a_mood_and_another_label(client: TestClient, as_staff: Staff) -> None:
    asked = {"text": "你们的服务太差了", "head": "sentiment"}
    found = client.post(PATH, json=asked, headers=as_staff(Role.ANALYST)).json()
    assert found["label"] == "negative"
    other = client.post(PATH, json=asked | {"label": "positive"}, headers=as_staff(Role.ANALYST)).json()
    assert min(other["spans"], key=lambda span: span["score"])["text"] == "差"


def test_customers_and_visitors_may_not(client: TestClient, ann: Headers) -> None:
    error_of(client.post(PATH, json={"text": "hello"}), 401, "not_authenticated")
    error_of(client.post(PATH, json={"text": "hello"}, headers=ann), 403, "not_allowed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_input"),
        ({"text": " \u200b "}, 422, "bad_input"),
        ({"text": "hello", "head": "needs"}, 422, "bad_input"),
        ({"text": "hello", "label": ""}, 422, "bad_input"),
        ({"text": "hello", "label": "no_such_intent"}, 422, "bad_input"),
        ({"text": "hello", "method": "magic"}, 422, "bad_input"),
        ({"text": "好" * 301}, 413, "too_large"),
        ({"text": "好" * 4_001}, 413, "too_large"),
    ],
)
def test_what_cannot_be_used_is_refused(
    client: TestClient, as_staff: Staff, body: dict[str, Any], status: int, code: str
) -> None:
    error_of(client.post(PATH, json=body, headers=as_staff(Role.ANALYST)), status, code)


def test_secrets_are_dropped_before_the_model(client: TestClient, as_staff: Staff) -> None:
    found = client.post(PATH, json={"text": "hello, my password is hunter2"}, headers=as_staff(Role.ANALYST)).json()
    assert "hunter2" not in str(found)
    assert found["label"] == "greeting"
