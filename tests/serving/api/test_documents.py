"""Documents over HTTP: who reads what, who may change, imports."""

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Audience, Role
from openteller.knowledge.records import Document
from openteller.products.records import LocalText, Product, Rate
from openteller.products.repository import ProductRepository
from openteller.serving.limits import MAX_IMPORT_BYTES
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of

Staff = Callable[[Role], Headers]
PATH = "/v1/documents"


def document(document_id: str = "fees.en", **changes: Any) -> Document:
    fields: dict[str, Any] = {
        "document_id": document_id,
        "title": "Is there a fee for transfers?",
        "language": "en",
        "group_id": document_id.rpartition(".")[0] or document_id,
        "answer": "Transfers in the mobile app are free of charge.",
        "questions": ("What does a transfer cost?",),
    }
    return Document(**fields | changes)


@pytest.fixture
def shelf(house: House) -> House:
    """One document for each audience, one expired, one withdrawn."""
    house.library.add(
        [
            document("fees.en"),
            document("vip.en", title="Transfers of private customers", audience=Audience.CUSTOMER),
            document("manual.en", title="Manual of transfers for staff", audience=Audience.STAFF),
            document("old.en", title="Old fees", valid_to="2020-01-01"),
            document("gone.en", title="Gone fees"),
        ]
    )
    house.library.withdraw("gone.en")
    return house


def _ids(client: TestClient, headers: Headers | None = None, **params: Any) -> set[str]:
    response = client.get(PATH, params=params, headers=headers)
    assert response.status_code == 200, response.text
    return {found["document_id"] for found in response.json()["documents"]}


@pytest.mark.parametrize("params", [{}, {"query": "transfer fee", "language": "en"}])
def test_each_caller_finds_what_is_for_them(
    client: TestClient, shelf: House, ann: Headers, as_staff: Staff, params: dict[str, Any]
) -> None:
    assert _ids(client, **params) == {"fees.en"}
    assert _ids(client, ann, **params) == {"fees.en", "vip.en"}
    found = _ids(client, as_staff(Role.AGENT), **params)
    assert found >= {"fees.en", "vip.en", "manual.en"}
    assert ("old.en" in found) is (not params)


def test_the_list_is_paged_and_counted(client: TestClient, shelf: House, as_staff: Staff) -> None:
    page = client.get(PATH, params={"limit": 2, "offset": 1}, headers=as_staff(Role.ANALYST)).json()
    assert len(page["documents"]) == 2
    assert page["total"] == 5
    assert client.get(PATH, params={"language": "zh-CN"}).json() == {"documents": [], "total": 0}


def test_a_search_gives_passages(client: TestClient, shelf: House) -> None:
    found = client.get(PATH, params={"query": "What does a transfer cost?", "language": "en"}).json()["documents"]
    assert found[0]["document_id"] == "fees.en"
    assert "transfer" in found[0]["passage"].lower()
    assert 0 < found[0]["score"] <= 1


def test_each_caller_opens_what_is_for_them(client: TestClient, shelf: House, ann: Headers, as_staff: Staff) -> None:
    def status(document_id: str, headers: Headers | None = None) -> int:
        return client.get(f"{PATH}/{document_id}", headers=headers).status_code

    assert client.get(f"{PATH}/fees.en").json()["answer"] == "Transfers in the mobile app are free of charge."
    assert [status(name) for name in ("vip.en", "manual.en", "old.en", "gone.en")] == [404] * 4
    assert [status(name, ann) for name in ("vip.en", "manual.en", "old.en", "gone.en")] == [200, 404, 404, 404]
    agent = as_staff(Role.AGENT)
    assert [status(name, agent) for name in ("vip.en", "manual.en", "old.en", "gone.en")] == [200] * 4


@pytest.fixture
def priced(house: House) -> House:
    """A deposit on sale, one not sold any more, and documents that quote them."""
    rate = Rate(key="12M", rate=Decimal("1.25"), kind="interest", label=LocalText(zh="一年", en="1 year"))
    fields: dict[str, Any] = {"category": "deposit", "summary": LocalText(zh="定期", en="Fixed"), "rates": (rate,)}
    names = LocalText(zh="定存", en="Deposit")
    deposit = Product(id="DEP", name=names, valid_from=date(2010, 1, 1), **fields)
    ended = deposit.model_copy(update={"id": "OLD", "valid_to": date(2020, 1, 1)})
    with house.database.owner_session() as session:
        ProductRepository().upsert(session, [deposit, ended])
    raw = "{{DEP.name}}: {{DEP.rate.12M}}. Before: {{OLD.rate.12M}}."
    texts = {"title": "About the {{DEP.name}}", "answer": raw, "body": raw, "questions": ("What is {{DEP.name}}?",)}
    house.library.add([document("rate.en", **texts), document("rate.zh", language="zh", **texts)])
    return house


def test_readers_get_todays_figures_and_editors_the_placeholders(
    client: TestClient, priced: House, ann: Headers, as_staff: Staff
) -> None:
    for headers in ({}, ann, as_staff(Role.AGENT)):
        read = client.get(f"{PATH}/rate.en", headers=headers)
        assert read.status_code == 200, read.text
        assert read.json()["answer"] == read.json()["body"] == "Deposit: 1.25%. Before: (please ask the bank)."
        assert client.get(f"{PATH}/rate.zh", headers=headers).json()["body"].startswith("定存: 1.25%.")
        for params in ({}, {"query": "Deposit rate", "language": "en"}):
            found = client.get(PATH, params=params, headers=headers)
            assert "About the Deposit" in found.text
            assert "{{" not in read.text + found.text
    for role in (Role.ANALYST, Role.ADMIN, Role.SERVICE):
        read = client.get(f"{PATH}/rate.en", headers=as_staff(role))
        assert read.json()["answer"] == "{{DEP.name}}: {{DEP.rate.12M}}. Before: {{OLD.rate.12M}}."
        assert client.put(f"{PATH}/rate.en", json=read.json(), headers=as_staff(role)).json() == {"stored": 0}


