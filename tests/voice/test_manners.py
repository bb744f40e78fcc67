"""Nods, commands and open ends, on what recognisers write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.voice import manners
from openteller.voice.manners import Command


@pytest.mark.parametrize(
    "text",
    [
        "嗯",
        "嗯嗯。",
        "对对对！",
        "好的好的",
        "Yeah, okay.",
        "mm-hmm",
        "Uh-huh.",
        "I see.",
        "OK",
        "这样啊",
        "好的，明白了",
    ],
)
def test_nods(text: str) -> None:
    assert manners.is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["", "余额是多少", "不是", "停", "好的，那利率呢", "no", "I see my balance is wrong", "对账单"]
)
def test_what_is_no_nod(text: str) -> None:
    assert not manners.is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("停", Command.STOP),
        ("等一下。", Command.STOP),
        ("嗯，停一下", Command.STOP),
        ("Hold on!", Command.STOP),
        ("please stop", Command.STOP),
        ("再说一遍", Command.REPEAT),
        ("没听清楚", Command.REPEAT),
        ("刚才那句再说一遍。", Command.REPEAT),
        ("别念了", Command.STOP),
        ("能不能说慢一点？", Command.SLOWER),
        ("Could you repeat that?", Command.REPEAT),
        ("What did you say?", Command.REPEAT),
        ("请继续", Command.GO_ON),
        ("Go on.", Command.GO_ON),
        ("说慢一点", Command.SLOWER),
        ("Too slow", Command.FASTER),
        ("停车场在哪里", None),
        ("Can I stop a payment?", None),
        ("怎么继续办理", None),
        ("等一下余额是多少", None),
    ],
)
def test_commands_are_the_whole_utterance(text: str, told: Command | None) -> None:
    assert manners.command(text) is told


@pytest.mark.parametrize(
    "text",
    [
        "我的卡号是6222 0211",
        "我要转三千五百",
        "金额是",
        "转账给",
        "利率是百分之",
        "My card number is",
        "Transfer $1,200.",
        "It was on November",
        "the account ending in",
        "one hundred and",
        "去年十一月",
        "二零二六年",
        "我的手机后是13吧。",
        "卡号六二二就",
        "0.0幼散",
        "我的电话是要把流",
        "It matures on March, the 15th",
        "转给我妈妈败",
        "My card number is 41 11 uh",
    ],
)
def test_open_ends_get_patience(text: str) -> None:
    assert manners.patience(text) >= 2.0


@pytest.mark.parametrize(
    "text",
    [
        "余额是多少？",
        "怎么挂失信用卡",
        "我要转三千五百元",
        "How do I freeze my card?",
        "The fee is ten dollars",
        "How to close an account",
        "how do I change my number",
        "一年期利率多少",
        "手机号138开头的能办吗",
        "我有2张卡是吧",
        "理财在哪里买",
        "怎么转",
        "怎么转给别人",
        "转到他行要多少手续费",
        "",
    ],
)
def test_closed_ends_get_none(text: str) -> None:
    assert manners.patience(text) == 0.0


def test_a_number_with_all_its_digits_needs_less_patience() -> None:
    whole = manners.patience("我的手机号是13800138000")
    assert 0 < whole < manners.patience("我的手机号是1380013")
    assert manners.patience("卡号6222021112345678") < manners.patience("卡号622202111234")


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert manners.patience(text) in {
        0.0,
        manners.OPEN_NUMBER / 2,
        manners.OPEN_NUMBER,
        manners.OPEN_LONG_NUMBER,
        manners.OPEN_PHRASE,
    }
    assert not (manners.is_backchannel(text) and manners.command(text) is Command.STOP)


@pytest.mark.parametrize(
    ("text", "sure", "enough"),
    [("那利率呢", False, True), ("那利率", False, False), ("那利率", True, True), ("人工", False, True), ("what about", False, False),
     ("what about", True, True), ("what about fees", False, True), ("a person", False, True), ("", True, False)],
)  # fmt: skip
def test_a_scrap_is_no_interruption(text: str, sure: bool, enough: bool) -> None:
    assert manners.has_substance(text, sure=sure) is enough


@pytest.mark.parametrize("text", ["转三千", "卡号是", "一百", "my card number", "twenty percent", "尾号6688"])
def test_a_number_is_said_or_announced(text: str) -> None:
    assert manners.has_number(text)


@pytest.mark.parametrize(
    "text", ["帮我查一下余额", "再说一遍", "万一丢了怎么办", "how do I open an account", "说慢一点"]
)
def test_words_with_a_one_in_them_are_no_number(text: str) -> None:
    assert not manners.has_number(text)


@pytest.mark.parametrize("text", ["好的", "第二个", "嗯", "stop", "不用了", "the second one"])
def test_what_stands_alone(text: str) -> None:
    assert manners.stands_alone(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("我的手机号是13800138000", True),
        ("我的卡号是6217 0003 814", False),
        ("我的卡号是6217 0003 8140 0057", True),
        ("the IBAN is 3704 0044 0532 0130", False),
        ("my card number is 4412 0933 7102 8445", True),
    ],
)
def test_how_many_digits_make_a_number_depends_on_what_it_is(text: str, whole: bool) -> None:
    assert (manners.patience(text) < manners.OPEN_NUMBER) is whole
