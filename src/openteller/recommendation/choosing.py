"""From scored products to the few that are shown: the best, or with a little chance, at most two of one category.

With exploration each place is drawn by `exploration.propensities` among what the category rule leaves; the propensity that
is noted is the exact chance of that product in that place, given the places before. Without it, it is 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from openteller.core.records import Record
from openteller.products.records import Product
from openteller.recommendation.exploration import propensities

A_CATEGORY = 2
TEMPERATURE = 0.05


@dataclass(frozen=True)
class Entry:
    """A product that may be offered: its `score` in 0–1, the `pair` among the scored that it is, and what it is `drawn_by`.

    `drawn_by` is the score by which chance goes, such as LinUCB's; None: `score`.
    """

    score: float
    product: Product
    pair: int = -1
    drawn_by: float | None = None

    @property
    def pull(self) -> float:
        """The score by which chance goes."""
        return self.score if self.drawn_by is None else self.drawn_by


class Exploration(Record):
    """How much is left to chance.

    `share` of the choices, 0–1, is made by chance alone; 0 shows the best, always. `seed` of all chance.
    """

    share: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Choice:
    """An entry that was chosen, its propensity, and the scores by product among which it was drawn (none: not drawn)."""

    entry: Entry
    propensity: float = 1.0
    among: Mapping[str, float] = field(default_factory=dict)


def chosen(entries: Iterable[Entry], limit: int, exploration: Exploration) -> list[Choice]:
    """Up to `limit` entries in the order in which they are shown.

    Args:
        entries: best first; with a share of 0 no more are taken from it than are needed.
        limit: how many at most.
        exploration: how much is left to chance.
    """
    if exploration.share > 0:
        return _drawn(list(entries), limit, exploration)
    found: list[Choice] = []
    for entry in entries if limit > 0 else ():
        if _of_category(entry, found) < A_CATEGORY:
            found.append(Choice(entry))
        if len(found) == limit:
            break
    return found


def _drawn(left: list[Entry], limit: int, exploration: Exploration) -> list[Choice]:
    rng = np.random.default_rng(exploration.seed)
    found: list[Choice] = []
    while len(found) < limit and (left := [e for e in left if _of_category(e, found) < A_CATEGORY]):
        chances = propensities(np.array([e.pull for e in left]), TEMPERATURE, exploration.share)
        among = {entry.product.id: entry.pull for entry in left}
        place = int(rng.choice(len(left), p=chances / chances.sum()))
        found.append(Choice(left.pop(place), min(float(chances[place]), 1.0), among))
    return found


def _of_category(entry: Entry, found: Sequence[Choice]) -> int:
    return sum(choice.entry.product.category == entry.product.category for choice in found)
