"""Intervals cover what they should, and comparisons agree with scipy."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from openteller.core.errors import BadInput
from openteller.training.evaluation.intervals import bootstrap, mcnemar, paired, wilson
from openteller.training.evaluation.predictions import MultiLabel, Ranking, SingleLabel, Spans

Simulation = Callable[..., SingleLabel]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])  # symmetric errors: both are 0.7 in truth
def test_the_interval_covers_the_truth_about_as_often_as_it_says(simulated: Simulation, metric: str) -> None:
    covered = 0
    for seed in range(100):
        found = bootstrap(simulated(200, 0.7, seed=seed), metric, samples=200, seed=seed)
        covered += found.low <= 0.7 <= found.high
    assert 85 <= covered <= 99


def test_an_interval_repeats_with_its_seed_and_widens_with_its_level(simulated: Simulation) -> None:
    rows = simulated(300, 0.8)
    one = bootstrap(rows, "macro_f1", samples=200, seed=1)
    assert one == bootstrap(rows, "macro_f1", samples=200, seed=1)
    wide = bootstrap(rows, "macro_f1", samples=200, seed=1, level=0.99)
    assert wide.low < one.low < one.high < wide.high
    assert 0.05 < one.high - one.low < 0.15


def test_every_kind_has_intervals(simulated: Simulation) -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(50, 3))
    gold, texts = (logits + draw.normal(size=logits.shape) > 0).astype(int), ("x",) * 50
    found = [frozenset({(0, int(n), "name")}) for n in draw.integers(1, 4, size=50)]
    kinds = {
        "ece": MultiLabel(("a", "b", "c"), gold, logits, texts),
        "micro_f1": Spans(("name",), (frozenset({(0, 2, "name")}),) * 50, tuple(found), texts),
        "mrr": Ranking(tuple(gold), tuple(logits), texts),
    }
    for metric, predictions in kinds.items():
        interval = bootstrap(predictions, metric, samples=100, seed=0)
        assert 0 <= interval.low < interval.high <= 1
    nothing = bootstrap(Ranking((np.zeros(2),), (np.ones(2),), ("q",)), "mrr", seed=0)
    assert np.isnan([nothing.low, nothing.high]).all()


@pytest.mark.parametrize(("first", "second", "both"), [(0, 0, 9), (3, 9, 50), (40, 41, 0), (700, 500, 100)])
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(first: int, second: int, both: int) -> None:
    one = np.array([1.0] * first + [0.0] * second + [1.0] * both)
    other = np.array([0.0] * first + [1.0] * second + [1.0] * both)
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(one, other) == pytest.approx(expected)


def test_a_better_candidate_is_told_from_an_equal_one(simulated: Simulation) -> None:
    champion = simulated(400, 0.7)
    better = replace(champion, logits=np.where(np.arange(400)[:, None] % 4 == 0, 5 * np.eye(3)[champion.gold], 0))
    better = replace(better, logits=better.logits + champion.logits)
    for metric in ("accuracy", "macro_f1"):
        found = paired(champion, better, metric, samples=200, seed=0)
        assert found.better
        assert found.difference == pytest.approx(found.candidate - found.champion)
        assert 0 < found.low < found.difference < found.high
        assert found.p_value < 0.02
        assert found.test == ("mcnemar" if metric == "accuracy" else "bootstrap")
    same = paired(champion, champion, "macro_f1", samples=50, seed=0)
    assert (same.difference, same.low, same.high, same.p_value, same.better) == (0, 0, 0, 1, False)


def test_less_loss_is_better(simulated: Simulation) -> None:
    champion = simulated(200, 0.9)
    found = paired(champion, champion, "nll", samples=100, seed=0, temperatures=(4.0, 1.0))
    assert found.difference < 0
    assert found.better


def test_rows_out_of_scope_do_not_disturb_mcnemar(simulated: Simulation) -> None:
    champion, candidate = simulated(60, 0.5), simulated(60, 0.8)
    assert (champion.gold == candidate.gold).all()
    gold = np.where(np.arange(60) < 10, -1, champion.gold)
    found = paired(replace(champion, gold=gold), replace(candidate, gold=gold), "accuracy", samples=50, seed=0)
    right = [(rows.logits.argmax(1) == gold)[10:].astype(float) for rows in (champion, candidate)]
    assert found.p_value == mcnemar(*right)


def test_models_measured_on_different_texts_are_not_compared(simulated: Simulation) -> None:
    with pytest.raises(BadInput, match="same texts"):
        paired(simulated(10, 0.5), simulated(11, 0.5), "accuracy", seed=0)
    with pytest.raises(BadInput, match="Choose one of"):
        paired(simulated(10, 0.5), simulated(10, 0.5), "f1", seed=0)


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (18, 20), (900, 1000)])
def test_wilson_as_scipy_counts(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    found = wilson(right, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert np.isnan(wilson(0, 0).low)
