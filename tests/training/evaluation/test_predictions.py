"""Predictions are checked when they are made."""

from typing import Any

import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.training.evaluation.predictions import MultiLabel, Ranking, SingleLabel, Spans, same_rows

TWO = {"labels": ("a", "b"), "gold": [0, 1], "logits": [[1.0, 0.0], [0.0, 1.0]], "texts": ("x", "y"), "groups": {}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"texts": ("x",)}, "shape"),
        ({"logits": [[1.0, 0.0]]}, r"logits has the shape \(1, 2\), not \(2, 2\)"),
        ({"logits": [[1.0, np.nan], [np.inf, 1.0]]}, "2 of the 4 logits are not finite"),
        ({"gold": [0, 2]}, "from 0 to 2, not from -1 to 1"),
        ({"gold": [0, 0.5]}, "not whole"),
        ({"labels": ("a", "a")}, "2 labels"),
        ({"groups": {"language": ("zh",)}}, "language has 1 rows, texts 2"),
        ({"texts": (), "gold": [], "logits": np.zeros((0, 2))}, "no predictions"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], said: str) -> None:
    SingleLabel(**TWO)
    with pytest.raises(BadInput, match=said):
        SingleLabel(**TWO | change)


def test_the_other_kinds_are_checked_too() -> None:
    with pytest.raises(BadInput, match="from 0 to 2"):
        MultiLabel(("a", "b"), np.array([[0, 2]]), np.zeros((1, 2)), ("x",))
    with pytest.raises(BadInput, match="predicted has 2 rows"):
        Spans(("name",), (frozenset(),), (frozenset(), frozenset()), ("x",))
    with pytest.raises(BadInput, match="scores are not finite"):
        Ranking((np.array([1]),), (np.array([np.nan]),), ("q",))
    with pytest.raises(BadInput, match="gold has the shape"):
        Ranking((np.array([1, 0]),), (np.array([0.5]),), ("q",))


def test_the_types_of_the_gold_join_those_of_the_model() -> None:
    spans = Spans(("name",), (frozenset({(0, 2, "place")}),), (frozenset(),), ("x",))
    assert spans.types == ("name", "place")


def test_the_same_rows_whatever_the_order_of_the_labels() -> None:
    one = SingleLabel(**TWO)
    assert same_rows(one, SingleLabel(**TWO | {"labels": ("b", "a"), "gold": [1, 0]}))
    assert not same_rows(one, SingleLabel(**TWO | {"gold": [1, 1]}))
    assert not same_rows(one, SingleLabel(**TWO | {"texts": ("x", "z")}))
