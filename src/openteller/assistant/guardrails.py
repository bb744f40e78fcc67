"""Groundedness: no number leaves the house that its sources do not hold, and every sentence leans on a passage.

Used on text that a language model worded; approved text passes by construction. What is not covered: a sentence that
uses the right numbers in a wrong relation; the support threshold lowers that risk and does not remove it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np

from openteller.core.text import fold, sentences
from openteller.runtime.protocols import Embedder, Floats

_NUMBER = re.compile(r"\d+(?:[,，]\d{3})*(?:\.\d+)?")
_HAN_DIGITS = dict(zip("零一二三四五六七八九两", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2], strict=True))
_HAN_NUMBER = re.compile(
    "[零一二三四五六七八九两十百千万亿]+(?=[%％元块万亿天日个月年笔次倍折号岁])|百分之[零一二三四五六七八九十点]+"
)
SUPPORT = 0.55


@dataclass(frozen=True)
class Alignment:
    """A sentence with the index of the passage that supports it best and their cosine."""

    sentence: str
    passage: int
    support: float


def numbers(text: str) -> set[Decimal]:
    """The numbers written in `text` with digits, and simple Chinese numerals before a unit, as decimals."""
    found = set()
    for match in _NUMBER.finditer(fold(text)):
        try:
            found.add(Decimal(re.sub("[,，]", "", match.group())).normalize())
        except InvalidOperation:
            continue
    found |= {
        Decimal(value).normalize() for m in _HAN_NUMBER.finditer(text) if (value := _han_value(m.group())) is not None
    }
    return found


def _han_value(text: str) -> int | None:
    if text.startswith("百分之"):
        text = text[3:]
    if "点" in text:
        return None
    total, section, digit = 0, 0, 0
    units = {"十": 10, "百": 100, "千": 1000}
    for character in text:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
        elif character in units:
            section += (digit or 1) * units[character]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if character == "万" else 100_000_000)
            section = digit = 0
    return total + section + digit


def unsupported_numbers(text: str, sources: Sequence[str]) -> set[Decimal]:
    """The numbers in `text` that no source holds. List markers such as ``1.`` at a line's start do not count."""
    body = re.sub(r"(?m)^\s*\d{1,2}[.、)）]\s*", "", text)
    allowed: set[Decimal] = set().union(*(numbers(source) for source in sources)) if sources else set()
    return numbers(body) - allowed


def align(text: str, passages: Sequence[str], embedder: Embedder) -> list[Alignment]:
    """Each sentence of `text` with the passage nearest to it."""
    parts = sentences(text)
    if not parts or not passages:
        return []
    pieces = [(i, s) for i, p in enumerate(passages) for s in (p, *sentences(p))]
    similarity: Floats = embedder.embed(parts, "query") @ embedder.embed([s for _, s in pieces], "passage").T
    best = np.argmax(similarity, axis=1)
    return [
        Alignment(sentence, pieces[int(b)][0], float(similarity[row, b]))
        for row, (sentence, b) in enumerate(zip(parts, best, strict=True))
    ]
