"""Error rates of recognised speech: by character of Chinese, by word of other languages (Levenshtein 1966).

Punctuation, case, the width of characters and traditional forms do not count. A rate may be over 1: words that nobody said are errors too. Knows
nothing about audio or models.
"""

import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from openteller.core.text import fold


@dataclass(frozen=True)
class Heard:
    """One utterance: what was said, what a model heard, in which language (zh or en)."""

    said: str
    heard: str
    language: str


def distance(said: Sequence[Hashable], heard: Sequence[Hashable]) -> int:
    """The fewest units to insert, delete or replace that make `said` of `heard`."""
    above = list(range(len(heard) + 1))
    for i, unit in enumerate(said, 1):
        row = [i]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (unit != other)))
        above = row
    return above[-1]


def units(text: str, language: str) -> list[str]:
    """What is counted: the characters of Chinese one by one, the words of others."""
    plain = fold(text)
    if language == "zh":
        return [c for c in plain if _counts(c)]
    return "".join(c if _counts(c) or c == "'" else " " for c in plain).split()


def _counts(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def error_rates(utterances: Sequence[Heard]) -> dict[str, float]:
    """``cer`` of Chinese and ``wer`` of others, over all units; a language without utterances has no figure."""
    sides = {
        "cer": [u for u in utterances if u.language == "zh"],
        "wer": [u for u in utterances if u.language != "zh"],
    }
    return {name: _rate(side) for name, side in sides.items() if side}


def _rate(utterances: Sequence[Heard]) -> float:
    pairs = [(units(u.said, u.language), units(u.heard, u.language)) for u in utterances]
    return sum(distance(*pair) for pair in pairs) / max(1, sum(len(said) for said, _ in pairs))


def recognised(utterances: Sequence[Heard]) -> float:
    """1 less the mean of ``cer`` and ``wer``, as far as there are both: what a run looks at, higher is better."""
    found = error_rates(utterances)
    rates = [found[name] for name in ("cer", "wer") if name in found]
    return 1 - sum(rates) / max(1, len(rates))
