"""What every generator of candidates is, and how a generator that relates products to products scores.

Knows nothing about ranking. tests/contracts/test_candidates.py holds every generator to this.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from openteller.recommendation.interactions import Floats, Interactions


class CandidateGenerator(Protocol):
    """Scores products for customers from what they had to do with.

    `weights` is all that fitting learns, as arrays by name: set them instead of fitting and the scores are the same.
    """

    name: str
    weights: Mapping[str, Floats]

    def fit(self, past: Interactions) -> None:
        """Learn from the past. Fitting again forgets what was learnt."""
        ...

    def scores(self, past: Interactions) -> Floats:
        """(customers, products), finite, more is better; for customers who were not there at fitting as well.

        Args:
            past: of the customers to score, with the products of fitting in the same order.
        """
        ...


class ProductToProduct:
    """Base of generators that learn how much one product speaks for another: ``similarity`` (products, products).

    Args:
        decay: what an event says shrinks by this factor with each later event of the same customer; 1: all count alike.
    """

    name = "product-to-product"

    def __init__(self, decay: float = 1.0) -> None:
        self.decay = decay
        self.weights: Mapping[str, Floats] = {}

    def scores(self, past: Interactions) -> Floats:
        """The sum over what the customer had to do with."""
        return np.asarray(past.matrix(self.decay) @ self.weights["similarity"], dtype=np.float32)
