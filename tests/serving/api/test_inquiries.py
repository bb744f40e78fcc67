"""Asking over HTTP: who may ask for whom, the visitor's token, rating, offers, the stream."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from openteller.core.errors import Unavailable
from openteller.core.records import Language, Role
from openteller.serving.deps import VISITOR_COOKIE, VISITOR_HEADER
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of, events_of

QUESTION = {"text": "一年期定期存款利率是多少？"}
Staff = Callable[[Role], Headers]


def test_a_visitor_gets_the_whole_turn(client: TestClient, house: House) -> None:
    response = client.post("/v1/inquiries", json=QUESTION)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {
        "trace_id",
        "conversation_id",
        "inquiry",
        "understanding",
        "answer",
        "offers",
        "reply",
    }
    assert body["trace_id"] == body["inquiry"]["trace_id"]
    assert body["answer"]["citations"][0]["document_id"] == "deposit-rates.zh"
    assert body["offers"][0]["product_id"] == "DEP-12M"
    assert body["reply"]["text"] == body["answer"]["text"]
    _, principal = house.dialogue.asked[0]
    assert principal.role is Role.VISITOR
    assert principal.customer_id is None
    assert len(principal.subject) > len("visitor:") + 16


def test_a_visitors_header_keeps_the_conversation(client: TestClient) -> None:
    first = client.post("/v1/inquiries", json=QUESTION)
    client.cookies.clear()
    mine = {VISITOR_HEADER: first.headers[VISITOR_HEADER]}
    again = client.post(
        "/v1/inquiries", json=QUESTION | {"conversation_id": first.json()["conversation_id"]}, headers=mine
    )
    assert again.status_code == 200
    assert again.json()["conversation_id"] == first.json()["conversation_id"]
    stored = client.get(f"/v1/inquiries/{first.json()['trace_id']}", headers=mine).json()
    assert stored == first.json() | {"seconds": {}}


def test_a_visitors_cookie_does_too_and_scripts_cannot_read_it(client: TestClient) -> None:
    first = client.post("/v1/inquiries", json=QUESTION)
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.cookies[VISITOR_COOKIE] == first.headers[VISITOR_HEADER]
    rated = client.post(f"/v1/inquiries/{first.json()['trace_id']}/satisfaction", json={"rating": 4})
    assert rated.status_code == 204


def test_another_visitor_cannot_join_read_or_rate(client: TestClient) -> None:
    first = client.post("/v1/inquiries", json=QUESTION).json()
    client.cookies.clear()
    joined = client.post("/v1/inquiries", json=QUESTION | {"conversation_id": first["conversation_id"]})
    error_of(joined, 404, "not_found")
    other = client.post("/v1/inquiries", json=QUESTION)
    theirs = {VISITOR_HEADER: other.headers[VISITOR_HEADER]}
    error_of(client.get(f"/v1/inquiries/{first['trace_id']}", headers=theirs), 404, "not_found")
    path = f"/v1/inquiries/{first['trace_id']}/satisfaction"
    error_of(client.post(path, json={"rating": 1}, headers=theirs), 404, "not_found")
    client.cookies.clear()
    error_of(client.post(path, json={"rating": 1}), 401, "not_authenticated")


def test_a_customers_token_is_no_visitors_token(client: TestClient, ann: Headers) -> None:
    token = ann["Authorization"].removeprefix("Bearer ")
    response = client.post("/v1/inquiries", json=QUESTION | {"customer_id": "C000001"}, headers={VISITOR_HEADER: token})
    error_of(response, 401, "not_authenticated")


@pytest.mark.parametrize("given", [{}, {"customer_id": "C000001"}])
def test_a_customer_asks_for_herself(client: TestClient, house: House, ann: Headers, given: dict[str, str]) -> None:
    response = client.post("/v1/inquiries", json=QUESTION | given, headers=ann)
    assert response.status_code == 200
    assert VISITOR_HEADER not in response.headers
    assert "set-cookie" not in response.headers
    assert house.dialogue.asked[0][1].customer_id == "C000001"


@pytest.mark.parametrize("named", ["C000002", "C999999"])
def test_a_customer_learns_nothing_of_others_not_even_that_they_exist(
    client: TestClient, house: House, ann: Headers, named: str
) -> None:
    response = client.post("/v1/inquiries", json=QUESTION | {"customer_id": named}, headers=ann)
    error_of(response, 403, "not_allowed")
    assert not house.dialogue.asked


def test_one_customer_cannot_read_or_rate_anothers_turn(client: TestClient, ann: Headers, ben: Headers) -> None:
    trace_id = client.post("/v1/inquiries", json=QUESTION, headers=ann).json()["trace_id"]
    error_of(client.get(f"/v1/inquiries/{trace_id}", headers=ben), 404, "not_found")
    rated = client.post(f"/v1/inquiries/{trace_id}/satisfaction", json={"rating": 1}, headers=ben)
    error_of(rated, 404, "not_found")
    assert client.get(f"/v1/inquiries/{trace_id}", headers=ann).status_code == 200


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN, Role.SERVICE])
def test_staff_ask_for_a_customer_they_serve(client: TestClient, house: House, as_staff: Staff, role: Role) -> None:
    body = QUESTION | {"customer_id": "C000002"}
    assert client.post("/v1/inquiries", json=body, headers=as_staff(role)).status_code == 200
    _, principal = house.dialogue.asked[0]
    assert (principal.role, principal.customer_id, principal.subject) == (role, "C000002", f"{role.value}.li")


def test_staff_learn_that_a_customer_does_not_exist(client: TestClient, as_staff: Staff) -> None:
    response = client.post("/v1/inquiries", json=QUESTION | {"customer_id": "C999999"}, headers=as_staff(Role.AGENT))
    error_of(response, 404, "not_found")


def test_an_analyst_serves_no_customers(client: TestClient, as_staff: Staff) -> None:
    response = client.post("/v1/inquiries", json=QUESTION | {"customer_id": "C000001"}, headers=as_staff(Role.ANALYST))
    error_of(response, 403, "not_allowed")


def test_a_visitor_who_names_a_customer_must_log_in(client: TestClient, house: House) -> None:
    response = client.post("/v1/inquiries", json=QUESTION | {"customer_id": "C000001"})
    error_of(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert not house.dialogue.asked


@pytest.mark.parametrize(
    ("declared", "meant"),
    [("zh", Language.ZH_HANS), ("zh-TW", Language.ZH_HANT), ("EN", Language.EN), ("mixed", Language.MIXED)],
)
def test_languages_by_their_usual_names(client: TestClient, house: House, declared: str, meant: Language) -> None:
    assert client.post("/v1/inquiries", json=QUESTION | {"language": declared}).status_code == 200
    assert house.dialogue.asked[0][0].language is meant


def test_secrets_are_dropped_at_the_door(client: TestClient, house: House) -> None:
    assert client.post("/v1/inquiries", json={"text": "我的密码是 Hunter2!x，帮我登录"}).status_code == 200
    assert "Hunter2" not in house.dialogue.asked[0][0].text


def test_a_rating_may_be_changed_and_lands_in_the_store(client: TestClient, house: House, ann: Headers) -> None:
    trace_id = client.post("/v1/inquiries", json=QUESTION, headers=ann).json()["trace_id"]
    for rating in (2, 5):
        body = {"rating": rating, "comment": "好 👍"}
        assert client.post(f"/v1/inquiries/{trace_id}/satisfaction", json=body, headers=ann).status_code == 204
    assert 'openteller_ratings_total{rating="5"} 1.0' in _metrics(client, house)


def test_offers_are_opened_and_dismissed(client: TestClient, house: House, ann: Headers) -> None:
    trace_id = client.post("/v1/inquiries", json=QUESTION, headers=ann).json()["trace_id"]
    for action in ("opened", "dismissed"):
        path = f"/v1/inquiries/{trace_id}/offers/DEP-12M"
        assert client.post(path, json={"action": action}, headers=ann).status_code == 204
    error_of(
        client.post(f"/v1/inquiries/{uuid4()}/offers/DEP-12M", json={"action": "opened"}, headers=ann), 404, "not_found"
    )
    assert 'openteller_offers_total{action="dismissed"} 1.0' in _metrics(client, house)


def test_the_stream_tells_the_road_in_order_and_stores_the_turn(client: TestClient, ann: Headers) -> None:
    response = client.post("/v1/inquiries/stream", json=QUESTION, headers=ann)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["Cache-Control"] == "no-store"
    events = events_of(response)
    assert [name for name, _ in events] == ["understanding", "delta", "answer", "offers", "done"]
    assert events[1][1] == {"text": "一年期定期存款\n"}
    done = events[-1][1]
    assert set(done) == {"trace_id", "conversation_id"}
    assert client.get(f"/v1/inquiries/{UUID(done['trace_id'])}", headers=ann).status_code == 200


def test_a_visitor_who_streams_gets_a_token_as_well(client: TestClient) -> None:
    response = client.post("/v1/inquiries/stream", json=QUESTION)
    done = events_of(response)[-1][1]
    client.cookies.clear()
    mine = {VISITOR_HEADER: response.headers[VISITOR_HEADER]}
    assert client.get(f"/v1/inquiries/{done['trace_id']}", headers=mine).status_code == 200


def test_an_error_in_the_stream_is_its_last_event(client: TestClient, house: House) -> None:
    house.dialogue.failure = Unavailable("The store does not answer.", next_step="Try again.")
    events = events_of(client.post("/v1/inquiries/stream", json=QUESTION))
    assert [name for name, _ in events] == ["understanding", "error"]
    assert events[-1][1]["status"] == 503
    assert events[-1][1]["error"]["code"] == "unavailable"
    assert UUID(events[-1][1]["error"]["trace_id"])


def test_a_fault_in_the_stream_tells_nothing_of_itself(client: TestClient, house: House) -> None:
    house.dialogue.failure = RuntimeError("card 6222 0000 1111 2222")
    response = client.post("/v1/inquiries/stream", json=QUESTION)
    assert events_of(response)[-1][1]["error"]["code"] == "internal"
    assert "6222" not in response.text


def test_bad_input_to_the_stream_fails_before_it_begins(client: TestClient) -> None:
    error_of(client.post("/v1/inquiries/stream", json={"text": " "}), 422, "bad_input")


def _metrics(client: TestClient, house: House) -> str:
    from openteller.serving.security import Tokens
    from tests.serving.api.house import bearer, staff

    return client.get("/metrics", headers=bearer(Tokens(house.settings).issue(staff(Role.SERVICE)))).text
