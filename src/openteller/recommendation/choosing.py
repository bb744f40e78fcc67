"""From scored products to the few that are shown: the best, or with a little chance, at most two of one category.

With exploration each place is drawn by `exploration.propensities` among what the category rule leaves; the propensity that
is noted is the exact chance of that product in that place, given the places before. Without it, it is 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from openteller.core.records import Record
from openteller.products.records import Product
from openteller.recommendation.exploration import propensities
from openteller.recommendation.records import Signal

A_CATEGORY = 2
_TEMPERATURE = 0.05


@dataclass(frozen=True)
class Entry:
    """A product that may be offered: its `score` in 0–1, the signals that speak for it, and its `features` by name."""

    score: float
    product: Product
    fired: tuple[Signal, ...]
    features: dict[str, float]


class Exploration(Record):
    """How much is left to chance.

    `share` of the choices, 0–1, is made by chance alone; 0 shows the best, always. `seed` of all chance.
    """

    share: float = 0.0
    seed: int = 0


def chosen(entries: Iterable[Entry], limit: int, exploration: Exploration) -> list[tuple[Entry, float]]:
    """Up to `limit` entries in the order in which they are shown, each with its propensity.

    Args:
        entries: best first; with a share of 0 no more are taken from it than are needed.
        limit: how many at most.
        exploration: how much is left to chance.
    """
    if exploration.share > 0:
        return _drawn(list(entries), limit, exploration)
    found: list[tuple[Entry, float]] = []
    for entry in entries if limit > 0 else ():
        if _of_category(entry, found) < A_CATEGORY:
            found.append((entry, 1.0))
        if len(found) == limit:
            break
    return found


def _drawn(left: list[Entry], limit: int, exploration: Exploration) -> list[tuple[Entry, float]]:
    rng = np.random.default_rng(exploration.seed)
    found: list[tuple[Entry, float]] = []
    while len(found) < limit and (left := [e for e in left if _of_category(e, found) < A_CATEGORY]):
        chances = propensities(np.array([e.score for e in left]), _TEMPERATURE, exploration.share)
        place = int(rng.choice(len(left), p=chances / chances.sum()))
        found.append((left.pop(place), float(chances[place])))
    return found


def _of_category(entry: Entry, found: Sequence[tuple[Entry, float]]) -> int:
    return sum(other.product.category == entry.product.category for other, _ in found)
