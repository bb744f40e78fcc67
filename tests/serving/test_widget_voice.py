"""Calls from the widget in a real Chromium, whose microphone is a sound file; the other end is scripted.

What the browser plays is judged on the audio clock of an offline context, where no machine is too slow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from tests.browser import chromium
from tests.serving.recorded_api import RECORDINGS
from tests.serving.scripted_voice import NOTICE, RATE_IN, RATE_OUT, READY, ScriptedVoice, serve_scripted
from tests.serving.test_widget import FAINT, PHONE, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page

    from tests.browser import OpenPage

HEARD = "定期存款利率是多少？"
TURN = {**json.loads(RECORDINGS.read_text("utf-8"))["turns"]["利率"], "trace_id": "trace-1"}
FIRST, SECOND = TURN["answer"]["text"].split("。")[:2]
TONE = 440
# Counts the tracks that live, so that a test can see whether the microphone was given back.
TRACKS = """
(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (wishes) => {
    window.wishes = wishes;
    const stream = await ask(wishes);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
  for (const type of ["open-teller-call", "open-teller-call-end"]) {
    addEventListener(type, ({ detail }) => (window[type] = detail));
  }
})();
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with a microphone in which a tone comes and goes four times a second, for pages that have permission."""
    file = tmp_path_factory.mktemp("microphone") / "tone.wav"
    soundfile.write(file, tone(TONE, 1.0, 48_000) * (np.arange(48_000) % 12_000 < 8_000), 48_000, subtype="PCM_16")
    with chromium(
        "--deny-permission-prompts", "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={file}"
    ) as found:
        yield found


@pytest.fixture
def browser_page(open_page: OpenPage) -> Page:
    """A page that may use the microphone."""
    return open_page(permissions=["microphone"])


@pytest.fixture
def voice() -> Iterator[ScriptedVoice]:
    with serve_scripted() as found:
        yield found


def tone(hertz: float, seconds: float, rate: int, loudness: float = 0.3) -> NDArray[np.float64]:
    return loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def show(page: Page, voice: ScriptedVoice) -> None:
    page.add_init_script(TRACKS)
    page.goto(voice.url)
    page.locator(".launcher").click()
    field(page).wait_for()


def call(page: Page, voice: ScriptedVoice) -> None:
    """Press the button and wait until the other end is ready."""
    show(page, voice)
    button(page).click()
    page.wait_for_function("() => window['open-teller-call']")


def button(page: Page) -> Any:
    return page.locator("open-teller .composer .call")


def state(page: Page, text: str) -> None:
    page.locator(".voice .state", has_text=text).wait_for()


def level(page: Page, side: str, least: float) -> None:
    page.wait_for_function(
        """([side, least]) => {
          const meter = document.querySelector("open-teller").shadowRoot.querySelector(`.${side} .bars`);
          return Number(getComputedStyle(meter).getPropertyValue("--level")) >= least;
        }""",
        arg=[side, least],
    )


def lit(page: Page) -> list[str]:
    """What is lit up as being spoken."""
    found: list[str] = page.evaluate("() => [...(CSS.highlights.get('open-teller-spoken') || [])].map(String)")
    return found


def released(page: Page) -> bool:
    return bool(page.evaluate("() => window.tracks.length > 0 && window.tracks.every((t) => t.readyState === 'ended')"))


def ended(page: Page) -> str:
    """Wait for the end of the call; its reason."""
    page.wait_for_function("() => window['open-teller-call-end']")
    reason: str = page.evaluate("() => window['open-teller-call-end'].reason")
    return reason


def hertz(samples: NDArray[np.float64], rate: int) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


def test_a_call_carries_the_microphone_at_16_khz_and_shows_both_sides(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    show(page, voice)
    assert button(page).get_attribute("aria-pressed") == "false"
    assert button(page).get_attribute("aria-label") == "语音通话"
    assert not page.locator(".voice").is_visible()
    button(page).focus()
    page.keyboard.press("Enter")
    state(page, "请说，我在听")
    assert button(page).get_attribute("aria-pressed") == "true"
    assert page.locator(".voice .caption", has_text=NOTICE).is_visible()
    start = voice.said[0]
    assert (start["type"], start["mode"], start["rate"], start["record"]) == ("start", "hands-free", RATE_IN, False)
    assert page.evaluate("() => window['open-teller-call']") == {"call_id": "call-1"}
    wishes = page.evaluate("() => window.wishes.audio")
    assert [wishes[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")] == [True] * 3
    voice.wait(lambda v: len(v.samples) > 2 * RATE_IN)
    assert voice.sizes == {1_024}  # 32 ms each
    assert hertz(voice.samples[-RATE_IN:], RATE_IN) == pytest.approx(TONE, abs=4)
    level(page, "you", 0.3)
    level(page, "assistant", 0)
    voice.tell(type="state", state="speaking")
    voice.play(tone(660, 1.5, RATE_OUT))
    level(page, "assistant", 0.5)
    state(page, "正在回答")


def test_what_is_heard_becomes_an_exchange_with_sources_offers_and_rating(
    browser_page: Page, voice: ScriptedVoice
) -> None:
    page = browser_page
    call(page, voice)
    voice.tell(type="state", state="hearing")
    voice.tell(type="partial", text="定期存款")
    page.locator(".voice .partial", has_text="定期存款").wait_for()
    assert page.locator(".exchange").count() == 0
    turn = voice.hear(HEARD)
    voice.tell(type="state", state="thinking")
    page.locator(".exchange .thinking").wait_for()
    assert page.locator(".voice .partial").text_content() == ""
    voice.answer(turn, TURN)
    exchange = page.locator(".exchange")
    exchange.locator(".rating").wait_for()
    assert exchange.locator(".question p").text_content() == HEARD
    assert FIRST in (exchange.locator(".text").text_content() or "")
    assert exchange.locator(".offer").count() == 2
    exchange.locator(".sources .chip").first.click()
    page.locator(".sheet blockquote, .sheet mark").first.wait_for()
    page.keyboard.press("Escape")
    exchange.get_by_role("radio", name="4 星").check()
    exchange.get_by_role("button", name="提交评价").click()
    exchange.get_by_text("已评 4 星").wait_for()
    path, headers = voice.requests[-1]
    assert path == "/v1/inquiries/trace-1/satisfaction"
    # The call met this visitor first, so no cookie speaks for them.
    assert headers["x-openteller-visitor"] == "visitor-token"
    kept = page.evaluate("() => Object.entries(sessionStorage).find(([key]) => key.includes('visitor'))[1]")
    assert json.loads(kept)["turns"] == ["trace-1"]
    assert json.loads(kept)["conversation"] == READY["conversation_id"]


def test_the_sentence_being_spoken_is_lit_up_and_an_interruption_ends_it(
    browser_page: Page, voice: ScriptedVoice
) -> None:
    page = browser_page
    call(page, voice)
    turn = voice.hear(HEARD)
    voice.answer(turn, TURN)
    voice.tell(type="state", state="speaking")
    voice.tell(type="say", text=FIRST + "。", index=0)
    voice.play(tone(660, 0.4, RATE_OUT))
    voice.tell(type="say", text=SECOND + "。", index=1)
    voice.play(tone(660, 20, RATE_OUT))
    page.wait_for_function(
        "(text) => [...(CSS.highlights.get('open-teller-spoken') || [])].join() === text", arg=SECOND + "。"
    )
    voice.tell(type="interrupted", heard=FIRST)
    page.get_by_text("朗读到此被您打断").wait_for()
    assert lit(page) == []
    voice.wait(lambda v: bool(v.messages("played")))
    assert 0 < voice.messages("played")[0]["ms"] < 20_000
    page.wait_for_function(
        """() => {
          const bars = document.querySelector("open-teller").shadowRoot.querySelector(".assistant .bars");
          return getComputedStyle(bars).getPropertyValue("--level") === "0.000";
        }"""
    )
    voice.tell(type="resumed")
    page.get_by_text("朗读到此被您打断").wait_for(state="detached")
    voice.play(tone(660, 1, RATE_OUT))
    level(page, "assistant", 0.5)


def test_hush_silences_at_once_and_drops_what_is_still_on_its_way(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    call(page, voice)
    hush = page.get_by_role("button", name="停止朗读")
    assert hush.is_disabled()
    voice.tell(type="state", state="speaking")
    voice.play(tone(660, 20, RATE_OUT))
    level(page, "assistant", 0.5)
    hush.click()
    voice.wait(lambda v: bool(v.messages("hush")))
    assert [message["type"] for message in voice.said[-2:]] == ["played", "hush"]
    voice.play(tone(660, 2, RATE_OUT))
    voice.tell(type="partial", text="后面没有声音")
    page.locator(".partial", has_text="后面没有声音").wait_for()
    page.wait_for_timeout(300)  # Longer than the cushion: what was let through would sound by now.
    level(page, "assistant", 0)
    bars = page.locator(".assistant .bars").evaluate("(e) => getComputedStyle(e).getPropertyValue('--level')")
    assert bars == "0.000"
    voice.tell(type="state", state="listening")
    voice.tell(type="state", state="speaking")
    voice.play(tone(660, 1, RATE_OUT))
    level(page, "assistant", 0.5)


def test_commands_and_asides_that_bring_no_answer_do_not_wait_for_one(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    call(page, voice)
    voice.hear("停", 0.9)
    voice.tell(type="state", state="thinking")
    voice.tell(type="state", state="listening")
    page.locator(".exchange .thinking").wait_for(state="detached")
    voice.hear("嗯嗯嗯", 0.2)
    voice.tell(type="say", text="不好意思，我没听清。", index=0)
    page.locator(".exchange").nth(1).locator(".text", has_text="我没听清").wait_for()
    turn = voice.hear(HEARD)
    voice.tell(type="notice", code="busy", text="请您稍等一下。")
    voice.tell(type="say", text="请您稍等一下。", index=0)
    last = page.locator(".exchange").nth(2)
    last.locator(".text", has_text="请您稍等").wait_for()
    voice.answer(turn, TURN)
    last.locator(".rating").wait_for()
    assert last.locator(".text").text_content() == TURN["answer"]["text"]
    assert page.locator(".exchange .rating").count() == 1
    voice.tell(type="say", text="请问您还在吗？", index=0)
    page.locator(".said", has_text="请问您还在吗").wait_for()


def test_typed_questions_go_by_the_call_and_each_answer_to_its_own(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    call(page, voice)
    for text in ("第一个", "第二个"):
        field(page).fill(text)
        field(page).press("Enter")
    voice.wait(lambda v: len(v.messages("text")) == 2)
    assert [message["text"] for message in voice.messages("text")] == ["第一个", "第二个"]
    names = [message["turn"] for message in voice.messages("text")]
    for number in (2, 1):  # the second is answered first: its question needed no model
        answered = {**TURN, "trace_id": f"trace-{number}", "answer": {**TURN["answer"], "text": f"回答 {number}"}}
        voice.answer(names[number - 1], answered)
    page.locator(".exchange .rating").nth(1).wait_for()
    assert page.locator(".exchange .text").all_text_contents() == ["回答 1", "回答 2"]
    assert page.locator(".exchange .question p").all_text_contents() == ["第一个", "第二个"]


def test_a_failed_answer_offers_a_retry_and_the_call_goes_on(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    call(page, voice)
    turn = voice.hear(HEARD)
    voice.tell(
        type="error", turn=turn, status=503, what="The database does not answer.", cause="", next_step="Wait a minute."
    )
    failed = page.locator(".exchange .failed")
    failed.wait_for()
    assert "The database does not answer. Wait a minute." in (failed.text_content() or "")
    assert failed.get_by_role("button", name="重试").is_visible()
    voice.tell(type="notice", code="text_only", text="语音播报暂时不可用，我会用文字回答您。")
    page.locator(".said", has_text="语音播报暂时不可用").wait_for()
    assert button(page).get_attribute("aria-pressed") == "true"


def test_push_to_talk_by_space_mouse_and_touch_sends_silence_in_between(
    open_page: OpenPage, voice: ScriptedVoice
) -> None:
    page = open_page(has_touch=True, permissions=["microphone"])
    call(page, voice)
    page.get_by_role("button", name="按住说话", exact=True).click()
    state(page, "按住按钮说话")
    hold = page.locator(".hold")
    assert hold.evaluate("(e) => e === e.getRootNode().activeElement")
    voice.wait(lambda v: len(v.samples) > RATE_IN and not v.samples[-4_096:].any())
    page.keyboard.down("Space")
    page.keyboard.down("Space")  # The key repeats.
    voice.wait(lambda v: bool(v.messages("talk")) and v.samples[-4_096:].any())
    assert "松开结束" in (hold.text_content() or "")
    page.keyboard.up("Space")
    voice.wait(lambda v: not v.samples[-4_096:].any())
    assert [message["on"] for message in voice.messages("talk")] == [True, False]
    box = hold.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    voice.wait(lambda v: len(v.messages("talk")) == 3)
    page.mouse.move(10, 10)  # The pointer slides off; letting go counts all the same.
    page.mouse.up()
    voice.wait(lambda v: len(v.messages("talk")) == 4)
    finger = page.context.new_cdp_session(page)
    spot = {"x": box["x"] + 30, "y": box["y"] + 20}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot]})
    voice.wait(lambda v: len(v.messages("talk")) == 5)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    voice.wait(lambda v: len(v.messages("talk")) == 6)
    assert [message["on"] for message in voice.messages("talk")] == [True, False] * 3
    page.get_by_role("button", name="免提").click()
    voice.wait(lambda v: v.samples[-4_096:].any())


def test_hanging_up_gives_the_microphone_back_and_another_call_can_follow(
    browser_page: Page, voice: ScriptedVoice
) -> None:
    page = browser_page
    call(page, voice)
    assert not released(page)
    page.get_by_role("button", name="结束通话").click()
    assert ended(page) == "bye"
    assert released(page)
    voice.wait(lambda v: v.said[-1] == {"type": "bye"} and v.closed == 1)
    assert not page.locator(".voice").is_visible()
    assert button(page).evaluate("(e) => e === e.getRootNode().activeElement")
    button(page).click()
    voice.wait(lambda v: len(v.messages("start")) == 2)
    assert voice.messages("start")[1]["visitor"] == "visitor-token"
    assert voice.messages("start")[1]["conversation_id"] == READY["conversation_id"]


DEEDS = (
    "teller.hangUp()",
    "teller.startAnew()",
    "teller.login('e30.eyJzdWIiOiJ4In0.x')",
    "teller.logout()",
    "dispatchEvent(new PageTransitionEvent('pagehide'))",
    "teller.open = false",
    "teller.setAttribute('voice', 'off'), teller.removeAttribute('voice')",
    "teller.remove()",
)


def test_whatever_ends_the_call_gives_the_microphone_back(browser_page: Page, voice: ScriptedVoice) -> None:
    show(browser_page, voice)
    for number, deed in enumerate(DEEDS, 1):
        browser_page.evaluate(
            "() => { delete window['open-teller-call']; document.querySelector('open-teller').talk(); }"
        )
        browser_page.wait_for_function("() => window['open-teller-call']")
        assert not released(browser_page)
        browser_page.evaluate(f"() => {{ const teller = document.querySelector('open-teller'); {deed}; }}")
        assert released(browser_page), deed
        voice.wait(lambda v, number=number: v.closed == number)


def test_there_is_one_call_in_a_page(browser_page: Page, voice: ScriptedVoice) -> None:
    call(browser_page, voice)
    browser_page.evaluate(
        """() => {
          const other = document.createElement("open-teller");
          other.id = "other";
          document.body.append(other);
          other.talk();
        }"""
    )
    voice.wait(lambda v: v.calls == 2 and v.closed == 1)
    assert button(browser_page).first.get_attribute("aria-pressed") == "false"
    assert browser_page.locator("#other .composer .call").get_attribute("aria-pressed") == "true"


def test_a_call_given_up_before_the_microphone_comes_gives_it_back(browser_page: Page, voice: ScriptedVoice) -> None:
    show(browser_page, voice)
    browser_page.evaluate(
        """() => {
          const teller = document.querySelector("open-teller");
          teller.talk();
          teller.hangUp();
        }"""
    )
    browser_page.wait_for_function("() => window.tracks.length && window.tracks.every((t) => t.readyState === 'ended')")
    assert voice.calls == 0


NO_MICROPHONE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); }"
HINDRANCES = (
    (NO_MICROPHONE % "NotAllowedError", "denied", "没有获准使用麦克风。浏览器或系统拒绝了权限。请在地址栏"),
    (NO_MICROPHONE % "NotFoundError", "no_microphone", "没有找到麦克风。麦克风可能没有接好"),
    (NO_MICROPHONE % "NotReadableError", "microphone_busy", "麦克风打不开。它可能正被其他程序占用"),
    ("delete window.AudioWorkletNode", "unsupported", "这个浏览器不支持语音通话"),
    (
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined }),"
        "Object.defineProperty(window, 'isSecureContext', { value: false })",
        "insecure",
        "浏览器只在安全连接（https）下提供麦克风",
    ),
)


def test_without_a_microphone_the_widget_says_why_and_takes_text(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    show(page, voice)
    alert = page.locator(".voice [role=alert]")
    for hindrance, reason, words in HINDRANCES:
        page.evaluate(f"() => {{ delete window['open-teller-call-end']; {hindrance}; }}")
        button(page).click()
        assert ended(page) == reason
        assert words in (alert.text_content() or "")
        assert button(page).get_attribute("aria-pressed") == "false"
    assert voice.calls == 0
    page.get_by_role("button", name="Switch to English").click()
    assert "or type your question" in (alert.text_content() or "")
    field(page).fill("打字也行")
    field(page).press("Enter")
    page.locator(".exchange").wait_for()
    page.get_by_role("button", name="OK", exact=True).click()
    assert not page.locator(".voice").is_visible()


def test_a_permission_really_refused_is_told(open_page: OpenPage, voice: ScriptedVoice) -> None:
    page = open_page(locale="en-GB")
    show(page, voice)
    button(page).click()
    assert ended(page) == "denied"
    assert page.get_by_text("The microphone was not allowed.").is_visible()


ENDINGS: tuple[tuple[Callable[[ScriptedVoice], None], str, str], ...] = (
    (lambda voice: voice.close(1011), "fault", "语音服务出了问题"),
    (lambda voice: voice.tell(type="closed", reason="silence"), "silence", "有一会儿没听到您说话"),
    (lambda voice: voice.tell(type="closed", reason="timeout"), "timeout", "通话已到时长上限"),
    (lambda voice: voice.tell(type="closed", reason="error"), "fault", "语音服务出了问题"),
    (lambda voice: voice.cut(), "dropped", "语音通话中断了"),
)


def test_however_the_call_ends_it_is_told_and_text_goes_on(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    call(page, voice)
    alert = page.locator(".voice [role=alert]")
    for number, (end, reason, words) in enumerate(ENDINGS):
        voice.hear(HEARD, 0.9)
        exchange = page.locator(".exchange").nth(number)
        exchange.locator(".thinking").wait_for()
        end(voice)
        assert ended(page) == reason
        assert released(page)
        assert words in (alert.text_content() or "")
        assert exchange.get_by_role("button", name="重试").is_visible()
        assert page.locator(".exchange [aria-busy]").count() == 0
        page.evaluate("() => { delete window['open-teller-call']; delete window['open-teller-call-end']; }")
        page.get_by_role("button", name="重新通话").click()
        page.wait_for_function("() => window['open-teller-call']")
        assert alert.text_content() == ""


REFUSALS = (
    (429, "All lines are taken.", 4429, "busy", "现在通话的人很多"),
    (503, "Voice is not installed.", 1000, "unreachable", "语音通话没有接通"),
    (401, "The token has expired.", 4401, "unauthorised", "登录已失效"),
)


def test_a_call_that_is_refused_says_why_in_both_sides_words(browser_page: Page, voice: ScriptedVoice) -> None:
    page = browser_page
    show(page, voice)
    page.evaluate("() => addEventListener('open-teller-unauthorised', () => (window.unauthorised = true))")
    for status, what, code, reason, words in REFUSALS:
        voice.opening, voice.refusal = ({"type": "error", "status": status, "what": what},), code
        page.evaluate("() => { delete window['open-teller-call-end']; }")
        button(page).click()
        assert ended(page) == reason
        text = page.locator(".voice [role=alert]").text_content() or ""
        assert words in text
        assert what in text
        assert bool(page.evaluate("() => window.unauthorised")) is (code == 4401)
        assert released(page)


def test_a_server_without_voice_is_told_apart_from_a_call_that_broke(browser_page: Page, voice: ScriptedVoice) -> None:
    show(browser_page, voice)
    browser_page.evaluate("() => document.querySelector('open-teller').setAttribute('src', '/nowhere/')")
    button(browser_page).click()
    assert ended(browser_page) == "unreachable"
    assert released(browser_page)


def test_a_microphone_pulled_out_ends_the_call(browser_page: Page, voice: ScriptedVoice) -> None:
    call(browser_page, voice)
    browser_page.evaluate("() => window.tracks[0].dispatchEvent(new Event('ended'))")
    assert ended(browser_page) == "microphone_lost"
    assert released(browser_page)


def test_over_webrtc_the_same_call_goes_by_tracks_and_a_data_channel(browser_page: Page, voice: ScriptedVoice) -> None:
    pytest.importorskip("aiortc", reason="no WebRTC: pip install openteller[voice]")
    page = browser_page
    show(page, voice)
    page.evaluate("() => document.querySelector('open-teller').setAttribute('voice', 'webrtc')")
    button(page).click()
    page.wait_for_function("() => window['open-teller-call']")
    assert voice.said[0]["type"] == "start"
    voice.wait(lambda v: len(v.samples) > 2 * 48_000 and v.samples[-48_000:].any())
    assert hertz(voice.samples[-96_000::2], 48_000) == pytest.approx(TONE, abs=6)
    voice.tell(type="state", state="speaking")
    level(page, "assistant", 0.5)
    page.get_by_role("button", name="停止朗读").click()
    voice.wait(lambda v: bool(v.messages("hush")))
    assert voice.messages("played")[0]["ms"] > 0
    page.wait_for_function(
        """() => {
          const bars = document.querySelector("open-teller").shadowRoot.querySelector(".assistant .bars");
          return Number(getComputedStyle(bars).getPropertyValue("--level")) === 0;
        }"""
    )
    page.get_by_role("button", name="结束通话").click()
    assert ended(page) == "bye"
    assert released(page)
    voice.wait(lambda v: v.said[-1] == {"type": "bye"} and v.closed == 1)


def test_voice_off_leaves_no_button(browser_page: Page, voice: ScriptedVoice) -> None:
    show(browser_page, voice)
    browser_page.evaluate("() => document.querySelector('open-teller').setAttribute('voice', 'off')")
    assert not button(browser_page).is_visible()
    browser_page.evaluate("() => document.querySelector('open-teller').talk()")
    assert browser_page.evaluate("() => window.tracks.length") == 0


@pytest.mark.parametrize("size", [{"color_scheme": "dark"}, PHONE], ids=["dark desk", "light phone"])
def test_every_text_of_the_bar_stands_out_and_fits(
    open_page: OpenPage, voice: ScriptedVoice, size: dict[str, Any]
) -> None:
    page = open_page(locale="en-GB", permissions=["microphone"], **size)
    call(page, voice)
    voice.tell(type="state", state="speaking")
    voice.tell(type="partial", text="What does a one-year deposit pay")
    voice.tell(type="notice", code="unsure", text="Sorry, I did not catch that.")
    page.locator(".said", has_text="Sorry").wait_for()
    page.get_by_role("button", name="Push to talk", exact=True).click()
    assert page.evaluate(FAINT, "open-teller") == []
    bar = page.locator(".voice")
    assert bar.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    tops = bar.locator(".controls > *").evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().top)")
    assert max(tops) - min(tops) < 20  # One row.
    small = bar.locator("button:visible").evaluate_all(
        "(all) => all.filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.className)"
    )
    assert small == []
    voice.close(1011)
    page.locator(".voice .failed").wait_for()
    assert page.evaluate(FAINT, "open-teller") == []


def resampled(page: Page, samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """What the worklet's resampler makes of it, fed 128 samples at a time."""
    found = page.evaluate(
        """async ([samples, rate]) => {
          const { Resampler } = await import("/widget/parts/resampler.js");
          const resampler = new Resampler(rate, 16000);
          const found = [];
          for (let at = 0; at < samples.length; at += 128) {
            found.push(...resampler.process(Float32Array.from(samples.slice(at, at + 128))));
          }
          return found;
        }""",
        [samples.tolist(), rate],
    )
    return np.array(found)


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000, 8_000])
def test_resampling_keeps_speech_and_folds_nothing_back(browser_page: Page, voice: ScriptedVoice, rate: int) -> None:
    browser_page.goto(voice.url)
    kept = resampled(browser_page, tone(1_000, 0.5, rate, 1.0), rate)
    assert len(kept) == pytest.approx(RATE_IN / 2, abs=1)
    middle = kept[1_000:-1_000]
    assert hertz(middle, RATE_IN) == pytest.approx(1_000, abs=4)
    clean = tone(1_000, len(middle) / RATE_IN, RATE_IN, 1.0)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(np.mean(clean**2)), rel=0.01)
    if rate > 2 * 9_000:
        folded = resampled(browser_page, tone(9_000, 0.5, rate, 1.0), rate)[1_000:-1_000]
        assert 20 * np.log10(np.abs(folded).max()) < -65


