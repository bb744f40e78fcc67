"""The main job as a customer meets it: a real browser, the widget, the server, the models and the demo bank.

What the widget does with every kind of answer is tested in tests/serving; here the two ends meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from openteller.assembly import Application
from openteller.products.figures import fill
from openteller.store.tables.conversations import OfferEventRow, SatisfactionRow
from tests.acceptance.conftest import login

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser import OpenPage

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
ADVICE = "有什么理财产品推荐"


def opened(page: Page, server: str) -> None:
    page.goto(server)
    page.locator(".launcher").click()
    page.locator("open-teller #question").wait_for()


def ask(page: Page, text: str) -> Locator:
    """Ask, wait for the end of the answer, and return the exchange."""
    count = page.locator(".exchange").count()
    page.locator("open-teller #question").fill(text)
    page.locator("open-teller #question").press("Enter")
    exchange = page.locator(".exchange").nth(count)
    exchange.locator(".reply:not([aria-busy])").wait_for()
    return exchange


@pytest.mark.parametrize(
    ("wishes", "question", "figure"),
    [
        ({"locale": "zh-CN"}, "整存整取一年期利率是多少", "{{TD-CNY.rate.12M}}"),
        ({"locale": "en-GB", **PHONE}, "How much is the annual fee of the gold card?", "{{CARD-GOLD.fee.annual}}"),
    ],
    ids=["zh", "en phone"],
)
def test_a_visitor_asks_opens_the_source_and_rates(
    open_page: OpenPage, server: str, application: Application, wishes: dict[str, Any], question: str, figure: str
) -> None:
    page = open_page(**wishes)
    opened(page, server)
    exchange = ask(page, question)
    assert fill(figure, application.shelf().products, "zh") in (exchange.locator(".text").text_content() or "")
    exchange.locator(".chip").first.click()
    sheet = page.locator(".sheet:visible")
    sheet.locator("mark").wait_for()
    page.keyboard.press("Escape")
    exchange.get_by_role("radio").nth(3).check()
    with page.expect_response("**/satisfaction") as rated:
        exchange.locator(".rating button[type=submit]").click()
    assert rated.value.status == 204
    trace_id = UUID(rated.value.url.split("/")[-2])
    with application.database.owner_session() as session:
        assert session.scalar(select(SatisfactionRow.rating).where(SatisfactionRow.trace_id == trace_id)) == 4


def test_a_customer_is_offered_what_fits_says_no_and_is_heard(
    open_page: OpenPage, server: str, application: Application
) -> None:
    customer = next(name for name in (f"C{n:06d}" for n in range(1, 6)) if offered(server, name))
    page = open_page()
    page.goto(server)
    page.locator("#people button", has_text=customer).click()
    page.locator("open-teller #question").wait_for()
    exchange = ask(page, ADVICE)
    card = exchange.locator("[data-product]").first
    product = card.get_attribute("data-product") or ""
    assert application.shelf().products[product].name.zh in (card.text_content() or "")
    with page.expect_response("**/offers/**"):
        card.get_by_role("button", name="不感兴趣").click()
    with application.database.owner_session() as session:
        events = session.scalars(
            select(OfferEventRow.action).where(
                OfferEventRow.customer_id == customer, OfferEventRow.product_id == product
            )
        )
        assert {"shown", "dismissed"} <= set(events)
    assert product not in offered(server, customer)
    balance = ask(page, "我的账户余额是多少")
    assert "¥" in (balance.locator(".text").text_content() or "")


def offered(server: str, customer: str) -> set[str]:
    answer = httpx.post(f"{server}/v1/inquiries", json={"text": ADVICE}, headers=login(server, customer))
    return {offer["product_id"] for offer in answer.json()["offers"]}
