"""What most people had to do with: for customers of whom nothing is known, and as a measure for all else."""

from collections.abc import Mapping

import numpy as np

from openteller.recommendation.interactions import Floats, Interactions


class Popular:
    """The share of events that went to a product, the recent ones counting more.

    Args:
        half_life_days: an event as old as this, counted from the newest of all, counts half; None: all count alike.
    """

    name = "popular"

    def __init__(self, half_life_days: float | None = None) -> None:
        self.half_life_days = half_life_days
        self.weights: Mapping[str, Floats] = {}

    def fit(self, past: Interactions) -> None:
        """Count."""
        weight = past.weight.astype(np.float64)
        if self.half_life_days is not None and len(past):
            weight = weight * 0.5 ** ((past.at.max() - past.at) / (self.half_life_days * 86_400))
        counts = np.bincount(past.product, weights=weight, minlength=len(past.products))
        self.weights = {"share": (counts / max(counts.sum(), 1e-12)).astype(np.float32)}

    def scores(self, past: Interactions) -> Floats:
        """The same for everybody."""
        return np.tile(self.weights["share"], (len(past.customers), 1))
