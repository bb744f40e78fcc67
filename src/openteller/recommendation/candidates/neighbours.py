"""Products that go together: with the same people, in the same order, or by what they are.

    ItemNeighbours   cosine of who had them                        Sarwar et al. 2001
    Ease             a linear autoencoder with a zero diagonal     Steck 2019, "Embarrassingly shallow autoencoders"
    Successors       what came soon after what, the nearer the more
    Content          cosine of what is written about them; needs no event, so that it serves new products

Knows nothing about customers beyond their events.
"""

import numpy as np
from scipy import sparse

from openteller.core.errors import BadInput
from openteller.recommendation.candidates.generator import ProductToProduct
from openteller.recommendation.interactions import Floats, Interactions


class ItemNeighbours(ProductToProduct):
    """Cosine between the columns of the matrix (customers, products).

    Args:
        decay: see `ProductToProduct`.
        nearest: how many neighbours of a product speak for it; the others say nothing.
    """

    name = "neighbours"

    def __init__(self, decay: float = 1.0, nearest: int = 100) -> None:
        super().__init__(decay)
        self.nearest = nearest

    def fit(self, past: Interactions) -> None:
        """Count who had both."""
        seen = past.matrix()
        together = _dense(seen.T @ seen)
        lengths = np.sqrt(together.diagonal()) + 1e-9
        similarity = together / np.outer(lengths, lengths)
        np.fill_diagonal(similarity, 0)
        if self.nearest < len(similarity):
            floor = np.partition(similarity, -self.nearest, axis=0)[-self.nearest]
            similarity[similarity < floor] = 0
        self.weights = {"similarity": similarity.astype(np.float32)}


class Ease(ProductToProduct):
    """The closed form of a ridge regression of each product on all others.

    Args:
        decay: see `ProductToProduct`.
        ridge: the regularisation, in events; more for fewer data.
    """

    name = "ease"

    def __init__(self, decay: float = 1.0, ridge: float = 500.0) -> None:
        super().__init__(decay)
        self.ridge = ridge

    def fit(self, past: Interactions) -> None:
        """Invert the Gram matrix."""
        seen = past.matrix()
        gram = _dense(seen.T @ seen)
        gram[np.diag_indices_from(gram)] += self.ridge
        inverse = np.linalg.inv(gram)
        similarity = inverse / -inverse.diagonal()
        np.fill_diagonal(similarity, 0)
        self.weights = {"similarity": similarity.astype(np.float32)}


class Successors(ProductToProduct):
    """What came within a few steps after what; the other way round counts a part.

    Args:
        decay: see `ProductToProduct`.
        window: so many steps after an event belong to it.
        fading: what a step further counts less.
        backwards: what the other order counts.
    """

    name = "successors"

    def __init__(
        self, decay: float = 0.8, window: int = 10, fading: float = 0.9, backwards: float = 0.3, shrink: float = 5.0
    ) -> None:
        super().__init__(decay)
        self.window, self.fading, self.backwards, self.shrink = window, fading, backwards, shrink

    def fit(self, past: Interactions) -> None:
        """Count pairs, and divide by how often either product occurs."""
        size = len(past.products)
        after = np.zeros((size, size))
        for step in range(1, self.window + 1):
            same = past.customer[:-step] == past.customer[step:]
            pairs = (past.product[:-step][same], past.product[step:][same])
            ones = np.full(len(pairs[0]), self.fading ** (step - 1))
            after += sparse.csr_matrix((ones, pairs), shape=(size, size)).toarray()
        after += self.backwards * after.T
        often = np.bincount(past.product, minlength=size) + 1e-9
        similarity = after / np.sqrt(often)[:, None] / (np.sqrt(often)[None, :] + self.shrink)
        np.fill_diagonal(similarity, 0)
        self.weights = {"similarity": similarity.astype(np.float32)}


class Content(ProductToProduct):
    """Cosine of what is written about two products.

    Args:
        vectors: (products, dimensions), of every product that there is, in the order of the interactions.
        decay: see `ProductToProduct`.
    """

    name = "content"

    def __init__(self, vectors: Floats, decay: float = 1.0) -> None:
        super().__init__(decay)
        centred = vectors - vectors.mean(axis=0)
        self._unit = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9)

    def fit(self, past: Interactions) -> None:
        """Nothing but the products' order is taken from the past. Raises BadInput when there are more or fewer."""
        if len(past.products) != len(self._unit):
            raise BadInput(
                f"There are {len(past.products)} products and {len(self._unit)} vectors.",
                next_step="Embed each product's text once, in the same order.",
            )
        similarity = self._unit @ self._unit.T
        np.fill_diagonal(similarity, 0)
        self.weights = {"similarity": similarity.astype(np.float32)}


def _dense(matrix: sparse.csr_matrix) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.asarray(matrix.todense(), dtype=np.float64)
