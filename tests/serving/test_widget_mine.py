"""The customer's own page in the widget, in a real Chromium over the real API: offers, data, investor class, notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, update

from openteller.core.clock import utc_now
from openteller.core.records import Principal, Role
from openteller.customers.profile.computing import recompute_all
from openteller.demo.load import load
from openteller.products.grades import GradedBy
from openteller.products.records import RiskGrade
from openteller.products.repository import ProductRepository
from openteller.serving.security import Tokens
from openteller.store.database import Database
from openteller.store.tables import CustomerRow, HoldingRow, QuestionnaireRow, RiskAssessmentRow
from tests.customers.assessment.answers import BALANCED, BOLD
from tests.serving.api.house import PRODUCTS, House, settings
from tests.serving.calling_house import serving
from tests.serving.test_widget import FAINT, PHONE, field, focused

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser import OpenPage

WHO = "C000002"
FUND = "FUND-INDEX"
LI = Principal(subject="analyst.li", role=Role.ANALYST)


@pytest.fixture
def bank(clean: Database) -> House:
    """Eight demo customers with the bank's fifths, and its products."""
    load(clean, 8)
    recompute_all(clean)
    with clean.owner_session() as session:
        ProductRepository().upsert(session, PRODUCTS.values())
        session.execute(delete(RiskAssessmentRow).where(RiskAssessmentRow.customer_id == WHO))
    return House(clean, settings(dev=True, voice_calls=0, rate_per_minute=10_000))


@pytest.fixture
def url(bank: House) -> Iterator[str]:
    with serving(bank) as found:  # type: ignore[arg-type]
        yield found


def enter(page: Page, url: str, bank: House, tab: str | None = None) -> Locator:
    """Log in, open the customer's page at a tab, and return it."""
    page.goto(url)
    token = Tokens(bank.settings).issue(Principal(subject=WHO, role=Role.CUSTOMER, customer_id=WHO))
    page.evaluate(
        "(token) => { const t = document.querySelector('open-teller'); t.login(token); t.open = true; }", token
    )
    field(page).wait_for()
    if tab:
        page.evaluate("(tab) => document.querySelector('open-teller').showMine(tab)", tab)
    sheet = page.locator("open-teller aside:has(.tabs)")
    if tab:
        sheet.locator(".mine section").first.wait_for()
    return sheet


def settled(sheet: Locator) -> None:
    """Wait until nothing in the tab is still being looked up."""
    sheet.page.wait_for_function(
        """() => {
          const body = document.querySelector("open-teller").shadowRoot.querySelector(".mine");
          return !/正在打开|Opening/.test(body.textContent);
        }"""
    )


def assess(bank: House, answers: dict[str, str] = BALANCED) -> None:
    bank.assessments.submit(Principal(subject=WHO, role=Role.CUSTOMER, customer_id=WHO), answers)


def answer_all(sheet: Locator, answers: dict[str, str], words: tuple[str, str]) -> None:
    following, send = words
    for place in range(len(answers)):
        question = sheet.locator("input[type=radio]").first.get_attribute("name") or ""
        sheet.locator(f"input[value={answers[question]}]").check()
        sheet.get_by_role("button", name=send if place == len(answers) - 1 else following, exact=True).click()
        if place < len(answers) - 1:
            sheet.locator(f"input[name={question}]").first.wait_for(state="detached")


def test_a_visitor_has_no_page_of_their_own(browser_page: Page, bank: House, url: str) -> None:
    browser_page.goto(url)
    browser_page.locator(".launcher").click()
    field(browser_page).wait_for()
    assert not browser_page.get_by_role("button", name="我的", exact=True).is_visible()
    enter(browser_page, url, bank)
    assert browser_page.get_by_role("button", name="我的", exact=True).is_visible()


def test_offers_say_why_suit_and_go(browser_page: Page, bank: House, url: str) -> None:
    assess(bank)
    sheet = enter(browser_page, url, bank, "offers")
    settled(sheet)
    cards = sheet.locator(".offer:not(.gone)")
    count = cards.count()
    assert count > 0
    assert sheet.locator(".offer .suits.allowed").count() == count
    first = cards.first
    product = first.get_attribute("data-product") or ""
    why = first.get_by_role("button", name="为什么推荐给我")
    why.click()
    assert why.get_attribute("aria-expanded") == "true"
    assert "账户、交易" in (first.locator(".why").text_content() or "")
    first.get_by_role("button", name="不感兴趣").click()
    sheet.locator(".offer.gone").wait_for()
    assert cards.count() == count - 1
    sheet.locator("select#why-not-product").select_option(product)
    sheet.get_by_role("button", name="查看原因").click()
    sheet.locator(".verdict", has_text="不感兴趣").wait_for()


