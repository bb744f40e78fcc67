"""Hits, predictions and gold by class, and the precision, recall and F1 that follow from them.

As in scikit-learn with zero_division=0; the macro mean is over the classes that occur in the gold or the predictions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openteller.training.evaluation.predictions import Array, Ids, MultiLabel, SingleLabel, Spans


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each class was rightly predicted, predicted, and gold. Each (k,)."""

    hits: Array
    predicted: Array
    gold: Array

    @property
    def precision(self) -> Array:
        """(k,) share of the predicted that is right."""
        return self._ratio(self.hits, self.predicted)

    @property
    def recall(self) -> Array:
        """(k,) share of the gold that was found."""
        return self._ratio(self.hits, self.gold)

    @property
    def f1(self) -> Array:
        """(k,) harmonic mean of precision and recall."""
        return self._ratio(2 * self.hits, self.predicted + self.gold)

    @property
    def total(self) -> "Counts":
        """All classes as one, for micro averages."""
        return Counts(*(np.array([part.sum()]) for part in (self.hits, self.predicted, self.gold)))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur."""
        occurs = self.predicted + self.gold > 0
        return float(self.f1[occurs].mean()) if occurs.any() else float("nan")

    @property
    def weighted_f1(self) -> float:
        """Mean F1 weighted by how often a class is gold."""
        occurs = self.gold > 0
        return float(np.average(self.f1[occurs], weights=self.gold[occurs])) if occurs.any() else float("nan")

    def _ratio(self, part: Array, whole: Array) -> Array:
        occurs = self.predicted + self.gold > 0
        zero_or_nothing = np.where(occurs, 0.0, np.nan)
        return np.divide(part, whole, out=zero_or_nothing, where=whole > 0)


def counter(predictions: SingleLabel | MultiLabel | Spans) -> Callable[[Ids], Counts]:
    """A function from counted rows to their counts by class."""
    if isinstance(predictions, SingleLabel):
        gold, predicted, k = predictions.gold, predictions.logits.argmax(1), len(predictions.labels)
        return lambda rows: _count_ids(gold[rows], predicted[rows], k)
    if isinstance(predictions, MultiLabel):
        gold_cells, found_cells = predictions.gold.astype(float), (predictions.logits >= 0).astype(float)
        cells = np.hstack([gold_cells * found_cells, found_cells, gold_cells])
    else:
        cells = _span_cells(predictions)

    def count(rows: Ids) -> Counts:
        times = np.bincount(rows, minlength=len(cells)).astype(float)
        return Counts(*np.split(times @ cells, 3))

    return count


def _count_ids(gold: Ids, predicted: Ids, k: int) -> Counts:
    hits = gold[gold == predicted]
    return Counts(*(np.bincount(ids, minlength=k).astype(float) for ids in (hits, predicted, gold)))


def _span_cells(spans: Spans) -> Array:
    ids = {name: i for i, name in enumerate(spans.types)}
    cells = np.zeros((3, len(spans.texts), len(ids)))
    for row, (gold, predicted) in enumerate(zip(spans.gold, spans.predicted, strict=True)):
        for part, found in enumerate((gold & predicted, predicted, gold)):
            for span in found:
                cells[part, row, ids[span[2]]] += 1
    return np.hstack(list(cells))
