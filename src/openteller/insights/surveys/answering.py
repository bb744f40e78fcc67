"""What somebody answered, checked against what was asked: numbers on their scale, options that there are, text masked.

Knows nothing about where the answers come from, or where they go.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.insights.surveys.records import MAX_TEXT_CHARACTERS, RATED, Kind, Question, Survey, Value

_MISSING = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "—", "/", "#n/a", "缺失", "未填", "未作答", "(空)", "空")
)
_NUMBER = re.compile(r"([+-]?\d{1,3})(?:\.0+)?\s*(?:分|点|points?)?")
_SEVERAL = re.compile(r"[;|、,\n]+")
_STARS = re.compile(r"[★⭐]+")


def is_missing(value: object) -> bool:
    """Whether a cell says that nothing was answered."""
    return value is None or (isinstance(value, str) and fold(value) in _MISSING)


def checked(survey: Survey, raw: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Value]:
    """The answers by question id, those left out missing; options may be given by id or by their text in either language.

    Args:
        survey: what was asked.
        raw: question id → number, text or list of texts, as it came.
        redact: drops secrets from a text and masks personal data in it.

    Raises:
        BadInput: a question that is not asked, a number off its scale, an option that there is not, a text over 2,000
            characters, a required answer missing, or no answer at all.
    """
    unknown = [name for name in raw if survey.question(name) is None]
    if unknown:
        asked = ", ".join(question.id for question in survey.questions)
        raise BadInput(f"The survey does not ask {unknown[0][:40]!r}.", next_step=f"It asks: {asked}.")
    values: dict[str, Value] = {}
    for question in survey.questions:
        given = raw.get(question.id)
        value = None if is_missing(given) else _value(question, given, redact)
        if value is None or value == ():
            if question.required:
                raise BadInput(f"The question {question.id} has no answer.", next_step="Answer it: it is required.")
        else:
            values[question.id] = value
    if not values:
        raise BadInput("Nothing was answered.", next_step="Answer one question at least.")
    return values


def _value(question: Question, given: Any, redact: Callable[[str], str]) -> Value | None:
    if question.kind in RATED:
        return _number(question, given)
    if question.kind is Kind.CHOICE:
        return _option(question, given)
    if question.kind is Kind.CHOICES:
        parts = given if isinstance(given, list | tuple) else _SEVERAL.split(normalise(str(given)))
        return tuple(dict.fromkeys(_option(question, part) for part in parts if not is_missing(part)))
    text = normalise(str(given))
    if len(text) > MAX_TEXT_CHARACTERS:
        raise BadInput(
            f"The answer to {question.id} has {len(text):,} characters.",
            cause=f"At most {MAX_TEXT_CHARACTERS:,} are taken.",
            next_step="Shorten it.",
        )
    return redact(text) or None


def _number(question: Question, given: Any) -> int:
    low, high = question.ends
    text = normalise(str(given))
    found = _NUMBER.fullmatch(text.lower())
    if found and not isinstance(given, bool):
        number: int | None = int(found[1])
    else:
        number = len(text) if _STARS.fullmatch(text) else None
    if number is None or not low <= number <= high:
        raise BadInput(
            f"{text[:40]!r} is no answer to {question.id}.", next_step=f"Give a whole number from {low} to {high}."
        )
    return number


def _option(question: Question, given: Any) -> str:
    wanted = fold(str(given))
    for option in question.options:
        if wanted in (fold(option.id), fold(option.text.zh), fold(option.text.en)):
            return option.id
    raise BadInput(
        f"{normalise(str(given))[:40]!r} is no answer to {question.id}.",
        next_step=f"Choose of: {', '.join(option.id for option in question.options)}.",
    )