RENDER = """
async ([pcm, piece, flushAt]) => {
  const { Speaker } = await import("/widget/parts/speaker.js");
  const context = new OfflineAudioContext(1, 24000 * 2, 24000);
  const speaker = new Speaker(24000, context);
  speaker.restart();
  const bytes = Int16Array.from(pcm).buffer;
  for (let at = 0; at < bytes.byteLength; at += piece) speaker.push(bytes.slice(at, at + piece));
  let played = null;
  if (flushAt) context.suspend(flushAt).then(() => { played = speaker.flush(); context.resume(); });
  const rendered = await context.startRendering();
  return { samples: [...rendered.getChannelData(0)], played: played ?? speaker.played };
}
"""


def rendered(page: Page, samples: NDArray[np.float64], piece: int, flush_at: float) -> tuple[NDArray[np.float64], int]:
    pcm = (samples * 32_767).astype(int).tolist()
    found = page.evaluate(RENDER, [pcm, piece, flush_at])
    return np.array(found["samples"]), found["played"]


def test_pieces_join_without_a_gap(browser_page: Page, voice: ScriptedVoice) -> None:
    browser_page.goto(voice.url)
    said = tone(330, 1.0, RATE_OUT)
    sound, played = rendered(browser_page, said, 1_922, 0)
    start = int(np.flatnonzero(np.abs(sound) > 1e-3)[0]) - 1
    assert start / RATE_OUT == pytest.approx(0.1, abs=0.01)
    assert np.abs(sound[start : start + len(said)] - said).max() < 1e-3
    assert played == 1_000


def test_a_flush_is_silent_within_50_ms_without_a_click_and_knows_what_was_heard(
    browser_page: Page, voice: ScriptedVoice
) -> None:
    browser_page.goto(voice.url)
    sound, played = rendered(browser_page, tone(330, 1.5, RATE_OUT), 1_920, 0.5)
    flushed = round(0.5 * RATE_OUT)
    assert np.abs(sound[flushed - 500 : flushed]).max() > 0.25
    assert np.abs(sound[flushed + round(0.05 * RATE_OUT) :]).max() == 0
    assert np.abs(np.diff(sound)).max() < 1.5 * 0.3 * 2 * np.pi * 330 / RATE_OUT
    assert played == pytest.approx(400, abs=12)
