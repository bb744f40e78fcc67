"""How long a pause may last before the turn is over."""

import pytest

from openteller.voice.hearing import Heard
from openteller.voice.listening import patience


def said(text: str, probability: float = 0.9) -> Heard:
    language = "zh" if ord(text[0]) > 0x2E00 else "en"
    return Heard(text, text, language, probability, 2.0, "clear")


@pytest.mark.parametrize(
    "text", ["信用卡年费是多少", "How much is the annual fee of the credit card?", "第二个", "嗯", "stop"]
)
def test_what_is_whole_and_sounds_over_is_answered_soon(text: str) -> None:
    assert patience(said(text), 0.9) == 0.45


@pytest.mark.parametrize(
    "text",
    [
        "我的手机号是138",
        "卡号是6222",
        "我要转三千",
        "百分之三点",
        "my card number is 4412",
        "the sort code is 2 0",
        "I want to send three",
    ],
)
@pytest.mark.parametrize("over", [0.1, 0.5, 0.99])
def test_a_number_that_may_go_on_is_waited_for_however_it_sounds(text: str, over: float) -> None:
    assert patience(said(text), over) >= 1.5


@pytest.mark.parametrize("text", ["我想问一下那个", "因为我的", "I wanted to ask about", "if I put the"])
def test_a_sentence_that_has_only_begun_is_waited_for(text: str) -> None:
    assert patience(said(text), 0.99) >= 1.4


def test_a_name_alone_is_waited_for_only_as_long_as_a_breath_where_it_sounds_over() -> None:
    assert 0.9 < patience(said("教育储蓄存款"), 0.97) < 1.0
    assert patience(said("教育储蓄存款"), 0.6) == 1.5


def test_a_few_sounds_that_were_heard_badly_may_begin_anything() -> None:
    assert patience(said("未好", 0.4), 0.99) >= 1.5


def test_an_open_sound_waits_where_the_words_are_whole() -> None:
    assert patience(said("信用卡年费是多少"), 0.05) > patience(said("信用卡年费是多少"), 0.9)
