"""Temperature scaling (Guo et al. 2017) and expected calibration error. Knows nothing about models."""

import numpy as np
from numpy.typing import NDArray

from openteller.training.evaluation.predictions import MultiLabel, Predictions, Ranking, SingleLabel

Array = NDArray[np.float64]


def log_softmax(logits: Array) -> Array:
    """Row-wise log-softmax of (n, k) logits."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def fit_temperature(logits: Array, gold: NDArray[np.int64]) -> float:
    """The divisor of (n, k) logits that minimises the negative log likelihood of `gold` (n,); 1.0 for no rows."""
    if not len(gold):
        return 1.0
    grid = np.geomspace(0.25, 8.0, 121)
    rows = np.arange(len(gold))
    losses = [-log_softmax(logits.astype(np.float64) / t)[rows, gold].mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def fit_binary_temperature(logits: Array, gold: Array) -> float:
    """The divisor of (n, k) independent logits that minimises binary cross-entropy against `gold` in {0, 1}."""
    if not gold.size:
        return 1.0
    grid = np.geomspace(0.25, 8.0, 121)
    losses = [np.logaddexp(0, np.where(gold > 0.5, -logits, logits) / t).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def expected_calibration_error(confidence: Array, correct: Array, bins: int = 15) -> float:
    """Mean |confidence - accuracy| over equal-width bins, weighted by their share of the n rows."""
    edges = np.clip((confidence * bins).astype(int), 0, bins - 1)
    total = 0.0
    for b in range(bins):
        inside = edges == b
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    return float(total)


def temperature_of(predictions: Predictions) -> float:
    """What the logits of `predictions` are best divided by; 1 where they have none, as spans."""
    if isinstance(predictions, SingleLabel):
        known = predictions.gold >= 0
        return fit_temperature(predictions.logits[known], predictions.gold[known])
    if isinstance(predictions, MultiLabel):
        return fit_binary_temperature(predictions.logits, predictions.gold.astype(np.float64))
    if isinstance(predictions, Ranking):
        scores, gold = np.concatenate(predictions.scores), np.concatenate(predictions.gold)
        return fit_binary_temperature(scores[:, None], gold[:, None].astype(np.float64))
    return 1.0
