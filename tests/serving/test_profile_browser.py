"""The pages about a customer in a real browser: desk and telephone, Chinese and English, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from openteller.core.records import Role
from openteller.customers.profile.computing import recompute_all
from openteller.demo.load import load
from openteller.store.database import Database
from tests.serving.api.house import PASSWORD, House, settings
from tests.serving.calling_house import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import OpenPage

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def bank(clean: Database) -> Iterator[str]:
    """A server over forty demo customers, with the bank's fifths."""
    load(clean, 40)
    recompute_all(clean)
    house = House(clean, settings(voice_calls=0))
    house.accounts.add_user("C000002", PASSWORD, Role.CUSTOMER, "C000002")
    house.accounts.add_user("agent.li", PASSWORD, Role.AGENT)
    with serving(house) as url:  # type: ignore[arg-type]
        yield url


def logged_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_load_state()


def fits(page: Page) -> bool:
    """Whether nothing of the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"locale": "zh-CN"}, ("我的收支", "不是我", "删除", "关闭", "开启")),
        (
            {"locale": "en-GB", "color_scheme": "dark", **PHONE},
            ("My money", "Not me", "Remove", "Switch off", "Switch on"),
        ),
    ],
    ids=["zh", "en phone dark"],
)
def test_a_customer_reads_corrects_and_switches_off(
    open_page: OpenPage, bank: str, wishes: dict[str, Any], words: tuple[str, ...]
) -> None:
    title, not_me, remove, off, on = words
    page = open_page(**wishes)
    logged_in(page, f"{bank}/me", "C000002")
    assert page.locator("h1").text_content() == title
    assert page.locator("svg.plot:visible").count() == 2
    assert page.locator("svg.plot:visible rect.in").count() >= 12
    assert fits(page)
    tags = page.locator("#tags > ul [data-tag]")
    first, count = tags.first.get_attribute("data-tag"), tags.count()
    tags.first.get_by_role("button", name=not_me).click()
    page.wait_for_url("**/me?lang=*")
    assert tags.count() == count - 1
    assert page.locator(f"[data-tag={first}]").count() == 0
    page.locator("select").select_option("planning_study")
    page.locator("#tags form.row button").click()
    own = page.locator("[data-tag=planning_study]")
    own.wait_for()
    own.get_by_role("button", name=remove).click()
    own.wait_for(state="detached")
    page.locator("#personalisation").get_by_role("button", name=off).click()
    page.locator("#personalisation").get_by_role("button", name=on).wait_for()
    assert tags.count() == 0
    assert page.locator("svg.plot:visible").count() == 2
    assert fits(page)


@pytest.mark.parametrize("wishes", [{"locale": "en-GB"}, {"locale": "zh-CN", **PHONE}], ids=["en", "zh phone"])
def test_staff_see_what_is_derived(open_page: OpenPage, bank: str, wishes: dict[str, Any]) -> None:
    page = open_page(**wishes)
    logged_in(page, f"{bank}/staff/customers", "agent.li")
    page.fill("input[name=customer]", "C000002")
    page.click("button.main")
    page.wait_for_url("**/staff/customers/C000002*")
    # Cash flow, spending, fifths, channels, the line of time.
    assert page.locator("svg.plot:visible").count() == 5
    assert page.locator("circle.dot:visible").count() == page.locator(".events li").count() >= 1
    assert page.locator("form[action='/me/tags']").count() == 0
    assert fits(page)
    page.locator("a[hreflang]").click()
    page.wait_for_url("**lang=*")
    assert page.locator("h1").is_visible()
