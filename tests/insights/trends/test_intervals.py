"""Intervals: where they lie, what they cover, and what is not to be shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.insights.trends.intervals import shrunk, spread, too_few, wilson

COUNTS = st.integers(1, 2_000).flatmap(lambda count: st.tuples(st.floats(0, count), st.just(count)))


@given(COUNTS)
def test_an_interval_holds_its_value(counted: tuple[float, int]) -> None:
    for estimate in (wilson(*counted), shrunk(*counted, 0.2, 20)):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_wilson_is_wilsons() -> None:
    """Figures of Brown, Cai and DasGupta's formula, by hand: 0 of 10 and 5 of 10."""
    none, half = wilson(0, 10), wilson(5, 10)
    assert (none.low, none.high) == (0, pytest.approx(0.27753, abs=1e-5))
    assert (half.low, half.high) == (pytest.approx(0.23659, abs=1e-5), pytest.approx(0.76341, abs=1e-5))
    assert wilson(0, 0).model_dump() == {"value": 0.5, "low": 0.0, "high": 1.0, "count": 0}


@given(st.floats(0.05, 0.95), st.integers(0, 30))
def test_small_counts_are_drawn_towards_the_banks_mean(mean: float, count: int) -> None:
    few, many = shrunk(count, count, mean, 20), shrunk(30 * count, 30 * count, mean, 20)
    assert abs(few.value - mean) <= abs(many.value - mean) + 1e-12
    assert shrunk(0, 0, mean, 20).value == pytest.approx(mean)


def test_the_credible_interval_covers_topics_drawn_around_the_mean() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(2_000):
        share, count = rng.beta(0.2 * 20, 0.8 * 20), int(rng.integers(1, 60))
        estimate = shrunk(float(rng.binomial(count, share)), count, 0.2, 20)
        covered += estimate.low <= share <= estimate.high
    assert 0.93 <= covered / 2_000 <= 0.97


def test_counting_in_part_never_makes_the_interval_too_narrow() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(1_000):
        values = rng.beta(1, 3, 40)
        estimate = shrunk(float(values.sum()), 40, 0.25, 0.1)
        covered += estimate.low <= 0.25 <= estimate.high
    assert covered / 1_000 >= 0.95


def test_another_scale() -> None:
    moved = spread(wilson(5, 10), -1, 1)
    assert moved.value == 0
    assert moved.low == pytest.approx(-moved.high)


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(2, 8))
def test_no_group_of_few_people_is_shown_nor_told_by_the_whole(people: list[int], least: int) -> None:
    hidden = too_few(people, least)
    assert all(people[place] >= least for place in range(len(people)) if place not in hidden)
    kept_back = sum(people[place] for place in hidden)
    assert kept_back == 0 or kept_back >= least or len(hidden) == len(people)
