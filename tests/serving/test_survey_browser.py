"""The page of a survey's link in a real browser: both languages, desk and telephone, with the keyboard, without a script."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from openteller.core.records import Role
from openteller.insights.surveys.records import Answer
from openteller.store.database import Database
from tests.insights.surveys.asked import SURVEY
from tests.serving.api.house import House, settings, staff
from tests.serving.calling_house import serving
from tests.serving.test_profile_browser import PHONE, fits
from tests.serving.test_widget import FAINT

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import OpenPage

ANALYST = staff(Role.ANALYST)


@pytest.fixture
def bank(clean: Database) -> House:
    """A survey of which the scale of eleven and the words must be answered."""
    house = House(clean, settings(voice_calls=0, rate_per_minute=10_000))
    must = {"recommend", "reason", "words"}
    asked = tuple(question.model_copy(update={"required": question.id in must}) for question in SURVEY.questions)
    house.surveys.create(ANALYST, SURVEY.model_copy(update={"questions": asked}))
    return house


@pytest.fixture
def link(bank: House) -> Iterator[str]:
    with serving(bank) as url:  # type: ignore[arg-type]
        yield f"{url}/survey/{bank.surveys.link(ANALYST, 'service')}"


def answers(bank: House) -> tuple[Answer, ...]:
    return bank.surveys.answers(ANALYST, "service")


def send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("button.main").click()


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"locale": "zh-CN"}, ("提交", "贷款", "谢谢您的作答！", "已经答过")),
        ({"locale": "en-GB", **PHONE}, ("Send", "a loan", "Thank you for answering!", "has been answered")),
    ],
    ids=["zh", "en phone"],
)
def test_a_link_is_answered_once(
    open_page: OpenPage, bank: House, link: str, wishes: dict[str, Any], words: tuple[str, ...]
) -> None:
    name, loan, thanks, used = words
    page = open_page(**wishes)
    page.goto(link)
    assert fits(page)
    boxes = [one.bounding_box() for one in page.locator("input[name=easy] + span").all()]
    assert all(a and b and a["width"] > 32 and a["x"] + a["width"] < b["x"] for a, b in pairwise(boxes))
    page.locator("input[name=recommend][value='9']").check()
    page.locator("input[name=easy][value='7']").check()
    page.get_by_label(loan).check()
    page.locator("textarea").fill("很好 good")
    page.locator("input[name=contact]").check()
    assert page.locator("button.main").text_content() == name
    send(page)
    assert page.get_by_role("status").text_content() == thanks
    (answer,) = answers(bank)
    assert answer.values == {"recommend": 9, "easy": 7, "reason": ("loan",), "words": "很好 good"}
    assert (answer.contact, answer.channel) == (True, "link")
    page.goto(link)
    assert used in (page.get_by_role("alert").text_content() or "")
    assert page.locator("form").count() == 0
    assert fits(page)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_what_is_missing_is_named_and_the_rest_is_kept(
    open_page: OpenPage, bank: House, link: str, locale: str
) -> None:
    page = open_page(locale=locale, **PHONE)
    page.goto(link)
    page.locator("input[name=easy][value='3']").check()
    page.locator("textarea").fill("<b>太慢</b>")
    page.locator("button.main").click()
    assert page.locator("input[name=recommend]:invalid").count() == 11  # The browser holds the form back itself.
    page.locator("form").evaluate("(form) => { form.noValidate = true; }")
    send(page)
    said = page.get_by_role("alert")
    language = "zh" if locale.startswith("zh") else "en"
    asked = {question.id: question.text.of(language) for question in SURVEY.questions}
    assert said.locator("a").all_text_contents() == [asked["recommend"], asked["reason"]]
    assert page.locator(".missing").evaluate_all("(all) => all.map((one) => one.id)") == ["recommend", "reason"]
    assert page.locator("textarea").input_value() == "<b>太慢</b>"
    assert page.locator("input[name=easy][value='3']").is_checked()
    assert page.evaluate(FAINT, "body") == []
    assert fits(page)
    said.locator("a").last.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("input[name=reason][value=open]").is_checked()
    page.locator("input[name=recommend][value='0']").check()
    send(page)
    assert answers(bank)[0].values["recommend"] == 0


def test_nothing_answered_is_said_in_words_of_the_page(open_page: OpenPage, bank: House) -> None:
    bank.surveys.create(ANALYST, SURVEY.model_copy(update={"questions": SURVEY.questions[1:]}))
    with serving(bank) as url:  # type: ignore[arg-type]
        page = open_page()
        page.goto(f"{url}/survey/{bank.surveys.link(ANALYST, 'service')}")
        send(page)
        assert page.get_by_role("alert").text_content() == "请至少回答一个问题。"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_by_keyboard_alone_in_the_other_language(open_page: OpenPage, bank: House, link: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    page.goto(link)
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "English"
    with page.expect_navigation():
        press("Enter")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate(FAINT, "body") == []

    def tab_to(name: str) -> None:
        for _ in range(20):
            press("Tab")
            if page.evaluate("() => document.activeElement.name || document.activeElement.className") == name:
                return
        raise AssertionError(f"{name} is out of the keyboard's reach")

    tab_to("recommend")
    press("Space")
    press("ArrowRight")
    press("ArrowRight")
    tab_to("reason")
    press("Space")
    tab_to("words")
    page.keyboard.type("slow")
    tab_to("main")
    with page.expect_navigation():
        press("Enter")
    assert page.get_by_role("status").is_visible()
    assert answers(bank)[0].values == {"recommend": 2, "reason": ("open",), "words": "slow"}


def test_a_link_that_nobody_made(open_page: OpenPage, bank: House) -> None:
    with serving(bank) as url:  # type: ignore[arg-type]
        page = open_page()
        page.goto(f"{url}/survey/forged")
        assert "没有这份问卷" in (page.get_by_role("alert").text_content() or "")
