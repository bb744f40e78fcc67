"""Temperatures and calibration error."""

import numpy as np
import pytest

from openteller.training.calibration import (
    expected_calibration_error,
    fit_binary_temperature,
    fit_temperature,
    log_softmax,
)


def test_log_softmax_sums_to_one_and_bears_large_logits() -> None:
    rows = log_softmax(np.array([[1e4, 0.0, -1e4], [1.0, 2.0, 3.0]]))
    assert np.allclose(np.exp(rows).sum(1), 1)
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(factor: float) -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(20_000, 4)) * 2
    gold = (logits + draw.gumbel(size=logits.shape)).argmax(1)
    assert fit_temperature(logits * factor, gold) == pytest.approx(factor, rel=0.06)


def test_the_binary_temperature_undoes_overconfidence() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(20_000, 3)) * 2
    gold = (draw.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
    assert fit_binary_temperature(logits * 2, gold) == pytest.approx(2, rel=0.06)


def test_nothing_to_fit_leaves_logits_alone() -> None:
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) == 1.0
    assert fit_binary_temperature(np.zeros((0, 3)), np.zeros((0, 3))) == 1.0


def test_calibration_error_by_hand() -> None:
    confidence, correct = np.array([0.9, 0.9, 0.6, 0.6]), np.array([1.0, 0.0, 1.0, 0.0])
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.4 + 0.1) / 2)
    assert expected_calibration_error(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0
