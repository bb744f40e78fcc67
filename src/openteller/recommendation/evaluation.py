"""How well what customers took later is found by what they had before: split by time, every product ranked, nobody sampled.

    possessions ─▶ before the cut ─▶ views fitted ─▶ ranks of what came after it ─▶ figures, intervals, groups

Each view alone, and joined as they are served (noisy-or). What a customer took after the cut is their first new product then.
What is not covered: that a product could not be had (walls), and what was never offered. Knows nothing about the store.
"""

from collections.abc import Mapping

import numpy as np

from openteller.core.errors import BadInput
from openteller.core.records import Record
from openteller.recommendation import measures
from openteller.recommendation.candidates.factors import AlternatingLeastSquares
from openteller.recommendation.candidates.generator import CandidateGenerator
from openteller.recommendation.candidates.neighbours import Content, Ease
from openteller.recommendation.candidates.popular import Popular
from openteller.recommendation.interactions import Floats, Indices, Interactions
from openteller.recommendation.offer_model import FACTORS, REGULARISATION

TRAINED = 0.8
LEAST = 10
K = 10


class Figure(Record):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class ViewReport(Record):
    """How well one way of ranking found what came: measure → figure, and what it shows at all."""

    figures: dict[str, Figure]
    coverage: float
    novelty: float
    by_group: dict[str, dict[str, Figure]]


class RankingReport(Record):
    """The ways side by side, on customers who had something before the cut and took something after it."""

    customers: int
    products: int
    views: dict[str, ViewReport]


def ranking_report(owned: Interactions, vectors: Floats | None = None) -> RankingReport:
    """The figures of views that have not seen the last part of the time.

    Args:
        owned: who has which product since when.
        vectors: (products, dimensions) of what is written about them; None: without that view.

    Raises:
        BadInput: fewer than `LEAST` customers can be measured.
    """
    cut = float(np.quantile(owned.at, TRAINED)) if len(owned) else 0.0
    known, target = owned.where(owned.at <= cut), _first_after(owned, cut)
    had = np.asarray(known.matrix().todense()) > 0
    there = target >= 0
    target[there & (had[np.arange(len(had)), target] | ~had.any(axis=1))] = -1
    if (target >= 0).sum() < LEAST:
        raise BadInput(
            "Too few customers took a product after the cut.",
            cause=f"{int((target >= 0).sum())} did; {LEAST} are needed.",
            next_step="Wait for more.",
        )
    groups = _groups(had)
    scores = _scores(known, vectors)
    views = {name: _view(found, target, had, known, groups) for name, found in scores.items()}
    return RankingReport(customers=int((target >= 0).sum()), products=len(owned.products), views=views)


def _scores(known: Interactions, vectors: Floats | None) -> dict[str, Floats]:
    generators: dict[str, CandidateGenerator] = {
        "popularity": Popular(),
        "EASE": Ease(ridge=max(len(known.customers) / 10, 10)),
        "ALS": AlternatingLeastSquares(factors=FACTORS, regularisation=REGULARISATION),
    }
    if vectors is not None:
        generators["content"] = Content(vectors)
    found = {}
    for name, generator in generators.items():
        generator.fit(known)
        found[name] = generator.scores(known)
    sure = [np.clip(found[name], 0, 0.5) for name in ("EASE", "ALS")]
    # Below what the views say anything about, the most held come first.
    joined = 1 - (1 - sure[0]) * (1 - sure[1]) + 1e-3 * found["popularity"]
    return found | {"as served": joined.astype(np.float32)}


def _view(scores: Floats, target: Indices, had: np.ndarray, known: Interactions, groups: list[str]) -> ViewReport:
    places, best = measures.ranks(scores, target, had), measures.top(scores, had, K)
    measured = best[target >= 0]
    return ViewReport(
        figures=_figures(measures.report(places, K)),
        coverage=measures.coverage(measured, len(known.products)),
        novelty=measures.novelty(measured, known),
        by_group={g: _figures(f) for g, (count, f) in measures.by_group(places, groups, K).items() if count >= LEAST},
    )


def _figures(found: Mapping[str, measures.Interval]) -> dict[str, Figure]:
    return {name: Figure(value=i.value, low=i.low, high=i.high) for name, i in found.items()}


def _first_after(owned: Interactions, cut: float) -> Indices:
    """(customers,) the first product of each customer after the cut; -1 where there is none."""
    found = np.full(len(owned.customers), -1, dtype=np.intp)
    late = np.flatnonzero(owned.at > cut)[::-1]  # the earliest is written last
    found[owned.customer[late]] = owned.product[late]
    return found


def _groups(had: np.ndarray) -> list[str]:
    """By how much is known of a customer."""
    counts = had.sum(axis=1)
    return ["1 product" if n <= 1 else "2 or 3 products" if n <= 3 else "4 products or more" for n in counts]
