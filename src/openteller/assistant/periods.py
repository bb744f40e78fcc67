"""The stretch of time that an inquiry names: 上个月, 十月份, last week, September 2026; always in the past.

A month, week or year stands for all its days up to today. What is not covered: "the last three months" and other
counted stretches. Knows nothing about what happened in that time.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from openteller.core.records import Entity
from openteller.core.text import fold

_LAST_MONTH = re.compile(r"(?<!上)上个?月|last month")
_THIS_MONTH = re.compile(r"这个?月|本月|this month")
_THIS_YEAR = re.compile(r"今年|this year")
_WEEK = re.compile(r"(?:周|星期|礼拜|week)$")
_YEAR = re.compile(r"(?:年|year)$|^\d{4}$")
_MONTH = re.compile(r"月(?!\s*\d)(?!.*[日号])|^[a-z]+(?:\s+\d{4})?$")


def period(text: str, entities: Iterable[Entity], today: date) -> tuple[date, date] | None:
    """First and last local day, both included; None when the text names no time."""
    folded, this_month = fold(text), today.replace(day=1)
    if _LAST_MONTH.search(folded):
        last = this_month - timedelta(days=1)
        return last.replace(day=1), last
    if _THIS_MONTH.search(folded):
        return this_month, today
    if _THIS_YEAR.search(folded):
        return today.replace(month=1, day=1), today
    named = next((e for e in entities if e.type == "date" and e.value), None)
    return _named(fold(named.text), date.fromisoformat(named.value), today) if named else None


def _named(words: str, day: date, today: date) -> tuple[date, date]:
    if day > today:
        day = day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else day - timedelta(days=366)
    last = day
    if _WEEK.search(words) and day.weekday() == 0:
        last = day + timedelta(days=6)
    elif _YEAR.search(words) and (day.month, day.day) == (1, 1):
        last = day.replace(month=12, day=31)
    elif _MONTH.search(words) and day.day == 1:
        last = (day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return day, max(day, min(last, today))


def start_of(day: date, timezone: str) -> datetime:
    """The first moment of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def end_of(day: date, timezone: str) -> datetime:
    """The first moment after a local day, in UTC."""
    return start_of(day + timedelta(days=1), timezone)
