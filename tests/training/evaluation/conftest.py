"""Simulated predictions."""

from collections.abc import Callable

import numpy as np
import pytest

from openteller.training.evaluation.predictions import SingleLabel

Simulation = Callable[..., SingleLabel]


@pytest.fixture
def simulated() -> Simulation:
    """A maker of predictions that are right with the given chance, else a random other label."""

    def make(n: int, accuracy: float, k: int = 3, seed: int = 0, labels: tuple[str, ...] = ()) -> SingleLabel:
        draw = np.random.default_rng(seed)
        gold = draw.integers(k, size=n)
        other = (gold + draw.integers(1, k, size=n)) % k
        chosen = np.where(draw.random(n) < accuracy, gold, other)
        logits = draw.normal(size=(n, k)) * 0.1
        logits[np.arange(n), chosen] += 2
        texts = tuple(f"text {i}" for i in range(n))
        return SingleLabel(labels or tuple(f"label {i}" for i in range(k)), gold, logits, texts)

    return make
