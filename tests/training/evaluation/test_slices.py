"""Slices and the gaps between them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from openteller.training.evaluation.figures import figures
from openteller.training.evaluation.intervals import wilson
from openteller.training.evaluation.predictions import SingleLabel
from openteller.training.evaluation.slices import SliceRow, default_groups, gaps, length_group, script_group, slices

Simulation = Callable[..., SingleLabel]


def test_each_value_is_measured_on_its_own_rows(simulated: Simulation) -> None:
    groups = {"customer": ("retail",) * 60 + ("business",) * 40}
    rows = replace(simulated(100, 0.8), groups=groups)
    found = {(row.dimension, row.value): row for row in slices(rows, "accuracy")}
    assert set(found) == {("length", "short"), ("script", "en"), ("customer", "retail"), ("customer", "business")}
    retail, right = found["customer", "retail"], int((rows.logits.argmax(1) == rows.gold)[:60].sum())
    assert (retail.n, retail.figure) == (60, pytest.approx(right / 60))
    assert (retail.low, retail.high) == pytest.approx((wilson(right, 60).low, wilson(right, 60).high))
    part = SingleLabel(rows.labels, rows.gold[60:], rows.logits[60:], rows.texts[60:])
    business = next(r for r in slices(rows, "macro_f1", samples=100) if r.value == "business")
    assert business.figure == pytest.approx(figures(part)["macro_f1"])
    assert business.low < business.figure < business.high


def test_rows_that_a_figure_does_not_count_are_not_counted(simulated: Simulation) -> None:
    rows = simulated(30, 0.8)
    gold = np.where(np.arange(30) < 10, -1, rows.gold)
    groups = {"source": ("strange",) * 5 + ("known",) * 25}
    found = {row.value: row.n for row in slices(replace(rows, gold=gold, groups=groups), "accuracy")}
    assert found == {"short": 20, "en": 20, "known": 20}  # of the strange none is in scope


def test_a_gap_is_between_values_with_enough_rows() -> None:
    rows = [
        SliceRow("script", "zh", 200, 0.9, 0.8, 1.0),
        SliceRow("script", "en", 20, 0.7, 0.6, 0.8),
        SliceRow("script", "mixed", 19, 0.1, 0.0, 0.2),
        SliceRow("length", "short", 200, 0.9, 0.8, 1.0),
        SliceRow("length", "long", 5, 0.1, 0.0, 0.2),
        SliceRow("customer", "retail", 50, 0.5, 0.4, 0.6),
        SliceRow("customer", "business", 50, 0.8, 0.7, 0.9),
        SliceRow("customer", "private", 50, float("nan"), float("nan"), float("nan")),
    ]
    found = [(gap.dimension, gap.worst, gap.best, round(gap.gap, 6)) for gap in gaps(rows)]
    assert found == [("customer", "retail", "business", 0.3), ("script", "en", "zh", 0.2)]
    losses = gaps(rows, "nll")
    assert (losses[0].worst, losses[0].best, losses[0].gap) == ("business", "retail", pytest.approx(0.3))


def test_the_groups_that_every_text_has() -> None:
    assert [length_group("x" * n) for n in (0, 20, 21, 80, 81)] == ["short", "short", "medium", "medium", "long"]
    texts = ("我的卡被拒了", "my card was declined", "我的card被拒", "123")
    assert default_groups(texts)["script"] == ("zh", "en", "mixed", "en") == tuple(map(script_group, texts))
