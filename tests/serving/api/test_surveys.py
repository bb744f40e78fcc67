"""Surveys and complaints over HTTP, and the page of a link, which needs no login and no script."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from openteller.core.records import Role
from tests.insights.surveys.asked import SURVEY
from tests.serving.api.conftest import Headers
from tests.serving.api.house import error_of

Staff = Callable[[Role], Headers]
CSV = "编号,recommend,words\n1,10,办得很快\n2,0,队伍太长\n3,x,\n"


def stored(client: TestClient, headers: Headers) -> None:
    made = client.post("/v1/surveys", json=SURVEY.model_dump(mode="json"), headers=headers)
    assert (made.status_code, made.json()["created"]) == (201, True), made.text


def linked(client: TestClient, headers: Headers, **body: Any) -> str:
    return str(client.post("/v1/surveys/service/links", json=body, headers=headers).json()["path"])


def test_from_a_file_to_an_analysis(client: TestClient, as_staff: Staff, ann: Headers) -> None:
    analyst, agent = as_staff(Role.ANALYST), as_staff(Role.AGENT)
    stored(client, analyst)
    send = {"file": ("a.csv", CSV.encode("gb18030"))}
    refused = error_of(client.post("/v1/surveys/service/import", files=send, headers=analyst), 422, "bad_input")
    assert "line 4" in refused["cause"]
    done = client.post("/v1/surveys/service/import?skip_bad=true", files=send, headers=analyst).json()
    assert (done["added"], done["known"], [fault["line"] for fault in done["faults"]]) == (2, 0, [4])
    found = client.get("/v1/surveys/service/analysis", headers=agent).json()
    assert found["summaries"][0]["promotion"]["figure"]["value"] == 0
    assert len(client.get("/v1/surveys/service/answers", headers=agent).json()["answers"]) == 2
    assert client.get("/v1/surveys", headers=agent).json()["surveys"][0]["answers"] == 2
    assert client.get("/v1/surveys/service", headers=agent).json()["version"] == 1
    for path in ("", "/service", "/service/answers", "/service/analysis"):
        error_of(client.get(f"/v1/surveys{path}", headers=ann), 403, "not_allowed")
    error_of(client.post("/v1/surveys", json=SURVEY.model_dump(mode="json"), headers=agent), 403, "not_allowed")
    error_of(client.get("/v1/surveys/nothing", headers=agent), 404, "not_found")


def test_a_file_may_be_larger_than_a_body_of_json(client: TestClient, as_staff: Staff) -> None:
    stored(client, as_staff(Role.ANALYST))
    rows = "".join(f"{n},{n % 11},{'好' * 600}\n" for n in range(600))
    send = {"file": ("a.csv", f"编号,recommend,words\n{rows}".encode())}
    assert len(rows.encode()) > 1_000_000
    done = client.post("/v1/surveys/service/import", files=send, headers=as_staff(Role.ANALYST))
    assert done.json()["added"] == 600
    assert client.post("/v1/surveys/service/links", files=send, headers=as_staff(Role.ANALYST)).status_code == 413


def test_an_answer_after_a_conversation(client: TestClient, as_staff: Staff, ann: Headers, ben: Headers) -> None:
    assert client.get("/v1/surveys/after-conversation", headers=ann).json() == {"stored": None}
    stored(client, as_staff(Role.ANALYST))
    asked = client.get("/v1/surveys/after-conversation", headers=ann).json()["stored"]["survey"]
    trace_id = client.post("/v1/inquiries", json={"text": "卡被吞了"}, headers=ann).json()["trace_id"]
    path, body = (
        f"/v1/surveys/{asked['name']}/answers",
        {"trace_id": trace_id, "values": {"recommend": 1, "words": "太慢"}},
    )
    error_of(client.post(path, json=body, headers=ben), 404, "not_found")
    made = client.post(path, json=body, headers=ann)
    assert made.status_code == 201, made.text
    error_of(client.post(path, json=body, headers=ann), 409, "conflict")
    agent = as_staff(Role.AGENT)
    opened = client.post("/v1/complaints", json={"answer_id": made.json()["id"]}, headers=agent).json()
    assert (opened["source"], opened["text"], opened["customer_id"]) == ("survey", "太慢", "C000001")


def test_the_page_of_a_link(client: TestClient, as_staff: Staff) -> None:
    stored(client, as_staff(Role.ANALYST))
    path = linked(client, as_staff(Role.ANALYST))
    page = client.get(path, params={"lang": "en"})
    assert page.status_code == 200
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.text.count("<fieldset") == 5
    assert page.text.count('name="recommend"') == 11
    assert "Would you recommend us" in page.text
    assert "您愿意推荐我们吗" in client.get(path, headers={"Accept-Language": "zh-CN"}).text
    wrong = client.post(path, data={"words": "<b>慢</b>", "reason": ["open", "loan"]}, params={"lang": "en"})
    assert wrong.status_code == 422
    assert '<a href="#recommend">Would you recommend us</a>' in wrong.text
    assert "&lt;b&gt;慢&lt;/b&gt;" in wrong.text
    assert wrong.text.count("checked") == 2
    done = client.post(path, data={"recommend": "9", "reason": ["open", "loan"], "contact": "yes", "else": "x"})
    assert done.status_code == 200
    assert 'role="status"' in done.text
    answers = client.get("/v1/surveys/service/answers", headers=as_staff(Role.AGENT)).json()["answers"]
    assert [(one["values"], one["contact"]) for one in answers] == [
        ({"recommend": 9, "reason": ["open", "loan"]}, True)
    ]
    again = client.post(path, data={"recommend": "0"})
    assert (again.status_code, 'role="alert"' in again.text) == (409, True)
    assert client.get("/survey/forged").status_code == 404


def test_a_complaint_from_words_to_a_decision(client: TestClient, as_staff: Staff, ann: Headers) -> None:
    agent, analyst = as_staff(Role.AGENT), as_staff(Role.ANALYST)
    number = client.post("/v1/complaints", json={"text": "收了两次年费"}, headers=agent).json()["number"]
    path = f"/v1/complaints/{number}"
    assert client.post(f"{path}/assign", json={"owner": "agent.li"}, headers=agent).json()["status"] == "assigned"
    assert client.post(f"{path}/notes", json={"note": "已联系"}, headers=agent).status_code == 201
    assert client.post(f"{path}/extend", json={"reason": "复杂"}, headers=agent).json()["extensions"] == 1
    second = {"reason": "很复杂", "asked_by": "agent.li", "informed": True}
    error_of(client.post(f"{path}/extend", json=second, headers=agent), 403, "not_allowed")
    assert client.post(f"{path}/extend", json=second, headers=analyst).json()["extensions"] == 2
    assert [one["number"] for one in client.get("/v1/complaints", headers=agent).json()["complaints"]] == [number]
    decided = {"decision": "已退还", "informed": True}
    assert client.post(f"{path}/close", json=decided, headers=agent).json()["status"] == "closed"
    error_of(client.post(f"{path}/close", json=decided, headers=agent), 409, "conflict")
    history = client.get(path, headers=agent).json()
    assert [event["kind"] for event in history["events"]] == [
        "opened",
        "assigned",
        "noted",
        "extended",
        "extended",
        "closed",
    ]
    assert client.get("/v1/complaints", headers=agent).json() == {"complaints": []}
    closed = client.get("/v1/complaints", params={"status": "closed"}, headers=agent).json()["complaints"]
    assert len(closed) == 1
    error_of(client.get("/v1/complaints", headers=ann), 403, "not_allowed")
    error_of(
        client.post("/v1/complaints", json={"text": "x", "trace_id": str(uuid4())}, headers=agent), 422, "bad_input"
    )
    error_of(client.post("/v1/complaints", json={"trace_id": str(uuid4())}, headers=agent), 404, "not_found")
