"""Each figure as a function of rows, so that the figure, its interval and its slices are computed by one code.

Out of scope: the score is the highest softmax probability (Hendrycks & Gimpel 2017); FPR at 95 % TPR (Liang et al. 2018).
Ranking: nDCG by Järvelin & Kekäläinen (2002). A figure that nothing defines is NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput
from openteller.training.calibration import log_softmax
from openteller.training.evaluation.counts import Counts, counter
from openteller.training.evaluation.predictions import Array, Ids, MultiLabel, Predictions, Ranking, SingleLabel, Spans

BINS = 15  #: of the calibration error, of equal width
#: Figures of which less is better.
LOWER_IS_BETTER = frozenset({"ece", "nll", "oos_fpr_at_95", "queries_without_answer"})
#: Figures that are a share of rows, each right or wrong.
PROPORTIONS = frozenset({"accuracy", "subset_accuracy", "hit_at_1"})


@dataclass(frozen=True, eq=False)
class Measure:
    """One figure of one set of predictions.

    counted: (n,) whether the figure looks at the row.
    statistic: the figure of some counted rows, given by index; a row may come more than once.
    """

    counted: NDArray[np.bool_]
    statistic: Callable[[Ids], float]

    def rows(self, among: Ids | None = None) -> Ids:
        """The counted rows, of all or of `among`."""
        return np.flatnonzero(self.counted) if among is None else among[self.counted[among]]

    def figure(self, among: Ids | None = None) -> float:
        """The figure of all rows or of `among`; NaN when it counts none of them."""
        rows = self.rows(among)
        return float(self.statistic(rows)) if len(rows) else float("nan")


def counted(predictions: Predictions) -> NDArray[np.bool_]:
    """(n,) the rows that most figures look at: those in scope, and the queries that have an answer."""
    if isinstance(predictions, SingleLabel):
        return predictions.gold >= 0
    if isinstance(predictions, Ranking):
        return np.array([bool(gold.any()) for gold in predictions.gold])
    return np.ones(len(predictions.texts), dtype=bool)


def confidences(predictions: SingleLabel | MultiLabel, temperature: float = 1.0) -> tuple[Array, Array]:
    """Probabilities and what came of them, both (n, 1) or, of many labels, (n, k).

    One label: the probability of the predicted label, and whether it is right. Many: the probability of each label,
    and whether it holds.
    """
    logits = predictions.logits / temperature
    if isinstance(predictions, MultiLabel):
        return np.exp(-np.logaddexp(0, -logits)), predictions.gold.astype(float)
    right = (logits.argmax(1) == predictions.gold).astype(float)
    return np.exp(log_softmax(logits)).max(1, keepdims=True), right[:, None]


def _by_counts(figure: Callable[[Counts], Any]) -> Callable[[Any, float], Measure]:
    def build(predictions: Any, temperature: float) -> Measure:
        count = counter(predictions)
        return Measure(counted(predictions), lambda rows: float(figure(count(rows))))

    return build


def _mean_of(values: Callable[[Any, float], Array]) -> Callable[[Any, float], Measure]:
    def build(predictions: Any, temperature: float) -> Measure:
        each = values(predictions, temperature)
        return Measure(counted(predictions), lambda rows: float(each[rows].mean()))

    return build


def _ece(predictions: Any, temperature: float) -> Measure:
    """calibration.expected_calibration_error, from sums made once so that a thousand draws of many cells stay quick."""
    confidence, right = confidences(predictions, temperature)
    n, cells = confidence.shape
    places = np.clip((confidence * BINS).astype(int), 0, BINS - 1) + BINS * np.arange(n)[:, None]
    excess = np.bincount(places.ravel(), weights=(confidence - right).ravel(), minlength=n * BINS).reshape(n, BINS)

    def statistic(rows: Ids) -> float:
        return float(np.abs(np.bincount(rows, minlength=n) @ excess).sum() / (len(rows) * cells))

    return Measure(counted(predictions), statistic)


def _losses(predictions: Any, temperature: float) -> Array:
    gold = np.maximum(predictions.gold, 0)  # rows out of scope are not counted
    losses: Array = -log_softmax(predictions.logits / temperature)[np.arange(len(gold)), gold]
    return losses


def _out_of_scope(figure: Callable[[Ids, Ids], float]) -> Callable[[Any, float], Measure]:
    """A figure of how many rows (in scope, out of scope) have each score; scores ascend."""

    def build(predictions: Any, temperature: float) -> Measure:
        inside = predictions.gold >= 0
        confidence, _ = confidences(predictions, temperature)
        _, rank = np.unique(confidence[:, 0], return_inverse=True)  # counting ranks is quicker than sorting each draw
        size = int(rank.max()) + 1

        def statistic(rows: Ids) -> float:
            within = inside[rows]
            known = np.bincount(rank[rows[within]], minlength=size)
            return figure(known, np.bincount(rank[rows[~within]], minlength=size))

        return Measure(np.ones(len(inside), dtype=bool), statistic)

    return build


def _auroc(known: Ids, unknown: Ids) -> float:
    pairs = known.sum() * unknown.sum()
    below = np.cumsum(unknown) - unknown
    return float((known * (below + unknown / 2)).sum() / pairs) if pairs else float("nan")


def _fpr_at_95(known: Ids, unknown: Ids) -> float:
    if not known.sum() or not unknown.sum():
        return float("nan")
    kept = np.cumsum(known[::-1])[::-1]  # rows in scope that each threshold lets through
    threshold = np.flatnonzero(kept >= 0.95 * known.sum())[-1]
    return float(unknown[threshold:].sum() / unknown.sum())


def _reciprocal_rank(gold: Ids) -> float:
    return float(1 / (np.argmax(gold) + 1))


def _average_precision(gold: Ids) -> float:
    places = np.flatnonzero(gold) + 1
    return float((np.arange(1, len(places) + 1) / places).mean())


def _ndcg_at_10(gold: Ids) -> float:
    discounts = 1 / np.log2(np.arange(2, 12))
    top = gold[:10]
    return float((top * discounts[: len(top)]).sum() / discounts[: min(int(gold.sum()), 10)].sum())


def _by_query(figure: Callable[[Ids], float]) -> Callable[[Any, float], Measure]:
    return _mean_of(lambda found, _: np.array([figure(gold) if gold.any() else np.nan for gold in found.ranked]))


def _unanswered(predictions: Any, temperature: float) -> Measure:
    missing = ~counted(predictions)
    return Measure(np.ones(len(missing), dtype=bool), lambda rows: float(missing[rows].sum()))


Table = Mapping[str, Callable[[Any, float], Measure]]

_SINGLE: Table = {
    "accuracy": _mean_of(lambda p, _: (p.logits.argmax(1) == p.gold).astype(float)),
    "macro_f1": _by_counts(lambda c: c.macro_f1),
    "weighted_f1": _by_counts(lambda c: c.weighted_f1),
    "ece": _ece,
    "nll": _mean_of(_losses),
}
_OUT_OF_SCOPE: Table = {"oos_auroc": _out_of_scope(_auroc), "oos_fpr_at_95": _out_of_scope(_fpr_at_95)}
_MULTI: Table = {
    "micro_f1": _by_counts(lambda c: c.total.f1[0]),
    "macro_f1": _by_counts(lambda c: c.macro_f1),
    "subset_accuracy": _mean_of(lambda p, _: ((p.logits >= 0) == p.gold).all(1).astype(float)),
    "ece": _ece,
}
_SPANS: Table = {
    "micro_precision": _by_counts(lambda c: c.total.precision[0]),
    "micro_recall": _by_counts(lambda c: c.total.recall[0]),
    "micro_f1": _by_counts(lambda c: c.total.f1[0]),
    "macro_f1": _by_counts(lambda c: c.macro_f1),
}
_RANKING: Table = {
    "mrr": _by_query(_reciprocal_rank),
    "map": _by_query(_average_precision),
    "hit_at_1": _by_query(lambda gold: float(gold[0])),
    "ndcg_at_10": _by_query(_ndcg_at_10),
    "queries_without_answer": _unanswered,
}


def measures(predictions: Predictions) -> Table:
    """Name → how the measure is made, of the figures that these predictions have."""
    if isinstance(predictions, SingleLabel):
        return {**_SINGLE, **_OUT_OF_SCOPE} if (predictions.gold < 0).any() else _SINGLE
    return {MultiLabel: _MULTI, Spans: _SPANS, Ranking: _RANKING}[type(predictions)]


def measure(predictions: Predictions, metric: str, temperature: float = 1.0) -> Measure:
    """The measure called `metric`. Raises BadInput naming the known ones, or for a temperature that is not positive."""
    if not temperature > 0:
        raise BadInput(f"The temperature is {temperature}, not above 0.")
    known = measures(predictions)
    if metric not in known:
        raise BadInput(
            f"There is no figure {metric!r} of these predictions.", next_step=f"Choose one of {', '.join(known)}."
        )
    return known[metric](predictions, temperature)
