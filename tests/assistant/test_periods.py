"""The time an inquiry names, with the dates that understanding really finds in it."""

from datetime import UTC, date, datetime

import pytest

from openteller.assistant.periods import end_of, period, start_of
from openteller.understanding.entities import parse
from tests.assistant.small_bank import TODAY


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("上月花了多少", (2026, 10, 1), (2026, 10, 31)),
        ("上上个月餐饮花了多少", (2026, 9, 1), (2026, 9, 30)),
        ("上個月花了多少", (2026, 10, 1), (2026, 10, 31)),
        ("this month", (2026, 11, 1), (2026, 11, 23)),
        ("十月份我在超市花了多少", (2026, 10, 1), (2026, 10, 31)),
        ("十二月花了多少", (2025, 12, 1), (2025, 12, 31)),
        ("what did I spend in September 2026", (2026, 9, 1), (2026, 9, 30)),
        ("2026年9月花了多少", (2026, 9, 1), (2026, 9, 30)),
        ("9月15日花了多少", (2026, 9, 15), (2026, 9, 15)),
        ("昨天花了多少", (2026, 11, 22), (2026, 11, 22)),
        ("spent last week", (2026, 11, 16), (2026, 11, 22)),
        ("本周花了多少", (2026, 11, 23), (2026, 11, 23)),
        ("上周一花了多少", (2026, 11, 16), (2026, 11, 16)),
        ("去年旅行花了多少", (2025, 1, 1), (2025, 12, 31)),
        ("travel last year", (2025, 1, 1), (2025, 12, 31)),
        ("今年花了多少", (2026, 1, 1), (2026, 11, 23)),
        ("最近三个月餐饮花了多少", (2026, 8, 24), (2026, 11, 23)),
        ("近半年花了多少", (2026, 5, 24), (2026, 11, 23)),
        ("过去30天花了多少", (2026, 10, 25), (2026, 11, 23)),
        ("前两周花了多少", (2026, 11, 10), (2026, 11, 23)),
        ("spending over the last three months", (2026, 8, 24), (2026, 11, 23)),
        ("groceries in the past 7 days", (2026, 11, 17), (2026, 11, 23)),
        ("近十年花了多少", (2016, 11, 24), (2026, 11, 23)),
    ],
)
def test_a_named_time_is_all_its_days_up_to_today(
    text: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    assert period(text, parse(text, [], TODAY), TODAY) == (date(*first), date(*last))


@pytest.mark.parametrize("text", ["last 0 months", "last 999 months", "last 400 years", "近三百年", "last few weeks"])
def test_a_senseless_count_is_no_time(text: str) -> None:
    assert period(text, (), TODAY) is None


def test_no_time_is_none() -> None:
    assert period("how much did I spend on groceries", (), TODAY) is None


def test_local_days_become_moments_in_utc() -> None:
    assert start_of(TODAY, "Asia/Shanghai") == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert end_of(TODAY, "Asia/Shanghai") == datetime(2026, 11, 23, 16, tzinfo=UTC)
