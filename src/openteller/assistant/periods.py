"""The stretch of time that an inquiry names: 上个月, 十月份, last week, September 2026; always in the past.

A month, week or year stands for all its days up to today; 近三个月 and "the last 90 days" end today.
Knows nothing about what happened in that time.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from openteller.core.numerals import chinese, english
from openteller.core.records import Entity
from openteller.core.text import fold

_LONGEST = 400  # of whatever is counted; beyond it nothing is meant
_LAST_MONTH = re.compile(r"(?<!上)上个?月|last month")
_THIS_MONTH = re.compile(r"这个?月|本月|this month")
_THIS_YEAR = re.compile(r"今年|this year")
_COUNTED = re.compile(
    r"(?:最近|近|过去|之前|前|这)(?P<zh>\d{1,3}|[一二两三四五六七八九十半]{1,3})(?:个?(?P<zm>月)|(?P<zy>年)|个?(?P<zw>周|星期|礼拜)|(?P<zd>天|日))(?!前)"
    r"|\b(?:last|past|previous) (?P<en>\d{1,3}|[a-z]+) (?:(?P<em>months?)|(?P<ey>years?)|(?P<ew>weeks?)|(?P<ed>days?))\b"
)
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
    counted = _counted(folded, today)
    if counted:
        return counted, today
    named = next((e for e in entities if e.type == "date" and e.value), None)
    return _named(fold(named.text), date.fromisoformat(named.value), today) if named else None


def _counted(folded: str, today: date) -> date | None:
    """The first day of 近三个月; None when no number of days, weeks, months or years is counted back from today."""
    match = _COUNTED.search(folded)
    if match is None:
        return None
    number = match["zh"] or match["en"]
    if number == "半":
        return _months_before(today, 6) if match["zy"] else (today - timedelta(days=14) if match["zm"] else None)
    count = int(number) if number.isdigit() else int(chinese(number) or 0) if match["zh"] else int(english(number) or 0)
    if not 0 < count <= _LONGEST:
        return None
    if match["zd"] or match["ed"]:
        return today - timedelta(days=count - 1)
    if match["zw"] or match["ew"]:
        return today - timedelta(days=7 * count - 1)
    months = 12 * count if match["zy"] or match["ey"] else count
    return _months_before(today, months) if months <= _LONGEST else None


def _months_before(day: date, months: int) -> date:
    """The day after the same day `months` before, or after that month's last day."""
    index = 12 * day.year + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(first.replace(day=min(day.day, last.day)), last) + timedelta(days=1)


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
