"""A person in the conversation, over HTTP: the customer's side and the desk's."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Role
from openteller.serving.deps import VISITOR_HEADER
from tests.assistant.test_dialogue import road
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of

Staff = Callable[[Role], Headers]


@pytest.fixture
def house(house: House) -> House:
    house.dialogue = road(house.database)  # type: ignore[assignment]
    return house


def asked(client: TestClient, text: str, conversation: str, headers: Headers) -> dict[str, object]:
    answer = client.post("/v1/inquiries", json={"text": text, "conversation_id": conversation}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    headers |= {VISITOR_HEADER: answer.headers[VISITOR_HEADER]}
    return body


def test_from_hand_off_to_giving_back(client: TestClient, as_staff: Staff) -> None:
    visitor: Headers = {}
    conversation, agent = str(uuid4()), as_staff(Role.AGENT)
    asked(client, "转人工", conversation, visitor)
    place = f"/v1/conversations/{conversation}"
    assert client.get(f"{place}/messages", headers=visitor).json() == {"standing": "waiting", "messages": []}
    (waiting,) = client.get("/v1/conversations/waiting", headers=agent).json()["conversations"]
    assert waiting["conversation_id"] == conversation
    assert client.post(f"{place}/take", headers=agent).status_code == 204
    answer = asked(client, "在吗", conversation, visitor)["answer"]
    assert isinstance(answer, dict)
    assert (answer["outcome"], answer["skill"]) == ("handed_off", "person")
    said = client.post(f"{place}/messages", json={"text": "您好"}, headers=agent)
    assert said.status_code == 201
    assert said.json()["author"] == "staff"
    news = client.get(f"{place}/messages", headers=visitor).json()
    assert (news["standing"], [m["text"] for m in news["messages"]]) == ("person", ["您好"])
    assert "agent" not in str(news)  # who it was, is the bank's to know
    context = client.get(place, headers=agent).json()
    assert (len(context["turns"]), len(context["messages"])) == (2, 1)
    error_of(client.post(f"{place}/take", headers=as_staff(Role.ADMIN)), 409, "conflict")
    assert client.post(f"{place}/give-back", headers=agent).status_code == 204
    assert client.get(f"{place}/messages", headers=visitor).json()["standing"] == "assistant"


def test_nobody_looks_into_another_conversation(client: TestClient, as_staff: Staff, ann: Headers) -> None:
    conversation = str(uuid4())
    asked(client, "转人工", conversation, {})
    place = f"/v1/conversations/{conversation}"
    error_of(client.get(f"{place}/messages", headers=ann), 404, "not_found")
    client.cookies.clear()
    error_of(client.get(f"{place}/messages"), 401, "not_authenticated")
    error_of(client.get(place, headers=ann), 403, "not_allowed")
    error_of(client.get("/v1/conversations/waiting", headers=as_staff(Role.ANALYST)), 403, "not_allowed")
    error_of(client.post(f"{place}/messages", json={"text": "x"}, headers=as_staff(Role.AGENT)), 409, "conflict")
    error_of(client.post(f"{place}/messages", json={}, headers=as_staff(Role.AGENT)), 422, "bad_input")
