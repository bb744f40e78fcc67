import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.recommendation.interactions import Interactions

EVENTS = [("b", "x", 5.0, 1.0), ("a", "x", 2.0, 1.0), ("a", "y", 1.0, 2.0), ("a", "z", 2.0, 1.0)]
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.floats(0, 1e9), st.floats(0, 5)), max_size=30
)


def test_each_customers_events_are_together_and_the_oldest_first() -> None:
    past = Interactions.of(EVENTS)
    assert (past.customers, past.products) == (("a", "b"), ("x", "y", "z"))
    assert [past.products[place] for place in past.product] == ["y", "x", "z", "x"]
    assert past.steps_back.tolist() == [2, 1, 0, 0]
    assert past.target(0).tolist() == [2, 0]
    assert past.target(1).tolist() == [0, -1]
    assert past.matrix(0.5).toarray().tolist() == [[0.5, 0.5, 1.0], [1.0, 0.0, 0.0]]


def test_events_of_others_are_left_out() -> None:
    past = Interactions.of(EVENTS, products=("z", "x"), customers=("a",))
    assert [past.products[place] for place in past.product] == ["x", "z"]


@pytest.mark.parametrize("event", [("a", "x", float("nan"), 1.0), ("a", "x", 1.0, -1.0), ("a", "x", 1.0, float("inf"))])
def test_what_is_no_event(event: tuple[str, str, float, float]) -> None:
    with pytest.raises(BadInput, match="finite"):
        Interactions.of([event])


@given(ROWS, st.integers(0, 4))
def test_what_is_held_out_and_what_is_left_make_up_the_whole(
    rows: list[tuple[str, str, float, float]], steps: int
) -> None:
    past = Interactions.of(rows, products="xyz", customers="abcd")
    earlier = past.earlier(steps)
    assert len(earlier) + int((past.steps_back < steps).sum()) == len(past) == len(rows)
    if steps:
        assert (earlier.target(0) == past.target(steps)).all()


@given(ROWS, st.floats(0, 1e9))
def test_a_moment_divides(rows: list[tuple[str, str, float, float]], moment: float) -> None:
    past = Interactions.of(rows)
    assert len(past.until(moment)) + len(past.since(moment)) == len(rows)


@given(ROWS)
def test_customers_apart_are_the_same_as_together(rows: list[tuple[str, str, float, float]]) -> None:
    past = Interactions.of(rows, products="xyz", customers="abcd")
    parts = [past.of_customers(at, at + 2).matrix().toarray() for at in (0, 2)]
    np.testing.assert_array_equal(np.vstack(parts), past.matrix().toarray())
