"""Digits of one number that a speaker's pauses, or a recogniser, set apart. Knows the shapes of numbers, not words."""

import re

_SEPARATOR = r"(?: |, ?|，|-)"
_SHAPES = re.compile(
    rf"(?<![\d.,])(?:1[3-9]\d{_SEPARATOR}\d{{4}}{_SEPARATOR}\d{{4}}"  # mobile 3-4-4
    rf"|[48]00{_SEPARATOR}\d{{3,4}}{_SEPARATOR}\d{{3,4}}"  # hotline
    rf"|\d{{4}}(?:{_SEPARATOR}\d{{4}}){{3}}(?:{_SEPARATOR}\d{{1,3}})?)(?!\d|[.,]\d)"  # card 4-4-4-4(-3)
)
_SINGLES = re.compile(r"(?<![\d.,A-Za-z])(?<!\d[ -])\d(?:(?: \d){3,}|(?:-\d){3,})(?![\d.,]?\d)(?![ -]\d)")


def joined(text: str) -> str:
    """`text` with the groups of a phone or card number, and four or more single digits in a row, set together."""
    for pattern in (_SINGLES, _SHAPES):
        text = pattern.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    return text
