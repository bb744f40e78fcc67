"""The bank's survey in the widget, in a real Chromium over the real API: when it is asked, what it takes, what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from openteller.core.records import Answer, Inquiry, Outcome, Principal, Role, Turn
from openteller.insights.surveys.records import RATED, Kind, Option, Question
from openteller.insights.surveys.records import Answer as SurveyAnswer
from openteller.serving.security import Tokens
from openteller.store.database import Database
from tests.insights.surveys.asked import SURVEY, say
from tests.serving.api import house as scripted
from tests.serving.api.house import House, settings, staff
from tests.serving.calling_house import serving
from tests.serving.test_widget import FAINT, PHONE, ask, field, focused
from tests.store.people import ANN, customer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser import OpenPage

ANALYST = staff(Role.ANALYST)
EVERY_KIND = SURVEY.model_copy(
    update={
        "intro": say("只需一分钟。", "It takes one minute."),
        "thanks": say("谢谢，我们会看的。", "Thanks, we shall read it."),
        "questions": (
            *(
                question.model_copy(
                    update={"low_text": say("完全不愿意", "not at all"), "high_text": say("非常愿意", "very much")}
                )
                if question.kind is Kind.NPS
                else question
                for question in SURVEY.questions
            ),
            Question(
                id="channel",
                kind=Kind.CHOICE,
                text=say("您更喜欢哪种方式", "Which way do you prefer"),
                options=(
                    Option(id="app", text=say("手机银行", "the app")),
                    Option(id="desk", text=say("网点", "a branch")),
                ),
            ),
            Question(id="bias", kind=Kind.SCALE, text=say("等候多久", "How was the wait"), low=-10, high=10),
        ),
    }
)


@pytest.fixture
def bank(clean: Database) -> House:
    """A customer, and a survey with every kind of question."""
    with clean.owner_session() as session:
        for row in customer(ANN):
            session.add(row)
            session.flush()
    house = House(clean, settings(dev=True, voice_calls=0, rate_per_minute=10_000))
    house.surveys.create(ANALYST, EVERY_KIND)
    return house


@pytest.fixture
def url(bank: House) -> Iterator[str]:
    with serving(bank) as found:  # type: ignore[arg-type]
        yield found


def enter(page: Page, url: str, *, after: str = "0.3", who: Principal | None = None, bank: House | None = None) -> None:
    """Open the widget, which asks after so many seconds."""
    page.goto(url)
    token = Tokens(bank.settings).issue(who) if who and bank else ""
    page.evaluate(
        """([after, token]) => {
          const teller = document.querySelector("open-teller");
          teller.setAttribute("survey-after", after);
          if (token) teller.login(token);
          teller.open = true;
        }""",
        [after, token],
    )
    field(page).wait_for()


def card(page: Page) -> Locator:
    return page.locator("open-teller .survey")


def stored(bank: House) -> tuple[SurveyAnswer, ...]:
    return bank.surveys.answers(ANALYST, "service")


def traces(bank: House) -> list[Any]:
    return [inquiry.trace_id for inquiry, _ in bank.dialogue.asked]


def test_a_quiet_card_takes_every_kind_of_answer(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url, who=ANN, bank=bank)
    ask(browser_page, "一年期利率")
    ask(browser_page, "卡丢了怎么办")
    shown = card(browser_page)
    shown.wait_for()
    assert focused(browser_page) == "您的问题"
    assert shown.locator(".asked:visible").count() == 1
    assert shown.locator(".asked:visible legend").text_content() == "您愿意推荐我们吗 （必答）"
    assert shown.locator(".ends span").all_text_contents() == ["0：完全不愿意", "10：非常愿意"]
    shown.locator("input[name=recommend][value='9']").check()
    assert shown.locator(".asked:visible").count() == len(EVERY_KIND.questions)
    shown.locator("input[name=branch_ok][value='4']").check()
    shown.locator("input[name=bias][value='-3']").check()
    shown.get_by_label("开户").check()
    shown.get_by_label("其他").check()
    shown.get_by_label("手机银行").check()
    shown.get_by_label("您还想说什么").fill("  办得很快，我的手机是 13800138000 ")
    shown.get_by_label("银行可以就此联系我").check()
    kept = browser_page.evaluate("() => JSON.stringify(sessionStorage)")
    assert "办得很快" not in kept
    assert "recommend" not in kept
    shown.get_by_role("button", name="提交").click()
    shown.get_by_text("谢谢，我们会看的。").wait_for()
    assert focused(browser_page) == "谢谢，我们会看的。"
    (answer,) = stored(bank)
    words = str(answer.values.pop("words"))
    assert answer.values == {
        "recommend": 9,
        "branch_ok": 4,
        "bias": -3,
        "reason": ("open", "other"),
        "channel": "app",
    }
    assert words.startswith("办得很快")
    assert "13800138000" not in words
    assert (answer.trace_id, answer.customer_id, answer.contact) == (traces(bank)[-1], ANN.customer_id, True)
    assert (answer.channel, answer.language) == ("widget", "zh")


def test_the_numbers_are_those_that_the_bank_takes(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url)
    ask(browser_page, "利率")
    card(browser_page).wait_for()
    for question in EVERY_KIND.questions:
        if question.kind in RATED:
            inputs = card(browser_page).locator(f"input[name={question.id}]")
            found = inputs.evaluate_all("(all) => all.map((input) => Number(input.value))")
            low, high = question.ends
            assert found == list(range(low, high + 1))
    assert len({question.kind for question in EVERY_KIND.questions}) == len(Kind)


def test_a_low_score_brings_a_person(open_page: OpenPage, bank: House, url: str) -> None:
    page = open_page(locale="en-GB")
    enter(page, url)
    ask(page, "My card was swallowed")
    card(page).locator("input[name=recommend][value='2']").check()
    assert card(page).get_by_label("contact me").count() == 0  # A visitor has no number to be called at.
    card(page).get_by_role("button", name="Send").click()
    card(page).get_by_text("Passed to our staff").wait_for()
    agent = staff(Role.AGENT)
    (waiting,) = bank.hand_offs.waiting(agent)
    bank.hand_offs.take(agent, waiting.conversation_id)
    bank.hand_offs.say(agent, waiting.conversation_id, "Sorry about that, I am looking into it.")
    page.get_by_text("Sorry about that").wait_for()


def test_what_is_missing_is_said_and_nothing_is_lost(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url)
    ask(browser_page, "利率")
    shown = card(browser_page)
    shown.wait_for()
    shown.locator("input[name=recommend][value='5']").check()
    shown.get_by_label("您还想说什么").fill("太慢了")
    browser_page.evaluate(
        """() => document.querySelector("open-teller").shadowRoot.querySelector("[name=recommend]:checked").checked = false"""
    )
    shown.get_by_role("button", name="提交").click()
    shown.get_by_text("还有必答的问题没有回答").wait_for()
    assert focused(browser_page) == "0"
    browser_page.keyboard.press("ArrowLeft")  # Round to the other end.
    browser_page.context.set_offline(True)
    shown.get_by_role("button", name="提交").click()
    shown.get_by_text("没有送出").wait_for()
    assert shown.get_by_label("您还想说什么").input_value() == "太慢了"
    browser_page.context.set_offline(False)
    shown.get_by_role("button", name="提交").click()
    shown.get_by_text("谢谢，我们会看的。").wait_for()
    assert stored(bank)[0].values == {"recommend": 10, "words": "太慢了"}


def test_a_survey_that_was_answered_is_thanked_for(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url, who=ANN, bank=bank)
    ask(browser_page, "利率")
    card(browser_page).locator("input[name=recommend][value='8']").check()
    bank.surveys.answer_turn(ANN, "service", traces(bank)[0], {"recommend": 1})
    card(browser_page).get_by_role("button", name="提交").click()
    card(browser_page).get_by_text("谢谢您！这份问卷已经收到过您的回答").wait_for()
    assert [answer.values for answer in stored(bank)] == [{"recommend": 1}]


def test_an_untouched_card_makes_way_and_comes_once(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url)
    ask(browser_page, "利率")
    card(browser_page).wait_for()
    ask(browser_page, "存款")
    assert card(browser_page).count() == 0
    browser_page.wait_for_timeout(1_000)
    assert card(browser_page).count() == 0


def test_not_now_holds_in_the_tab(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url)
    ask(browser_page, "利率")
    card(browser_page).get_by_role("button", name="暂不回答").click()
    assert card(browser_page).count() == 0
    assert focused(browser_page) == "您的问题"
    browser_page.get_by_role("button", name="新对话").click()
    ask(browser_page, "存款")
    browser_page.wait_for_timeout(1_000)
    assert card(browser_page).count() == 0
    enter(browser_page, url)
    ask(browser_page, "存款")
    browser_page.wait_for_timeout(1_000)
    assert card(browser_page).count() == 0


def test_who_begins_anew_is_asked_about_the_conversation_before(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url, after="600")
    ask(browser_page, "利率")
    browser_page.get_by_role("button", name="新对话").click()
    card(browser_page).locator("input[name=recommend][value='1']").check()
    # What is being answered stays while the talk goes on.
    ask(browser_page, "存款")
    card(browser_page).get_by_role("button", name="提交").click()
    card(browser_page).get_by_text("谢谢，我们会看的。").wait_for()
    assert stored(bank)[0].trace_id == traces(bank)[0] != traces(bank)[1]
    assert card(browser_page).get_by_text("已转人工").count() == 0  # That conversation is over.


def test_who_closes_and_comes_back_is_asked(browser_page: Page, bank: House, url: str) -> None:
    enter(browser_page, url, after="600")
    ask(browser_page, "利率")
    browser_page.get_by_role("button", name="关闭", exact=True).click()
    browser_page.locator(".launcher").click()
    card(browser_page).wait_for()
    assert focused(browser_page) == "您的问题"


@pytest.mark.parametrize("never", ["0", "off"])
def test_a_page_may_have_none(browser_page: Page, bank: House, url: str, never: str) -> None:
    enter(browser_page, url, after=never)
    ask(browser_page, "利率")
    browser_page.get_by_role("button", name="关闭", exact=True).click()
    browser_page.locator(".launcher").click()
    browser_page.get_by_role("button", name="新对话").click()
    browser_page.wait_for_timeout(600)
    assert card(browser_page).count() == 0


def test_nobody_is_asked_who_types_or_waits_for_a_person(
    browser_page: Page, bank: House, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(browser_page, url)
    ask(browser_page, "利率")
    field(browser_page).fill("还有")
    browser_page.wait_for_timeout(1_000)
    assert card(browser_page).count() == 0
    plain = scripted._turn

    def to_a_person(inquiry: Inquiry) -> Turn:
        answer = Answer(text="已转人工。", outcome=Outcome.HANDED_OFF, confidence=1.0)
        return plain(inquiry).model_copy(update={"answer": answer})

    monkeypatch.setattr(scripted, "_turn", to_a_person)
    ask(browser_page, "转人工").locator(".notice.handed_off").wait_for()
    browser_page.wait_for_timeout(1_500)
    browser_page.get_by_role("button", name="关闭", exact=True).click()
    browser_page.locator(".launcher").click()
    browser_page.get_by_role("button", name="新对话").click()
    browser_page.wait_for_timeout(500)
    assert card(browser_page).count() == 0
    monkeypatch.setattr(scripted, "_turn", plain)
    ask(browser_page, "利率")
    card(browser_page).wait_for()


def test_nothing_is_asked_where_no_survey_is_open(browser_page: Page, bank: House, url: str) -> None:
    bank.surveys.set_open(ANALYST, "service", False)
    enter(browser_page, url)
    ask(browser_page, "利率")
    with browser_page.expect_response("**/after-conversation") as response:
        pass
    assert response.value.json() == {"stored": None}
    assert card(browser_page).count() == 0


@pytest.mark.parametrize("wishes", [{}, PHONE], ids=["desk", "phone"])
def test_the_card_by_keyboard_alone(open_page: OpenPage, bank: House, url: str, wishes: dict[str, Any]) -> None:
    page = open_page(locale="en-GB", **wishes)
    enter(page, url, who=ANN, bank=bank)
    ask(page, "What does a deposit pay?")
    shown = card(page)
    shown.wait_for()
    shown.get_by_role("button", name="Not now").focus()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "10"  # Backwards, a group of radio buttons is entered at its end.
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")
    assert shown.get_by_role("group", name="Would you recommend us (required)").get_by_label("9").is_checked()
    shown.get_by_label("What else would you like to say").wait_for()
    log = page.locator("open-teller .log")
    assert log.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    assert shown.evaluate(
        "(e) => [...e.querySelectorAll('*')].every((one) => one.scrollWidth <= one.clientWidth + 1 || !one.clientWidth)"
    )
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == "Send":
            break
    page.keyboard.press("Enter")
    shown.get_by_text("Thanks, we shall read it.").wait_for()
    assert stored(bank)[0].values == {"recommend": 9}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_the_card_stands_out(open_page: OpenPage, bank: House, url: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    enter(page, url, who=ANN, bank=bank)
    ask(page, "利率")
    shown = card(page)
    shown.locator("input[name=recommend][value='9']").check()
    shown.get_by_label("手机银行").check()
    assert page.evaluate(FAINT, "open-teller") == []
    page.get_by_role("button", name="Switch to English").click()
    assert shown.get_by_text("Would you recommend us").is_visible()
    assert shown.locator("input[name=recommend][value='9']").is_checked()
    shown.get_by_role("button", name="Send").click()
    shown.get_by_text("Thanks, we shall read it.").wait_for()
    assert page.evaluate(FAINT, "open-teller") == []
