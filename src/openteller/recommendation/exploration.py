"""Choosing with a little chance, and saying exactly how likely each choice was.

    features ─▶ LinUCB: what is expected, and more for what is uncertain ─▶ softmax with a floor ─▶ drawn, with propensities

A list is drawn place by place without putting back (Plackett 1975, Luce 1959); the propensity of a place is the chance of
its product given the products in the places before it, so that the product of all is the chance of the list. The floor
bounds what one outcome can weigh in an estimate afterwards (off_policy.py).
LinUCB after Li et al. 2010, its update is exact. Knows nothing about products or rules: whatever it is given may be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What was drawn: `places` (drawn,) among what was given, and the `propensities` (drawn,) of each, in 0–1."""

    places: NDArray[np.intp]
    propensities: Doubles


def propensities(scores: Doubles, temperature: float = 0.1, floor: float = 0.02) -> Doubles:
    """(choices,) the chance of each choice; they sum to 1 and none is below `floor` / choices.

    Args:
        scores: (choices,), more is better.
        temperature: above 0; the scores' unit. Less keeps closer to the best.
        floor: the share, 0–1, of choices made by chance alone.

    Raises:
        BadInput: there is nothing to choose from, or an argument is out of bounds.
    """
    if not len(scores) or not np.isfinite(scores).all():
        raise BadInput("Nothing can be drawn from no scores, or from scores that are not finite.")
    if not temperature > 0 or not 0 <= floor <= 1:
        raise BadInput("Exploration needs a temperature above 0 and a floor from 0 to 1.")
    raised = np.exp((scores - scores.max()) / temperature)
    chances: Doubles = (1 - floor) * raised / raised.sum() + floor / len(scores)
    return chances


def draw(scores: Doubles, count: int, rng: np.random.Generator, temperature: float = 0.1, floor: float = 0.02) -> Drawn:
    """Up to `count` different choices, in the order in which they are shown. Raises BadInput as `propensities`."""
    left = np.arange(len(scores))
    places: list[int] = []
    chances: list[float] = []
    while len(places) < count and len(left):
        now = propensities(scores[left], temperature, floor)
        taken = int(rng.choice(len(left), p=now / now.sum()))
        places.append(int(left[taken]))
        chances.append(float(now[taken]))
        left = np.delete(left, taken)
    return Drawn(np.array(places, dtype=np.intp), np.array(chances))


class LinUCB:
    """A ridge regression of the outcome on the features that knows how sure it is.

    Args:
        features: how many.
        ridge: the regularisation; how many outcomes the assumption "no effect" counts for.
        width: how many standard deviations of doubt are added to what is expected.
    """

    def __init__(self, features: int, ridge: float = 1.0, width: float = 1.0) -> None:
        if features < 1 or not ridge > 0 or width < 0:
            raise BadInput("LinUCB needs a feature, a ridge above 0 and a width of 0 or more.")
        self.width = width
        self._precision = ridge * np.eye(features)
        self._sum = np.zeros(features)

    @property
    def state(self) -> Mapping[str, Doubles]:
        """What was learnt: precision (features, features) and sum (features,)."""
        return {"precision": self._precision.copy(), "sum": self._sum.copy()}

    @classmethod
    def of(cls, state: Mapping[str, Doubles], width: float = 1.0) -> "LinUCB":
        """One that goes on from `state`."""
        made = cls(len(state["sum"]), width=width)
        made._precision, made._sum = state["precision"].copy(), state["sum"].copy()
        return made

    def learn(self, features: Doubles, outcomes: Doubles) -> None:
        """Take in what came of choices: `features` (choices, features) and `outcomes` (choices,)."""
        self._precision += features.T @ features
        self._sum += features.T @ outcomes

    def scores(self, features: Doubles) -> Doubles:
        """(choices,) what is expected of each, with the doubt in its favour."""
        expected = features @ np.linalg.solve(self._precision, self._sum)
        doubt = np.sqrt(np.einsum("cf,cf->c", features, np.linalg.solve(self._precision, features.T).T))
        optimistic: Doubles = expected + self.width * doubt
        return optimistic
