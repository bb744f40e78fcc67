"""How good recommendations are: ranking measures a customer, intervals by bootstrap, by group, and calibration.

Ranks are among all products that may be recommended, never among a sample (Krichene and Rendle 2020). Of products with
the same score the held-out one takes the middle place, so that scores of one value gain nothing.
Novelty after Vargas and Castells 2011: the mean of -log2 of the share of customers who have the product.
Knows nothing about how a score came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openteller.recommendation.interactions import Floats, Indices, Interactions

_REPEATS = 1_000


@dataclass(frozen=True)
class Interval:
    """A figure with the 2.5 and 97.5 percentiles of `_REPEATS` bootstrap repeats over customers."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def ranks(scores: Floats, held_out: Indices, had: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(customers,) the place of the held-out product, 0 for the first; nan for customers without one.

    Args:
        scores: (customers, products).
        held_out: (customers,) a product, or -1.
        had: (customers, products) what is not recommended again.
    """
    rows = np.arange(len(scores))
    open_to = ~had
    open_to[rows, held_out] = True
    own = scores[rows, held_out][:, None]
    above = ((scores > own) & open_to).sum(axis=1)
    beside = ((scores == own) & open_to).sum(axis=1) - 1
    return np.where(held_out >= 0, above + beside / 2, np.nan)


def per_customer(places: NDArray[np.float64], k: int = 10) -> dict[str, NDArray[np.float64]]:
    """Measure → (customers,), for one held-out product each: NDCG, MAP (here: the reciprocal rank) and recall at `k`."""
    hit = places < k
    with np.errstate(invalid="ignore"):
        return {
            f"ndcg@{k}": np.where(hit, 1 / np.log2(places + 2), 0.0),
            f"map@{k}": np.where(hit, 1 / (places + 1), 0.0),
            f"recall@{k}": hit.astype(np.float64),
        }


def interval(values: NDArray[np.float64], seed: int = 1) -> Interval:
    """The mean over customers with its interval; all zeros for nobody."""
    if not len(values):
        return Interval(0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(_REPEATS)]
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(values.mean()), float(low), float(high))


def report(places: NDArray[np.float64], k: int = 10) -> dict[str, Interval]:
    """Every measure of the customers who have a held-out product."""
    found = places[~np.isnan(places)]
    return {name: interval(values) for name, values in per_customer(found, k).items()}


def by_group(
    places: NDArray[np.float64], groups: Sequence[str], k: int = 10
) -> dict[str, tuple[int, dict[str, Interval]]]:
    """Group → how many customers are measured in it, and their measures.

    Args:
        places: (customers,) as `ranks` gives them.
        groups: (customers,) what each customer belongs to.
        k: of the measures.
    """
    named, there = np.asarray(groups), ~np.isnan(places)
    return {
        group: (int((there & (named == group)).sum()), report(places[named == group], k)) for group in sorted({*groups})
    }


def top(scores: Floats, had: NDArray[np.bool_], k: int = 10) -> Indices:
    """(customers, k) the best products that are not had, best first; of equal scores the earlier product."""
    kept = np.where(had, -np.inf, scores)
    return np.argsort(-kept, axis=1, kind="stable")[:, :k].astype(np.intp)


def coverage(best: Indices, products: int) -> float:
    """The share of all products that are recommended to anybody."""
    return len(np.unique(best)) / products


def novelty(best: Indices, past: Interactions) -> float:
    """Mean of -log2 of the share of customers who had a recommended product; more is less obvious."""
    had = np.asarray((past.matrix() > 0).sum(axis=0)).ravel()
    share = np.maximum(had, 1) / max(len(past.customers), 1)
    return float(-np.log2(share[best]).mean())


def calibration(probabilities: NDArray[np.float64], outcomes: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error: the mean gap between what was foretold and what came, over bins of equal count."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(probabilities[part].mean() - outcomes[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / max(len(order), 1))


def area_under_curve(scores: NDArray[np.float64], outcomes: NDArray[np.float64]) -> float:
    """The chance that one who said yes scores above one who did not, ties counting half (Mann and Whitney 1947)."""
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - (counts - 1) / 2)[places]
    yes = outcomes > 0
    took, left = int(yes.sum()), int((~yes).sum())
    if not took or not left or not len(values):
        return float("nan")
    return float((middle[yes].sum() - took * (took + 1) / 2) / (took * left))


def as_dict(found: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    """The measures as JSON can hold them."""
    return {name: {"value": i.value, "low": i.low, "high": i.high} for name, i in found.items()}
