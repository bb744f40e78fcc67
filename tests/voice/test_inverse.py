"""Inverse text normalisation: spoken numbers become figures, ordinary words stay, and what is read out reads back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.understanding import amounts
from openteller.voice.aloud import aloud
from openteller.voice.inverse import written

CHINESE = [
    ("我要转三千五百二十块五毛", "我要转3520.5元"),
    ("利率百分之三点二五，百分之百", "利率3.25%，100%"),
    ("百分之三到百分之五，负百分之零点五", "3%到5%，-0.5%"),
    ("二零二六年十一月二十三日，每月十五号", "2026年11月23日，每月15号"),
    ("手机号是幺三八零零一三八零零零", "手机号是13800138000"),
    ("6 2 2 2 0 2，138 0013 8000", "622202，13800138000"),
    ("卡号6222 0212 3456 7890", "卡号6222021234567890"),
    ("尾号六六八八，验证码是三五七九一二", "尾号6688，验证码是357912"),
    ("3千5，2万5千，3千5百块，1万2000，3.5万", "3500，25000，3500元，12000，3.5万"),
    ("五万元，三百万，两亿，两万五，一万零二十", "5万元，300万，2亿，25000，10020"),
    ("三点五万元，五百美元，两块钱，三块五，五毛钱", "3.5万元，500美元，2元，3.5元，0.5元"),
    ("六个月，三年期，二十四小时，三到五个工作日", "6个月，3年期，24小时，3到5个工作日"),
    ("下午三点，九点半，十四点三十分", "下午3点，9点半，14点30分"),
    ("净值一点零二三五，利率是一点五", "净值1.0235，利率是1.5"),
]
ENGLISH = [
    ("Transfer three thousand five hundred twenty dollars and fifty cents", "Transfer $3,520.50"),
    ("five point two five percent, a hundred percent", "5.25%, 100%"),
    ("three to five percent, minus two per cent", "3% to 5%, -2%"),
    ("six two two two, double oh seven, triple three", "6222, 007, 333"),
    ("one three eight, zero zero one three, eight zero zero zero", "13800138000"),
    ("November twenty-third, twenty twenty-six", "November 23, 2026"),
    ("the fifth of May, March first 2027, in nineteen ninety-nine", "May 5, March 1, 2027, in 1999"),
    ("twelve thousand point six seven yuan, 5 thousand dollars", "¥12,000.67, $5 thousand"),
    ("two hundred thousand, one million, two hundred thousand Hong Kong dollars", "200,000, HK$1,200,000"),
    ("five thousand, six two two two", "5,000, 6222"),
    ("one point five million dollars, two thousand yen", "$1.5 million, JPY 2,000"),
    ("two thirty p.m., in twenty minutes", "2:30 PM, in 20 minutes"),
]
ORDINARY = {
    "zh": [
        "一下一样万一三心二意十分一直第一次一块儿去", "三五个月几百块十几万三四百二十几岁", "一点半懂不懂，有一点，快一点三个人",
        "周一百货，七七八八，一五一十，千万别", "一个月，三角形，五角大楼，百年老店", "周三见，星期一百货大楼", "说三道四，五湖四海",
    ],
    "en": [
        "One of my cards, someone, at one point, one or two", "at one point two people", "five fifty, fifty-fifty",
        "a dollar here, a hundred times", "No one won, twenty-four-hour", "my two cents", "One day, one by one",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("spoken", "figures"), CHINESE)
def test_chinese(spoken: str, figures: str) -> None:
    assert written(spoken, "zh") == figures


@pytest.mark.parametrize(("spoken", "figures"), ENGLISH)
def test_english(spoken: str, figures: str) -> None:
    assert written(spoken, "en") == figures


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language in ORDINARY for text in ORDINARY[language]]
)
def test_ordinary_words_stay(language: str, text: str) -> None:
    assert written(text, language) == text


def test_another_language_is_refused() -> None:
    with pytest.raises(BadInput):
        written("fünf", "de")


_ZH = st.text("零〇一二两三四五六七八九十百千万亿幺点负元块毛角分钱年月日号个尾,，. 0123456789百分之到", max_size=40)
_EN = st.lists(
    st.sampled_from(["a", "and", "zero", "oh", "one", "two", "five", "ten", "twenty", "hundred", "thousand", "million", "point", "percent", "dollars", "cents", "minus", ",", "-", "May", "first", "of", "double", "triple", "p.m.", "5", "20", "the", "to", "yuan"]),
    max_size=14,
).map(" ".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.one_of(_ZH, _EN, st.text(max_size=40)), st.sampled_from(["zh", "en"]))
def test_any_text_is_written(text: str, language: str) -> None:
    assert len(written(text, language)) <= 13 * max(len(text), 1)


@settings(deadline=None)
@given(st.text("0123456789,.% ¥$-/:", max_size=40))
def test_figures_stay_but_for_the_pauses_in_one_number(text: str) -> None:
    assert [c for c in written(text, "en") if c.isdigit()] == [c for c in text if c.isdigit()]


_AMOUNT = st.decimals(1, Decimal("99999999.99"), places=2, allow_nan=False)


@settings(deadline=None)
@given(
    _AMOUNT,
    st.sampled_from(
        [("zh", "¥", "CNY"), ("zh", "$", "USD"), ("en", "$", "USD"), ("en", "¥", "CNY"), ("en", "HK$", "HKD")]
    ),
)
@example(Decimal("6.01"), ("zh", "$", "USD"))  # no time of day
def test_an_amount_read_out_is_understood_as_itself(amount: Decimal, how: tuple[str, str, str]) -> None:
    language, sign, currency = how
    heard = written(aloud(f"{sign}{amount:,}", language), language)
    found = {(Decimal(mention.value), mention.currency) for mention in amounts.mentions(heard) if mention.value}
    assert (amount, currency) in found, heard


_LANGUAGES = st.sampled_from(["zh", "en"])


@settings(deadline=None)
@given(st.decimals(-50, 150, places=2, allow_nan=False), _LANGUAGES)
def test_a_rate_comes_back(rate: Decimal, language: str) -> None:
    text = f"{rate if rate else abs(rate)}%"
    assert written(aloud(text, language), language) == text


@settings(deadline=None)
@given(st.dates(date(1950, 1, 1), date(2069, 12, 31)), _LANGUAGES)
def test_a_date_comes_back(day: date, language: str) -> None:
    text = f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day:%B} {day.day}, {day.year}"
    assert written(aloud(day.isoformat(), language), language) == text


@settings(deadline=None)
@given(st.from_regex(r"1[3-9][0-9]{9}|[0-9]{16}|[0-9]{19}", fullmatch=True), _LANGUAGES)
def test_phone_and_card_numbers_come_back(number: str, language: str) -> None:
    assert written(aloud(number, language), language) == number


@settings(deadline=None)
@given(st.from_regex(r"[0-9]{4}", fullmatch=True))
@example("7788")  # no idiom
def test_card_tails_come_back(tail: str) -> None:
    assert written(aloud(f"尾号{tail}的卡", "zh"), "zh") == f"尾号{tail}的卡"
    assert written(aloud(f"ending in {tail}.", "en"), "en") == f"ending in {tail}."


def test_days_in_a_row_come_back() -> None:
    for offset in range(0, 730, 7):
        day = date(2026, 1, 1) + timedelta(days=offset)
        assert written(aloud(f"{day:%B} {day.day}, {day.year}", "en"), "en") == f"{day:%B} {day.day}, {day.year}"
