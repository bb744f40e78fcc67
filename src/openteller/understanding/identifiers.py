"""Numbers that identify a person, recognised by their shape and, where they carry one, by their check digit.

Mobile and fixed phones, resident identity numbers (GB 11643), bank cards (ISO/IEC 7812, Luhn), IBAN (ISO 13616,
mod 97), passports, number plates (GA 36), e-mail addresses. Knows nothing about the words around a number: numbers
that only a word gives away (an account number, a password) are in `disclosures`.

Every pattern is linear by construction: runs are possessive, repetitions bounded, and windows over digit groups are
limited to `_MAX_GROUPS` groups.
"""

import re
from collections.abc import Iterator
from datetime import date

from openteller.understanding.candidates import Candidate, Kind

_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "QA": 29,
    "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26,
}  # fmt: skip
_MAX_GROUPS = 7

_RUN = re.compile(r"\d++(?:[ .·-]{1,2}+\d++)*+")
_GROUP = re.compile(r"\d++")
_ID_18 = re.compile(r"(?<!\d)\d{6}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[0-9Xx](?!\d)")
_ID_15 = re.compile(r"(?<!\d)\d{15}(?!\d)")
_ID_HONG_KONG = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}\d{6} ?\([0-9Aa]\)")
_MOBILE = re.compile(r"(?<!\d)(?:\+?(?:00)?86[ -]{0,2})?1[3-9]\d[ .-]?\d{4}[ .-]?\d{4}(?!\d)")
_LANDLINE = re.compile(
    r"(?<!\d)(?:\+?(?:00)?86[ -]?)?\(?(?:010|02\d|0[3-9]\d{2})\)?[ -]?[2-8]\d{2,3}[ -]?\d{4}(?:(?:转|轉"
    r"| ?ext\.? ?|-)\d{1,5})?(?!\d)"
)
_INTERNATIONAL = re.compile(r"(?<![\d+])(?:\+|00)[1-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){2,5}(?![\d,])")
_NORTH_AMERICA = re.compile(
    r"(?<![\d-])(?!\(?8(?:00|44|55|66|77|88))(?!400)\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}(?![\d-])"
)
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,4}+")
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])")
_PASSPORT = re.compile(
    r"(?<!订单)(?<!單號)(?<!单号)(?<!编号)(?<!型号)(?<![A-Za-z0-9-])(?:[EeGg]\d{8}"
    r"|[Ee][A-HJ-NP-Za-hj-np-z]\d{7}|[KkMm][A-Za-z]?\d{7,8}(?<=\d{8}))(?![A-Za-z0-9-])"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Za-hj-np-z][ ·•-]?"
    r"(?=[A-Za-z]{0,5}\d)[A-HJ-NP-Za-hj-np-z0-9]{4}(?:[A-HJ-NP-Za-hj-np-z0-9]{1,2}|[挂学警港澳])(?![A-Za-z0-9])"
)


def luhn_valid(digits: str) -> bool:
    """Whether `digits` ends in the check digit of ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def identity_valid(number: str) -> bool:
    """Whether `number` is a resident identity number: region, birth date and (18 digits) check digit, GB 11643."""
    if int(number[:2]) not in _PROVINCES:
        return False
    born = number[6:14] if len(number) == 18 else "19" + number[6:12]
    try:
        date(int(born[:4]), int(born[4:6]), int(born[6:8]))
    except ValueError:
        return False
    if len(number) == 15:
        return True
    check = sum(int(d) * w for d, w in zip(number[:17], _ID_WEIGHTS, strict=True)) % 11
    return 1800 <= int(born[:4]) <= 2100 and number[17].upper() == "10X98765432"[check]


def _hong_kong_valid(number: str) -> bool:
    letters, digits, check = re.fullmatch(r"([A-Z]{1,2})(\d{6})([0-9A])", number).groups()  # type: ignore[union-attr]
    values = [36] * (2 - len(letters)) + [ord(c) - 55 for c in letters] + [int(d) for d in digits]
    total = sum(v * w for v, w in zip(values, range(9, 1, -1), strict=True)) + int(check, 16)
    return total % 11 == 0


def iban_valid(iban: str) -> bool:
    """Whether `iban` (letters and digits only, upper case) passes the mod-97 check of ISO 13616."""
    rearranged = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in rearranged)) % 97 == 1


def _bare(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text).upper()


def _groups(run: re.Match[str], view: str) -> list[tuple[int, int]]:
    """The digit groups of a run; digits written one by one ("6 2 2 2 …") count as one group."""
    groups: list[tuple[int, int]] = []
    single = False
    for match in _GROUP.finditer(view, run.start(), run.end()):
        alone = match.end() - match.start() == 1
        if alone and single:
            groups[-1] = (groups[-1][0], match.end())
        else:
            groups.append(match.span())
        single = alone
    return groups


def _cards(view: str) -> Iterator[Candidate]:
    for run in _RUN.finditer(view):
        groups = _groups(run, view)
        for first, (start, _) in enumerate(groups):
            digits = ""
            for left, right in groups[first : first + _MAX_GROUPS]:
                digits += _bare(view[left:right])
                if len(digits) > 19:
                    break
                if len(digits) >= 13 and luhn_valid(digits):
                    yield Candidate(Kind.CARD_NUMBER, start, right)
                elif len(digits) == 11 and first + 1 < len(groups) and left == start and _MOBILE.fullmatch(digits):
                    yield Candidate(Kind.PHONE, start, right)


def _identities(view: str) -> Iterator[Candidate]:
    for pattern in (_ID_18, _ID_15):
        for match in pattern.finditer(view):
            if identity_valid(_bare(match.group())):
                yield Candidate(Kind.ID_NUMBER, *match.span())
    for match in _ID_HONG_KONG.finditer(view):
        if _hong_kong_valid(_bare(match.group())):
            yield Candidate(Kind.ID_NUMBER, *match.span())


def _phones(view: str) -> Iterator[Candidate]:
    for pattern in (_MOBILE, _LANDLINE, _NORTH_AMERICA):
        for match in pattern.finditer(view):
            yield Candidate(Kind.PHONE, *match.span())
    for match in _INTERNATIONAL.finditer(view):
        if 9 <= len(_bare(match.group())) <= 16:
            yield Candidate(Kind.PHONE, *match.span())


def _ibans(view: str) -> Iterator[Candidate]:
    for match in _IBAN_START.finditer(view):
        length = _IBAN_LENGTHS.get(match.group(1).upper(), 0)
        taken, place = "", match.start()
        while len(taken) < length and place < len(view) and (view[place].isascii()):
            if view[place].isalnum():
                taken += view[place].upper()
            elif view[place] not in " -":
                break
            place += 1
        if length and len(taken) == length and iban_valid(taken):
            yield Candidate(Kind.IBAN, match.start(), place)


def candidates(view: str) -> Iterator[Candidate]:
    """Identifying numbers in a matching view (with spoken digits), in no order; they may overlap."""
    yield from _identities(view)
    yield from _cards(view)
    yield from _phones(view)
    yield from _ibans(view)
    for kind, pattern in ((Kind.EMAIL, _EMAIL), (Kind.PASSPORT, _PASSPORT), (Kind.PLATE_NUMBER, _PLATE)):
        for match in pattern.finditer(view):
            if kind is not Kind.EMAIL or not match.group().rpartition(".")[2].isdigit():
                yield Candidate(kind, *match.span())
