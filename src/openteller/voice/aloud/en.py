"""Figures in English words: $1,234.50 is one thousand two hundred and thirty-four dollars and fifty cents.

An ordered table of rules; each takes what it knows out of the text, and the last reads any number that is left. Numbers
that stand in a Chinese name (三年期, 3年期) are read in Chinese. British "and"; times by the twelve-hour clock; dates month
first, 11/23/2026 too. Knows nothing about markup or pauses. Not covered: Roman numerals, formulas.
"""

import re
from collections.abc import Callable

from openteller.core.numerals import in_english
from openteller.voice.aloud import zh
from openteller.voice.aloud.tables import BY_SIGN, CODE, MINUS, NUMBER, SIGN, UNIT, UNITS

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?" if month != "September" else "Sept?(?:ember)?" for month in MONTHS)
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
ABBREVIATIONS = {
    "e.g.": "for example", "eg.": "for example", "i.e.": "that is", "etc.": "and so on", "vs.": "versus", "vs": "versus",
    "approx.": "approximately", "incl.": "including", "excl.": "excluding", "p.a.": "per annum", "acct.": "account",
    "Mr.": "Mister", "Mrs.": "Missis", "Ms.": "Miz", "Dr.": "Doctor", "Ltd.": "Limited", "Inc.": "Incorporated",
    "Co.": "Company", "St.": "Street", "Rd.": "Road", "dept.": "department", "min.": "minimum", "max.": "maximum",
    "a.k.a.": "also known as", "w/o": "without", "w/": "with", "c/o": "care of",
}  # fmt: skip
"""Read in full when they stand alone. A bank adds its own."""
_SCALE = r"(?: ?(?P<scale>k|K|thousand|million|mn|m|M|bn|B|billion|trillion)(?![A-Za-z]))?"
_SCALES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "mn": "million",
    "bn": "billion",
    "B": "billion",
}


def _one_by_one(text: str) -> str:
    return " ".join(_DIGITS[int(c)] for c in text if c.isdigit())


def _number(text: str) -> str:
    """A number by its value; digit by digit with a leading zero or more than 15 digits."""
    whole, _, fraction = text.replace(",", "").partition(".")
    by_digits = len(whole) > 15 or (len(whole) > 1 and whole[0] == "0")
    spoken = _one_by_one(whole) if by_digits else in_english(int(whole))
    return f"{spoken} point {_one_by_one(fraction)}" if fraction else spoken


def _ordinal(text: str) -> str:
    head, last = re.fullmatch(r"(.*?)([a-z]+)", _number(text)).groups()  # type: ignore[union-attr]
    return head + (_IRREGULAR.get(last) or (last.removesuffix("y") + "ieth" if last.endswith("y") else last + "th"))


def _year(text: str) -> str:
    """2026 is twenty twenty-six, 2005 two thousand and five, 1900 nineteen hundred."""
    century, rest = int(text[:2]), int(text[2:])
    if century % 10 == 0 and rest < 10:
        return in_english(int(text))
    return f"{in_english(century)} {'hundred' if not rest else ('oh ' if rest < 10 else '') + in_english(rest)}"


def _money(match: re.Match[str]) -> str:
    groups = match.groupdict()
    currency = BY_SIGN[groups.get("sign") or groups.get("code") or "¥"]
    minus = "minus " if groups.get("minus") or groups.get("minus2") else ""
    number, scale = groups["number"], groups["scale"] or ""
    whole, _, fraction = number.replace(",", "").partition(".")
    if scale:
        return f"{minus}{_number(number)} {_SCALES.get(scale, scale)} {currency.many}"
    if len(fraction) > 2 or len(whole) > 15 or not currency.minor_one:
        one = number in ("1", "1.00")
        return (
            f"{minus}{_number(whole if fraction.strip('0') == '' else number)} {currency.one if one else currency.many}"
        )
    minor = int((fraction + "00")[:2])
    parts = [f"{_number(whole)} {currency.one if whole == '1' else currency.many}"] if int(whole) or not minor else []
    parts += [f"{in_english(minor)} {currency.minor_one if minor == 1 else currency.minor_many}"] if minor else []
    return minus + " and ".join(parts)


