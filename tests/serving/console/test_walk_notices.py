"""The console's page of notices: how many were told and have read it, who, and who may look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from openteller.core.records import Principal, Role
from openteller.products.grades import GradedBy
from openteller.products.records import RiskGrade
from openteller.recommendation.notices.records import Channel
from openteller.store.tables import HoldingRow, RiskAssessmentRow
from tests.serving.api.house import House
from tests.serving.console.test_walk import PHONE, fits

if TYPE_CHECKING:
    from playwright.sync_api import Page

    LogIn = Callable[..., Page]

FUND = "FUND-INDEX"
ANALYST = Principal(subject="analyst.zhao", role=Role.ANALYST)
TOLD = ("C000002", "C000003", "C000004")


@pytest.fixture
def told(house: House) -> House:
    """Three customers without an assessment hold the index fund, which is R5 now: told by letter, one has read it."""
    with house.database.owner_session() as session:
        session.execute(delete(HoldingRow).where(HoldingRow.product_id == FUND))
        session.execute(delete(RiskAssessmentRow).where(RiskAssessmentRow.customer_id.in_(TOLD)))
        for name in TOLD:
            held: dict[str, Any] = {"amount": Decimal(500), "cost": Decimal(400), "since": date(2026, 1, 1)}
            session.add(HoldingRow(customer_id=name, product_id=FUND, currency="CNY", **held))
    house.grades.grade(ANALYST, FUND, GradedBy.BANK, RiskGrade.R5, from_on=house.suitability.today, because="波动加大")
    assert house.notices.write(ANALYST, FUND, Channel.LETTER).added == len(TOLD)
    customer = Principal(subject=TOLD[0], role=Role.CUSTOMER, customer_id=TOLD[0])
    house.notices.read(customer, house.notices.mine(customer)[0].id)
    return house


def test_who_was_told_and_who_has_read_it(log_in: LogIn, told: House) -> None:
    page = log_in("analyst.zhao", "notices", locale="en-GB")
    page.locator(".figure", has_text="Read").wait_for()
    values = page.locator(".figure-value").all_text_contents()
    assert values == ["3", "3", "1"]
    row = page.locator("tbody tr", has_text=FUND)
    assert row.locator("td").all_text_contents()[-4:] == ["3", "3", "3", "1"]
    row.click()
    page.wait_for_url(f"**/console/notices/{FUND}")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(len(TOLD))
    assert sorted(rows.locator("td:first-child").all_text_contents()) == list(TOLD)
    assert "R5" in (rows.first.text_content() or "")
    assert "letter" in (rows.first.text_content() or "")
    told.notices.sent(ANALYST, told.notices.of_product(ANALYST, FUND)[0].id)
    page.get_by_role("button", name="Not sent").click()
    expect(rows).to_have_count(len(TOLD) - 1)
    with page.expect_download() as listed:
        page.get_by_role("button", name="CSV").click()
    assert len(listed.value.path().read_text(encoding="utf-8-sig").splitlines()) == len(TOLD)


def test_on_a_telephone_in_chinese(log_in: LogIn, told: House) -> None:
    page = log_in("admin.sun", "notices", locale="zh-CN", color_scheme="dark", **PHONE)
    page.locator(".telephone-card").wait_for()
    assert fits(page)
    page.locator(".telephone-card").click()
    page.locator(".telephone-card", has_text=TOLD[0]).wait_for()
    assert "信函" in (page.locator(".telephone-card").first.text_content() or "")
    assert fits(page)


def test_who_serves_customers_may_not_look(log_in: LogIn, told: House) -> None:
    page = log_in("agent.li", f"notices/{FUND}", locale="en-GB")
    page.locator(".fault").wait_for()
    assert "C00000" not in (page.locator("body").text_content() or "")
