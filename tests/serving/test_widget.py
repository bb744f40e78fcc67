"""The widget in a real Chromium, from the question to the rating, with mouse and with keyboard alone.

The API is recorded; tests of the whole house drive the same widget against the real one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving.recorded_api import WIDGET, RecordedApi

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser import OpenPage

QUESTION = "定期存款利率是多少？"
ANSWER = "目前人民币整存整取年利率为：三个月 0.65%、六个月 0.90%"
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
# Text nodes whose contrast with what lies under them is below 4.5:1 (WCAG 2.2, 1.4.3). Disabled controls are exempt.
FAINT = """
(selector) => {
  const channels = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((value, i) => value * a + under[i] * (1 - a));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const color = channels(getComputedStyle(element).backgroundColor);
    const parent = element.parentElement || element.getRootNode().host;
    return color[3] === 0 ? ground(parent) : color[3] === undefined ? color : over(color, ground(parent));
  };
  const root = document.querySelector(selector).shadowRoot || document.querySelector(selector);
  const faint = [];
  for (const element of root.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest(":disabled") || !element.checkVisibility() || element.tagName === "STYLE") continue;
    const under = ground(element);
    const [a, b] = [light(over(channels(getComputedStyle(element).color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = element.className || element.tagName;
    if (ratio < 4.5) faint.push(`${name} ${ratio.toFixed(2)} ${element.textContent.slice(0, 20)}`);
  }
  return faint;
}
"""


def start(page: Page, api: RecordedApi, *, is_open: bool = True) -> None:
    page.goto(api.url)
    if is_open:
        page.locator(".launcher").click()
        field(page).wait_for()


def field(page: Page) -> Locator:
    return page.locator("open-teller #question")


def ask(page: Page, text: str) -> Locator:
    """Ask, wait for the end of the answer, and return the exchange."""
    count = page.locator(".exchange").count()
    field(page).fill(text)
    field(page).press("Enter")
    return settled(page, count)


def settled(page: Page, index: int) -> Locator:
    exchange = page.locator(".exchange").nth(index)
    exchange.locator(".reply:not([aria-busy])").wait_for()
    return exchange


def focused(page: Page) -> str:
    """Text or label of what has the focus within the widget."""
    label: str = page.evaluate(
        """() => {
          const element = document.querySelector("open-teller").shadowRoot.activeElement || document.activeElement;
          return element.getAttribute("aria-label") || element.value || element.textContent;
        }"""
    )
    return label


def test_an_answer_streams_in_and_replaces_nothing_it_said(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.pause = 0.15
    start(browser_page, recorded_api)
    field(browser_page).fill(QUESTION)
    field(browser_page).press("Enter")
    text = browser_page.locator(".reply .text")
    browser_page.wait_for_function("(t) => t.textContent.length > 3", arg=text.element_handle())
    partial = text.text_content() or ""
    assert browser_page.locator(".reply").get_attribute("aria-busy") == "true"
    exchange = settled(browser_page, 0)
    whole = exchange.locator(".text").text_content() or ""
    assert len(partial) < len(whole)
    assert whole.startswith(partial)
    assert ANSWER in whole
    assert exchange.locator(".question p").text_content() == QUESTION
    assert exchange.locator(".text").get_attribute("lang") == "zh-Hans"
    sent = recorded_api.bodies("/v1/inquiries/stream")[0]
    assert sent.keys() == {"text", "conversation_id", "channel"}
    assert (sent["text"], sent["channel"]) == (QUESTION, "widget")


def test_the_stream_is_read_right_however_it_is_cut(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.piece = 1  # Within a line, within a Chinese character.
    start(browser_page, recorded_api)
    assert ANSWER in (ask(browser_page, QUESTION).locator(".text").text_content() or "")
    read = """async (pieces) => {
      const { readEvents } = await import("/widget/parts/events.js");
      const stream = new ReadableStream({ start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      } });
      const found = [];
      for await (const event of readEvents(stream)) found.push([event.event, event.data]);
      return found;
    }"""
    pieces = [
        ": keep-alive\r\n\r\nevent: a\r",
        '\ndata: {"x":\r\ndata:1}\r\n\r\n',
        "data: 2\n\n",
        "event: cut\ndata: 3\n",
    ]
    assert browser_page.evaluate(read, pieces) == [["a", {"x": 1}], ["message", 2]]


def test_a_citation_opens_its_document_with_the_passage_marked(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    chip = exchange.get_by_role("button", name="查看出处 1：人民币定期存款利率是多少")
    chip.click()
    sheet = browser_page.get_by_role("dialog", name="人民币定期存款利率是多少")
    sheet.locator("mark").wait_for()
    assert sheet.locator("mark").text_content() == "利率在存入当天锁定，存期内不随调整变动，到期一次还本付息。"
    assert "自 2026-01-01 起有效" in (sheet.text_content() or "")
    assert focused(browser_page) == "人民币定期存款利率是多少"
    browser_page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    assert focused(browser_page).startswith("查看出处 1")
    assert browser_page.locator(".panel").is_visible()


@pytest.mark.parametrize("is_gone", [True, False], ids=["document gone", "figures not filled in"])
def test_a_citation_always_shows_at_least_its_passage(
    browser_page: Page, recorded_api: RecordedApi, is_gone: bool
) -> None:
    if is_gone:
        recorded_api.refused_paths.add("/v1/documents/deposit-insurance:zh")
    start(browser_page, recorded_api)
    ask(browser_page, QUESTION).locator(".chip").nth(1).click()
    body = browser_page.locator(".sheet .document")
    body.locator("blockquote").wait_for()
    assert "最高全额偿付50万元" in (body.text_content() or "")
    assert "{{" not in (body.text_content() or "")
    assert ("没能打开这份资料" in (body.text_content() or "")) is is_gone


def test_an_inline_number_is_a_chip_and_generated_text_says_so(open_page: OpenPage, recorded_api: RecordedApi) -> None:
    page = open_page(locale="en-GB")
    start(page, recorded_api)
    exchange = ask(page, "What does a deposit pay?")
    assert "[1]" not in (exchange.locator(".text").text_content() or "")
    assert exchange.locator(".maker").text_content() == "AI-generated · AI 生成"
    exchange.locator(".text .chip").click()
    page.locator(".sheet mark").wait_for()
    assert "fixed on the day you deposit" in (page.locator(".sheet mark").text_content() or "")


def test_a_dismissed_offer_goes_and_the_bank_learns_of_it(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    card = exchange.locator("[data-product=SAV-PLUS]")
    assert "日均余额达到1万元时" in (card.text_content() or "")
    card.get_by_role("button", name="不感兴趣：优享活期存款").click()
    exchange.locator(".offer.gone").wait_for()
    assert card.count() == 0
    assert focused(browser_page) == "好的，不再向您推荐“优享活期存款”。"
    assert exchange.locator(".offer:not(.gone)").count() == 1
    assert recorded_api.bodies("/offers/SAV-PLUS") == [{"action": "dismissed"}]


def test_an_offer_stays_when_the_choice_could_not_be_saved(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.refused_paths.add("SAV-PLUS")
    start(browser_page, recorded_api)
    card = ask(browser_page, QUESTION).locator("[data-product=SAV-PLUS]")
    card.get_by_role("button", name="不感兴趣").click()
    card.get_by_text("没能记下您的选择").wait_for()
    assert card.get_by_role("button", name="不感兴趣").is_enabled()


def test_tell_me_more_asks_about_the_product(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    ask(browser_page, QUESTION).get_by_role("button", name="了解更多：优享活期存款").click()
    second = settled(browser_page, 1)
    assert second.locator(".question p").text_content() == "介绍一下优享活期存款"
    assert recorded_api.bodies("/offers/SAV-PLUS") == [{"action": "opened"}]


def test_the_page_may_take_an_offer_over(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    browser_page.evaluate(
        """() => document.addEventListener("open-teller-offer", (event) => {
             event.preventDefault();
             window.offered = event.detail.product_id;
           })"""
    )
    ask(browser_page, QUESTION).get_by_role("button", name="了解更多：优享活期存款").click()
    browser_page.wait_for_function("() => window.offered === 'SAV-PLUS'")
    assert browser_page.locator(".exchange").count() == 1


def test_a_rating_with_a_comment_arrives_and_can_be_changed(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    assert not exchange.get_by_label("想补充什么").is_visible()
    exchange.get_by_role("radio", name="4 星").check()
    exchange.get_by_label("想补充什么").fill("  说得很清楚 ")
    exchange.get_by_role("button", name="提交评价").click()
    exchange.get_by_text("已评 4 星，谢谢您。").wait_for()
    exchange.get_by_role("button", name="修改评价").click()
    exchange.get_by_role("radio", name="2 星").check()
    exchange.get_by_role("button", name="提交评价").click()
    exchange.get_by_text("已评 2 星").wait_for()
    assert recorded_api.bodies("/satisfaction") == [{"rating": 4, "comment": "说得很清楚"}, {"rating": 2}]
    paths = {asked.path for asked in recorded_api.asked if asked.path.endswith("/satisfaction")}
    assert paths == {f"/v1/inquiries/{trace_id}/satisfaction" for trace_id in recorded_api.turns}


def test_a_rating_that_fails_keeps_stars_and_comment(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.refused_paths.add("satisfaction")
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    exchange.get_by_role("radio", name="3 星").check()
    exchange.get_by_label("想补充什么").fill("一般")
    exchange.get_by_role("button", name="提交评价").click()
    exchange.get_by_text("评价没有送出").wait_for()
    assert exchange.get_by_role("radio", name="3 星").is_checked()
    assert exchange.get_by_label("想补充什么").input_value() == "一般"
    recorded_api.refused_paths.clear()
    exchange.get_by_role("button", name="提交评价").click()
    exchange.get_by_text("已评 3 星").wait_for()


def test_the_interface_changes_language_and_the_conversation_does_not(
    browser_page: Page, recorded_api: RecordedApi
) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    answer = exchange.locator(".text").text_content()
    browser_page.get_by_role("button", name="Switch to English").click()
    assert exchange.get_by_role("button", name="Not interested: 优享活期存款").is_visible()
    assert exchange.get_by_role("radio", name="5 stars, very helpful").count() == 1
    assert exchange.locator(".text").text_content() == answer
    assert browser_page.get_by_role("heading", name="Pinebay Bank").first.is_visible()
    assert browser_page.locator("html").get_attribute("lang") == "en"
    assert field(browser_page).get_attribute("placeholder") == "Type your question, Enter to send"
    browser_page.reload()
    browser_page.get_by_role("button", name="Open the assistant").wait_for()
    browser_page.locator(".top #language").click()
    browser_page.get_by_role("button", name="打开智能助手").wait_for()


def test_both_languages_have_the_same_words(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api, is_open=False)
    zh, en, throws = browser_page.evaluate(
        """async () => {
          const { keys, word } = await import("/widget/parts/words.js");
          let throws = false;
          try { word("en", "no such word"); } catch { throws = true; }
          return [keys("zh"), keys("en"), throws];
        }"""
    )
    assert zh == en
    assert throws


@pytest.mark.parametrize(
    ("wish", "system", "expected"),
    [("auto", "zh-TW", "zh"), ("en-GB", "zh-CN", "en"), ("zh-Hant", "en", "zh"), (None, "fr-FR", "en")],
)
def test_language_is_chosen_from_the_wish_then_the_browser(
    browser_page: Page, recorded_api: RecordedApi, wish: str | None, system: str, expected: str
) -> None:
    start(browser_page, recorded_api, is_open=False)
    chosen = browser_page.evaluate(
        """async ([wish, system]) => (await import("/widget/parts/words.js")).chooseLanguage(wish, system)""",
        [wish, system],
    )
    assert chosen == expected


def test_everything_can_be_done_with_the_keyboard_alone(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api, is_open=False)
    press = browser_page.keyboard.press

    def tab_to(wanted: str, key: str = "Tab", limit: int = 40) -> None:
        for _ in range(limit):
            press(key)
            if focused(browser_page).startswith(wanted):
                return
        raise AssertionError(f"{wanted!r} is out of the keyboard's reach; the focus is on {focused(browser_page)!r}")

    browser_page.locator("#copy").focus()
    tab_to("打开智能助手")
    press("Enter")
    field(browser_page).wait_for()
    browser_page.keyboard.type(QUESTION)
    press("Enter")
    settled(browser_page, 0)
    assert field(browser_page).evaluate("(e) => e.getRootNode().activeElement === e")
    tab_to("查看出处 1", "Shift+Tab")
    outline = "() => getComputedStyle(document.querySelector('open-teller').shadowRoot.activeElement).outlineStyle"
    assert browser_page.evaluate(outline) == "solid"
    press("Enter")
    browser_page.locator(".sheet mark").wait_for()
    press("Escape")
    tab_to("不感兴趣：优享")
    press("Space")
    browser_page.locator(".offer.gone").wait_for()
    tab_to("5 星")  # Chromium comes back to the star that had the focus on the way up.
    press("ArrowLeft")
    press("ArrowLeft")
    assert focused(browser_page) == "3 星，一般"
    tab_to("提交评价")
    press("Enter")
    browser_page.get_by_text("已评 3 星").wait_for()
    press("Escape")
    browser_page.locator(".panel").wait_for(state="hidden")
    assert focused(browser_page) == "打开智能助手"
    assert recorded_api.bodies("/satisfaction") == [{"rating": 3}]


def test_enter_that_ends_a_composition_does_not_send(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    field(browser_page).fill("dingqi")
    field(browser_page).evaluate(
        """(e) => e.dispatchEvent(new KeyboardEvent("keydown",
             { key: "Enter", isComposing: true, bubbles: true, composed: true, cancelable: true }))"""
    )
    field(browser_page).press("Shift+Enter")
    assert field(browser_page).input_value() == "dingqi\n"
    assert recorded_api.bodies("/v1/inquiries/stream") == []


def test_on_a_phone_the_panel_fills_the_screen_and_keeps_the_focus(
    open_page: OpenPage, recorded_api: RecordedApi
) -> None:
    page = open_page(**PHONE)
    page.goto(recorded_api.url)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    page.locator(".launcher").tap()
    assert page.locator(".panel").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    assert page.locator(".panel").get_attribute("aria-modal") == "true"
    exchange = ask(page, QUESTION)
    log = page.locator(".log")
    assert log.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    box = exchange.locator(".question").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 400
    small = page.locator("open-teller button:visible, open-teller .star").evaluate_all(
        "(all) => all.filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.className)"
    )
    assert small == []  # WCAG 2.2, 2.5.8
    exchange.locator(".chip").first.tap()
    page.locator(".sheet mark").wait_for()
    assert page.locator(".sheet").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    assert page.locator(".panel").evaluate("(e) => e.inert")
    page.get_by_role("button", name="关闭出处").tap()
    assert not page.locator(".panel").evaluate("(e) => e.inert")
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.localName") == "open-teller"


def test_a_lost_connection_keeps_the_text_and_a_retry_sends_it(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.faults = ["drop", "cut"]
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    assert "网络没有连上，您的文字已保留。" in (exchange.locator(".failed").text_content() or "")
    exchange.get_by_role("button", name="重试").click()
    exchange.get_by_text("回答中途断开了").wait_for()
    assert exchange.locator(".text").count() == 0
    exchange.get_by_role("button", name="重试").click()
    exchange.locator(".rating").wait_for()
    assert ANSWER in (exchange.locator(".text").text_content() or "")
    assert exchange.locator(".failed").count() == 0
    sent = recorded_api.bodies("/v1/inquiries/stream")
    assert [body["text"] for body in sent] == [QUESTION] * 3
    assert len({body["conversation_id"] for body in sent}) == 1


def test_a_failed_question_can_be_edited_beside_what_was_typed_meanwhile(
    browser_page: Page, recorded_api: RecordedApi
) -> None:
    recorded_api.faults = [503]
    start(browser_page, recorded_api)
    exchange = ask(browser_page, QUESTION)
    field(browser_page).fill("还有一件事")
    exchange.get_by_role("button", name="修改文字").click()
    assert field(browser_page).input_value() == f"{QUESTION}\n还有一件事"
    assert browser_page.locator(".exchange").count() == 0


@pytest.mark.parametrize(
    ("fault", "locale", "words", "can_retry"),
    [
        (503, "zh-CN", ["服务暂时不可用", "The database does not answer.", "Try again in a minute."], True),
        (429, "en-GB", ["That was a little fast", "Too many requests in a short time."], True),
        (422, "en-GB", ["The message could not be used.", "The request cannot be used as it is."], False),
        ("error", "en-GB", ["The service is not available", "The database does not answer.", "Reference "], True),
    ],
)
def test_an_error_says_what_happened_and_what_to_do(
    open_page: OpenPage, recorded_api: RecordedApi, fault: int | str, locale: str, words: list[str], can_retry: bool
) -> None:
    page = open_page(locale=locale)
    recorded_api.faults = [fault]
    start(page, recorded_api)
    failed = ask(page, QUESTION).locator(".failed")
    said = failed.text_content() or ""
    assert [word for word in words if word not in said] == []
    assert failed.get_by_role("button", name=re.compile("重试|Try again")).count() == int(can_retry)


def test_an_expired_login_is_said_to_the_reader_and_to_the_page(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    browser_page.evaluate(
        "() => document.addEventListener('open-teller-unauthorised', () => { window.expired = true; }, true)"
    )
    browser_page.evaluate("() => document.querySelector('open-teller').login('e30.e30.sig')")
    browser_page.evaluate(
        "() => document.addEventListener('open-teller-unauthorised', (e) => e.stopImmediatePropagation(), true)"
    )
    recorded_api.faults = [401]
    exchange = ask(browser_page, "我的余额")
    assert "登录已失效" in (exchange.text_content() or "")
    assert browser_page.evaluate("() => window.expired")


def test_markup_in_anything_the_api_sends_is_shown_as_text(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, "脚本 <script>window.pwned=1</script>")
    assert '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>' in (
        exchange.locator(".text").text_content() or ""
    )
    assert exchange.locator("img, script, b, u, h1, i:not(.dots i)").count() == 0
    assert exchange.get_by_role("button", name="<u>quick</u>").is_visible()
    assert "<h1>offer</h1>" in (exchange.locator(".offer").text_content() or "")
    exchange.get_by_role("button", name="不感兴趣").click()
    exchange.locator(".offer.gone").wait_for()
    assert recorded_api.asked[-1].path.endswith("/offers/P/1 ?")
    exchange.locator(".sources .chip").click()
    sheet = browser_page.locator(".sheet")
    sheet.locator("mark").wait_for()
    assert sheet.locator("mark").text_content() == "<i>marked</i>"
    assert "<s>heading</s>" in (sheet.locator(".heading").text_content() or "")
    assert sheet.locator("script, i, s, b").count() == 0
    assert browser_page.evaluate("() => window.pwned") is None


def test_the_modules_never_make_markup_from_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org)"
    )
    sources = [*WIDGET.glob("*.js"), *WIDGET.glob("parts/*.js")]
    assert len(sources) > 8
    hits = {path.name: found for path in sources if (found := forbidden.findall(_code(path.read_text("utf-8"))))}
    assert hits == {}
    page = (WIDGET / "index.html").read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page) == []


def _code(source: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", source, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "kind", "notice"),
    [
        ("卡的事", "clarify", "想先确认一下您的意思"),
        ("买哪只股票好", "refused", "这个问题我不能回答"),
        ("转人工", "handed_off", "已转人工服务"),
    ],
)
def test_each_outcome_says_what_it_is(
    browser_page: Page, recorded_api: RecordedApi, text: str, kind: str, notice: str
) -> None:
    start(browser_page, recorded_api)
    exchange = ask(browser_page, text)
    assert notice in (exchange.locator(f".notice.{kind}").text_content() or "")
    assert exchange.locator(".maker").text_content() == "AI 助手 · AI assistant"


def test_a_suggestion_is_a_quick_reply(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    ask(browser_page, "卡的事").get_by_role("button", name="怎么激活新卡").click()
    assert settled(browser_page, 1).locator(".question p").text_content() == "怎么激活新卡"
    assert len({body["conversation_id"] for body in recorded_api.bodies("/v1/inquiries/stream")}) == 1


def test_the_counter_counts_characters_and_stops_the_sending_not_the_typing(
    browser_page: Page, recorded_api: RecordedApi
) -> None:
    start(browser_page, recorded_api)
    send = browser_page.get_by_role("button", name="发送", exact=True)
    assert send.is_disabled()
    field(browser_page).fill("问" * 3_999 + "🙂")
    assert browser_page.locator(".count").text_content() == "4,000 / 4,000"
    assert send.is_enabled()
    field(browser_page).fill("问" * 4_003)
    assert browser_page.get_by_text("超出 3 个字").is_visible()
    assert send.is_disabled()
    field(browser_page).press("Enter")
    assert len(field(browser_page).input_value()) == 4_003
    assert recorded_api.bodies("/v1/inquiries/stream") == []


def test_an_answer_can_be_stopped_and_typing_goes_on_meanwhile(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.pause = 0.4
    start(browser_page, recorded_api)
    field(browser_page).fill(QUESTION)
    field(browser_page).press("Enter")
    browser_page.locator(".reply .text:not(:empty)").wait_for()
    field(browser_page).fill("下一个问题")
    field(browser_page).press("Enter")
    assert field(browser_page).input_value() == "下一个问题"
    browser_page.get_by_role("button", name="停止").click()
    exchange = settled(browser_page, 0)
    assert "已停止，回答不完整。" in (exchange.text_content() or "")
    assert exchange.get_by_role("button", name="重试").is_visible()
    assert field(browser_page).input_value() == "下一个问题"


def test_the_conversation_survives_a_change_of_page_and_ends_on_request(
    browser_page: Page, recorded_api: RecordedApi
) -> None:
    start(browser_page, recorded_api)
    ask(browser_page, QUESTION)
    start(browser_page, recorded_api)
    browser_page.get_by_text("这是您先前的对话。").wait_for()
    assert ANSWER in (browser_page.locator(".exchange .text").text_content() or "")
    ask(browser_page, "人工")
    kept = browser_page.evaluate("() => JSON.stringify(sessionStorage)")
    assert QUESTION not in kept
    assert "利率" not in kept
    browser_page.get_by_role("button", name="新对话").click()
    assert browser_page.locator(".exchange").count() == 0
    ask(browser_page, QUESTION)
    first, second, third = [body["conversation_id"] for body in recorded_api.bodies("/v1/inquiries/stream")]
    assert first == second != third


def test_logging_in_changes_the_speaker_and_the_conversation(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    ask(browser_page, QUESTION)
    browser_page.get_by_role("button", name="客户 C000001").click()
    browser_page.get_by_text("已登录：demo.lin").wait_for()
    assert browser_page.get_by_role("button", name="客户 C000001").get_attribute("aria-pressed") == "true"
    assert browser_page.locator(".exchange").count() == 0
    ask(browser_page, "我的余额")
    visitor, customer = [asked for asked in recorded_api.asked if asked.path == "/v1/inquiries/stream"]
    assert "Authorization" not in visitor.headers
    assert customer.headers["Authorization"].startswith("Bearer e30.")
    assert visitor.body["conversation_id"] != customer.body["conversation_id"]


def test_a_conversation_that_is_gone_starts_anew_by_itself(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    ask(browser_page, QUESTION)
    for conversation in recorded_api.owners:
        recorded_api.owners[conversation] = "somebody else"
    exchange = ask(browser_page, "人工")
    assert exchange.locator(".rating").is_visible()
    assert browser_page.get_by_text("已开始新的对话。").is_visible()


def test_embedded_the_panel_fills_its_box(open_page: OpenPage, recorded_api: RecordedApi) -> None:
    page = open_page(viewport={"width": 900, "height": 700})
    start(page, recorded_api, is_open=False)
    page.evaluate(
        """() => {
          const teller = document.createElement("open-teller");
          teller.setAttribute("embedded", "");
          teller.id = "inside";
          document.querySelector("#main").prepend(teller);
        }"""
    )
    inside = page.locator("#inside")
    box, panel = inside.bounding_box(), inside.locator(".panel").bounding_box()
    assert box == panel
    assert not inside.locator(".launcher").is_visible()
    inside.locator("#question").fill(QUESTION)
    inside.locator("#question").press("Enter")
    inside.locator(".chip").first.click()
    inside.locator(".sheet mark").wait_for()
    assert inside.locator(".panel").evaluate("(e) => e.inert")
    page.keyboard.press("Escape")
    inside.locator(".sheet").wait_for(state="hidden")
    page.keyboard.press("Escape")
    assert inside.locator(".panel").is_visible()


def test_on_another_origin_the_visitor_is_known_by_the_header(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api, is_open=False)
    headers = browser_page.evaluate(
        """async () => {
          const seen = [];
          window.fetch = async (url, options) => {
            seen.push([options.credentials, options.headers["X-OpenTeller-Visitor"] || ""]);
            return new Response("{}", { headers: { "X-OpenTeller-Visitor": "signed" } });
          };
          const { Client } = await import("/widget/parts/client.js");
          const client = new Client("https://teller.bank.example/here");
          await client.turn("1");
          await client.turn("2");
          return [client.base, ...seen];
        }"""
    )
    assert headers == ["https://teller.bank.example/here/", ["omit", ""], ["omit", "signed"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(open_page: OpenPage, recorded_api: RecordedApi, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    start(page, recorded_api)
    for text in (QUESTION, "卡的事", "买哪只股票好", "转人工"):
        exchange = ask(page, text)
    exchange.get_by_role("radio", name="4 星").check()
    page.locator(".offer button.plain").first.click()
    recorded_api.faults = ["error"]
    ask(page, QUESTION)
    field(page).fill("问" * 4_001)
    page.locator(".sources .chip").first.click()
    page.locator(".sheet mark").wait_for()
    assert page.evaluate(FAINT, "open-teller") == []
    assert page.evaluate(FAINT, "#main .pair") == []
    assert page.evaluate(FAINT, ".fiction") == []


def test_screen_readers_find_the_log_the_labels_and_the_headings(browser_page: Page, recorded_api: RecordedApi) -> None:
    start(browser_page, recorded_api)
    assert field(browser_page).evaluate("(e) => e.clientHeight >= 36")  # The placeholder shows whole.
    log = browser_page.get_by_role("log", name="对话内容")
    assert log.get_attribute("aria-live") == "polite"
    assert browser_page.get_by_role("dialog", name="松湾银行").is_visible()
    assert browser_page.get_by_role("textbox", name="您的问题").is_visible()
    exchange = ask(browser_page, QUESTION)
    assert exchange.get_by_role("group", name="这个回答有帮助吗？").get_by_role("radio").count() == 5
    nameless = browser_page.locator("open-teller button").evaluate_all(
        "(all) => all.filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert nameless == 0


def test_motion_is_left_out_for_those_who_wish(open_page: OpenPage, recorded_api: RecordedApi) -> None:
    names = []
    for wish in ("reduce", "no-preference"):
        page = open_page(reduced_motion=wish)
        start(page, recorded_api)
        names.append(page.locator(".panel").evaluate("(e) => getComputedStyle(e).animationName"))
    assert names == ["none", "rise"]


def test_the_demo_page_says_that_the_bank_is_fictional_and_how_to_embed(
    browser_page: Page, recorded_api: RecordedApi
) -> None:
    start(browser_page, recorded_api, is_open=False)
    assert browser_page.locator(".fiction strong:visible").all_text_contents() == ["虚构的演示银行"]
    browser_page.locator("#language").click()
    assert browser_page.locator(".fiction strong:visible").all_text_contents() == ["A fictional demonstration bank"]
    snippet = browser_page.locator("#snippet").text_content() or ""
    assert f'src="{recorded_api.url}/widget/open-teller.js"></script>' in snippet
    assert f'<open-teller src="{recorded_api.url}"' in snippet
    browser_page.locator("#questions button:visible").first.click()
    assert settled(browser_page, 0).locator(".question p").text_content() == "What does a one-year deposit pay?"


def test_without_demo_logins_the_page_says_why(browser_page: Page, recorded_api: RecordedApi) -> None:
    recorded_api.refused_paths.add("/v1/demo/logins")
    start(browser_page, recorded_api, is_open=False)
    browser_page.get_by_text("演示登录未开启").wait_for()
    assert browser_page.locator("#people button").count() == 0
