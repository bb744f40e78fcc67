import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.recommendation.exploration import LinUCB, draw, propensities

SCORES = st.lists(st.floats(-5, 5), min_size=1, max_size=8).map(np.array)


@given(SCORES, st.floats(0.01, 5), st.floats(0, 1))
def test_propensities_are_a_distribution_with_a_floor(scores: np.ndarray, temperature: float, floor: float) -> None:
    found = propensities(scores, temperature, floor)
    assert found.sum() == pytest.approx(1)
    assert (found >= floor / len(scores) - 1e-12).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


@given(SCORES, st.integers(0, 10), st.integers(0, 100))
def test_a_list_has_each_choice_once(scores: np.ndarray, count: int, seed: int) -> None:
    drawn = draw(scores, count, np.random.default_rng(seed))
    assert len(drawn.places) == len({*drawn.places.tolist()}) == min(count, len(scores))
    assert ((drawn.propensities > 0) & (drawn.propensities <= 1)).all()


def test_lists_come_as_often_as_their_propensities_say() -> None:
    scores, rng, repeats = np.array([0.2, 0.1, 0.0]), np.random.default_rng(1), 20_000
    seen: dict[tuple[int, ...], int] = {}
    said: dict[tuple[int, ...], float] = {}
    for _ in range(repeats):
        drawn = draw(scores, 2, rng)
        name = tuple(drawn.places.tolist())
        seen[name] = seen.get(name, 0) + 1
        said[name] = float(drawn.propensities.prod())
    assert set(said) == set(itertools.permutations(range(3), 2))
    assert sum(said.values()) == pytest.approx(1)
    for name, chance in said.items():
        assert seen[name] / repeats == pytest.approx(chance, abs=4 * np.sqrt(chance / repeats))


@pytest.mark.parametrize(
    ("scores", "temperature", "floor"), [([], 0.1, 0.0), ([float("nan")], 0.1, 0.0), ([1.0], 0.0, 0.0), ([1.0], 1, 1.5)]
)
def test_what_cannot_be_drawn_from(scores: list[float], temperature: float, floor: float) -> None:
    with pytest.raises(BadInput):
        propensities(np.array(scores), temperature, floor)


def test_linucb_learns_a_linear_reward_and_doubts_less() -> None:
    rng, truth = np.random.default_rng(0), np.array([0.5, -0.2, 0.1])
    bandit = LinUCB(3, width=1.0)
    rows = rng.normal(size=(20, 3))
    before = bandit.scores(rows)
    for _ in range(200):
        choices = rng.normal(size=(5, 3))
        best = choices[[int(np.argmax(bandit.scores(choices)))]]
        bandit.learn(best, best @ truth + rng.normal(0, 0.1, 1))
    after = LinUCB.of(bandit.state, width=0.0).scores(rows)
    np.testing.assert_allclose(after, rows @ truth, atol=0.1)
    doubt = bandit.scores(rows) - after
    assert (doubt > 0).all()
    assert (doubt < before).all()


def test_linucb_regrets_less_than_chance() -> None:
    rng, truth = np.random.default_rng(2), np.array([0.6, 0.1])
    bandit, regret, chance = LinUCB(2), 0.0, 0.0
    for _ in range(400):
        choices = rng.normal(size=(4, 2))
        worth = choices @ truth
        taken = int(np.argmax(bandit.scores(choices)))
        bandit.learn(choices[[taken]], worth[[taken]] + rng.normal(0, 0.2, 1))
        regret, chance = regret + worth.max() - worth[taken], chance + worth.max() - worth.mean()
    assert regret < 0.2 * chance


@pytest.mark.parametrize("arguments", [(0, 1.0, 1.0), (1, 0.0, 1.0), (1, 1.0, -1.0)])
def test_a_linucb_that_cannot_be(arguments: tuple[int, float, float]) -> None:
    with pytest.raises(BadInput):
        LinUCB(*arguments)
