"""Dates and terms: 昨天, 上周五, 3月5日, 2026年11月, last Friday, March 5th, 11/23/2026 → ISO; 三年期 → months.

Conventions. A month, year or week stands for its first day, a weekend for its Saturday, "年底" for 31 December. A day
or month without a year is the one nearest to today. 周五 and 上周五 count Monday-to-Sunday weeks; "Friday" is the next
one (today included), "last Friday" the latest before today, "next Friday" that of next week. 11/23/2026 is read
month first unless that is no date. Movable feasts have no value but the Chinese New Year, listed to 2035.
Knows nothing about amounts; `entities` settles what overlaps.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from openteller.core.numerals import chinese, english


class TimeRule(StrEnum):
    """How a date or term was recognised; each has its own measured precision."""

    ZH_DAY = "date/zh-day"
    ZH_PERIOD = "date/zh-period"
    ZH_WEEKDAY = "date/zh-weekday"
    ZH_CALENDAR = "date/zh-calendar"
    ZH_DAY_OF_MONTH = "date/zh-day-of-month"
    FEAST = "date/feast"
    EN_DAY = "date/en-day"
    EN_WEEKDAY = "date/en-weekday"
    EN_CALENDAR = "date/en-calendar"
    EN_MONTH = "date/en-month"
    EN_ORDINAL = "date/en-ordinal"
    NUMERIC = "date/numeric"
    YEAR = "date/year"
    ZH_TERM = "term/zh"
    ZH_SHORT_TERM = "term/zh-days"
    EN_TERM = "term/en"
    EN_SHORT_TERM = "term/en-days"


class TimeMention(NamedTuple):
    """A date (ISO) or a term (months); the value is empty when it cannot be told."""

    rule: TimeRule
    start: int
    end: int
    value: str


_ZH_DAYS = {
    "大前天": -3, "前天": -2, "昨天": -1, "昨日": -1, "昨晚": -1, "昨夜": -1, "今天": 0, "今日": 0, "今早": 0,
    "今晨": 0, "今晚": 0, "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "後天": 2, "大后天": 3,
}  # fmt: skip
_SHIFT = {"上上": -2, "上": -1, "这": 0, "這": 0, "本": 0, "下": 1, "下下": 2}
_YEARS = {"前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2, "後年": 2}
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5}
_EN_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_EN_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_NEW_YEAR = {
    2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3),
    2031: (1, 23), 2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8),
}  # fmt: skip
_FEASTS = {
    "国庆": (10, 1), "國慶": (10, 1), "元旦": (1, 1), "劳动节": (5, 1), "五一": (5, 1),
    "圣诞": (12, 25), "聖誕": (12, 25), "christmas": (12, 25), "new year's day": (1, 1), "national day": (10, 1),
    "双十一": (11, 11), "双11": (11, 11), "双十二": (12, 12),
}  # fmt: skip
_MOVABLE = (
    r"春节|春節|过年|大年三十|除夕|中秋节?|清明节?|端午节?|(?i:(?<![a-z])(?:spring festival|chinese new year"
    r"|lunar new year|easter|thanksgiving|mid-autumn)(?![a-z]))"
)

_DAY_PART = r"(?:早上|上午|中午|下午|晚上|夜里|傍晚|凌晨)?"
_MONTH = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_FULL_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|january"
    r"|february|april|june|july|august|september|october|november|december)"
)
_WEEKDAY = r"(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?<=day)|tues|thurs)"
_ZH_NUM2 = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"


def _shifted(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest(today: date, month: int, day: int) -> date | None:
    near = [d for y in (-1, 0, 1) if (d := _made(today.year + y, month, day))]
    return min(near, key=lambda d: abs(d - today)) if near else None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _number(text: str | None) -> int | None:
    if not text:
        return None
    value = Decimal(text) if text.isdigit() else chinese(text)
    return None if value is None else int(value)


def _zh_day(match: re.Match[str], today: date) -> str:
    return _iso(today + timedelta(days=_ZH_DAYS[match["day"]]))


def _zh_period(match: re.Match[str], today: date) -> str:
    if year := match["year"]:
        return _iso(date(today.year + _YEARS[year], 12, 31) if match["end"] else date(today.year + _YEARS[year], 1, 1))
    if match["yearend"]:
        return _iso(date(today.year, 12, 31))
    if match["monthend"]:
        return _iso(date(today.year, today.month, monthrange(today.year, today.month)[1]))
    shift = _SHIFT[match["shift"]]
    if match["unit"] in "周週星期礼拜":
        return _iso(_monday(today) + timedelta(weeks=shift))
    return _iso(_shifted(today.replace(day=1), shift))


def _zh_weekday(match: re.Match[str], today: date) -> str:
    weeks = _SHIFT[match["shift"] or "本"]
    return _iso(_monday(today) + timedelta(weeks=weeks, days=_WEEKDAYS[match["weekday"]]))


def _zh_calendar(match: re.Match[str], today: date) -> str:
    year_text, month = match["year"], _number(match["month"])
    if month is None or not 1 <= month <= 12:
        return ""
    day = _number(match["day"]) or 1
    if year_text in _YEARS:
        return _iso(_made(today.year + _YEARS[year_text], month, day))
    if year_text:
        year = _number(year_text) or 0
        return _iso(_made(year if year >= 100 else 2000 + year, month, day))
    return _iso(_nearest(today, month, day))


def _day_of_month(match: re.Match[str], today: date) -> str:
    day = _number(match["day"]) or 0
    shift = _SHIFT[match["shift"]] if match.groupdict().get("shift") else None
    if not 1 <= day <= 31:
        return ""
    months = [shift] if shift is not None else [-1, 0, 1]
    firsts = [_shifted(today.replace(day=1), m) for m in months]
    near = [d for first in firsts if (d := _made(first.year, first.month, day))]
    return _iso(min(near, key=lambda d: abs(d - today)) if near else None)


def _feast(match: re.Match[str], today: date) -> str:
    name = match.group().lower().removesuffix("节").removesuffix("節").removesuffix("假期")
    if name in _FEASTS:
        return _iso(_nearest(today, *_FEASTS[name]))
    if re.match("春|过年|大年|除夕|spring|chinese|lunar", name):
        days = [date(y, *md) for y, md in _NEW_YEAR.items()]
        near = min(days, key=lambda d: abs(d - today))
        return _iso(near - timedelta(days=1 if name[0] in "大除" else 0)) if abs(near - today).days < 300 else ""
    return ""


def _en_day(match: re.Match[str], today: date) -> str:
    words = match.group().lower()
    if re.search(r"ago", words):
        count = int(english(match["count"]) or 0) if not match["count"].isdigit() else int(match["count"])
        unit = match["ago"].lower().rstrip("s")
        if unit in ("month", "year"):
            return _iso(_shifted(today, -count * (12 if unit == "year" else 1)))
        return _iso(today - timedelta(days=count * (7 if unit == "week" else 1)))
    if "before yesterday" in words:
        return _iso(today - timedelta(days=2))
    if "after tomorrow" in words:
        return _iso(today + timedelta(days=2))
    if match["unit"]:
        shift = {"last": -1, "previous": -1, "this": 0, "next": 1, "coming": 1}[match["shift"].lower()]
        unit = match["unit"].lower()
        if unit == "week":
            return _iso(_monday(today) + timedelta(weeks=shift))
        if unit == "weekend":
            return _iso(_monday(today) + timedelta(weeks=shift, days=5))
        return _iso(_shifted(today.replace(day=1), shift) if unit == "month" else date(today.year + shift, 1, 1))
    if "end" in words:
        return _iso(date(today.year, 12, 31))
    return _iso(today + timedelta(days=-1 if re.match("yester|last", words) else 1 if words.startswith("tom") else 0))


def _en_weekday(match: re.Match[str], today: date) -> str:
    weekday = _EN_WEEKDAYS[match["weekday"][:3].lower()]
    shift = (match["shift"] or "").lower()
    if shift in ("last", "past"):
        return _iso(today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1))
    if shift == "next":
        return _iso(_monday(today) + timedelta(weeks=1, days=weekday))
    return _iso(today + timedelta(days=(weekday - today.weekday()) % 7))


def _en_calendar(match: re.Match[str], today: date) -> str:
    groups = match.groupdict()
    month = _EN_MONTHS[groups["month"][:3].lower()]
    day = int(groups.get("day") or groups.get("day2") or 1)
    year = groups.get("year")
    return _iso(_made(int(year), month, day) if year else _nearest(today, month, day))


def _numeric(match: re.Match[str], today: date) -> str:
    first, second, third = match["a"], match["b"], match["c"]
    if len(first) == 4:
        return _iso(_made(int(first), int(second), int(third)))
    year = int(third)
    return _iso(_made(year, int(first), int(second)) or _made(year, int(second), int(first)))


def _year(match: re.Match[str], today: date) -> str:
    return _iso(date(int(match["y"]), 1, 1))


def _months(count: Decimal, unit: str) -> str:
    """Whole months, halves up; empty under half a month."""
    per = {"y": Decimal(12), "m": Decimal(1), "w": Decimal(7) / 30, "d": Decimal(1) / 30}[unit]
    months = (count * per).quantize(Decimal(1), ROUND_HALF_UP)
    return str(months) if months else ""


_ZH_UNITS = {"年": "y", "月": "m", "期": "m", "天": "d", "日": "d", "周": "w", "週": "w", "星": "w"}


def _zh_term(match: re.Match[str], today: date) -> str:
    if match.groupdict().get("half"):
        return "6"
    text = match["count"]
    count = Decimal(text) if text[0].isdigit() else chinese(text)
    return "" if count is None else _months(count, _ZH_UNITS[match["unit"].lstrip("个個 ")[0]])


def _en_term(match: re.Match[str], today: date) -> str:
    if match.groupdict().get("half"):
        return "6"
    text = match["count"].lower()
    count = Decimal(text) if text[0].isdigit() else english(text)
    return "" if count is None else _months(count, match["unit"].lower()[0])


_NOT_ELAPSED = r"(?<!\d)(?<!\d[.,])(?<![第近同每过都才缴疼约等满用交晚拖了下上])(?<!扣我)"
_COUNT_EN = (
    r"(?:\d{1,3}|(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|eighteen|twenty"
    r"|thirty|sixty|ninety))"
)
_RULES: tuple[tuple[TimeRule, str, Callable[[re.Match[str], date], str]], ...] = (
    (TimeRule.ZH_DAY, rf"(?P<day>{'|'.join(sorted(_ZH_DAYS, key=len, reverse=True))}){_DAY_PART}", _zh_day),
    (
        TimeRule.ZH_PERIOD,
        rf"(?P<shift>上上|下下|上|下|这|這|本)(?:个|個)?(?P<unit>月|周|週|星期"
        rf"|礼拜)(?![一二三四五六日天末])(?:初|底|末)?"
        rf"|(?P<year>{'|'.join(_YEARS)})(?P<end>年?底|年末)?|(?P<yearend>年底|年末|年尾)|(?P<monthend>月底|月末)",
        _zh_period,
    ),
    (
        TimeRule.ZH_WEEKDAY,
        rf"(?P<shift>上上|下下|上|下|这|這|本)?(?:个|個)?(?:周|週|星期|礼拜"
        rf"|禮拜)(?P<weekday>[一二三四五六日天末])(?![年期个]){_DAY_PART}",
        _zh_weekday,
    ),
    (
        TimeRule.ZH_CALENDAR,
        rf"(?:(?P<year>(?:19|20)\d{{2}}|\d{{2}}(?=年)|二[〇零一二三四五六七八九]{{3}}|{'|'.join(_YEARS)})年? ?)?"
        rf"(?<!\d)(?P<month>{_ZH_NUM2}) ?月(?!供|薪|租|利|息|付)(?:份|底|初|中旬"
        rf"|末)? ?(?:(?P<day>{_ZH_NUM2}) ?[日号號]?(?!\d))?",
        _zh_calendar,
    ),
    (
        TimeRule.ZH_DAY_OF_MONTH,
        r"(?:(?P<shift>上|下|这|這|本)[个個]?月)?(?<![\d第A-Za-z路街弄])(?P<day>\d{1,2}) ?[号號](?!线|店"
        r"|楼|院|窗|柜|码|門|门|基金|卡)",
        _day_of_month,
    ),
    (TimeRule.FEAST, rf"(?:(?i:{'|'.join(re.escape(f) for f in _FEASTS)})|{_MOVABLE})(?i:节|節)?(?:假期)?", _feast),
    (
        TimeRule.EN_DAY,
        r"(?i:(?<![a-z])(?:(?:the )?day before yesterday|(?:the )?day after tomorrow|yesterday|today"
        r"|tonight|tomorrow|tmr|last night|this morning"
        r"|this afternoon|this evening|the other day|(?P<shift>last|this|next|previous"
        r"|coming) (?P<unit>week(?:end)?|month|year)"
        rf"|(?P<count>{_COUNT_EN}|(?i:a)) (?P<ago>days?|weeks?|months?|years?) ago"
        rf"|(?:the )?(?:end of (?:the|this) year|year[ -]end))"
        r"(?: (?:morning|afternoon|evening|night))?(?![a-z]))",
        _en_day,
    ),
    (
        TimeRule.EN_WEEKDAY,
        rf"(?<![A-Za-z])(?:(?P<shift>(?i:last|past|next|this|coming)) )?(?P<weekday>{_WEEKDAY})(?![A-Za-z])",
        _en_weekday,
    ),
    (
        TimeRule.EN_CALENDAR,
        rf"(?<![A-Za-z])(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd"
        rf"|th)?(?![\d,]\d)(?:,? (?P<year>(?:19|20)\d{{2}}))?(?![A-Za-z\d])",
        _en_calendar,
    ),
    (
        TimeRule.EN_CALENDAR,
        rf"(?<![\d.,])(?P<day>\d{{1,2}})(?:st|nd|rd"
        rf"|th)? (?:of )?(?P<month>{_MONTH})(?![A-Za-z])(?:,? (?P<year>(?:19|20)\d{{2}}))?(?!\d)",
        _en_calendar,
    ),
    (
        TimeRule.EN_MONTH,
        rf"(?<![A-Za-z])(?:(?i:early|late|mid)[ -])?(?P<month>(?!May (?:I|we|you|be)"
        rf"|may)(?!March to ){_FULL_MONTH})(?! ?\d{{1,2}}(?!\d))(?: (?P<year>(?:19"
        rf"|20)\d{{2}}))?(?![A-Za-z])",
        _en_calendar,
    ),
    (
        TimeRule.EN_ORDINAL,
        r"(?i:(?<![a-z])the )(?P<day>\d{1,2})(?i:st|nd|rd|th)(?![A-Za-z])(?! (?:time|floor|attempt|year"
        r"|month|payment|instal))",
        _day_of_month,
    ),
    (
        TimeRule.NUMERIC,
        r"(?<![\d./-])(?P<a>(?:19|20)\d{2}|\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})(?P=sep)(?P<c>(?:19"
        r"|20)\d{2}|(?<=\d{4}.\d.)\d{1,2}|(?<=\d{4}.\d\d.)\d{1,2})(?![\d./-])",
        _numeric,
    ),
    (TimeRule.YEAR, r"(?<![\d.,¥$])(?P<y>(?:19[5-9]|20[0-6])\d) ?年(?![期化费]|\d{1,2}月)", _year),
    (
        TimeRule.YEAR,
        r"(?:(?<=[Ii]n )|(?<=ince )|(?<=ntil )|(?<=[Bb]y )|(?<=from )|(?<=for )|(?<=到)"
        r"|(?<=from ))(?P<y>(?:19[5-9]|20[0-6])\d)(?![\d.,:/-]\d|\d| ?(?:yuan|rmb|usd|元|块))",
        _year,
    ),
    (
        TimeRule.ZH_TERM,
        rf"(?<![近过這这每])(?P<half>半年)期?(?!了|前|后|多|没|的(?:流水|银行|走势))"
        rf"|{_NOT_ELAPSED}(?P<count>\d{{1,3}}"
        rf"|[一二两兩三四五六七八九十]{{1,3}}) ?(?P<unit>(?:年期?(?![级内以初底末度]|多少|几|[要得]花|还剩"
        rf"|[1-9])|[个個]月期?|期(?![间限望货几的]))(?!了|没|前|后|不|多?流水|的(?:流水|银行)))",
        _zh_term,
    ),
    (
        TimeRule.ZH_SHORT_TERM,
        r"(?<![\d.,第])(?P<count>\d{1,3}|[一二两兩三四五六七八九十]{1,3}) ?(?P<unit>天期?|周期"
        r"|星期)(?=理财|存款|定期|期|通知|封闭)",
        _zh_term,
    ),
    (
        TimeRule.EN_TERM,
        rf"(?i:(?<![a-z])(?P<half>half (?:a )?year|half-year|half of a year)(?![a-z]))"
        rf"|(?<![\d.,A-Za-z])(?<!per )(?<!every )(?<!you )(?P<count>{_COUNT_EN})[ -](?:more )?(?P<unit>(?i:"
        rf"months?|years?|yrs?|mths?))(?![A-Za-z]| (?:ago|old|in a row|later|now))(?!-old)",
        _en_term,
    ),
    (
        TimeRule.EN_SHORT_TERM,
        rf"(?<![\d.,A-Za-z])(?P<count>{_COUNT_EN})-(?P<unit>(?i:days?|weeks?))(?![A-Za-z])",
        _en_term,
    ),
)
_COMPILED = tuple((rule, re.compile(pattern), value_of) for rule, pattern, value_of in _RULES)


def mentions(view: str, today: date) -> Iterator[TimeMention]:
    """Dates and terms in a matching view, in no order; they may overlap.

    Args:
        view: text as `surface.matching_view` returns it.
        today: the local date that relative words count from.
    """
    for rule, pattern, value_of in _COMPILED:
        for match in pattern.finditer(view):
            yield TimeMention(rule, *match.span(), value_of(match, today))
