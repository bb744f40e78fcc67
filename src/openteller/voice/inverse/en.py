"""English number words into figures: amounts, rates, dates, times, phone and card digits ("double oh seven").

Words below ten stay words unless money, a rate, a date or digits are meant: "one of my cards", "at one point".
Knows nothing about recognisers. Not covered: fractions, "two and a half million", "five fifty" for an amount.
"""

import re
from collections.abc import Callable
from functools import cache

from openteller.core.numerals import english
from openteller.voice.aloud.en import MONTHS
from openteller.voice.aloud.tables import CURRENCIES
from openteller.voice.inverse.groups import joined

_UNIT = "one|two|three|four|five|six|seven|eight|nine"
_TEEN = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_SCALE = "thousand|million|billion|trillion"
_B100 = rf"(?:(?:{_TENS})(?:[- ](?:{_UNIT}))?|{_TEEN}|{_UNIT})"
_B1000 = rf"(?:(?:{_B100}|a) hundred(?:(?: and)? {_B100})?|{_B100})"
# The comma of "five thousand, six" lists; that of "one million, two hundred thousand" groups.
_THEN = rf"(?:,(?= {_B100} hundred))?(?: and)? "
_THOUSANDS = rf"(?:{_B1000}|a) thousand(?:{_THEN}{_B1000})?"
_MILLIONS = rf"(?:{_B1000}|a) million(?:{_THEN}(?:{_THOUSANDS}|{_B1000}))?"
_BILLIONS = rf"(?:{_B1000}|a) (?:billion|trillion)(?:{_THEN}(?:{_MILLIONS}|{_THOUSANDS}|{_B1000}))?"
_WORDS = rf"(?:{_BILLIONS}|{_MILLIONS}|{_THOUSANDS}|{_B1000}|zero)"
_DIGIT = rf"(?:zero|oh|o|{_UNIT})"
_NUMBER = rf"(?:{_WORDS}(?: point {_DIGIT}(?: {_DIGIT})*(?: (?:{_SCALE}))?)?|\d[\d,]*(?:\.\d+)?(?: (?:{_SCALE}))?)"
_START, _END = r"(?<![A-Za-z\d.,$¥€£-])(?<!\d )", r"(?![A-Za-z]|-[A-Za-z])"
_MINUS = r"(?P<minus>minus |negative )?"
_ALONE = re.compile(rf"(?:{_UNIT}|{_TEEN}|{_TENS}|{_SCALE}|hundred|zero|point)", re.IGNORECASE)
_VALUES = {word: str(value) for value, word in enumerate(["zero", *_UNIT.split("|")])} | {"oh": "0", "o": "0"}
_MONTH = "|".join(MONTHS)
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
]
_ORDINAL = "|".join(word.replace("-", "[- ]") for word in reversed(_ORDINALS))
_YEAR = rf"(?:(?:twenty|nineteen)[- ](?:(?:oh|o)[- ](?:{_UNIT})|{_B100})|two thousand(?: and)?(?: {_B100})?)(?!{'|'.join((' hundred', ' thousand', ' percent', ' point'))})"


def _signs() -> dict[str, str]:
    """Spoken currency names to what is written before an amount; codes where a sign would be mistaken."""
    names = {"bucks": "$", "us dollar": "$", "us dollars": "$", "renminbi": "¥", "rmb": "¥", "kuai": "¥"}
    for currency in CURRENCIES:
        sign = next(
            (s for s in reversed(currency.written) if not s.isalpha() and s != "JP¥"), currency.written[-1] + " "
        )
        names |= {currency.one.lower(): sign, currency.many.lower(): sign}
    return {name: sign for name, sign in names.items() if name not in ("won", "dong")}


_SIGNS = _signs()
_CURRENCY = "|".join(sorted(_SIGNS, key=len, reverse=True))
_MINORS = {"cent": "$", "cents": "$", "penny": "£", "pence": "£"}


def _figure(text: str) -> str:
    """Number words or digits in figures, a scale after a decimal kept: 3,520; 5.25; 1.5 million."""
    words = text.lower().replace(",", "")
    if words[0].isdigit():
        number, _, scale = words.partition(" ")
        return _grouped(number) + (f" {scale}" if scale else "")
    whole, point, fraction = words.partition(" point ")
    value = _grouped(str(english(whole)))
    if not point:
        return value
    digits = [_VALUES[word] for word in fraction.split() if word in _VALUES]
    scale = next((word for word in fraction.split() if word not in _VALUES), "")
    return f"{value}.{''.join(digits)}" + (f" {scale}" if scale else "")


def _grouped(number: str) -> str:
    whole, point, fraction = number.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def _alone(match: re.Match[str]) -> bool:
    """Whether no number word stands beside the match: "five fifty" is neither 55 nor 5 and 50."""
    before = re.search(r"([A-Za-z]+)[ -]$", match.string[max(0, match.start() - 16) : match.start()])
    after = re.match(r"[ -]([A-Za-z]+)", match.string[match.end() :][:16])
    return not any(word and _ALONE.fullmatch(word[1]) for word in (before, after))


def _money(match: re.Match[str]) -> str:
    if not _alone(match):
        return match.group()
    sign, figure = _SIGNS[match["currency"].lower()], _figure(match["number"])
    if minor := match["minor"]:
        cents = int(minor) if minor.isdigit() else int(english(minor.lower()) or 0)
        figure = f"{figure}.{cents:02}" if "." not in figure and " " not in figure else figure
    elif re.fullmatch(r"[\d,]+\.\d", figure):
        figure += "0"
    return f"{'-' if match['minus'] else ''}{sign}{figure}"