def _address(match: re.Match[str]) -> str:
    text = re.sub(r"^\w+://(?:www\.)?|^mailto:|[?#].*|[/.]+$", "", match.group())
    text = re.sub(r"\d+", lambda d: f" {_one_by_one(d.group())} ", text)
    for sign, name in (("@", " at "), (".", " dot "), ("/", " slash "), ("-", " dash "), ("_", " underscore ")):
        text = text.replace(sign, name)
    return f" {text} "


def _month(text: str) -> str:
    return next(month for month in MONTHS if month[:3] == text[:3].title())


def _month_day(match: re.Match[str]) -> str:
    year = match.groupdict().get("y")
    return f"{_month(match['month'])} {_ordinal(str(int(match['d'])))}" + (f", {_year(year)}" if year else "")


def _numeric_date(match: re.Match[str]) -> str:
    month, day = int(match["m"]), int(match["d"])
    if month > 12:
        month, day = day, month
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return " ".join(_number(part) for part in re.findall(r"\d+", match.group()))
    return f"{MONTHS[month - 1]} {_ordinal(str(day))}, {_year(match['y'])} "


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match["h"]), match.groupdict().get("mi") or "00"
    half = re.sub(r"[ .]", "", match["half"] or "").lower()
    if not half and (hour > 12 or hour == 0):
        half = "pm" if 12 < hour < 24 else "am"
    spoken = in_english((hour - 1) % 12 + 1)
    if minute != "00":
        spoken += f" {'oh ' if minute < '10' else ''}{in_english(int(minute))}"
    elif not half:
        spoken += " o'clock"
    return (
        spoken
        + (f" {half[0].upper()}M" if half else "")
        + (f" and {in_english(int(s))} seconds" if (s := match.groupdict().get("s")) and s != "00" else "")
    )


def _phone(match: re.Match[str]) -> str:
    """Groups of a phone number with a short pause between them; a mobile number is read 3-4-4."""
    text = match.group()
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"(?:86)?1[3-9]\d{9}", digits):
        groups = [digits[:-11], digits[-11:-8], digits[-8:-4], digits[-4:]]
    else:
        groups = re.findall(r"\d+", text)
    return ("plus " if text.startswith("+") else "") + ", ".join(_one_by_one(g) for g in groups if g)


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    return ", ".join(_one_by_one(digits[i : i + 4]) for i in range(0, len(digits), 4))


def _percent(match: re.Match[str]) -> str:
    name = {"%": "percent", "‰": "per mille", "‱": "basis points"}[match["base"]]
    return f"{'minus ' if match['minus'] else ''}{_number(match['number'])} {name}"


def _unit(match: re.Match[str]) -> str:
    _, one, many = UNITS[match["unit"]]
    return f"{_number(match['number'])} {one if match['number'] == '1' else many}"


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match["above"]), int(match["below"])
    name = {1: "over one", 2: "half" if above == 1 else "halves", 4: "quarter" if above == 1 else "quarters"}.get(below)
    return f"{in_english(above)} {name or _ordinal(str(below)) + ('s' if above != 1 else '')}"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_NO_DIGIT = r"(?!\d|[.,]\d)"
