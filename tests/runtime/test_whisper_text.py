"""Telling what was said from what Whisper makes up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.runtime import whisper_text

LOST = "我的银行卡丢了应该怎么办理挂失。"


@pytest.mark.parametrize(
    ("text", "language", "is_clean"),
    [
        ("[音樂] 我的 賬戶 餘額", "zh", "我的账户余额"),
        ("(laughs)  my   balance ♪", "en", "my balance"),
        ("我要转 500 元", "zh", "我要转 500 元"),
        ("（掌声）", "zh", ""),
    ],
)
def test_stage_directions_and_scripts(text: str, language: str, is_clean: str) -> None:
    assert whisper_text.clean(text, language) == is_clean


@pytest.mark.parametrize("text", ["谢谢" * 6, "no no no no no no ", "好的，" * 40, LOST * 6])
def test_loops_are_seen(text: str) -> None:
    assert whisper_text.loops(text)
    assert not whisper_text.loops(whisper_text.unlooped(text))


@pytest.mark.parametrize("text", [LOST, "余额是000000元", "对对对对", "My card number is 1111111111.", "", "哈哈哈"])
def test_what_people_say_is_no_loop(text: str) -> None:
    assert not whisper_text.loops(text)
    assert whisper_text.unlooped(text) == text


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        (LOST * 2, 3.9, LOST),
        (LOST * 2 + LOST[:9], 3.9, LOST),
        (LOST * 2, 8.0, LOST * 2),
        (LOST, 2.0, LOST),
        ("I lost my card. I lost my card.", 1.2, "I lost my card."),
        ("123123123", 1.0, "123123123"),
        ("", 0.0, ""),
    ],
)
def test_what_was_said_once_is_written_once(text: str, seconds: float, said: str) -> None:
    assert whisper_text.once(text, seconds) == said


@given(st.text(max_size=60), st.floats(0, 30))
def test_once_only_shortens(text: str, seconds: float) -> None:
    once = whisper_text.once(text, seconds)
    assert once == text or text.strip().startswith(once)


@pytest.mark.parametrize(
    "text",
    [
        "字幕由Amara.org社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "Thanks for watching!",
        "謝謝觀看",
        "中文字幕",
        "…",
        "",
    ],
)
def test_credits_of_films_are_invented(text: str) -> None:
    assert whisper_text.is_invented(text, 0.0)


@pytest.mark.parametrize("text", ["谢谢", "Thank you.", "嗯", "再见"])
def test_courtesies_are_invented_only_where_nobody_spoke(text: str) -> None:
    assert whisper_text.is_invented(text, 0.9)
    assert not whisper_text.is_invented(text, 0.1)


@pytest.mark.parametrize(
    "text", [LOST, "I want to subscribe to the fund.", "怎么订阅账单", "Thank you for the loan offer."]
)
def test_questions_to_a_bank_are_never_invented(text: str) -> None:
    assert not whisper_text.is_invented(text, 0.95)


def test_the_hot_words_alone_are_no_answer() -> None:
    words = ["账户", "余额", "转账", "信用卡"]
    assert whisper_text.is_prompt("账户、余额、转账。", words)
    assert not whisper_text.is_prompt("余额", words)
    assert whisper_text.is_prompt("转账、账户、", words)
    assert not whisper_text.is_prompt("转账、明天", words)
    assert not whisper_text.is_prompt("查询账户余额", words)
    names = ["Pinebay World Travel Credit Card", "savings account", "overdraft"]
    assert not whisper_text.is_prompt("Pinebay World Travel Credit Card.", names)
    assert not whisper_text.is_prompt("World Travel Credit Card", names)
    assert whisper_text.is_prompt("savings account, overdraft", names)


def test_more_words_than_time_are_seen() -> None:
    assert whisper_text.is_hasty(LOST, 1.0)
    assert not whisper_text.is_hasty(LOST, 2.5)
    assert not whisper_text.is_hasty("你好", 0.2)
