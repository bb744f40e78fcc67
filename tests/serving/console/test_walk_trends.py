"""The page of trends in a real Chromium: intervals and changes drawn, narrowed down, given away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from openteller.core.clock import local_date, utc_now
from openteller.core.records import LocalText
from openteller.insights.alerts.records import NewAlert, Severity
from tests.insights.trends.said import person, said
from tests.serving.api.house import House

if TYPE_CHECKING:
    from playwright.sync_api import Page

    LogIn = Callable[..., Page]


@pytest.fixture
def told(house: House) -> House:
    """Two weeks of questions about cards and deposits, and a change that was found."""
    for day in range(14):
        at = utc_now() - timedelta(days=day)
        for number in range(6):
            said(house.database, person(number), at, "negative" if number < 3 else "neutral", need="saving")
            said(house.database, person(number), at, intent="deposit_rate", need="saving")
    on = local_date(utc_now(), house.settings.timezone) - timedelta(days=7)
    house.alerts.raise_alert(
        NewAlert(
            kind="trend.mood", key="trend.mood:card", severity=Severity.WARNING, subject="card",
            title=LocalText(zh="银行卡：负面情绪由 10% 变为 50%", en="Cards: negative mood from 10% to 50%"),
            link="/console/trends?topic=card",
            detail={"changed_on": on.isoformat(), "before": {"value": 0.1}, "since": {"value": 0.5}},
        )
    )  # fmt: skip
    return house


def lines_of(page: Page, button: int) -> list[str]:
    with page.expect_download() as numbers:
        page.get_by_role("button", name="CSV").nth(button).click()
    return numbers.value.path().read_text(encoding="utf-8-sig").splitlines()


def marks_of(page: Page) -> list[str]:
    """What is written at the lines across the first chart."""
    script = "echarts => echarts.map(e => e.getOption().series[0].markLine?.data.map(m => m.name) ?? [])"
    found: list[list[str]] = page.evaluate(
        f"({script})([...document.querySelectorAll('.chart')].map(c => getElement(c.id.slice(1)).chart))"
    )
    return found[0]


def test_a_topic_is_chosen_and_its_change_is_marked(log_in: LogIn, told: House) -> None:
    page = log_in("agent.li", "trends?days=30")
    page.locator(".item", has_text="银行卡：负面情绪由 10% 变为 50%").wait_for()
    assert marks_of(page) == []
    page.locator("tbody tr", has_text="银行卡").click()
    page.locator(".section-title", has_text="银行卡").wait_for()
    page.wait_for_function("document.querySelectorAll('.chart canvas').length === 4")
    assert marks_of(page) == ["10% → 50%"]
    page.get_by_label("话题").click()
    page.locator(".q-menu .q-item", has_text="存款").click()
    page.locator(".section-title", has_text="存款").wait_for()
    page.locator(".note", has_text="这段时间没有发现变化。").wait_for()


def test_the_numbers_come_with_their_intervals(log_in: LogIn, told: House) -> None:
    page = log_in("analyst.zhao", "trends?days=30&topic=card", locale="en-GB")
    page.locator(".chart canvas").first.wait_for()
    head, *days = lines_of(page, 0)
    assert head == ",negative share,negative share low,negative share high"
    assert len(days) == 30
    value, low, high = (float(cell) for cell in days[-2].split(",")[1:])
    assert low < value < high
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG").first.click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_asked_is_said(log_in: LogIn, url: str) -> None:
    page = log_in("agent.li", "trends?topic=no-such", locale="en-GB")
    for query, told in (("topic=no-such", "There is no topic"), ("days=9999", "9999 days"), ("days=x", "no number"),
                        ("language=xx", "no such language")):  # fmt: skip
        page.goto(f"{url}/console/trends?{query}")
        page.locator(".fault", has_text=told).wait_for()
