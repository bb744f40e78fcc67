"""What tells a finished utterance from one that goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.voice.turn_ends import TurnEnds, load_turn_ends, signs


def test_the_signs_say_how_many_digits_of_which_number_were_said() -> None:
    found = signs("我的手机号是138 0013")
    assert {"phone digits 7", "phone last 4", "end digit", "groups 2 end digit"} <= found


def test_figures_are_zeros_in_the_last_words() -> None:
    assert "… pay 000" in signs("I want to pay 250") & signs("I want to pay 999")


def test_the_probability_is_the_logistic_of_the_sum() -> None:
    ends = TurnEnds(-1.0, {"end asks": 1.0, "mark ?": 1.0})
    assert ends.probability("可以吗?") == pytest.approx(0.7311, abs=1e-4)
    assert ends.probability("") == pytest.approx(0.2689, abs=1e-4)


@given(st.text(max_size=60))
def test_any_text_has_a_probability(text: str) -> None:
    assert 0 < load_turn_ends().probability(text) < 1


@pytest.mark.parametrize(
    ("begun", "whole"),
    [
        ("我想问一下信用卡怎么", "我想问一下信用卡怎么还款?"),
        ("我的手机号是138", "我的手机号是13800138000"),
        ("我想转给", "我想转给我妈三千块"),
        ("my card number is 4412", "my card number is 4412 0933 7102 8445"),
        ("I want to send", "I want to send 300 dollars to my son"),
        ("what is the interest rate for", "what is the interest rate for a savings account?"),
    ],
)
def test_what_has_only_begun_is_less_likely_over(begun: str, whole: str) -> None:
    ends = load_turn_ends()
    assert ends.probability(begun) < ends.probability(whole) - 0.1
