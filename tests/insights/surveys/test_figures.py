"""Figures against computations by hand, and what holds for any answers."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.insights.surveys import figures
from openteller.insights.surveys.figures import by_group, by_month, main_figure, mean, nps, share, summary
from tests.insights.surveys.asked import SURVEY, answer

NPS, CSAT, CES, SCALE = SURVEY.questions[:4]
SCORES = st.lists(st.integers(0, 10), min_size=1, max_size=60)


def test_a_score_by_hand() -> None:
    """10 answers: 5 promoters, 2 passives, 3 detractors. 50 % - 30 % = 20 points.

    Interval: p = 6/12, q = 4/12, p - q = 1/6; variance (10/12 - 1/36) / 12 = 0.067130, root 0.259094,
    times 1.959964 = 0.507815: from -0.341148 to 0.674482.
    """
    found = nps([10, 9, 9, 10, 9, 7, 8, 6, 0, 3])
    assert found is not None
    assert (found.promoters, found.passives, found.detractors) == (5, 2, 3)
    assert found.figure.value == pytest.approx(20)
    assert (found.figure.low, found.figure.high) == (
        pytest.approx(-34.1148, abs=1e-3),
        pytest.approx(67.4482, abs=1e-3),
    )


def test_a_share_by_hand() -> None:
    """Wilson for 7 of 10: the textbook's 0.3968 to 0.8922."""
    found = share(7, 10)
    assert found is not None
    assert (found.value, found.low, found.high) == (
        0.7,
        pytest.approx(0.3968, abs=1e-4),
        pytest.approx(0.8922, abs=1e-4),
    )


def test_a_mean_by_hand() -> None:
    """1, 2, 3, 4, 5: mean 3, spread 1.5811, half width 2.776 · 1.5811 / √5 = 1.9629."""
    found = mean([1, 2, 3, 4, 5])
    assert found is not None
    assert (found.value, found.low, found.high) == (3, pytest.approx(1.0371, abs=1e-3), pytest.approx(4.9629, abs=1e-3))


def test_main_figures_by_kind() -> None:
    assert main_figure(CSAT, [1, 3, 4, 5]) == share(2, 4)
    assert main_figure(CES, [1, 4, 5, 6, 7]) == share(3, 5)
    assert main_figure(SCALE, [1, 5]) == mean([1, 5])
    found = summary(CSAT, [5, 5, 1])
    assert found is not None
    assert found.counts == {1: 1, 2: 0, 3: 0, 4: 0, 5: 2}


def test_nothing_comes_of_nothing() -> None:
    assert nps([]) is share(0, 0) is mean([]) is summary(NPS, []) is main_figure(CES, []) is None
    one = mean([4])
    assert one is not None
    assert one.low is one.high is None


@given(SCORES)
def test_a_score_is_within_its_interval_and_its_scale(scores: list[int]) -> None:
    found = nps(scores)
    assert found is not None
    figure = found.figure
    assert figure.low is not None
    assert figure.high is not None
    assert -100 <= figure.low <= figure.value + 1e-9 <= figure.high + 2e-9 <= 100 + 2e-9
    assert found.promoters + found.passives + found.detractors == figure.answers == len(scores)


@given(SCORES, st.randoms(use_true_random=False))
def test_order_does_not_matter(scores: list[int], random: Random) -> None:
    shuffled = random.sample(scores, len(scores))
    assert nps(scores) == nps(shuffled)


@given(SCORES, SCORES)
def test_the_score_of_two_groups_is_their_weighed_mean(some: list[int], others: list[int]) -> None:
    a, b, both = nps(some), nps(others), nps(some + others)
    assert a is not None
    assert b is not None
    assert both is not None
    weighed = a.figure.value * len(some) + b.figure.value * len(others)
    assert both.figure.value == pytest.approx(weighed / len(some + others))


@given(st.integers(0, 200), st.integers(1, 200))
def test_a_share_is_within_its_interval(hits: int, of: int) -> None:
    found = share(min(hits, of), of)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1  # type: ignore[operator]


@pytest.mark.parametrize("truth", [(0.5, 0.3), (0.9, 0.05), (0.2, 0.7)])
@pytest.mark.parametrize("n", [10, 50])
def test_the_interval_keeps_its_promise(truth: tuple[float, float], n: int) -> None:
    """Of 2,000 samples, the interval holds the truth in 93 % or more (the promise is 95 on average)."""
    random, held = Random(1), 0
    good, bad = truth
    for _ in range(2_000):
        found = nps([10 if (u := random.random()) < good else 0 if u < good + bad else 8 for _ in range(n)])
        assert found is not None
        assert found.figure.low is not None
        assert found.figure.high is not None
        held += found.figure.low <= 100 * (good - bad) <= found.figure.high
    assert held / 2_000 >= 0.93


def test_quantiles_are_students() -> None:
    distributions = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 10, 30, 31, 60, 500):
        assert figures._t(freedom) == pytest.approx(distributions.t.ppf(0.975, freedom), abs=6e-4)


def test_months_are_the_banks() -> None:
    """16:30 UTC on 31 May is June in Shanghai."""
    answers = [
        answer(1, datetime(2026, 5, 31, 16, 30, tzinfo=UTC), recommend=10),
        answer(2, datetime(2026, 5, 31, 15, 30, tzinfo=UTC), recommend=0),
        answer(3, datetime(2026, 5, 1, tzinfo=UTC), easy=3),
    ]
    months = by_month(NPS, answers, "Asia/Shanghai")
    assert [(one.month, one.figure.value) for one in months] == [("2026-05", -100), ("2026-06", 100)]


def test_groups_stand_the_best_first() -> None:
    answers = [answer(1, recommend=0, branch="北"), answer(2, recommend=10, branch="南"), answer(3, recommend=9)]
    assert [(one.value, one.figure.value) for one in by_group(NPS, answers, "branch")] == [("南", 100), ("北", -100)]
