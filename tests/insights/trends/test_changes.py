"""Change-points: certain about a step, silent without one, right about small cases that can be summed by hand."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import gammaln

from openteller.insights.trends.changes import HAZARD, dispersion, find_change, run_lengths

FIRST = date(2026, 1, 1)
SERIES = st.tuples(st.integers(1, 8), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 50))
)


def days(rng: np.random.Generator, shares: list[float], a_day: float = 60) -> np.ndarray:
    totals = rng.poisson(a_day, len(shares))
    bad = rng.binomial(totals, shares)
    return np.stack([bad, totals - bad], axis=1).astype(float)


@given(SERIES)
def test_run_lengths_are_a_distribution(counts: np.ndarray) -> None:
    found = run_lengths(counts)
    assert found.shape == (len(counts) + 1,)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)


def _evidence(part: np.ndarray, prior: np.ndarray) -> float:
    """log probability of one stretch, up to the multinomial coefficients that every partition shares."""
    total = part.sum(axis=0)
    return float(
        (gammaln(prior + total) - gammaln(prior)).sum() + gammaln(prior.sum()) - gammaln(prior.sum() + total.sum())
    )


@given(SERIES.filter(lambda counts: len(counts) <= 6))
def test_run_lengths_are_the_sum_over_all_partitions(counts: np.ndarray) -> None:
    """The exact posterior, by every way to cut the series."""
    n = len(counts)
    prior = 4.0 * (counts.sum(axis=0) + 1) / (counts.sum() + counts.shape[1])
    weights = np.full(n + 1, -np.inf)
    for cuts in range(2 ** (n - 1)):
        edges = [0, *(place for place in range(1, n) if cuts >> (place - 1) & 1), n]
        changes = len(edges) - 2
        log = changes * np.log(HAZARD) + (n - 1 - changes) * np.log1p(-HAZARD)
        log += sum(_evidence(counts[a:b], prior) for a, b in pairwise(edges))
        weights[n - edges[-2]] = np.logaddexp(weights[n - edges[-2]], log)
    expected = np.exp(weights - np.logaddexp.reduce(weights))
    np.testing.assert_allclose(run_lengths(counts), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_step_is_found_where_it_is(seed: int) -> None:
    counts = days(np.random.default_rng(seed), [0.1] * 60 + [0.35] * 12)
    found = find_change(counts, FIRST)
    assert found is not None
    assert abs(found.begins - (FIRST + timedelta(days=60))) <= timedelta(days=1)
    assert found.before[0] == pytest.approx(0.1, abs=0.03)
    assert found.since[0] == pytest.approx(0.35, abs=0.07)
    assert found.distance == pytest.approx(found.since[0] - found.before[0])


def test_no_change_seldom_alarms() -> None:
    """Looked at on each of the last thirty days of forty series: the benchmark has more of them."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(40):
        counts = days(rng, [0.15] * 90)
        alarms += any(find_change(counts[:end], FIRST) is not None for end in range(61, 91))
    assert alarms <= 2


def test_a_small_change_is_not_worth_an_alarm() -> None:
    counts = days(np.random.default_rng(3), [0.10] * 60 + [0.13] * 25, a_day=20_000)
    assert find_change(counts, FIRST, least=0.05) is None
    assert find_change(counts, FIRST, least=0.01) is not None


def test_an_old_change_is_news_no_more() -> None:
    counts = days(np.random.default_rng(4), [0.1] * 30 + [0.4] * 60)
    assert find_change(counts, FIRST) is None


def test_few_people_say_little() -> None:
    assert find_change(days(np.random.default_rng(5), [0.1] * 60 + [0.5] * 3, a_day=1), FIRST) is None


def test_a_mix_that_moves_is_found() -> None:
    rng = np.random.default_rng(6)
    before, after = (rng.multinomial(80, shares, 40) for shares in ([0.6, 0.3, 0.1], [0.3, 0.3, 0.4]))
    found = find_change(np.concatenate([before, after[:10]]).astype(float), FIRST, least=0.1)
    assert found is not None
    assert found.begins == FIRST + timedelta(days=40)
    assert found.distance == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize(("counts", "why"), [(np.zeros((40, 2)), "nothing"), (np.ones((2, 2)), "too short")])
def test_nothing_to_look_at(counts: np.ndarray, why: str) -> None:
    assert find_change(counts, FIRST) is None, why


def test_dispersion_of_chance_is_one_and_of_scatter_more() -> None:
    rng = np.random.default_rng(7)
    chance = [dispersion(days(rng, [0.2] * 120, 100)) for _ in range(50)]
    assert 1 <= np.mean(chance) < 1.15
    scattered = [dispersion(days(rng, list(rng.beta(4, 16, 120)), 100)) for _ in range(50)]
    assert min(scattered) > 3
    step = [dispersion(days(rng, [0.1] * 60 + [0.5] * 60, 100)) for _ in range(50)]
    assert np.mean(step) < 1.1
