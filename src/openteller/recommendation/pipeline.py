"""Candidates and ranking together: several views of what may come next, weighed by what did come next.

    Interactions ─▶ generators ─▶ pool: the best of each view ─▶ features ─▶ ranker ─▶ scores

To learn the weighing, each customer's last events are held out, one after the other; the generators that are asked for
them have not seen them. Then the generators are fitted again to everything.
Knows nothing about what may be offered: rules come after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput
from openteller.recommendation.candidates.generator import CandidateGenerator
from openteller.recommendation.interactions import Floats, Indices, Interactions
from openteller.recommendation.ranking import Ranker, RankerSettings, Table

_FLOOR = -1e6  # the score of what no generator brings into the pool; the order among those is the views' mean


class Pipeline:
    """From interactions to a score of each product for each customer.

    Args:
        generators: the views; their names differ.
        settings: of the ranker, whose objective is "order".
        pool: how many products of each view are ranked.
        held_out: how many of a customer's last events teach the weighing.
    """

    def __init__(
        self,
        generators: Sequence[CandidateGenerator],
        settings: RankerSettings = RankerSettings(),
        pool: int = 50,
        held_out: int = 5,
    ) -> None:
        self.generators, self.settings = tuple(generators), settings
        self.pool, self.held_out = pool, held_out
        self.ranker: Ranker | None = None

    def fit(self, past: Interactions) -> "Pipeline":
        """Learn the views and their weighing.

        Raises:
            BadInput: no customer has more events than are held out.
        """
        self._fit_generators(past.earlier(self.held_out))
        lessons = [self._lesson(past.earlier(steps), past.target(steps - 1)) for steps in range(1, self.held_out + 1)]
        gold = np.concatenate([came for _, came in lessons])
        if not len(gold):
            raise BadInput(
                "There are too few events to learn an order from.",
                cause=f"Nobody has more than {self.held_out}.",
                next_step="Hold out fewer, or recommend by one view alone.",
            )
        self.ranker = Ranker.fit(_joined([table for table, _ in lessons]), gold, self.settings)
        self._fit_generators(past)
        return self

    def scores(self, past: Interactions) -> Floats:
        """(customers, products): the order by the ranker within the pool, and below it all other products."""
        assert self.ranker is not None, "fit first"
        views = self._views(past)
        chosen = self._chosen(views, past)
        customer, product = np.nonzero(chosen)
        table = self._table(past, views, customer, product)
        mean = np.mean([_relative(view) for view in views.values()], axis=0)
        found: Floats = (_FLOOR + mean).astype(np.float32)
        found[customer, product] = self.ranker.scores(table)
        return found

    def _fit_generators(self, past: Interactions) -> None:
        for generator in self.generators:
            generator.fit(past)

    def _views(self, past: Interactions) -> dict[str, Floats]:
        return {generator.name: generator.scores(past) for generator in self.generators}

    def _chosen(self, views: Mapping[str, Floats], past: Interactions) -> NDArray[np.bool_]:
        """(customers, products) whether a product is in the pool."""
        had = _had(past)
        chosen = np.zeros_like(had)
        for view in views.values():
            open_to = np.where(had, -np.inf, view)
            best = np.argpartition(-open_to, min(self.pool, open_to.shape[1]) - 1, axis=1)[:, : self.pool]
            np.put_along_axis(chosen, best, True, axis=1)
        return chosen & ~had

    def _lesson(self, known: Interactions, target: Indices) -> tuple[Table, NDArray[np.float64]]:
        """The pools in which the product that came is one of several, and which it is."""
        views = self._views(known)
        chosen = self._chosen(views, known)
        taught = np.bincount(known.customer, minlength=len(known.customers)) > 0
        rows = np.flatnonzero((target >= 0) & taught)
        usable = np.zeros(len(target), dtype=bool)
        usable[rows[chosen[rows, target[rows]]]] = True
        chosen &= usable[:, None]
        customer, product = np.nonzero(chosen)
        table = self._table(known, views, customer, product)
        sizes = chosen.sum(axis=1)
        return replace(table, lists=sizes[sizes > 0]), (product == target[customer]).astype(np.float64)

    def _table(self, past: Interactions, views: Mapping[str, Floats], customer: Indices, product: Indices) -> Table:
        columns: dict[str, Floats] = {}
        for name, view in views.items():
            columns[name] = _relative(view)[customer, product]
            columns[f"{name} place"] = _places(view)[customer, product]
        events = np.bincount(past.customer, minlength=len(past.customers))
        often = np.bincount(past.product, minlength=len(past.products))
        columns["events of the customer"] = np.log1p(events)[customer].astype(np.float32)
        columns["events of the product"] = np.log1p(often)[product].astype(np.float32)
        return Table(tuple(columns), np.column_stack(list(columns.values())).astype(np.float32))


def _had(past: Interactions) -> NDArray[np.bool_]:
    had = np.zeros((len(past.customers), len(past.products)), dtype=bool)
    had[past.customer, past.product] = True
    return had


def _relative(view: Floats) -> Floats:
    """Each customer's scores from 0 for the least to 1 for the most."""
    low, high = view.min(axis=1, keepdims=True), view.max(axis=1, keepdims=True)
    relative: Floats = ((view - low) / np.maximum(high - low, 1e-12)).astype(np.float32)
    return relative


def _places(view: Floats) -> Floats:
    """One over the place of each product in a customer's order, 1 for the first."""
    order = np.argsort(-view, axis=1, kind="stable")
    places = np.empty_like(view)
    np.put_along_axis(places, order, (1 / np.arange(1, view.shape[1] + 1, dtype=np.float32))[None, :], axis=1)
    return places


def _joined(tables: Sequence[Table]) -> Table:
    lists = np.concatenate([table.lists for table in tables if table.lists is not None])
    return Table(tables[0].names, np.concatenate([table.values for table in tables]), lists=lists)
