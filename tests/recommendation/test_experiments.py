from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.recommendation.experiments import LEAST, Arm, assigned, judged

HALVES = {"control": 0.5, "treatment": 0.5}


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_assignment_stays(experiment: str, customer: str) -> None:
    assert assigned(experiment, customer, HALVES) == assigned(experiment, customer, HALVES) in HALVES


def test_shares_are_kept_and_experiments_divide_independently() -> None:
    people = [f"C{number:06d}" for number in range(20_000)]
    arms = {"a": 0.2, "b": 0.5, "c": 0.3}
    first, second = ([assigned(name, person, arms) for person in people] for name in ("one", "two"))
    for arm, share in arms.items():
        assert Counter(first)[arm] / len(people) == pytest.approx(share, abs=0.015)
    both = Counter(zip(first, second, strict=True))
    for one, two in both:
        assert both[one, two] / len(people) == pytest.approx(arms[one] * arms[two], abs=0.015)


@pytest.mark.parametrize("arms", [{}, {"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.4}])
def test_shares_that_do_not_divide_everybody(arms: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="share out"):
        assigned("x", "C1", arms)


def looks(rates: tuple[float, float], size: int, every: int, rng: np.random.Generator) -> list[tuple[Arm, Arm]]:
    """Both arms as they stand each `every` outcomes."""
    taken = [np.cumsum(rng.random(size) < rate) for rate in rates]
    return [(Arm(at, int(taken[0][at - 1])), Arm(at, int(taken[1][at - 1]))) for at in range(every, size + 1, every)]


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_looking_all_the_time_keeps_the_error_of_the_first_kind(rate: float) -> None:
    rng, wrong, missed = np.random.default_rng(7), 0, 0
    for _ in range(400):
        verdict = judged(looks((rate, rate), 3_000, 50, rng))
        wrong += verdict.decided
        missed += not verdict.low <= 0 <= verdict.high
    # 5 % are allowed; three standard deviations of 400 draws are 3.3 %.
    assert wrong / 400 <= 0.05
    assert missed / 400 <= 0.05


def test_a_difference_is_found() -> None:
    rng = np.random.default_rng(8)
    verdicts = [judged(looks((0.10, 0.14), 6_000, 100, rng)) for _ in range(60)]
    assert np.mean([verdict.decided for verdict in verdicts]) > 0.9
    assert np.mean([verdict.low <= 0.04 <= verdict.high for verdict in verdicts]) >= 0.95


def test_a_few_outcomes_decide_nothing() -> None:
    verdict = judged([(Arm(LEAST - 1, 0), Arm(LEAST - 1, LEAST - 1))])
    assert (verdict.decided, verdict.p_value, verdict.low, verdict.high) == (False, 1.0, -1.0, 1.0)
    assert judged([]).decided is False
    assert judged([(Arm(LEAST, 0), Arm(LEAST, LEAST))]).decided


def test_what_cannot_be_judged() -> None:
    with pytest.raises(BadInput, match="alpha"):
        judged([], alpha=0)
    with pytest.raises(BadInput, match="cannot be"):
        Arm(3, 4)
