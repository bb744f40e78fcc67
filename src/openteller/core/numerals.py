"""Numerals in Chinese, English and digits as exact decimals, and whole numbers in words.

Reads 一千二百三十四, 3.5万, 1万2, two hundred, 10 thousand; writes 一万两千三百, two hundred and five.
Knows nothing about currencies or dates. Vague quantities (几十, several) have no value; "四千多" counts as 4000.
Not covered: fractions (三分之一), 半, ordinals, 廿 and 卅.
"""

import re
from decimal import Decimal

_DIGITS = dict(
    zip(
        "零〇一二两兩三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖",
        (0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9),
        strict=True,
    )
)
_SMALL = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_LARGE = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_UNITS = _SMALL | _LARGE

_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {
    "hundred": 100, "thousand": 1_000, "grand": 1_000, "k": 1_000, "million": 1_000_000, "mn": 1_000_000,
    "m": 1_000_000, "billion": 1_000_000_000, "bn": 1_000_000_000, "trillion": 10**12,
}  # fmt: skip

ARABIC = r"(?<!\d)(?<!\d[.,])(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(?:\.\d{1,4})?(?![\d]|[.,]\d)"
"""Digits with or without thousands separators and decimals, not a part of a longer number."""
ZH_NUMERAL = rf"[{''.join(_DIGITS)}{''.join(_UNITS)}]{{1,16}}"
"""Chinese numeral characters; whether they make a number, `chinese` says."""
_EN_NEXT = "|".join([*_WORDS, "hundred", "thousand", "million", "grand"])
EN_NUMERAL = rf"(?i:(?<![a-z])(?:a|{'|'.join(_WORDS)})(?:[ -](?:and |a )?(?:{_EN_NEXT})){{0,7}}(?![a-z]))"
"""English number words; whether they make a number, `english` says."""


def _section(numeral: str) -> int | None:
    """A Chinese numeral below 10,000, or digits read one by one (二零二六). None when it is neither."""
    if len(numeral) > 1 and not set(numeral) & set(_SMALL):
        digits = [_DIGITS[c] for c in numeral]
        return None if len(numeral) > 4 and digits[0] == 0 else int("".join(map(str, digits)))
    total, digit, last = 0, None, 10_000
    for character in numeral:
        if character in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[character]
        else:
            unit = _SMALL[character]
            if unit >= last or digit == 0:
                return None
            total, digit, last = total + (1 if digit is None else digit) * unit, None, unit
    if digit and numeral[-2:-1] in ("百", "佰", "千", "仟"):
        digit *= last // 10  # 一百五 is 150
    return total + (digit or 0)


def chinese(numeral: str) -> Decimal | None:
    """The value of a Chinese numeral (一千二百三十四, 三亿五千万, 一万二 = 12000); None when it is not one."""
    total, rest, last = Decimal(0), numeral, 10**12
    while cut := next((i for i, c in enumerate(rest) if c in _LARGE), None):
        section = _section(rest[:cut])
        unit = _LARGE[rest[cut]]
        if section is None or unit >= last:
            return None
        total, rest, last = total + section * unit, rest[cut + 1 :], unit
    if not rest:
        return total if total else None
    if rest[0] in _LARGE:
        return None
    section = _section(rest)
    if section is None:
        return None
    if total and len(rest) == 1 and rest in _DIGITS:
        section *= last // 10  # 一万二 is 12,000
    return total + section


def arabic(digits: str, unit: str = "", tail: str = "") -> Decimal:
    """Digits with an optional Chinese magnitude and its short tail.

    Args:
        digits: e.g. ``1,234.50``.
        unit: magnitude characters, e.g. ``万``, ``百万``.
        tail: the digit after the magnitude: 1万2 is 12000.
    """
    factor = Decimal(1)
    for character in unit:
        factor *= _UNITS[character]
    value = Decimal(digits.replace(",", "")) * factor
    return value + Decimal(tail) * factor / 10 if tail else value


def scaled(digits: str, scale: str) -> Decimal:
    """Digits with an English scale: 10 thousand, 200k, 1.2 million; `scale` may be empty."""
    return Decimal(digits.replace(",", "")) * _SCALES.get(scale.strip().lower(), 1)


def english(words: str) -> Decimal | None:
    """The value of English number words ("two hundred and fifty thousand", "a hundred"); None when they are not one."""
    total = current = 0
    seen = False
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _WORDS:
            current, seen = current + _WORDS[word], True
        elif word == "hundred":
            current, seen = max(current, 1) * 100, True
        elif word in _SCALES:
            total, current, seen = total + max(current, 1) * _SCALES[word], 0, True
        elif word not in ("a", "and"):
            return None
    return Decimal(total + current) if seen else None


def plain(value: Decimal) -> str:
    """`value` without exponent or trailing zeros: ``35000``, ``1234.5``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_chinese(value: int) -> str:
    """`value` (0 to 10^16 - 1) in Chinese numerals as bank staff say it: 两 before 百, 千, 万 and 亿, else 二.

    Raises:
        ValueError: a number out of that range.
    """
    if not 0 <= value < 10**16:
        raise ValueError(f"{value} is out of the range of spoken Chinese numbers.")
    if value == 0:
        return "零"
    spoken, gap = "", False
    for place in (12, 8, 4, 0):
        section, value = divmod(value, 10**place)
        if section:
            spoken += ("零" if spoken and (gap or section < 1_000) else "") + _four_digits(section, bare=not spoken)
            spoken += {12: "万", 8: "亿", 4: "万", 0: ""}[place]
            spoken += "亿" if place == 12 and value < 10**8 else ""
        gap = not section if spoken else False
    return re.sub(r"二(?=[百千])|(?<![十零])二(?=[万亿])", "两", spoken)


def _four_digits(value: int, *, bare: bool) -> str:
    """A number below 10,000; `bare`: nothing stands before it, so 10 is 十 and not 一十."""
    spoken, gap = "", False
    for unit, name in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            spoken += ("零" if gap else "") + "零一二三四五六七八九"[digit] + name
        gap = not digit and bool(spoken)
    return spoken.removeprefix("一") if bare and spoken.startswith("一十") else spoken


_IN_WORDS = {value: word for word, value in _WORDS.items()}
_THOUSANDS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1_000, "thousand"))


def in_english(value: int) -> str:
    """`value` (0 to 10^15 - 1) in English words, with British "and": two thousand three hundred and five.

    Raises:
        ValueError: a number out of that range.
    """
    if not 0 <= value < 10**15:
        raise ValueError(f"{value} is out of the range of spoken English numbers.")
    parts = []
    for unit, name in _THOUSANDS:
        count, value = divmod(value, unit)
        parts += [f"{_three_digits(count)} {name}"] if count else []
    if value and parts and value < 100:
        parts.append("and")
    if value or not parts:
        parts.append(_three_digits(value))
    return " ".join(parts)


def _three_digits(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    words = [f"{_IN_WORDS[hundreds]} hundred"] if hundreds else []
    if rest or not hundreds:
        tens = _IN_WORDS.get(rest) or f"{_IN_WORDS[rest - rest % 10]}-{_IN_WORDS[rest % 10]}"
        words.append(tens)
    return " and ".join(words)
