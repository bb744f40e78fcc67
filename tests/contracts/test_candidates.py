"""Every generator of candidates: shapes, finite scores, newcomers, repeatability, and that its weights are all of it."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.recommendation.candidates.factors import AlternatingLeastSquares
from openteller.recommendation.candidates.generator import CandidateGenerator
from openteller.recommendation.candidates.neighbours import Content, Ease, ItemNeighbours, Successors
from openteller.recommendation.candidates.popular import Popular
from openteller.recommendation.interactions import Interactions

PRODUCTS = tuple(f"P{number}" for number in range(12))
_TEXTS = np.random.default_rng(3).normal(size=(len(PRODUCTS), 5)).astype(np.float32)
GENERATORS: dict[str, Callable[[], CandidateGenerator]] = {
    "popular": Popular,
    "popular of late": lambda: Popular(half_life_days=30),
    "neighbours": lambda: ItemNeighbours(decay=0.9, nearest=4),
    "ease": lambda: Ease(decay=0.9, ridge=10),
    "successors": lambda: Successors(window=3),
    "content": lambda: Content(_TEXTS),
    "als": lambda: AlternatingLeastSquares(factors=4, iterations=3),
}


def past(seed: int, customers: int = 30, events: int = 200) -> Interactions:
    rng = np.random.default_rng(seed)
    rows = [
        (f"C{c:03d}", PRODUCTS[p], float(at), 1.0)
        for c, p, at in zip(
            rng.integers(0, customers, events), rng.integers(0, 10, events), rng.integers(0, 10**7, events), strict=True
        )
    ]
    return Interactions.of(rows, products=PRODUCTS)


@pytest.fixture(params=GENERATORS)
def generator(request: pytest.FixtureRequest) -> CandidateGenerator:
    return GENERATORS[request.param]()


def test_names_differ() -> None:
    names = [make().name for name, make in GENERATORS.items() if name != "popular of late"]
    assert len(set(names)) == len(names)


def test_a_finite_score_of_every_product_for_everybody(generator: CandidateGenerator) -> None:
    generator.fit(past(1))
    newcomers = Interactions.of([("X", "P3", 5.0, 1.0)], PRODUCTS, ("X", "Y"))
    for people in (past(1), newcomers):
        scores = generator.scores(people)
        assert scores.shape == (len(people.customers), len(PRODUCTS))
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


def test_fitting_again_gives_the_same(generator: CandidateGenerator) -> None:
    generator.fit(past(1))
    first = generator.scores(past(2))
    generator.fit(past(5))
    generator.fit(past(1))
    np.testing.assert_allclose(generator.scores(past(2)), first, rtol=1e-4, atol=1e-5)


def test_the_weights_are_all_that_was_learnt(generator: CandidateGenerator) -> None:
    other = copy.deepcopy(generator)
    generator.fit(past(1))
    other.weights = {name: array.copy() for name, array in generator.weights.items()}
    np.testing.assert_array_equal(other.scores(past(2)), generator.scores(past(2)))


def test_a_customer_is_scored_alone_as_among_others(generator: CandidateGenerator) -> None:
    generator.fit(past(1))
    people = past(2)
    together = generator.scores(people)
    np.testing.assert_allclose(generator.scores(people.of_customers(3, 5)), together[3:5], rtol=1e-3, atol=1e-4)


@settings(max_examples=15)
@given(st.sampled_from([name for name in GENERATORS if name != "als"]), st.integers(0, 10**6), st.integers(1, 60))
def test_any_past_will_do(name: str, seed: int, events: int) -> None:
    generator = GENERATORS[name]()
    people = past(seed, customers=5, events=events)
    generator.fit(people)
    assert np.isfinite(generator.scores(people)).all()
