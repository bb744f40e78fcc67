"""Public opinion over HTTP: staff look, services push, and what is pushed is read once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from openteller.core.clock import utc_now
from openteller.core.records import Role
from openteller.insights.opinion.records import SourceKind, SourceState
from openteller.insights.opinion.sources.pushed import PushedSource
from tests.insights.opinion.given import ANALYST, Clock, batch, pipeline, raw
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of

Staff = Callable[[Role], Headers]
BAD = "松湾银行手机银行崩溃,大量客户无法登录"


@pytest.fixture
def heard(house: House) -> None:
    """Three items, two of them on one topic."""
    clock = Clock(utc_now() - timedelta(minutes=5))
    pipeline(house.database, clock).take(
        "news", batch(BAD, "松湾银行手机银行崩溃,客户转账不到账", "青禾证券业绩大增,营收超预期")
    )


def test_what_staff_see(client: TestClient, heard: None, as_staff: Staff) -> None:
    agent = as_staff(Role.AGENT)

    def get(path: str, **params: object) -> dict[str, list[dict[str, object]]]:
        answer = client.get(f"/v1/opinion/{path}", params=params, headers=agent)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found: dict[str, list[dict[str, object]]] = answer.json()
        return found

    items = get("items", entity="pinebay", sentiment="negative", least="high")["items"]
    assert {item["title"] for item in items} == {BAD, "松湾银行手机银行崩溃,客户转账不到账"}
    assert get("items", item=items[0]["id"])["items"] == items[:1]
    assert client.get(f"/v1/opinion/items/{items[0]['id']}", headers=agent).json() == items[0]
    (topic,) = get("topics", least=2)["topics"]
    assert topic["items"] == 2
    assert client.get(f"/v1/opinion/topics/{topic['id']}", headers=agent).json() == topic
    assert len(get("items", topic=topic["id"])["items"]) == 2
    assert get("bursts")["bursts"] == []
    assert [(p["negative"], p["positive"]) for p in get("trend", entity="pinebay", step="hour")["points"]] == [(2, 0)]
    assert [source["name"] for source in get("sources")["sources"]] == ["news"]


def test_what_is_pushed_is_read_once_however_often_it_is_sent(
    client: TestClient, house: House, as_staff: Staff
) -> None:
    body = {
        "source": "crawler",
        "items": [raw("一条新闻", "1").model_dump(mode="json"), {"title": "另外一条", "external_id": "2"}],
    }
    service = as_staff(Role.SERVICE)
    assert client.post("/v1/opinion/items", json=body, headers=service).json() == {"new": 2}
    assert client.post("/v1/opinion/items", json=body, headers=service).json() == {"new": 0}
    source, stream = PushedSource(house.database), pipeline(house.database, Clock())
    pushed = source.fetch({}, 10)
    assert stream.take(source.name, pushed).items == 2
    assert source.fetch({}, 10).items == ()
    assert client.post("/v1/opinion/items", json=body, headers=service).json() == {"new": 0}
    found = client.get("/v1/opinion/items", headers=service).json()["items"]
    assert [(item["source"], item["copies"]) for item in found] == [("crawler", 1)] * 2


def test_the_list_of_entities_is_replaced_as_a_whole(client: TestClient, as_staff: Staff) -> None:
    body = {"entities": [{"id": "a", "kind": "own", "name": {"zh": "甲", "en": "A"}, "aliases": [{"text": "甲行"}]}]}
    path = "/v1/opinion/entities"
    replaced = client.put(path, json=body, headers=as_staff(Role.ANALYST))
    assert replaced.json() == client.get(path, headers=as_staff(Role.AGENT)).json()
    assert replaced.json()["entities"][0]["aliases"] == [{"text": "甲行", "needs_context": False}]
    error_of(
        client.put(path, json={"entities": body["entities"] * 2}, headers=as_staff(Role.ANALYST)), 422, "bad_input"
    )


def test_who_may_not_and_what_cannot_be(client: TestClient, house: House, ann: Headers, as_staff: Staff) -> None:
    item = {"title": "x", "external_id": "1"}
    error_of(client.get("/v1/opinion/items"), 401, "not_authenticated")
    error_of(client.get("/v1/opinion/items", headers=ann), 403, "not_allowed")
    body = {"source": "s", "items": [item]}
    error_of(client.post("/v1/opinion/items", json=body, headers=as_staff(Role.ANALYST)), 403, "not_allowed")
    error_of(
        client.put("/v1/opinion/entities", json={"entities": []}, headers=as_staff(Role.AGENT)), 403, "not_allowed"
    )
    service = as_staff(Role.SERVICE)
    for wrong in ({"title": "x"}, {**item, "url": "javascript:x"}, {**item, "published_at": "2026-03-01T00:00:00"}):
        error_of(
            client.post("/v1/opinion/items", json={"source": "s", "items": [wrong]}, headers=service), 422, "bad_input"
        )
    error_of(
        client.post("/v1/opinion/items", json={"source": "s", "items": [item] * 501}, headers=service), 422, "bad_input"
    )
    house.opinion.add_source(ANALYST, SourceState(name="s", kind=SourceKind.FEED, location="https://news.example/"))
    error_of(client.post("/v1/opinion/items", json=body, headers=service), 409, "conflict")
    error_of(client.get("/v1/opinion/items/999", headers=service), 404, "not_found")
    error_of(client.get("/v1/opinion/topics/999", headers=service), 404, "not_found")