def _minor(match: re.Match[str]) -> str:
    minor = match["number"]
    cents = int(minor) if minor.isdigit() else int(english(minor.lower()) or 0)
    return f"{_MINORS[match['unit'].lower()]}0.{cents:02}" if _alone(match) else match.group()


def _percent(match: re.Match[str]) -> str:
    if not _alone(match):
        return match.group()
    low = f"{_figure(match['low'])}% to " if match["low"] else ""
    return f"{'-' if match['minus'] else ''}{low}{_figure(match['number'])}%"


def _year(words: str) -> str:
    words = re.sub(r"[- ]+", " ", words.lower())
    if words.startswith("two thousand"):
        return str(english(words))
    century, _, rest = words.partition(" ")
    value = (
        int(_VALUES[rest.split()[-1]])
        if rest.startswith("o") and rest.split()[0] in ("oh", "o")
        else int(english(rest) or 0)
    )
    return f"{20 if century == 'twenty' else 19}{value:02}"


def _date(match: re.Match[str]) -> str:
    groups = match.groupdict()
    day = _ORDINALS.index(re.sub(" ", "-", groups["day"].lower())) + 1
    year = groups.get("year")
    return f"{groups['month']} {day}" + (f", {year if year.isdigit() else _year(year)}" if year else "")


def _time(match: re.Match[str]) -> str:
    hour = int(english(match["hour"].lower()) or 0)
    minute = (match["minute"] or "").lower()
    if not 1 <= hour <= 12 or not _alone(match):
        return match.group()
    minutes = int(english(minute.removeprefix("oh ")) or 0) if minute else 0
    half = "AM" if match["half"][0] in "aA" else "PM"
    return f"{hour}:{minutes:02} {half}"


def _run(match: re.Match[str]) -> str:
    """Digits said one by one; three and more, so that "one two" stays."""
    if not _alone(match):
        return match.group()
    groups = []
    for group in match.group().lower().split(", "):
        words, digits, times = re.split(r"[ -]", group), "", 1
        for word in words:
            if word in ("double", "triple"):
                times = 2 if word == "double" else 3
            else:
                digits, times = digits + _VALUES[word] * times, 1
        groups.append(digits)
    first = re.split(r"[ -]", match.group().lower())[0]
    short = len("".join(groups)) < (4 if first in ("oh", "o") else 3)
    return match.group() if short else ", ".join(groups)


def _decimal(match: re.Match[str]) -> str:
    idiom = match["number"].lower().startswith("one point") and match.string[: match.start()].lower().endswith("at ")
    return match.group() if idiom or not _alone(match) else ("-" if match["minus"] else "") + _figure(match["number"])


def _cardinal(match: re.Match[str]) -> str:
    number = match["number"]
    value = english(number.lower().replace(",", "")) or 0
    if value < 10 or number.lower().startswith("a ") or not _alone(match):
        return match.group()
    return ("-" if match["minus"] else "") + _figure(number)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ONE = rf"(?:(?:double|triple)[ -])?{_DIGIT}"
_GROUP = rf"(?:{_ONE}(?:[ -]{_ONE})+|triple[ -]{_DIGIT})"


@cache
def _rules() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
    # Compiled when first used: that takes a third of a second.
    return (
        (_rule(rf"{_START}(?:the )?(?P<day>{_ORDINAL})(?: day)? of (?P<month>{_MONTH})(?:,? (?P<year>{_YEAR}|\d{{4}}))?{_END}"), _date),
        (_rule(rf"{_START}(?P<month>{_MONTH}) (?:the )?(?P<day>{_ORDINAL})(?:,? (?P<year>{_YEAR}|\d{{4}}))?{_END}"), _date),
        (_rule(rf"{_START}(?P<month>{_MONTH}),? (?P<year>{_YEAR}){_END}"), lambda m: f"{m['month']} {_year(m['year'])}"),
        (_rule(rf"(?:(?<=\bin )|(?<=\bsince )|(?<=\bby )|(?<=\buntil )|(?<=\byear ))(?P<year>{_YEAR}){_END}(?!(?: [a-z]+)? (?:{_CURRENCY}))"), lambda m: _year(m["year"]) if _alone(m) else m.group()),
        (_rule(rf"{_START}(?P<hour>{_B100})(?: (?P<minute>oh (?:{_UNIT})|{_B100}))? (?P<half>a\.?m\b\.?|p\.?m\b\.?)"), _time),
        (_rule(rf"{_START}{_MINUS}(?P<number>{_NUMBER}) (?P<currency>{_CURRENCY})(?: and (?P<minor>{_B100}|\d{{1,2}}) (?:cents?|penny|pence|fen))?{_END}"), _money),
        (_rule(rf"{_START}(?<!my )(?P<number>{_B100}|\d{{1,2}}) (?P<unit>cents?|penny|pence){_END}"), _minor),
        (_rule(rf"{_START}{_MINUS}(?:(?P<low>{_NUMBER}) to )?(?P<number>{_NUMBER}) per ?cent{_END}"), _percent),
        (_rule(rf"{_START}{_MINUS}(?P<number>{_WORDS} point {_DIGIT}(?: {_DIGIT})*(?: (?:{_SCALE}))?){_END}"), _decimal),
        (_rule(rf"{_START}{_GROUP}(?:, {_GROUP})*{_END}"), _run),
        (_rule(rf"{_START}{_MINUS}(?P<number>{_WORDS}){_END}"), _cardinal),
    )  # fmt: skip


def figures(text: str) -> str:
    """`text` with English number words in figures."""
    for pattern, figure in _rules():
        text = pattern.sub(figure, text)
    return joined(text)
