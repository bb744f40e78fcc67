"""Figures of predictions: overall, by class, and what is mistaken for what. Knows nothing about intervals or slices."""

from dataclasses import dataclass

import numpy as np

from openteller.training.evaluation.counts import counter
from openteller.training.evaluation.measures import BINS, confidences, counted, measure, measures
from openteller.training.evaluation.predictions import Ids, MultiLabel, Predictions, Ranking, SingleLabel, classes


@dataclass(frozen=True)
class ClassRow:
    """One class. The shares are NaN for a class that is neither gold nor predicted; support counts its gold."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Confused:
    """How often the label `gold` was taken for the label `predicted`."""

    gold: str
    predicted: str
    count: int


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability curve: n predictions with a probability between low and high.

    confidence: their mean probability. accuracy: the share that came true.
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    n: int


def figures(predictions: Predictions, temperature: float = 1.0) -> dict[str, float]:
    """Name → figure; shares are 0-1.

    One label: accuracy, macro_f1, weighted_f1, ece and nll of the rows in scope; with rows out of scope oos_auroc and
    oos_fpr_at_95. Many: micro_f1, macro_f1, subset_accuracy at probability 0.5, and ece over all cells. Spans, exact
    match: micro_precision, micro_recall, micro_f1, macro_f1. Ranking: mrr, map, hit_at_1 and ndcg_at_10 over the
    queries that have a relevant candidate, and queries_without_answer, which counts the others.
    """
    return {name: measure(predictions, name, temperature).figure() for name in measures(predictions)}


def per_class(predictions: Predictions) -> list[ClassRow]:
    """A row for each label or span type, in their order; none for a ranking."""
    if isinstance(predictions, Ranking):
        return []
    counts = counter(predictions)(np.flatnonzero(counted(predictions)))
    parts = zip(
        classes(predictions),
        counts.precision.tolist(),
        counts.recall.tolist(),
        counts.f1.tolist(),
        counts.gold.astype(int).tolist(),
        strict=True,
    )
    return [ClassRow(*part) for part in parts]


def confusion(predictions: SingleLabel) -> Ids:
    """(k, k) counts of the rows in scope: gold down, predicted across."""
    k = len(predictions.labels)
    inside = predictions.gold >= 0
    cells = predictions.gold[inside] * k + predictions.logits[inside].argmax(1)
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)


def most_confused(predictions: SingleLabel, n: int = 10) -> list[Confused]:
    """The at most `n` pairs most often confused, the most frequent first."""
    counts = confusion(predictions)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:n]
    pairs = [divmod(int(cell), len(counts)) for cell in order]
    labels = predictions.labels
    return [Confused(labels[g], labels[p], int(counts[g, p])) for g, p in pairs if counts[g, p]]


def reliability(predictions: Predictions, temperature: float = 1.0, bins: int = BINS) -> list[Bin]:
    """The bins that are not empty, of equal width, as the calibration error counts them; [] without probabilities."""
    if not isinstance(predictions, SingleLabel | MultiLabel):
        return []
    inside = counted(predictions)
    confidence, right = (part[inside].ravel() for part in confidences(predictions, temperature))
    places = np.clip((confidence * bins).astype(int), 0, bins - 1)
    found = []
    for place in np.unique(places).tolist():
        rows = places == place
        means = float(confidence[rows].mean()), float(right[rows].mean())
        found.append(Bin(place / bins, (place + 1) / bins, *means, int(rows.sum())))
    return found