def test_why_not_names_the_wall(browser_page: Page, bank: House, url: str) -> None:
    sheet = enter(browser_page, url, bank, "offers")
    sheet.locator("select#why-not-product").select_option(FUND)
    sheet.get_by_role("button", name="查看原因").click()
    sheet.locator("section:has(select) .suits.blocked").wait_for()
    assert "测评" in (sheet.locator("section:has(select) .suits").text_content() or "")


def test_tags_events_and_switches_are_the_customers(open_page: OpenPage, bank: House, url: str) -> None:
    page = open_page(locale="en-GB")
    sheet = enter(page, url, bank, "data")
    tags = sheet.locator("section:has([data-section=tags]) li")
    before = tags.count()
    name = tags.first.locator(".what > span").text_content() or ""
    tags.first.get_by_role("button", name="Not me").click()
    refused = sheet.locator("section:has([data-section=refused]) li")
    refused.wait_for()
    assert tags.count() == before - 1
    assert name in (refused.text_content() or "")
    assert focused(page) == "What we believe about you"
    sheet.locator("section:has([data-section=tags]) select").select_option("planning_study")
    sheet.get_by_role("button", name="Add", exact=True).click()
    sheet.get_by_text("planning to study").first.wait_for()
    events = sheet.locator("section:has([data-section=events]) li")
    happened = events.count()
    assert happened > 0
    events.first.get_by_role("button", name="Not so").click()
    page.wait_for_function(
        "() => document.querySelector('open-teller').shadowRoot.querySelectorAll('.mine section:last-child li').length === 2"
    )
    assert events.count() == happened - 1
    for _ in range(2):
        left = refused.count()
        refused.first.get_by_role("button", name="Take back").click()
        page.wait_for_function(
            """(left) => document.querySelector('open-teller').shadowRoot
                 .querySelectorAll('.mine section:has([data-section=refused]) li').length === left - 1""",
            arg=left,
        )
    switch = sheet.get_by_role("switch", name="Personalisation")
    assert switch.get_attribute("aria-checked") == "true"
    assert "If you switch it off: Apart from your plain income" in (sheet.text_content() or "")
    switch.click()
    sheet.locator("[data-purpose=personalisation][aria-checked=false]").wait_for()
    assert events.count() == 0
    assert [row.locator(".what > span").text_content() for row in tags.all()] == ["planning to study"]
    marketing = sheet.get_by_role("switch", name="Offers")
    was = marketing.get_attribute("aria-checked")
    marketing.click()
    sheet.locator(f"[data-purpose=marketing]:not([aria-checked={was}])").wait_for()


def test_the_questionnaire_step_by_step(browser_page: Page, bank: House, url: str) -> None:
    sheet = enter(browser_page, url, bank, "investor")
    assert "您还没有做过风险测评" in (sheet.text_content() or "")
    sheet.get_by_role("button", name="开始测评").click()
    sheet.get_by_role("button", name="下一题").click()
    assert sheet.get_by_text("请先选一项").is_visible()
    first = sheet.locator("input[type=radio]").first
    first.check()
    sheet.get_by_role("button", name="下一题").click()
    sheet.get_by_role("button", name="上一题").click()
    assert sheet.locator("input[type=radio]").first.is_checked()
    assert "第 1 题，共 12 题" in (sheet.text_content() or "")
    answer_all(sheet, BALANCED, ("下一题", "提交答案"))
    sheet.locator(".class-name", has_text="C3 平衡型").wait_for()
    assert "有效至" in (sheet.text_content() or "")
    assert "今天还可以测评 1 次" in (sheet.text_content() or "")


def test_a_changed_class_waits_for_a_yes_and_contradictions_are_asked_back(
    open_page: OpenPage, bank: House, url: str
) -> None:
    assess(bank)
    page = open_page(locale="en-GB", **PHONE)
    sheet = enter(page, url, bank, "investor")
    sheet.get_by_role("button", name="Take it again").click()
    answer_all(sheet, BOLD | {"loss": "none"}, ("Next", "Send my answers"))
    sheet.get_by_text("seem to contradict").wait_for()
    sheet.get_by_role("button", name="Let me correct them").click()
    answer_all(sheet, BOLD, ("Next", "Send my answers"))
    agree = sheet.get_by_role("button", name="Agree and change to C5 aggressive")
    agree.wait_for()
    assert "C3 balanced" in (sheet.locator(".class-name").text_content() or "")
    agree.click()
    sheet.locator(".class-name", has_text="C5").wait_for()
    assert "cannot be taken again today" in (sheet.text_content() or "")


