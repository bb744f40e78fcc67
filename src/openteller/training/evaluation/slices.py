"""A figure by groups of rows, and how far the worst group is behind. Knows nothing about why a group is worse."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openteller.core.text import han_share
from openteller.training.evaluation.intervals import resampled, wilson
from openteller.training.evaluation.measures import LOWER_IS_BETTER, PROPORTIONS, measure
from openteller.training.evaluation.predictions import Predictions

MINIMUM_ROWS = 20  #: fewer rows say nothing about a gap
_SHORT, _LONG = 20, 80  # characters: a phrase, a message


@dataclass(frozen=True)
class SliceRow:
    """The figure of the n rows that have `value` in `dimension`, with its interval. n leaves out rows not counted."""

    dimension: str
    value: str
    n: int
    figure: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """The values of a dimension with the worst and the best figure, and how far they are apart (not below 0)."""

    dimension: str
    worst: str
    best: str
    gap: float


def length_group(text: str) -> str:
    """Short (up to 20 characters), medium (up to 80) or long."""
    return "short" if len(text) <= _SHORT else "medium" if len(text) <= _LONG else "long"


def script_group(text: str) -> str:
    """Zh, en or mixed: whether the words are Chinese characters, Latin, or both. Text without words counts as en."""
    share = han_share(text)
    return "zh" if share == 1 else "en" if share == 0 else "mixed"


def default_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The dimensions that every text has: length and script."""
    return {"length": tuple(map(length_group, texts)), "script": tuple(map(script_group, texts))}


def slices(
    predictions: Predictions,
    metric: str,
    *,
    temperature: float = 1.0,
    seed: int = 0,
    samples: int = 1000,
    level: float = 0.95,
) -> list[SliceRow]:
    """The figure for each value of each group, and of length and script where the groups lack them.

    A share of rows gets Wilson's interval, any other figure the bootstrap's. Values without a counted row are left out.
    """
    measured = measure(predictions, metric, temperature)
    groups = {**default_groups(predictions.texts), **predictions.groups}
    found = []
    for dimension, values in groups.items():
        column = np.array(values, dtype=object)
        for value in sorted(set(values)):
            rows = measured.rows(np.flatnonzero(column == value))
            if not len(rows):
                continue
            figure = measured.figure(rows)
            if metric in PROPORTIONS:
                bounds = wilson(figure * len(rows), len(rows), level)
            else:
                bounds = resampled(measured, rows, seed=seed, samples=samples, level=level)
            found.append(SliceRow(dimension, value, len(rows), figure, bounds.low, bounds.high))
    return found


def gaps(rows: Sequence[SliceRow], metric: str = "accuracy") -> list[Gap]:
    """The gap of each dimension that has two values with at least 20 rows, the widest first.

    metric: what the figures are, to know whether more or less is better.
    """
    by_dimension: dict[str, list[SliceRow]] = defaultdict(list)
    for row in rows:
        if row.n >= MINIMUM_ROWS and np.isfinite(row.figure):
            by_dimension[row.dimension].append(row)
    found = []
    for dimension, values in by_dimension.items():
        if len(values) > 1:
            ordered = sorted(values, key=lambda row: row.figure, reverse=metric in LOWER_IS_BETTER)
            worst, best = ordered[0], ordered[-1]
            found.append(Gap(dimension, worst.value, best.value, abs(best.figure - worst.figure)))
    return sorted(found, key=lambda gap: -gap.gap)
