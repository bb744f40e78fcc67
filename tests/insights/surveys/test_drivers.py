import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.insights.surveys.drivers import drivers, shapley
from tests.insights.surveys.asked import SURVEY, answer


def r2(x: np.ndarray, y: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(y)), x])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(1 - residual @ residual / ((y - y.mean()) ** 2).sum())


def test_two_drivers_by_hand() -> None:
    """Of two drivers each gets the mean of what it adds alone and what it adds to the other."""
    random = np.random.default_rng(3)
    x = random.normal(size=(200, 2))
    x[:, 1] += 0.6 * x[:, 0]
    y = x @ [1.0, 0.5] + random.normal(size=200)
    alone = r2(x[:, :1], y), r2(x[:, 1:], y)
    both = r2(x, y)
    expected = [(alone[0] + both - alone[1]) / 2, (alone[1] + both - alone[0]) / 2]
    assert shapley(x, y) == pytest.approx(expected)


@given(st.integers(1, 5), st.integers(0, 1000))
def test_parts_add_up_and_order_does_not_matter(k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, noise = random.normal(size=(60, k)), random.normal(size=60)
    y = x.sum(axis=1) + noise
    parts = shapley(x, y)
    assert parts.sum() == pytest.approx(r2(x, y))
    assert (parts >= -1e-9).all()
    order = random.permutation(k)
    assert shapley(x[:, order], y) == pytest.approx(parts[order])


def test_the_same_question_twice_shares_what_it_says() -> None:
    random = np.random.default_rng(1)
    one = random.normal(size=80)
    y = one + random.normal(size=80)
    parts = shapley(np.column_stack([one, one]), y)
    assert parts[0] == pytest.approx(parts[1])
    assert parts.sum() == pytest.approx(r2(one[:, None], y))


def test_what_drives_a_survey() -> None:
    random = np.random.default_rng(5)
    answers = []
    for number in range(120):
        branch, easy = int(random.integers(1, 6)), int(random.integers(1, 8))
        score = int(np.clip(2 * branch + random.integers(-1, 2), 0, 10))
        answers.append(answer(number, recommend=score, branch_ok=branch, easy=easy, price=3))
    answers.append(answer(999, recommend=3))
    found = drivers(SURVEY, answers)
    assert found is not None
    assert [one.question for one in found.drivers] == ["branch_ok", "easy"]
    assert found.drivers[0].share > 0.95
    assert sum(one.share for one in found.drivers) == pytest.approx(1)
    assert found.answers == 120


def test_too_little_says_nothing() -> None:
    assert drivers(SURVEY, []) is None
    assert (
        drivers(SURVEY, [answer(n, recommend=n % 11, branch_ok=1 + n % 5, easy=1, price=1) for n in range(9)]) is None
    )
    same = [answer(n, recommend=9, branch_ok=1 + n % 5, easy=1 + n % 7, price=2) for n in range(99)]
    assert drivers(SURVEY, same) is None