def test_an_expired_assessment_asks_to_be_retaken(browser_page: Page, bank: House, url: str) -> None:
    assess(bank)
    then = utc_now() - timedelta(days=400)
    with bank.database.owner_session() as session:
        session.execute(
            update(RiskAssessmentRow)
            .where(RiskAssessmentRow.customer_id == WHO)
            .values(assessed_at=then, expires_at=then + timedelta(days=365))
        )
    sheet = enter(browser_page, url, bank, "investor")
    assert "到期" in (sheet.locator(".notice.refused").text_content() or "")
    assert sheet.get_by_role("button", name="重新测评").is_visible()


def test_from_65_on_a_class_takes_a_second_confirmation(browser_page: Page, bank: House, url: str) -> None:
    born = date(utc_now().year - 66, 1, 1)
    with bank.database.owner_session() as session:
        session.execute(update(CustomerRow).where(CustomerRow.customer_id == WHO).values(birth_date=born))
    assess(bank, BOLD)
    sheet = enter(browser_page, url, bank, "investor")
    assert "您已年满65周岁" in (sheet.text_content() or "")
    assert "您还没有做过风险测评" in (sheet.text_content() or "")
    sheet.get_by_role("button", name="我确认，我的等级是").click()
    sheet.locator(".class-name").wait_for()
    with bank.database.owner_session() as session:
        assert session.query(QuestionnaireRow).one().status == "confirmed"


def test_a_new_grade_is_told_and_read(browser_page: Page, bank: House, url: str) -> None:
    with bank.database.owner_session() as session:
        session.add(
            HoldingRow(
                customer_id=WHO, product_id=FUND, amount=Decimal(500), cost=Decimal(400), currency="CNY",
                since=date(2026, 1, 1),
            )
        )  # fmt: skip
    bank.grades.grade(LI, FUND, GradedBy.BANK, RiskGrade.R5, from_on=bank.suitability.today, because="波动加大")
    assert bank.notices.write(LI, FUND).added > 0
    sheet = enter(browser_page, url, bank)
    news = browser_page.get_by_role("button", name="我的（1 条新通知）")
    news.click()
    sheet.get_by_role("tab", name="通知").click()
    sheet.get_by_text("风险等级为R5").wait_for()
    browser_page.get_by_role("button", name="我的", exact=True).wait_for()
    assert all(n.read_at for n in bank.notices.of_product(LI, FUND) if n.customer_id == WHO)


@pytest.mark.parametrize("wishes", [{}, PHONE], ids=["desk", "phone"])
def test_the_page_by_keyboard_alone(open_page: OpenPage, bank: House, url: str, wishes: dict[str, Any]) -> None:
    page = open_page(locale="en-GB", **wishes)
    sheet = enter(page, url, bank)
    page.get_by_role("button", name="My page", exact=True).focus()
    page.keyboard.press("Enter")
    sheet.locator(".mine section").first.wait_for()
    assert focused(page) == "My page"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "For you"
    page.keyboard.press("ArrowRight")
    sheet.get_by_role("switch").first.wait_for()
    assert focused(page) == "My data"
    if wishes:
        assert sheet.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
        for tab in ("offers", "investor", "notices", "data"):
            page.evaluate("(tab) => document.querySelector('open-teller').showMine(tab)", tab)
            settled(sheet)
            assert sheet.locator(".mine").evaluate("(e) => e.scrollWidth <= e.clientWidth"), tab
        for _ in range(40):
            page.keyboard.press("Tab")
            assert page.evaluate("() => document.activeElement.localName") == "open-teller"
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    assert focused(page) == "My page"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_the_page_stands_out(open_page: OpenPage, bank: House, url: str, scheme: str) -> None:
    assess(bank)
    page = open_page(color_scheme=scheme)
    sheet = enter(page, url, bank, "offers")
    for tab in ("offers", "data", "investor", "notices"):
        page.evaluate("(tab) => document.querySelector('open-teller').showMine(tab)", tab)
        settled(sheet)
        assert page.evaluate(FAINT, "open-teller") == [], tab


def test_the_page_changes_language(browser_page: Page, bank: House, url: str) -> None:
    sheet = enter(browser_page, url, bank, "data")
    browser_page.get_by_role("button", name="Switch to English").click()
    assert sheet.get_by_role("tab", name="My data").is_visible()
    assert sheet.get_by_text("What we believe about you").is_visible()
    assert sheet.get_by_text("salary is paid here").count() + sheet.get_by_text("banks by app").count() > 0
