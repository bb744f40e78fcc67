import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.recommendation.exploration import propensities
from openteller.recommendation.off_policy import Logged, doubly_robust, ips, snips

ARMS = 4


class World:
    """A logging policy, another policy, and what each choice is truly worth in each of three kinds of moment."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.worth = rng.uniform(0.05, 0.9, (3, ARMS))
        self.logging = np.array([propensities(row, 0.5, 0.2) for row in rng.normal(size=(3, ARMS))])
        self.asked = np.array([propensities(row, 0.5, 0.0) for row in rng.normal(size=(3, ARMS))])

    @property
    def value(self) -> float:
        return float((self.asked * self.worth).sum(axis=1).mean())

    def log(self, rows: int, seed: int) -> tuple[Logged, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 3, rows)
        choice = (rng.random(rows)[:, None] > np.cumsum(self.logging[kind], axis=1)).sum(axis=1).clip(max=ARMS - 1)
        outcome = (rng.random(rows) < self.worth[kind, choice]).astype(float)
        return Logged(outcome, self.logging[kind, choice], self.asked[kind, choice]), kind, choice


@pytest.mark.parametrize("seed", range(5))
def test_all_three_find_the_known_value(seed: int) -> None:
    world = World(seed)
    logged, kind, choice = world.log(40_000, seed)
    poor = np.full((3, ARMS), 0.5)
    guesses = poor[kind, choice], (world.asked * poor).sum(axis=1)[kind]
    for found in (ips(logged), snips(logged), doubly_robust(logged, *guesses)):
        assert found.value == pytest.approx(world.value, abs=0.03)
        assert found.effective_rows < 40_000


def test_intervals_hold_the_value_as_often_as_they_say() -> None:
    world, held = World(1), np.zeros(3)
    for seed in range(300):
        logged, kind, choice = world.log(1_000, seed)
        guesses = world.worth[kind, choice], (world.asked * world.worth).sum(axis=1)[kind]
        estimates = ips(logged), snips(logged), doubly_robust(logged, *guesses)
        held += [e.low <= world.value <= e.high for e in estimates]
    assert (held / 300 > 0.91).all()
    assert (held / 300 < 0.99).all()


def test_a_good_model_narrows_the_interval_and_a_bad_one_does_not_mislead() -> None:
    world = World(2)
    logged, kind, choice = world.log(20_000, 1)
    good = doubly_robust(logged, world.worth[kind, choice], (world.asked * world.worth).sum(axis=1)[kind])
    bad = doubly_robust(logged, np.zeros(len(kind)), np.zeros(len(kind)))
    plain = ips(logged)
    assert good.high - good.low < plain.high - plain.low
    assert (bad.value, bad.low) == (plain.value, plain.low)
    assert good.low < world.value < good.high


@given(st.integers(0, 10**6), st.integers(1, 200))
def test_the_policy_that_logged_is_worth_what_it_earned(seed: int, rows: int) -> None:
    logged, _, _ = World(seed % 7).log(rows, seed)
    same = Logged(logged.outcome, logged.propensity, logged.propensity)
    assert ips(same).value == pytest.approx(logged.outcome.mean())
    assert snips(same).value == pytest.approx(logged.outcome.mean())
    assert ips(same).effective_rows == pytest.approx(rows)


@given(st.integers(0, 10**6), st.floats(0.5, 5))
def test_clipping_errs_downwards_and_snips_stays_among_the_outcomes(seed: int, clip: float) -> None:
    logged, _, _ = World(seed % 7).log(100, seed)
    assert ips(logged, clip).value <= ips(logged).value + 1e-12
    assert -1e-9 <= snips(logged, clip).value <= 1 + 1e-9


@pytest.mark.parametrize(
    "columns", [([], [], []), ([1.0], [0.0], [0.5]), ([1.0], [0.5], [1.5]), ([1.0, 0.0], [0.5], [0.5])]
)
def test_what_cannot_be_estimated(columns: tuple[list[float], list[float], list[float]]) -> None:
    with pytest.raises(BadInput):
        Logged(*(np.array(column) for column in columns))


def test_a_policy_that_shares_no_choice_says_so() -> None:
    with pytest.raises(BadInput, match="none of the choices"):
        snips(Logged(np.ones(3), np.full(3, 0.5), np.zeros(3)))
