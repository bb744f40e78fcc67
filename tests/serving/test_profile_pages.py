"""The pages about a customer as requests: who sees what, forms from elsewhere, and texts that want to be markup."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.records import Role
from openteller.serving.app import create_app
from openteller.serving.plots import Bar, Moment, MonthBars, bars, fifths, month_bars, timeline
from openteller.serving.profile_pages import COOKIE
from openteller.store.database import Database
from openteller.store.tables import ConsentRow, TransactionRow
from tests.serving.api.house import PASSWORD, House, settings
from tests.store.people import ANN, BEN, customer

FRAMED = "<script>alert(1)</script>&\"'"


@pytest.fixture
def house(clean: Database) -> House:
    house = House(clean, settings())
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
        session.add(ConsentRow(customer_id="C000001", purpose="personalisation", granted=True))
        for month in range(1, 13):
            at = datetime(2025, month, 10, 4, tzinfo=UTC)
            row = {"customer_id": "C000001", "account_id": "A-C000001", "booked_at": at, "currency": "CNY"}
            session.add(TransactionRow(**row, amount=Decimal(-50), merchant=FRAMED, category="education"))
            session.add(
                TransactionRow(**row, amount=Decimal(900), merchant="x", category="salary", counterparty=FRAMED)
            )
    house.accounts.add_user("ann", PASSWORD, Role.CUSTOMER, "C000001")
    house.accounts.add_user("agent.li", PASSWORD, Role.AGENT)
    house.accounts.add_user("analyst.wu", PASSWORD, Role.ANALYST)
    return house


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(create_app(house)) as client:
        yield client


def log_in(client: TestClient, username: str, **headers: str) -> httpx.Response:
    form = {"username": username, "password": PASSWORD, "lang": "en"}
    return client.post("/me/login", data=form, headers=headers, follow_redirects=False)


def test_a_login_is_a_cookie_that_only_this_site_gets_and_the_api_does_not_read(client: TestClient) -> None:
    assert 'action="/me/login"' in client.get("/me").text
    answer = log_in(client, "ann")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me?lang=en")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/"))
    page = client.get("/me")
    assert "My money" in client.get("/me?lang=en").text
    assert page.headers["cache-control"] == "no-store"
    assert "script-src" not in page.headers["content-security-policy"]
    assert client.get("/v1/me/profile").status_code == 401
    assert client.post("/me/logout", follow_redirects=False).status_code == 303
    assert 'action="/me/login"' in client.get("/me").text


def test_a_wrong_login_says_so_on_the_page(client: TestClient) -> None:
    for form, status in (({"username": "ann", "password": "wrong"}, 401), ({"username": "ann"}, 422), ({}, 422)):
        answer = client.post("/me/login", data=form)
        assert answer.status_code == status
        assert 'role="alert"' in answer.text
        assert COOKIE not in client.cookies


def test_a_forged_cookie_is_nobody(client: TestClient) -> None:
    client.cookies.set(COOKIE, "eyJ.no.token")
    assert 'action="/me/login"' in client.get("/me").text
    assert client.post("/me/tags", data={"tag": "drives", "say": "mine"}).status_code == 401


def test_forms_of_another_site_are_refused(client: TestClient, house: House) -> None:
    abroad = {"Sec-Fetch-Site": "cross-site"}
    assert log_in(client, "ann", **abroad).status_code == 403
    log_in(client, "ann")
    for path, form in (("/me/tags", {"tag": "drives", "say": "mine"}), ("/me/personalisation", {"granted": "no"})):
        refused = client.post(path, data=form, headers=abroad)
        assert refused.status_code == 403
        assert "another site" in refused.text
    found = client.get("/me?lang=en").text
    assert "Switch off" in found
    assert 'data-tag="drives"' not in found


def test_what_a_customer_says_without_scripts(client: TestClient) -> None:
    log_in(client, "ann")

    def said(tag: str, say: str) -> str:
        return client.post("/me/tags", data={"tag": tag, "say": say, "lang": "en"}).text

    assert 'data-tag="drives"' in said("drives", "mine")
    assert 'data-tag="drives"' not in said("drives", "remove")
    assert "What you said no to" in said("shops_much", "not_me")
    assert "What you said no to" not in said("shops_much", "forget")
    refused = client.post("/me/tags", data={"tag": "rich", "say": "mine", "lang": "en"})
    assert (refused.status_code, "no such tag" in refused.text) == (404, True)
    assert "Switch on" in client.post("/me/personalisation", data={"granted": "no", "lang": "en"}).text


def test_texts_of_movements_stay_texts(client: TestClient) -> None:
    log_in(client, "ann")
    own = client.get("/me").text
    log_in(client, "agent.li")
    staff = client.get("/staff/customers/C000001").text
    for page in (own, staff):
        assert "alert(1)" in page
        assert "<script" not in page


def test_staff_look_at_whom_they_serve(client: TestClient) -> None:
    path = "/staff/customers/C000001"
    assert 'action="/staff/customers/login"' in client.get(path).text
    log_in(client, "ann")
    assert client.get(path).status_code == 403
    assert log_in(client, "analyst.wu").headers["location"] == "/staff/customers?lang=en"
    for place in (path, "/staff/customers"):
        refused = client.get(place, params={"lang": "en"})
        assert refused.status_code == 403
        assert "agents, administrators and services" in refused.text
        assert "分析员" in client.get(place, params={"lang": "zh"}).text
    log_in(client, "agent.li")
    assert client.get("/staff/customers", params={"customer": " C000001 "}).url.path == path
    assert client.get("/staff/customers", params={"customer": "../me"}).status_code == 404
    assert client.get("/staff/customers/C999999").status_code == 404
    english = client.get(path, params={"lang": "en"}).text
    assert all(part in english for part in ("Ann", "Month by month", "Life events", "audit log"))
    assert "did not agree" in client.get("/staff/customers/C000002", params={"lang": "en"}).text


AMOUNTS = st.decimals(0, 10**9, places=2)
LABELS = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=12)


@given(st.lists(st.tuples(LABELS, AMOUNTS, AMOUNTS, AMOUNTS, st.booleans()), max_size=14), st.integers(200, 900))
def test_any_months_are_a_plot_within_its_frame(
    months: list[tuple[str, Decimal, Decimal, Decimal, bool]], width: int
) -> None:
    drawn = ElementTree.fromstring(month_bars([MonthBars(*month) for month in months], FRAMED, width))
    for box in drawn.iter("rect"):
        x, y, wide, high = (float(box.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + wide <= width
        assert y >= -0.1
        assert y + high <= 240


@given(st.lists(st.tuples(LABELS, AMOUNTS, LABELS), max_size=12), st.integers(250, 900))
def test_any_bars_are_a_plot(rows: list[tuple[str, Decimal, str]], width: int) -> None:
    drawn = ElementTree.fromstring(bars([Bar(*row) for row in rows], FRAMED, width))
    assert len(list(drawn.iter("rect"))) == len(rows)


@given(st.lists(st.dates(date(2025, 11, 1), date(2026, 11, 23)), max_size=20))
def test_moments_do_not_cover_each_other(days: list[date]) -> None:
    moments = [Moment(on, number, True) for number, on in enumerate(days, 1)]
    drawn = ElementTree.fromstring(timeline(moments, date(2025, 11, 1), date(2026, 11, 23), "x", 820))
    places = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in drawn.iter("circle")]
    assert len(places) == len(days)
    for one, (x, y) in enumerate(places):
        assert y >= 11
        assert all(abs(x - a) >= 22 or abs(y - b) >= 22 for a, b in places[one + 1 :])


def test_fifths_are_filled_up_to_the_score() -> None:
    drawn = ElementTree.fromstring(fifths([("a", 5), ("b", 1)], "x"))
    assert [box.get("class") for box in drawn.iter("rect")] == ["in"] * 5 + ["in"] + ["empty"] * 4
