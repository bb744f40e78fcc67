"""What another way of choosing would have brought, from what was logged under this one.

    ips     each outcome weighed by how much likelier the new policy is to choose so      Horvitz and Thompson 1952
    snips   the same over the sum of the weights: less variance, a bias that vanishes     Swaminathan and Joachims 2015
    doubly_robust   a model's guess, put right by ips of what it got wrong                Dudík, Langford, Li 2011

Intervals are normal at 95 %. They do not cover: a product that the logging policy never chose, outcomes that one customer's
offers have on another's, and a world that has moved on since.
Knows nothing about products.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput

Doubles = NDArray[np.float64]
_NORMAL = 1.959963984540054  # 97.5 % of the standard normal lie below


@dataclass(frozen=True)
class Logged:
    """What was logged, one row a choice.

    `outcome` (choices,); `propensity` (choices,) of the choice under the policy that made it, above 0; `target`
    (choices,) the probability of the same choice under the policy that is asked about.
    """

    outcome: Doubles
    propensity: Doubles
    target: Doubles

    def __post_init__(self) -> None:
        sizes = {len(self.outcome), len(self.propensity), len(self.target)}
        if len(sizes) != 1 or not len(self.outcome):
            raise BadInput("Nothing was logged, or the columns are of different lengths.")
        if not ((self.propensity > 0) & (self.propensity <= 1)).all() or not ((self.target >= 0) & (self.target <= 1)).all():  # fmt: skip
            raise BadInput(
                "A propensity is not in 0–1, or 0 for a choice that was made.",
                next_step="Use choices that were logged with their propensity.",
            )


@dataclass(frozen=True)
class Estimate:
    """The mean outcome a choice, its 95 % interval, and how many plain rows the weighed ones are worth."""

    value: float
    low: float
    high: float
    effective_rows: float


def ips(logged: Logged, clip: float | None = None) -> Estimate:
    """Inverse propensity scoring. Unbiased without `clip`, which bounds each weight and then errs downwards."""
    weight = _weights(logged, clip)
    return _mean(weight * logged.outcome, weight)


def snips(logged: Logged, clip: float | None = None) -> Estimate:
    """The self-normalised estimate, its interval by the delta method. Raises BadInput when no weight is above 0."""
    weight = _weights(logged, clip)
    if not weight.sum() > 0:
        raise BadInput("The policy would have made none of the choices that were logged.")
    value = float((weight * logged.outcome).sum() / weight.sum())
    spread = float(np.sqrt((weight**2 * (logged.outcome - value) ** 2).sum()) / weight.sum())
    return Estimate(value, value - _NORMAL * spread, value + _NORMAL * spread, _effective(weight))


def doubly_robust(logged: Logged, guessed: Doubles, expected: Doubles, clip: float | None = None) -> Estimate:
    """Right when either the propensities or the guesses are.

    Args:
        logged: as above.
        guessed: (choices,) what a model expects of the choice that was made.
        expected: (choices,) what it expects of the asked policy there: over all choices, the probability times the guess.
        clip: bounds each weight.
    """
    weight = _weights(logged, clip)
    return _mean(expected + weight * (logged.outcome - guessed), weight)


def _weights(logged: Logged, clip: float | None) -> Doubles:
    weight = logged.target / logged.propensity
    return weight if clip is None else np.minimum(weight, clip)


def _mean(values: Doubles, weight: Doubles) -> Estimate:
    value = float(values.mean())
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
    return Estimate(value, value - _NORMAL * spread, value + _NORMAL * spread, _effective(weight))


def _effective(weight: Doubles) -> float:
    squares = float((weight**2).sum())
    return float(weight.sum() ** 2 / squares) if squares else 0.0
