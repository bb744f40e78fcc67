"""The figures of surveys with their intervals of 95 %: net promoter score, shares, means; by month and by group.

    promoters, passives, detractors ─▶ nps          share of the two best of five ─▶ share (Wilson)      mean (t)

Pure functions of counts and numbers. Knows nothing about texts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from statistics import NormalDist

from pydantic import Field

from openteller.core.clock import local_text
from openteller.core.records import Record
from openteller.insights.surveys.records import Answer, Kind, Question

Z = NormalDist().inv_cdf(0.975)
PROMOTER, DETRACTOR = 9, 6
# Quantiles 0.975 of Student's t for 1 to 30 degrees of freedom; beyond, `_t` expands around the normal one.
_T: tuple[float, ...] = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
)
_T += (2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


class Figure(Record):
    """An estimate with the ends of its interval of 95 %. `low` and `high` are None where one answer says too little."""

    value: float
    low: float | None
    high: float | None
    answers: int = Field(ge=1, description="on how many answers it stands")


class Promotion(Record):
    """A net promoter score, in points from -100 to 100, and the counts behind it."""

    figure: Figure
    promoters: int
    passives: int
    detractors: int


class Summary(Record):
    """What a scored question came to: its main figure, its mean, and how often each number was answered."""

    question: str
    main: Figure = Field(description="nps: points; csat, ces: share of the best answers, 0–1; scale: the mean")
    mean: Figure
    counts: dict[int, int]
    promotion: Promotion | None = None


class Month(Record):
    """A month of answers, in the bank's time zone, as ``2026-05``."""

    month: str
    figure: Figure


class GroupFigure(Record):
    """The main figure of those who share a value of a group."""

    group: str
    value: str
    figure: Figure


def nps(scores: Sequence[int]) -> Promotion | None:
    """The share of promoters (9, 10) less that of detractors (0–6), in points (Reichheld 2003); None without scores.

    The interval is the adjusted Wald one of a difference of two proportions of one multinomial sample, which keeps its
    promise with few answers, too (Bonett & Price, J. Educ. Behav. Stat. 37, 2012, 479–488).
    """
    n = len(scores)
    if not n:
        return None
    good, bad = sum(score >= PROMOTER for score in scores), sum(score <= DETRACTOR for score in scores)
    p, q = (good + 1) / (n + 2), (bad + 1) / (n + 2)
    half = Z * sqrt(max(p + q - (p - q) ** 2, 0.0) / (n + 2))
    low, high = max(p - q - half, -1.0), min(p - q + half, 1.0)
    figure = Figure(value=100 * (good - bad) / n, low=100 * low, high=100 * high, answers=n)
    return Promotion(figure=figure, promoters=good, passives=n - good - bad, detractors=bad)


def share(hits: int, of: int) -> Figure | None:
    """`hits` of `of` as a share, 0–1, with Wilson's score interval (J. Am. Stat. Assoc. 22, 1927); None of none."""
    if not of:
        return None
    p, z2 = hits / of, Z * Z
    middle, half = p + z2 / (2 * of), Z * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    low, high = (middle - half) / (1 + z2 / of), (middle + half) / (1 + z2 / of)
    # Where nobody or everybody did, rounding must not put the share itself outside.
    return Figure(value=p, low=min(max(low, 0.0), p), high=max(min(high, 1.0), p), answers=of)


def mean(numbers: Sequence[float]) -> Figure | None:
    """The mean with Student's interval (Biometrika 6, 1908); None without numbers."""
    n = len(numbers)
    if not n:
        return None
    value = sum(numbers) / n
    if n == 1:
        return Figure(value=value, low=None, high=None, answers=1)
    spread = sqrt(sum((number - value) ** 2 for number in numbers) / (n - 1))
    half = _t(n - 1) * spread / sqrt(n)
    return Figure(value=value, low=value - half, high=value + half, answers=n)


def main_figure(question: Question, scores: Sequence[int]) -> Figure | None:
    """NPS in points; CSAT the share of the two best of five, CES of the three best of seven (“easy”); a scale's mean."""
    if question.kind is Kind.NPS:
        promotion = nps(scores)
        return promotion.figure if promotion else None
    if question.kind is Kind.SCALE:
        return mean(scores)
    best = question.ends[1] - (1 if question.kind is Kind.CSAT else 2)
    return share(sum(score >= best for score in scores), len(scores))


def summary(question: Question, scores: Sequence[int]) -> Summary | None:
    """All figures of one question that is answered by numbers; None without answers."""
    main, average = main_figure(question, scores), mean(scores)
    if main is None or average is None:
        return None
    low, high = question.ends
    counts = {number: scores.count(number) for number in range(low, high + 1)}
    promotion = nps(scores) if question.kind is Kind.NPS else None
    return Summary(question=question.id, main=main, mean=average, counts=counts, promotion=promotion)


def by_month(question: Question, answers: Iterable[Answer], zone: str) -> tuple[Month, ...]:
    """The main figure month by month, the oldest first; months without answers are left out."""
    found = _split(question, answers, lambda answer: local_text(answer.answered_at, zone)[:7])
    return tuple(Month(month=month, figure=figure) for month, figure in sorted(found.items()))


def by_group(question: Question, answers: Iterable[Answer], group: str) -> tuple[GroupFigure, ...]:
    """The main figure for each value of a group, the best first."""
    found = _split(question, answers, lambda answer: answer.groups.get(group))
    ordered = sorted(found.items(), key=lambda item: (-item[1].value, item[0]))
    return tuple(GroupFigure(group=group, value=value, figure=figure) for value, figure in ordered)


def _split(question: Question, answers: Iterable[Answer], by: Callable[[Answer], str | None]) -> dict[str, Figure]:
    parts: dict[str, list[int]] = defaultdict(list)
    for answer in answers:
        score, part = answer.score(question), by(answer)
        if score is not None and part:
            parts[part].append(score)
    figures = {part: main_figure(question, scores) for part, scores in parts.items()}
    return {part: figure for part, figure in figures.items() if figure}


def _t(freedom: int) -> float:
    """Student's quantile 0.975; beyond the table by the expansion 26.7.5 of Abramowitz & Stegun, good to five digits."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = Z
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2
