"""Error rates of speech: distances, units of each language, what does not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.training.evaluation.error_rates import Heard, distance, error_rates, recognised, units

WORDS = st.text("abc", max_size=8)


@given(WORDS, WORDS, WORDS)
def test_distance_is_one(a: str, b: str, c: str) -> None:
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@pytest.mark.parametrize(
    ("said", "heard", "errors"), [("kitten", "sitting", 3), ("", "ab", 2), ("余额", "鱼额", 1), ("abc", "", 3)]
)
def test_distance_by_hand(said: str, heard: str, errors: int) -> None:
    assert distance(said, heard) == errors


def test_units() -> None:
    assert units("余额, 是100元。", "zh") == list("余额是100元")
    assert units("餘額", "zh") == list("余额")
    assert units("It's 5 o'clock, Mr. Brown!", "en") == ["it's", "5", "o'clock", "mr", "brown"]


def test_rates_are_over_all_units_of_a_language() -> None:
    heard = [Heard("余额", "余额", "zh"), Heard("贷款利率", "贷款历率", "zh"), Heard("one two", "one", "en")]
    assert error_rates(heard) == {"cer": pytest.approx(1 / 6), "wer": 0.5}
    assert recognised(heard) == pytest.approx(1 - (1 / 6 + 0.5) / 2)
    assert error_rates(heard[2:]) == {"wer": 0.5}
    assert error_rates([]) == {}


def test_words_that_nobody_said_are_errors() -> None:
    assert error_rates([Heard("好", "好好好好", "zh")])["cer"] == 3
