"""What customers speak of and how they feel about it, clause by clause, from word lists in both languages.

Lists rather than the encoder: ten thousand texts hold some twenty thousand clauses, and a reading of each by a transformer
takes longer than the whole report may. What is not covered: irony, comparisons with another bank, what is said between the
lines, and words that are not on the lists; figures are in docs/benchmarks.md.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pydantic import Field

from openteller.core.records import LocalText, Record
from openteller.core.text import fold
from openteller.core.yaml_text import read_yaml
from openteller.insights.surveys.figures import Figure, share
from openteller.insights.surveys.texts import clauses

_BEFORE_ZH, _BEFORE_EN = 3, 3


class Aspect(Record):
    """Something that customers speak of."""

    id: str
    name: LocalText
    zh: tuple[str, ...]
    en: frozenset[str]


class AspectFigure(Record):
    """How one aspect was spoken of: clauses that praise, blame, or do neither."""

    aspect: str
    answers: int = Field(description="answers in which it comes up")
    good: int
    neutral: int
    bad: int
    blamed: Figure = Field(description="share of blame among the clauses that praise or blame, 0–1; 0.5 of none")


class _Feelings(NamedTuple):
    good_zh: tuple[str, ...]
    bad_zh: tuple[str, ...]
    turned_zh: tuple[str, ...]
    good_en: frozenset[str]
    bad_en: frozenset[str]
    turned_en: frozenset[str]


@cache
def aspects() -> dict[str, Aspect]:
    """The aspects by id."""
    found = read_yaml(files(__package__).joinpath("aspects.yaml").read_text("utf-8"))
    return {
        name: Aspect(
            id=name,
            name=LocalText.model_validate(one["name"]),
            zh=tuple(fold(word) for word in one["zh"].split()),
            en=frozenset(one["en"].split()),
        )
        for name, one in found.items()
    }


def aspects_of(clause: str) -> tuple[str, ...]:
    """The ids of the aspects that a clause names; the longest words first, so that 手续费 names fees and no 手续."""
    folded = fold(clause)
    english, left = set(_english(folded)), folded
    found = {name for name, aspect in aspects().items() if english & aspect.en}
    for word, name in _pieces():
        if word.isascii():  # a Latin word on the Chinese list (APP, ATM) counts as a word, not as a piece of one
            found |= {name} if word in english else set()
        elif word in left:
            found.add(name)
            left = left.replace(word, "\0")
    return tuple(name for name in aspects() if name in found)


def feeling(clause: str) -> int:
    """1 when a clause praises, -1 when it blames, 0 when it does neither or as much of both. A negation turns a word."""
    lists, folded = _feelings(), fold(clause)
    score = _chinese(folded, lists)
    words = _english(folded)
    for place, word in enumerate(words):
        sign = (word in lists.good_en) - (word in lists.bad_en)
        turned = any(before in lists.turned_en for before in words[max(0, place - _BEFORE_EN) : place])
        score += -sign if turned else sign
    return (score > 0) - (score < 0)


def by_aspect(texts: Iterable[str]) -> tuple[AspectFigure, ...]:
    """How each aspect was spoken of in answers' texts, the most spoken of first; aspects that nobody named are left out.

    A clause without an aspect of its own belongs to the aspects of the clause before: “the queue was long, which annoyed me”.
    """
    heard: dict[str, list[int]] = {}
    answers: dict[str, int] = {}
    for text in texts:
        named = heard_in(text)
        for name, feelings in named.items():
            answers[name] = answers.get(name, 0) + 1
            heard.setdefault(name, []).extend(feelings)
    figures = []
    for name, feelings in heard.items():
        good, bad = feelings.count(1), feelings.count(-1)
        blamed = share(bad, good + bad) or Figure(value=0.5, low=None, high=None, answers=len(feelings))
        neutral = len(feelings) - good - bad
        figures.append(
            AspectFigure(aspect=name, answers=answers[name], good=good, neutral=neutral, bad=bad, blamed=blamed)
        )
    return tuple(sorted(figures, key=lambda one: (-one.answers, one.aspect)))


def heard_in(text: str) -> dict[str, list[int]]:
    """Aspect → what is felt about it in each clause of a text."""
    found: dict[str, list[int]] = {}
    spoken_of: tuple[str, ...] = ()
    for clause in clauses(text):
        own = aspects_of(clause)
        felt = feeling(clause)
        if own:
            spoken_of = own
        elif not felt:
            continue
        for name in spoken_of:
            found.setdefault(name, []).append(felt)
    return found


def _chinese(folded: str, lists: _Feelings) -> int:
    """Long words first, each place counted once: 不满意 is blame, 不用排队 is praise."""
    score, left = 0, folded
    signed = [(word, 1) for word in lists.good_zh] + [(word, -1) for word in lists.bad_zh]
    for word, sign in sorted(signed, key=lambda item: -len(item[0])):
        while (start := left.find(word)) >= 0:
            before = left[max(0, start - _BEFORE_ZH) : start]
            score += -sign if any(no in before for no in lists.turned_zh) else sign
            left = left[:start] + "\0" * len(word) + left[start + len(word) :]
    return score


@cache
def _pieces() -> tuple[tuple[str, str], ...]:
    """The Chinese lists' words with their aspects, the longest first."""
    found = [(word, name) for name, aspect in aspects().items() for word in aspect.zh]
    return tuple(sorted(found, key=lambda item: -len(item[0])))


def _english(folded: str) -> list[str]:
    return re.findall(r"[a-z]+(?:['’][a-z]+)?", folded)


@cache
def _feelings() -> _Feelings:
    found = read_yaml(files(__package__).joinpath("sentiment.yaml").read_text("utf-8"))
    chinese = {mood: tuple(map(fold, both["zh"].split())) for mood, both in found.items()}
    english = {mood: frozenset(both["en"].split()) for mood, both in found.items()}
    return _Feelings(
        good_zh=chinese["good"],
        bad_zh=chinese["bad"],
        turned_zh=chinese["turned"],
        good_en=english["good"],
        bad_en=english["bad"],
        turned_en=english["turned"],
    )
