"""Numerals: exact values, and a round trip through Chinese numerals of any size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.numerals import arabic, chinese, english, in_chinese, in_english, plain, scaled

_DIGITS = "零一二三四五六七八九"


def _section(value: int) -> str:
    """A number below 10,000 in Chinese numerals."""
    out, gap = "", False
    for unit, character in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            out += ("零" if gap and out else "") + _DIGITS[digit] + character
        gap = not digit
    return out


def _written(value: int) -> str:
    """A positive number below 10^12 in Chinese numerals."""
    out = ""
    for unit, character in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part, value = divmod(value, unit)
        if part:
            out += ("零" if out and part < 1000 else "") + _section(part) + character
        elif out and value and not out.endswith("零"):
            out += "零"
    return out.replace("零零", "零")


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("一千二百三十四", 1234), ("两万", 20_000), ("十二", 12), ("二十", 20), ("三亿五千万", 350_000_000),
        ("一万二", 12_000), ("一千五", 1_500), ("一百五", 150), ("三百零五", 305), ("貳拾萬", 200_000),
        ("十万", 100_000), ("五百万", 5_000_000), ("二零二六", 2026), ("两千", 2_000), ("零", 0),
        ("一百零三万", 1_030_000),
    ],
)  # fmt: skip
def test_chinese(numeral: str, value: int) -> None:
    assert chinese(numeral) == value


@pytest.mark.parametrize("numeral", ["万", "百千", "一千两千", "十零百", "亿万", "三万亿亿"])
def test_what_is_no_number_has_no_value(numeral: str) -> None:
    assert chinese(numeral) is None


@given(st.integers(1, 10**12 - 1))
def test_written_numbers_read_back(value: int) -> None:
    assert chinese(_written(value)) == value, _written(value)


@given(st.text("零〇一二两三四五六七八九十百千万亿壹拾萬", min_size=1, max_size=16))
def test_any_run_of_numerals_is_read_or_refused(numeral: str) -> None:
    value = chinese(numeral)
    assert value is None or value >= 0


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("two hundred", 200), ("a hundred", 100), ("two hundred and fifty thousand", 250_000), ("twenty-five", 25),
        ("three thousand", 3_000), ("one million two hundred thousand", 1_200_000), ("one", 1),
    ],
)  # fmt: skip
def test_english(words: str, value: int) -> None:
    assert english(words) == value


@pytest.mark.parametrize("words", ["a", "and", "hello", "a bucket"])
def test_words_that_are_no_number(words: str) -> None:
    assert english(words) is None


def test_digits_with_a_magnitude() -> None:
    assert arabic("3.5", "万") == 35_000
    assert arabic("1", "万", "2") == 12_000
    assert arabic("1,234.50") == Decimal("1234.50")
    assert scaled("10", " thousand") == 10_000
    assert scaled("1.2", " million") == 1_200_000
    assert scaled("500", "k") == 500_000


@given(st.decimals(min_value=0, max_value=10**12, places=4, allow_nan=False))
def test_plain_keeps_the_value_without_an_exponent(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
    assert "E" not in plain(value)


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "零", "zero"), (2, "二", "two"), (10, "十", "ten"), (22, "二十二", "twenty-two"),
        (110, "一百一十", "one hundred and ten"), (12_345, "一万两千三百四十五", "twelve thousand three hundred and forty-five"),
        (102_000, "十万两千", "one hundred and two thousand"), (10_020, "一万零二十", "ten thousand and twenty"),
        (200_000_000, "两亿", "two hundred million"), (10**12 + 20, "一万亿零二十", "one trillion and twenty"),
    ],
)  # fmt: skip
def test_whole_numbers_in_words(value: int, zh: str, en: str) -> None:
    assert (in_chinese(value), in_english(value)) == (zh, en)


@given(st.integers(0, 10**12 - 1))
def test_words_read_back_as_the_number(value: int) -> None:
    assert english(in_english(value)) == value
    assert chinese(in_chinese(value)) == value


@pytest.mark.parametrize("value", [-1, 10**16])
def test_numbers_nobody_says_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="out of the range"):
        in_chinese(value)
    with pytest.raises(ValueError, match="out of the range"):
        in_english(value)
