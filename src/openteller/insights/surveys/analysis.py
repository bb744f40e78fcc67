"""Everything that a survey's answers say, as one record: figures, themes, aspects, drivers, and whom to call back.

Pure: answers in, analysis out. Knows nothing about the store or how it is shown.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field

from openteller.core.records import Record
from openteller.insights.surveys.aspects import AspectFigure, by_aspect, feeling
from openteller.insights.surveys.drivers import Drivers, drivers
from openteller.insights.surveys.figures import (
    DETRACTOR,
    GroupFigure,
    Month,
    Summary,
    by_group,
    by_month,
    summary,
)
from openteller.insights.surveys.records import RATED, Answer, Kind, Question, Survey
from openteller.insights.surveys.texts import sentences
from openteller.insights.surveys.themes import Embed, Said, Theme, themes

_MOST_GROUPS = 20


class ChoiceCount(Record):
    """How often the options of a choice were taken."""

    question: str
    answers: int
    counts: dict[str, int]


class FollowUp(Record):
    """Somebody unhappy who agreed to be called back."""

    answer: UUID
    customer_id: str | None
    score: int
    answered_at: datetime
    language: str
    worst: str = Field(description="the sentence that blames most plainly, or the first; empty without a text")
    severity: float = Field(description="how far below the scale's middle, and how much is blamed: more is worse")


class Analysis(Record):
    """What the answers say. `texts`: answers with something in their own words."""

    survey: str
    versions: tuple[int, ...]
    answers: int
    texts: int
    languages: dict[str, int]
    missing: dict[str, int] = Field(description="question → answers without it")
    summaries: tuple[Summary, ...]
    choices: tuple[ChoiceCount, ...]
    months: tuple[Month, ...]
    groups: tuple[GroupFigure, ...]
    themes: tuple[Theme, ...]
    aspects: tuple[AspectFigure, ...]
    drivers: Drivers | None
    follow_up: tuple[FollowUp, ...]


def analyse(survey: Survey, answers: Sequence[Answer], *, zone: str, embed: Embed) -> Analysis:
    """The analysis of answers to a survey; months are those of the IANA zone."""
    said = [(answer.id, text) for answer in answers for text in texts_of(survey, answer)]
    outcome = survey.outcome
    return Analysis(
        survey=survey.name,
        versions=tuple(sorted({answer.version for answer in answers})),
        answers=len(answers),
        texts=len({answer for answer, _ in said}),
        languages={name: sum(a.language == name for a in answers) for name in ("zh", "en", "mixed")},
        missing={q.id: sum(q.id not in answer.values for answer in answers) for q in survey.questions},
        summaries=tuple(filter(None, (_summary(question, answers) for question in survey.questions))),
        choices=tuple(_choice(question, answers) for question in survey.questions if question.options),
        months=by_month(outcome, answers, zone) if outcome else (),
        groups=_groups(survey, answers, outcome) if outcome else (),
        themes=themes(said, embed),
        aspects=by_aspect(text for _, text in said),
        drivers=drivers(survey, answers),
        follow_up=follow_up(survey, answers),
    )


def texts_of(survey: Survey, answer: Answer) -> tuple[str, ...]:
    """What an answer says in its own words."""
    asked = (question.id for question in survey.questions if question.kind is Kind.TEXT)
    return tuple(value for name in asked if isinstance(value := answer.values.get(name), str))


def follow_up(survey: Survey, answers: Sequence[Answer]) -> tuple[FollowUp, ...]:
    """Those unhappy who agreed to be called back, the worst first, then the latest."""
    outcome = survey.outcome
    if outcome is None:
        return ()
    found = [
        _unhappy(survey, outcome, answer, score)
        for answer in answers
        if answer.contact and (score := answer.score(outcome)) is not None and score <= unhappy_at(outcome)
    ]
    return tuple(sorted(found, key=lambda one: (-one.severity, -one.answered_at.timestamp(), str(one.answer))))


def unhappy_at(question: Question) -> int:
    """The highest number that is unhappy: 6 of 10 for NPS, 2 of 5 for CSAT, 3 of 7 for CES."""
    return {Kind.NPS: DETRACTOR, Kind.CSAT: 2, Kind.CES: 3}[question.kind]


def said_sentences(survey: Survey, answer: Answer) -> tuple[Said, ...]:
    """The sentences of an answer, each as it stands in it."""
    return tuple(Said(answer=answer.id, text=s) for text in texts_of(survey, answer) for s in sentences(text))


def _unhappy(survey: Survey, outcome: Question, answer: Answer, score: int) -> FollowUp:
    said = [one.text for one in said_sentences(survey, answer)]
    blamed = [sentence for sentence in said if feeling(sentence) < 0]
    low, high = outcome.ends
    below = (unhappy_at(outcome) - score + 1) / (high - low)
    return FollowUp(
        answer=answer.id,
        customer_id=answer.customer_id,
        score=score,
        answered_at=answer.answered_at,
        language=answer.language,
        worst=(blamed or said or [""])[0],
        severity=below + 0.1 * min(len(blamed), 3),
    )


def _summary(question: Question, answers: Sequence[Answer]) -> Summary | None:
    if question.kind not in RATED:
        return None
    scores = [score for answer in answers if (score := answer.score(question)) is not None]
    return summary(question, scores)


def _choice(question: Question, answers: Sequence[Answer]) -> ChoiceCount:
    given = [answer.values[question.id] for answer in answers if question.id in answer.values]
    chosen = [one if isinstance(one, tuple) else (one,) for one in given]
    counts = {option.id: sum(option.id in several for several in chosen) for option in question.options}
    return ChoiceCount(question=question.id, answers=len(given), counts=counts)


def _groups(survey: Survey, answers: Sequence[Answer], outcome: Question) -> tuple[GroupFigure, ...]:
    """Per group at most 20 values: those with the most answers."""
    found: list[GroupFigure] = []
    for group in survey.groups:
        figures = by_group(outcome, answers, group.id)
        kept = {one.value for one in sorted(figures, key=lambda one: -one.figure.answers)[:_MOST_GROUPS]}
        found += [one for one in figures if one.value in kept]
    return tuple(found)