_DAY = r"(?P<d>[12]\d|3[01]|0?[1-9])"
_HALF = r"(?P<half> ?[AaPp]\.?[Mm](?:\.(?=\W|$)|(?![A-Za-z])))"
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"(?:https?|ftp)://[!-~]+|(?:mailto:)?[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
                r"|(?<![A-Za-z0-9.])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org|gov|edu|io)(?![A-Za-z0-9])(?:/[!-~]*)?"), _address),
    (re.compile(r"[\d.,%¥]*[㐀-鿿][㐀-鿿\d.,%¥]*"), lambda m: zh.figures(m.group())),
    (re.compile(r"(?:(?P<head>(?<!\d)\d{3,6})[ -]?)?(?:(?:ending|ends) (?:in|with) )?(?:[*•●#]{2,}|[xX]{3,})(?:[ -]?[*•●xX#]{2,})*[ -]?(?P<n>\d{2,6})(?!\d)"), lambda m: (f"{_one_by_one(m['head'])}, " if m["head"] else "") + f"ending in {_one_by_one(m['n'])}"),
    (re.compile(rf"(?<!\d)(?P<y>\d{{4}})[-/.](?P<m>0?[1-9]|1[0-2])[-/.]{_DAY}(?![\d.%]|-\d)T?"), _numeric_date),
    (re.compile(r"(?<![\d/])(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})(?![\d/])"), _numeric_date),
    (re.compile(rf"(?<![A-Za-z])(?P<month>{_MONTH})\.? {_DAY}(?:st|nd|rd|th)?(?![\d%.]\d|\d|[A-Za-z])(?:,? (?P<y>(?:19|20)\d\d)(?![\d,.]\d|\d))?"), _month_day),
    (re.compile(rf"(?<![\d.,A-Za-z]){_DAY}(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH})\.?(?![A-Za-z])(?:,? (?P<y>(?:19|20)\d\d)(?![\d,.]\d|\d))?"), _month_day),
    (re.compile(rf"(?<![A-Za-z])(?P<month>{_MONTH})\.? (?P<y>(?:19|20)\d\d)(?![\d,.]\d|\d)"), lambda m: f"{_month(m['month'])} {_year(m['y'])}"),
    (re.compile(r"(?<=[Ii]n |by |to |of )(?<!up to )(?P<y>(?:19|20)\d\d)(?![\d,.]\d|\d|%| ?(?:[A-Z]{3}|yuan|dollars))|(?<=since |until )(?P<y2>(?:19|20)\d\d)(?![\d,.]\d|\d)"), lambda m: _year(m["y"] or m["y2"])),
    (re.compile(r"(?<=:\d\d) ?[-~] ?(?=\d{1,2}:\d\d)"), lambda m: " to "),
    (re.compile(rf"(?<![\d:.])(?P<h>[01]?\d|2[0-4]):(?P<mi>[0-5]\d)(?::(?P<s>[0-5]\d)(?:\.\d+)?)?(?![\d:])(?:Z|\+\d\d:?\d\d(?!\d))?{_HALF}?"), _time),
    (re.compile(rf"(?<![\d:.,])(?P<h>1[0-2]|[1-9]){_HALF}"), _time),
    (re.compile(rf"(?<![\d.:])(?P<a>{NUMBER}) ?: ?(?P<b>{NUMBER})(?![\d:])"), lambda m: f"{_number(m['a'])} to {_number(m['b'])}"),
    (re.compile(r"(?<![\d.,])(?:\+ ?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,])(?:\+ ?\d{1,3}[ -])(?:\(?\d{2,5}\)?[ -]?){1,4}" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,-])(?:400|800)[ -]?\d{3,4}[ -]?\d{3,4}" + _NO_DIGIT + r"|(?<![\d.,-])\(?0\d{2,3}[)-] ?[1-9]\d{3}[ -]?\d{3,4}" + _NO_DIGIT
                + r"|(?<![\d.,$-])\(?[2-9]\d{2}\)?[ -][2-9]\d{2}[ -]\d{4}" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,$¥€£-])(?:95\d{3}|(?<=call )\d{3,5}|(?<=Call )\d{3,5}|(?<=dial )\d{3,5})" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,-])\d{4}(?:[ -]\d{4}){2,4}(?:[ -]\d{1,4})?" + _NO_DIGIT), _card),
    (re.compile(r"(?<![\d.,])\d{13,19}" + _NO_DIGIT), _card),
    (re.compile(r"(?P<cue>(?i:(?:ending|ends|ended) (?:in|with)|(?:card|account|reference|order|policy|passport|ID|phone|tail) (?:number|no\.?)(?: is)?|code(?: is)?|last (?:four|six|4|6) digits(?: are)?):? )(?P<n>\d{2,})" + _NO_DIGIT), lambda m: re.sub("[46]", lambda d: _number(d.group()), m["cue"]) + _one_by_one(m["n"])),
    (re.compile(r"(?<![A-Za-z])(?:No\.|no\.|#) ?(?=\d)"), lambda m: "number "),
    (re.compile(r"(?<![\d.,])(?P<n>(?:19|20)\d)0s(?![A-Za-z])"), lambda m: _year(m["n"] + "0").removesuffix("y") + "ies"),
    (re.compile(r"24/7"), lambda m: "twenty-four seven"),
    (re.compile(rf"(?P<low>{NUMBER}) ?[%‰]? ?[-~] ?(?P<number>{NUMBER}) ?(?P<base>[%‰])"), lambda m: f"{_number(m['low'])} to {_number(m['number'])} {'percent' if m['base'] == '%' else 'per mille'}"),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<number>{NUMBER}) ?(?P<base>[%‰‱])"), _percent),
    (re.compile(r"(?<=[\d%kKmM]) ?[-~] ?(?=[¥$€£]?\d)|(?<=[A-Z][0-9]) ?[-~] ?(?=[A-Z]\d)"), lambda m: " to "),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<sign>(?<![A-Za-z])(?:{SIGN})) ?(?P<minus2>-)?(?P<number>{NUMBER}){_SCALE}"), _money),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<number>{NUMBER}){_SCALE} ?(?P<code>{CODE})(?![A-Za-z])"), _money),
    (re.compile(rf"(?<![A-Za-z\d.])(?P<number>{NUMBER}) ?(?P<unit>{UNIT})(?![A-Za-z])"), _unit),
    (re.compile(rf"(?P<number>{NUMBER})(?P<scale>k|K|M|mn|bn|B)(?![A-Za-z])"), lambda m: f"{_number(m['number'])} {_SCALES[m['scale']]}"),
    (re.compile(r"(?<![\d.,])(?P<n>\d{1,15})(?:st|nd|rd|th)(?![A-Za-z])"), lambda m: _ordinal(m["n"])),
    (re.compile(r"(?<=\d) ?[xX×*] ?(?=\d)"), lambda m: " by "),
    (re.compile(rf"(?P<n>{NUMBER})x(?![A-Za-z])"), lambda m: f"{_number(m['n'])} times"),
    (re.compile(r"(?<![\d./])(?P<above>\d{1,3}) ?[/⁄] ?(?P<below>[1-9]\d{0,2})(?![\d./])"), _fraction),
    (re.compile(r"(?P<base>\d+)\^(?P<power>\d+)"), lambda m: f"{_number(m['base'])} to the power of {_number(m['power'])}"),
    (re.compile(r"\^[23]"), lambda m: " squared" if m.group() == "^2" else " cubed"),
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])"), lambda m: " point ".join(map(_number, m.group().split(".")))),
    (re.compile(r"(?<=[A-Za-z])-?\d+"), lambda m: f" {_number(m.group().lstrip('-')) if len(m.group()) < 4 else _one_by_one(m.group())}"),
    (re.compile(r"(?:^|(?<=[。.;] )|(?<=。))[ ]?\(?(\d{1,2})(?:[.)、](?!\d))[ ]?"), lambda m: f"{_number(m[1])}, "),
    (re.compile(r"(?<![\w.%])\+(?=\d)"), lambda m: "plus "),
    (re.compile(MINUS), lambda m: "minus "),
    (re.compile(rf"{NUMBER}(?=(?P<letter>[A-Za-z]?))(?<!\d\.)"), lambda m: _number(m.group()) + (" " if m["letter"] else "")),
    (re.compile(r"\d+"), lambda m: f" {_number(m.group())}"),
)  # fmt: skip
_SIGNS = {
    "&": " and ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ", "≥": " at least ", "≤": " at most ",
    ">": " more than ", "<": " less than ", "≈": " about ", "±": " plus or minus ", "@": " at ", "%": " percent ",
    "‰": " per mille ", "→": ", ",
}  # fmt: skip
_SHORT = re.compile(
    rf"(?<![A-Za-z.])(?:{'|'.join(re.escape(a) for a in sorted(ABBREVIATIONS, key=len, reverse=True))})(?![A-Za-z])"
)


def figures(text: str) -> str:
    """`text` with every number, sign and common abbreviation in English words."""
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    text = _SHORT.sub(lambda m: ABBREVIATIONS[m.group()], text)
    text = re.sub(rf"(?<![A-Za-z])(?:{SIGN})(?![A-Za-z])", _bare_sign, text)
    text = re.sub(r"(?<=[A-Za-z]) ?/ ?(?=(?:year|month|day|week|person|card|transaction|time)\b)", " per ", text)
    text = re.sub(r"\band/or\b", "and or", text)
    text = re.sub(r"(?<=[A-Za-z]) ?/ ?(?=[A-Za-z])", " or ", re.sub(r"(?<=[A-Za-z])\(s\)", "s", text))
    return "".join(_SIGNS.get(character, character) for character in text)


def _bare_sign(match: re.Match[str]) -> str:
    return match.group() if match.group().isalpha() else f" {BY_SIGN[match.group()].many} "
