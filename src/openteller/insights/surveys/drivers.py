"""What drives the outcome: how much of its variance each rated question accounts for.

Shares of R² by Shapley values of linear regression, known as LMG (Lindeman, Merenda & Gold 1980; Lipovetsky & Conklin,
Appl. Stoch. Models Bus. Ind. 17, 2001): the mean over all orders in which the drivers can enter of what each adds. They are
exact here, over all subsets, from the correlation matrix. Association, not cause. Knows nothing about surveys' texts.
"""

from collections.abc import Sequence
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from openteller.core.records import Record
from openteller.insights.surveys.records import Answer, Survey

MAX_DRIVERS = 12
FEWEST = 10  #: complete answers a driver that are needed to say anything
_Matrix = NDArray[np.float64]


class Driver(Record):
    """A rated question and what it accounts for."""

    question: str
    share: float = Field(ge=-1e-9, le=1 + 1e-9, description="of R²; all shares add up to 1")
    correlation: float = Field(ge=-1, le=1, description="with the outcome")
    mean: float


class Drivers(Record):
    """Drivers, the strongest first. `r2`: what all of them account for together."""

    drivers: tuple[Driver, ...]
    r2: float
    answers: int = Field(description="answers in which nothing of this is missing")


def drivers(survey: Survey, answers: Sequence[Answer]) -> Drivers | None:
    """What drives the survey's outcome; None where too few answered everything, or nothing varies.

    Answers with a missing value are left out. Questions whose answers do not vary are left out; of more than 12, the first
    12 are taken.
    """
    outcome, asked = survey.outcome, survey.drivers[:MAX_DRIVERS]
    if outcome is None or not asked:
        return None
    rows = [[answer.score(question) for question in (*asked, outcome)] for answer in answers]
    table = np.array([row for row in rows if None not in row], dtype=np.float64).reshape(-1, len(asked) + 1)
    varied = np.flatnonzero(table[:, :-1].std(axis=0) > 0) if len(table) else np.array([], dtype=np.intp)
    if not len(varied) or len(table) < FEWEST * len(varied) or table[:, -1].std() == 0:
        return None
    parts = shapley(table[:, varied], table[:, -1])
    r2 = float(parts.sum())
    correlations = _correlations(np.column_stack([table[:, varied], table[:, -1]]))[-1]
    found = [
        Driver(
            question=asked[column].id,
            share=float(part) / r2 if r2 > 0 else 0.0,
            correlation=float(np.clip(correlation, -1, 1)),
            mean=float(table[:, column].mean()),
        )
        for column, part, correlation in zip(varied, parts, correlations[:-1], strict=True)
    ]
    ordered = tuple(sorted(found, key=lambda one: (-one.share, one.question)))
    return Drivers(drivers=ordered, r2=r2, answers=len(table))


def shapley(x: _Matrix, y: _Matrix) -> _Matrix:
    """What each column of `x` adds to R² of `y`, over all orders; the parts add up to the R² of all columns.

    Args:
        x: (n, k) numbers, k at most 12, each column varying.
        y: (n,) numbers that vary.

    Returns:
        (k,) parts of R², each 0 or more but for rounding.
    """
    k = x.shape[1]
    matrix = _correlations(np.column_stack([x, y]))
    among, with_y = matrix[:k, :k], matrix[:k, k]
    r2: dict[tuple[int, ...], float] = {(): 0.0}
    for size in range(1, k + 1):
        for chosen in combinations(range(k), size):
            index = list(chosen)
            # The pseudo-inverse: two questions that say the same thing share what they say.
            weights = np.linalg.pinv(among[np.ix_(index, index)], hermitian=True) @ with_y[index]
            r2[chosen] = float(with_y[index] @ weights)
    parts = np.zeros(k)
    for chosen, without in r2.items():
        weight = factorial(len(chosen)) * factorial(k - len(chosen) - 1) / factorial(k) if len(chosen) < k else 0.0
        for column in set(range(k)) - set(chosen):
            parts[column] += weight * (r2[tuple(sorted((*chosen, column)))] - without)
    return parts


def _correlations(columns: _Matrix) -> _Matrix:
    """(k, k) for columns that all vary; always a matrix, of one column too."""
    return np.atleast_2d(np.corrcoef(columns, rowvar=False))
