"""Health, metrics, products, pages, headers, CORS, and the OpenAPI description."""

import json
import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from openteller.core.records import Role
from openteller.products.records import LocalText, Product, Rate
from openteller.products.repository import ProductRepository
from openteller.serving.app import create_app
from openteller.serving.deps import VISITOR_HEADER
from tests.serving.api.conftest import Headers
from tests.serving.api.house import Broken, House, error_of, settings

Staff = Callable[[Role], Headers]
OPENAPI = Path(__file__).parents[1] / "openapi.json"
REFRESH = "OPENTELLER_REFRESH=1 pytest tests/serving/api/test_operations.py -k openapi_is_the_one_on_file"


def test_health_says_what_works(client: TestClient, house: House) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert set(response.json()) == {"status", "database", "model", "version"}
    house.status = "degraded"
    assert client.get("/health").status_code == 503


def test_metrics_count_what_happened(client: TestClient, as_staff: Staff) -> None:
    client.post("/v1/inquiries", json={"text": "利率"})
    client.post("/v1/inquiries/stream", json={"text": "利率"})
    client.get("/v1/inquiries/not-a-uuid")
    client.get("/widget/open-teller.js")
    client.get("/no/such/place")
    text = client.get("/metrics", headers=as_staff(Role.SERVICE)).text
    assert 'openteller_turns_total{language="zh-Hans",outcome="answered"} 2.0' in text
    assert 'openteller_requests_total{method="POST",route="/v1/inquiries",status="200"} 1.0' in text
    assert 'route="/v1/inquiries/{trace_id}",status="422"' in text
    assert 'route="/widget",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "no/such" not in text
    assert 'openteller_stage_seconds_count{stage="understanding"} 1.0' in text
    assert 'openteller_stage_seconds_count{stage="turn"} 2.0' in text


def test_metrics_are_for_staff_outside_dev_mode(client: TestClient, house: House, ann: Headers) -> None:
    error_of(client.get("/metrics"), 403, "not_allowed")
    error_of(client.get("/metrics", headers=ann), 403, "not_allowed")
    house.settings = settings(dev=True)
    with TestClient(create_app(house)) as open_client:
        assert open_client.get("/metrics").status_code == 200


def test_products_on_sale_with_their_figures(client: TestClient, house: House) -> None:
    names = LocalText(zh="一年定期", en="One-year deposit")
    rate = Rate(key="12M", rate=Decimal("1.25"), kind="interest", term_months=12, label=names)
    fields: dict[str, Any] = {"category": "deposit", "name": names, "summary": names, "rates": (rate,)}
    products = [
        Product(id="DEP-12M", valid_from=date(2020, 1, 1), **fields),
        Product(id="DEP-OLD", valid_from=date(2010, 1, 1), valid_to=date(2011, 1, 1), **fields),
    ]
    with house.database.owner_session() as session:
        ProductRepository().upsert(session, products)
    sold = client.get("/v1/products").json()["products"]
    assert [product["id"] for product in sold] == ["DEP-12M"]
    assert sold[0]["rates"][0]["rate"] == "1.25"
    assert client.get("/v1/products", params={"category": "loan"}).json() == {"products": []}


def test_every_answer_bears_the_security_headers(client: TestClient) -> None:
    for response in (client.get("/health"), client.get("/nothing"), client.post("/v1/inquiries", content=b"{")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Cache-Control"] == "no-store"
        assert len(response.headers["X-Request-ID"]) == 36
        assert "Strict-Transport-Security" not in response.headers


def test_over_https_the_cookie_is_secure(app: FastAPI) -> None:
    with TestClient(app, base_url="https://teller.bank.example") as client:
        response = client.post("/v1/inquiries", json={"text": "hello"})
    assert "Secure" in response.headers["set-cookie"]
    assert "max-age" in response.headers["Strict-Transport-Security"]


def test_the_widget_is_served_as_a_script_and_kept_by_its_etag(client: TestClient) -> None:
    response = client.get("/widget/open-teller.js")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = client.get("/widget/open-teller.js", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/widget/README.md", "/widget/%2e%2e/app.py", "/widget/", "/docs/redoc.standalone.js"]
)
def test_nothing_else_of_the_folders_is_served(client: TestClient, path: str) -> None:
    error_of(client.get(path), 404, "not_found")


def test_the_demo_page_runs_under_a_strict_policy(client: TestClient) -> None:
    response = client.get("/")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "<open-teller" in response.text
    assert client.get("/", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert "http" not in page.text.replace("http-equiv", "")
    for path in ("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js", "/openapi.json"):
        assert client.get(path).status_code == 200, path


def test_other_origins_only_when_named(house: House) -> None:
    asking = {
        "Origin": "https://www.bank.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": f"content-type,{VISITOR_HEADER.lower()}",
    }
    with TestClient(create_app(house)) as client:
        assert "Access-Control-Allow-Origin" not in client.options("/v1/inquiries", headers=asking).headers
    house.settings = settings(cors_origins=("https://www.bank.example",))
    with TestClient(create_app(house)) as client:
        allowed = client.options("/v1/inquiries", headers=asking)
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://www.bank.example"
        foreign = client.options("/v1/inquiries", headers=asking | {"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in foreign.headers
        refused = client.post("/v1/inquiries", content=b"{", headers={"Origin": "https://www.bank.example"})
        assert refused.headers["Access-Control-Allow-Origin"] == "https://www.bank.example"
        assert VISITOR_HEADER in refused.headers["Access-Control-Expose-Headers"]


def test_an_error_without_a_row_of_its_own_is_a_500(client: TestClient, house: House) -> None:
    house.dialogue.failure = Broken("It broke.", next_step="Mend it.")
    error = error_of(client.post("/v1/inquiries", json={"text": "a"}), 500, "failed")
    assert error["next_step"] == "Mend it."
    assert error["trace_id"]


def test_openapi_is_the_one_on_file(app: FastAPI) -> None:
    """Refresh with REFRESH above after a change that is meant."""
    now = json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("OPENTELLER_REFRESH"):
        OPENAPI.write_text(now, encoding="utf-8")
    assert OPENAPI.read_text(encoding="utf-8") == now, f"The API changed. If that is meant: {REFRESH}"


def test_openapi_describes_errors_and_examples(app: FastAPI) -> None:
    schema = app.openapi()
    tags = {tag["name"] for tag in schema["tags"]}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert set(operation["tags"]) <= tags, (method, path)
            assert operation["description"], (method, path)
            failures = {s: r for s, r in operation["responses"].items() if s[0] == "4"}
            for status, described in failures.items():
                reference = described["content"]["application/json"]["schema"]["$ref"]
                assert reference.endswith("/ErrorBody"), (method, path, status)
    assert schema["components"]["schemas"]["InquiryBody"]["examples"]
