"""How sure a figure is: bootstrap intervals (Efron & Tibshirani 1993), the paired bootstrap, McNemar, Wilson.

Rows (or queries) are what is drawn. Knows nothing about what a figure means, except that it comes from rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from openteller.core.errors import BadInput
from openteller.training.evaluation.measures import LOWER_IS_BETTER, Measure, measure
from openteller.training.evaluation.predictions import Array, Ids, Predictions, SingleLabel, same_rows


@dataclass(frozen=True)
class Interval:
    """Between what bounds a figure lies; NaN when it cannot be said."""

    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Candidate less champion in one figure.

    low, high: the interval of the difference. p_value: of no difference, two-sided. test: mcnemar or bootstrap.
    """

    metric: str
    champion: float
    candidate: float
    difference: float
    low: float
    high: float
    p_value: float
    test: str

    @property
    def better(self) -> bool:
        """Whether the candidate is better beyond chance: the whole interval lies on its side of 0."""
        return self.high < 0 if self.metric in LOWER_IS_BETTER else self.low > 0


def bootstrap(
    predictions: Predictions,
    metric: str,
    *,
    seed: int,
    samples: int = 1000,
    level: float = 0.95,
    temperature: float = 1.0,
) -> Interval:
    """Percentile bootstrap interval of a figure over the rows that it counts."""
    return resampled(measure(predictions, metric, temperature), seed=seed, samples=samples, level=level)


def resampled(
    measured: Measure, among: Ids | None = None, *, seed: int, samples: int = 1000, level: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of a measure over its counted rows, of all or of `among`."""
    rows = measured.rows(among)
    if not len(rows):
        return Interval(float("nan"), float("nan"))
    return _percentiles(np.array([measured.statistic(draw) for draw in _draws(rows, samples, seed)]), level)


def paired(
    champion: Predictions,
    candidate: Predictions,
    metric: str,
    *,
    seed: int,
    samples: int = 1000,
    level: float = 0.95,
    temperatures: tuple[float, float] = (1.0, 1.0),
) -> Comparison:
    """Compare two models row by row: both are measured on the same draws (Koehn 2004).

    The p-value of single-label accuracy is McNemar's exact one (1947). temperatures: of the champion and the candidate.
    Raises BadInput when the two were not measured on the same texts.
    """
    if not same_rows(champion, candidate):
        raise BadInput(
            "The two models cannot be compared.",
            cause="They were not measured on the same texts with the same gold.",
            next_step="Measure both on one data set.",
        )
    one, other = measure(champion, metric, temperatures[0]), measure(candidate, metric, temperatures[1])
    draws = _draws(one.rows(), samples, seed)
    differences = np.array([other.statistic(draw) - one.statistic(draw) for draw in draws])
    bounds = _percentiles(differences, level)
    exact = isinstance(champion, SingleLabel) and isinstance(candidate, SingleLabel) and metric == "accuracy"
    p_value = mcnemar(_right(champion), _right(candidate)) if exact else _share_beyond_zero(differences)
    before, after = one.figure(), other.figure()
    test = "mcnemar" if exact else "bootstrap"
    return Comparison(metric, before, after, after - before, bounds.low, bounds.high, p_value, test)


def mcnemar(one: Array, other: Array) -> float:
    """Exact two-sided p-value that two models are right equally often; both (n,), 1 where the model is right."""
    first, second = int(((one > 0) & (other == 0)).sum()), int(((one == 0) & (other > 0)).sum())
    discordant = first + second
    tail = ways = 1  # whole numbers, which neither round nor underflow
    for i in range(min(first, second)):
        ways = ways * (discordant - i) // (i + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << discordant))


def wilson(right: float, n: int, level: float = 0.95) -> Interval:
    """The score interval of a share, `right` of `n` (Wilson 1927); sound for small n and shares near 0 or 1."""
    if not n:
        return Interval(float("nan"), float("nan"))
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def _draws(rows: Ids, samples: int, seed: int) -> Iterator[Ids]:
    generator = np.random.default_rng(seed)
    return (rows[generator.integers(len(rows), size=len(rows))] for _ in range(samples))


def _percentiles(figures: Array, level: float) -> Interval:
    known = figures[np.isfinite(figures)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _share_beyond_zero(differences: Array) -> float:
    # One is added to both parts: a finite number of draws never proves p = 0 (Davison & Hinkley 1997).
    known = differences[np.isfinite(differences)]
    smaller = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (smaller + 1) / (len(known) + 1))


def _right(predictions: Predictions) -> Array:
    if not isinstance(predictions, SingleLabel):
        raise TypeError("McNemar's test asks whether one label is right")
    inside = predictions.gold >= 0
    right: Array = (predictions.logits.argmax(1) == predictions.gold)[inside].astype(float)
    return right
