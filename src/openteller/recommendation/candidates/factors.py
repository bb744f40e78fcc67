"""Factors of customers and products by alternating least squares (Hu, Koren, Volinsky 2008), fitted by `implicit`.

Scoring needs NumPy alone: a customer's factors are solved for from the products' (folding in), so that somebody who was
not there at fitting is scored like everybody else. Knows nothing about time.
"""

from collections.abc import Mapping

import numpy as np

from openteller.core.errors import MissingDependency
from openteller.recommendation.interactions import Floats, Interactions

_CHUNK = 256  # customers whose systems of equations are solved together


class AlternatingLeastSquares:
    """Implicit-feedback matrix factorisation.

    Args:
        factors: how many.
        regularisation: of both sides.
        alpha: the confidence in an event is 1 + alpha × weight.
        iterations: of fitting.
        decay: see `ProductToProduct`; when scoring alone.
        seed: of the first factors.
    """

    name = "als"

    def __init__(
        self,
        factors: int = 64,
        regularisation: float = 0.1,
        alpha: float = 10.0,
        iterations: int = 15,
        decay: float = 1.0,
        seed: int = 1,
    ) -> None:
        self.factors, self.regularisation, self.alpha = factors, regularisation, alpha
        self.iterations, self.decay, self.seed = iterations, decay, seed
        self.weights: Mapping[str, Floats] = {}

    def fit(self, past: Interactions) -> None:
        """Fit both sides and keep the products'. Raises MissingDependency without `implicit`."""
        try:
            from implicit.cpu.als import AlternatingLeastSquares as Fit
        except ImportError as error:
            raise MissingDependency(
                "Factors cannot be fitted.", cause=str(error), next_step='pip install "openteller[recommend]"'
            ) from error
        fitting = Fit(
            factors=min(self.factors, len(past.products)), regularization=self.regularisation, alpha=self.alpha,
            iterations=self.iterations, random_state=self.seed, num_threads=1,
        )  # fmt: skip
        fitting.fit(past.matrix(), show_progress=False)
        self.weights = {"factors": np.array(fitting.item_factors, dtype=np.float32)}

    def scores(self, past: Interactions) -> Floats:
        """Each customer's factors, from the products', times the products'."""
        known = past.matrix(self.decay)
        found = np.zeros((len(past.customers), len(self.weights["factors"])), dtype=np.float32)
        for at in range(0, len(found), _CHUNK):
            found[at : at + _CHUNK] = self.folded(np.asarray(known[at : at + _CHUNK].todense(), dtype=np.float32))
        return found

    def folded(self, has: Floats) -> Floats:
        """(customers, products) scores from how much each customer had to do with each product, the same shape."""
        items = self.weights["factors"]
        pairs = np.einsum("pf,pg->pfg", items, items).reshape(len(items), -1)
        scores: Floats = self._solved(items, pairs, self.alpha * has) @ items.T
        return scores

    def _solved(self, items: Floats, pairs: Floats, confidence: Floats) -> Floats:
        """(customers, factors) of these confidences (customers, products) beyond 1."""
        size = items.shape[1]
        gram = items.T @ items + self.regularisation * np.eye(size, dtype=np.float32)
        left = gram + (confidence @ pairs).reshape(-1, size, size)
        right = np.where(confidence > 0, 1 + confidence, 0) @ items
        solved: Floats = np.linalg.solve(left, right[..., None])[..., 0]
        return solved
