import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.recommendation import measures
from openteller.recommendation.interactions import Interactions


def test_ranks_are_among_what_is_not_had() -> None:
    scores = np.array([[0.9, 0.5, 0.7, 0.1], [0.5, 0.5, 0.5, 0.5], [1, 2, 3, 4]], dtype=np.float32)
    had = np.array([[True, False, False, False], [False, False, False, True], [False] * 4])
    places = measures.ranks(scores, np.array([1, 0, -1]), had)
    assert places[:2].tolist() == [1.0, 1.0]  # one above; of three alike the middle
    assert math.isnan(places[2])


def test_measures_of_one_held_out_product() -> None:
    found = measures.per_customer(np.array([0.0, 1.0, 9.0, 10.0]), 10)
    assert found["ndcg@10"].round(4).tolist() == [1.0, 0.6309, 0.2891, 0.0]
    assert found["map@10"].tolist() == [1.0, 0.5, 0.1, 0.0]
    assert found["recall@10"].tolist() == [1, 1, 1, 0]


def test_the_interval_holds_the_mean_and_narrows_with_customers() -> None:
    rng = np.random.default_rng(0)
    few, many = (measures.interval(rng.random(size)) for size in (50, 5_000))
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low
    assert measures.interval(np.zeros(0)).value == 0


def test_groups_add_up() -> None:
    places = np.array([0.0, 20.0, np.nan, 0.0])
    groups = measures.by_group(places, ["a", "a", "b", "b"])
    assert {name: count for name, (count, _) in groups.items()} == {"a": 2, "b": 1}
    assert groups["a"][1]["recall@10"].value == 0.5


def test_coverage_and_novelty() -> None:
    past = Interactions.of([("a", "x", 1, 1), ("b", "x", 1, 1), ("b", "y", 1, 1), ("c", "z", 1, 1)])
    scores = np.array([[0, 2, 1], [0, 2, 1], [3, 2, 1]], dtype=np.float32)
    had = np.array([[True, False, False], [True, True, False], [False, False, True]])
    best = measures.top(scores, had, 1)
    assert best.ravel().tolist() == [1, 2, 0]
    assert measures.coverage(best, 3) == 1.0
    assert measures.novelty(best, past) == pytest.approx((2 * -math.log2(1 / 3) - math.log2(2 / 3)) / 3)


def test_calibration() -> None:
    sure = np.repeat([0.0, 1.0], 50)
    assert measures.calibration(sure, sure) == 0
    assert measures.calibration(np.full(100, 0.9), sure) == pytest.approx(0.9 - 0.5, abs=0.51)
    assert measures.calibration(np.full(10, 0.3), np.zeros(10)) == pytest.approx(0.3)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, outcomes = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    yes, no = scores[outcomes > 0], scores[outcomes == 0]
    found = measures.area_under_curve(scores, outcomes)
    if not len(yes) or not len(no):
        assert math.isnan(found)
        return
    pairs = (yes[:, None] > no[None]).mean() + 0.5 * (yes[:, None] == no[None]).mean()
    assert found == pytest.approx(pairs)