@pytest.mark.parametrize(
    "document_id",
    [
        "../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/settings",
        "/etc/passwd",
        "..\\..\\windows",
        "fees.en%00",
        "' OR 1=1 --",
        "x" * 301,
        "💳",
    ],
)
def test_hostile_ids_find_nothing(client: TestClient, shelf: House, document_id: str) -> None:
    response = client.get(f"{PATH}/{document_id}")
    assert response.status_code in (404, 422)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN, Role.SERVICE])
def test_editors_add_change_and_withdraw(client: TestClient, house: House, as_staff: Staff, role: Role) -> None:
    editor = as_staff(role)
    body = document().model_dump(mode="json")
    created = client.post(PATH, json=body, headers=editor)
    assert (created.status_code, created.json()) == (201, {"stored": 1})
    assert created.headers["Location"] == f"{PATH}/fees.en"
    error_of(client.post(PATH, json=body, headers=editor), 409, "conflict")
    changed = body | {"answer": "Transfers cost CNY 2."}
    assert client.put(f"{PATH}/fees.en", json=changed, headers=editor).json() == {"stored": 1}
    assert client.put(f"{PATH}/fees.en", json=changed, headers=editor).json() == {"stored": 0}
    assert client.get(f"{PATH}/fees.en").json()["answer"] == "Transfers cost CNY 2."
    error_of(client.put(f"{PATH}/other.en", json=changed, headers=editor), 422, "bad_input")
    assert client.delete(f"{PATH}/fees.en", headers=editor).status_code == 204
    error_of(client.get(f"{PATH}/fees.en"), 404, "not_found")
    error_of(client.delete(f"{PATH}/fees.en", headers=editor), 404, "not_found")


def test_ids_with_slashes_work(client: TestClient, as_staff: Staff) -> None:
    body = document("site/fees.en").model_dump(mode="json")
    assert client.put(f"{PATH}/site/fees.en", json=body, headers=as_staff(Role.ADMIN)).status_code == 200
    assert client.get(f"{PATH}/site%2Ffees.en").json()["document_id"] == "site/fees.en"


def test_others_may_not_change(client: TestClient, shelf: House, ann: Headers, as_staff: Staff) -> None:
    body = document().model_dump(mode="json")
    upload = {"file": ("a.md", b"# A\n\nText.")}
    for headers, status, code in (
        ({}, 401, "not_authenticated"),
        (ann, 403, "not_allowed"),
        (as_staff(Role.AGENT), 403, "not_allowed"),
    ):
        error_of(client.post(PATH, json=body, headers=headers), status, code)
        error_of(client.put(f"{PATH}/fees.en", json=body, headers=headers), status, code)
        error_of(client.delete(f"{PATH}/fees.en", headers=headers), status, code)
        error_of(client.post(f"{PATH}/import", files=upload, headers=headers), status, code)
    assert client.get(f"{PATH}/fees.en").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"answer": None}, {"language": "fr"}, {"audience": "all"}, {"title": ""}, {"valid_from": "soon"}, {"x": 1}],
)
def test_a_document_that_cannot_be_used(client: TestClient, as_staff: Staff, changes: dict[str, Any]) -> None:
    body = document().model_dump(mode="json") | changes
    error_of(client.post(PATH, json=body, headers=as_staff(Role.ADMIN)), 422, "bad_input")


def test_a_file_is_imported_and_found(client: TestClient, as_staff: Staff) -> None:
    sheet = b"question,answer\nWhere is the nearest branch?,Harbour Road 1.\n"
    response = client.post(
        f"{PATH}/import",
        files={"file": ("../../faq.csv", sheet)},
        data={"category": "branches", "language": "en"},
        headers=as_staff(Role.ANALYST),
    )
    assert response.status_code == 200, response.text
    report = response.json()
    assert (report["name"], report["stored"]) == ("faq.csv", 1)
    found = client.get(PATH, params={"query": "nearest branch", "language": "en"}).json()["documents"]
    assert found[0]["document_id"] == report["document_ids"][0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.md", b""),
        ("broken.pdf", b"%PDF-1.7 broken"),
        ("broken.docx", b"PK\x03\x04 broken"),
        ("program.exe", b"MZ"),
        ("", b"text"),
    ],
)
def test_a_file_that_cannot_be_used(client: TestClient, as_staff: Staff, name: str, content: bytes) -> None:
    response = client.post(f"{PATH}/import", files={"file": (name, content)}, headers=as_staff(Role.ADMIN))
    assert response.status_code == 422
    assert response.json()["error"]["code"] in ("bad_input", "unreadable_file")


def test_an_import_over_the_limit(client: TestClient, as_staff: Staff) -> None:
    big = io.BytesIO(b"x" * (MAX_IMPORT_BYTES + 1))
    response = client.post(f"{PATH}/import", files={"file": ("big.txt", big)}, headers=as_staff(Role.ADMIN))
    error_of(response, 413, "too_large")
    nobody = client.post(f"{PATH}/import", files={"file": ("big.txt", b"x" * 1_100_000)})
    error_of(nobody, 413, "too_large")


def test_an_import_without_a_file(client: TestClient, as_staff: Staff) -> None:
    error_of(client.post(f"{PATH}/import", headers=as_staff(Role.ADMIN)), 422, "bad_input")
