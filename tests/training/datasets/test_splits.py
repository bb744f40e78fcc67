"""Splitting: a partition by key, stratified, the same for any order of the rows."""

import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.training.datasets.records import Keyed
from openteller.training.datasets.splits import Split, split

_LABELS = st.sampled_from(["x", "y", "z", "", None])
_KEYS = st.sampled_from([f"k{i}" for i in range(25)])
ANY_ROWS = st.lists(st.builds(Keyed, st.just("w"), _KEYS, _LABELS), min_size=1, max_size=60)
_SHARES = st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)).filter(lambda shares: sum(shares) < 1)


def _sides(rows: list[Keyed], found: Split) -> list[set[str]]:
    return [{rows[i].key for i in side} for side in (found.train, found.validation, found.test)]


@given(ANY_ROWS, _SHARES, st.integers(), st.randoms(use_true_random=False))
def test_a_split_is_a_partition_by_key_that_no_order_changes(rows, shares, seed, random) -> None:  # type: ignore[no-untyped-def]
    validation, test = shares
    found = split(rows, validation=validation, test=test, seed=seed)
    assert sorted(found.train + found.validation + found.test) == list(range(len(rows)))
    assert all(side == sorted(side) for side in (found.train, found.validation, found.test))
    sides = _sides(rows, found)
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert {rows[i].label for i in found.train} == {row.label for row in rows}
    assert validation or not found.validation
    assert test or not found.test
    shuffled = random.sample(rows, len(rows))
    assert _sides(shuffled, split(shuffled, validation=validation, test=test, seed=seed)) == sides


@given(st.dictionaries(_KEYS, _LABELS, min_size=1), _SHARES, st.integers(0, 9))
def test_every_label_is_on_each_side_it_can_be(label_of, shares, seed) -> None:  # type: ignore[no-untyped-def]
    rows = [Keyed("w", key, label) for key, label in label_of.items()]
    found = split(rows, validation=shares[0], test=shares[1], seed=seed)
    train, validation, test = (Counter(rows[i].label for i in s) for s in (found.train, found.validation, found.test))
    for label, count in Counter(label_of.values()).items():
        assert train[label] >= 1
        assert validation[label] >= (shares[0] > 0 and count >= 2)
        assert test[label] >= (shares[1] > 0 and count >= 3)
        assert validation[label] <= max(1, round(count * shares[0] + 0.01))
        assert test[label] <= max(1, round(count * shares[1] + 0.01))


def test_shares_hold_in_each_label_and_seeds_differ() -> None:
    rows = [Keyed("w", f"{i}", "abc"[i % 3]) for i in range(600)]
    found = split(rows, validation=0.1, test=0.2, seed=1)
    for side, expected in ((found.train, 140), (found.validation, 20), (found.test, 40)):
        assert Counter(rows[i].label for i in side) == dict.fromkeys("abc", expected)
    assert found != split(rows, validation=0.1, test=0.2, seed=2)
    assert split(rows, validation=0, test=0, seed=1).train == list(range(600))


def test_added_rows_move_few_others() -> None:
    rows = [Keyed("w", f"{i}", "ab"[i % 2]) for i in range(1000)]
    more = [*rows, *(Keyed("w", f"new {i}", "a") for i in range(50))]
    side_of: dict[str, set[int]] = defaultdict(set)
    for given_rows in (rows, more):
        for side, keys in enumerate(_sides(given_rows, split(given_rows, validation=0.1, test=0.1, seed=7))):
            for key in keys:
                side_of[key].add(side)
    assert sum(len(sides) > 1 for sides in side_of.values()) <= 20


def test_a_label_that_shares_all_its_keys_is_still_trained_on() -> None:
    rows = [Keyed("w", f"{side}{i}", label) for side in "yzw" for i, label in ((1, "x"), (1, side), (2, side))]
    for seed in range(50):
        found = split(rows, validation=0.5, test=0, seed=seed)
        assert {rows[i].label for i in found.train} == set("xyzw")


@pytest.mark.parametrize(
    ("validation", "test"), [(-0.1, 0), (0, -0.1), (0.5, 0.5), (1, 0), (math.nan, 0), (0, math.nan), (math.inf, 0)]
)
def test_senseless_shares_are_refused(validation: float, test: float) -> None:
    with pytest.raises(BadInput, match="make no sense"):
        split([Keyed("w", "a", "x")], validation=validation, test=test, seed=1)


def test_no_rows_are_refused() -> None:
    with pytest.raises(BadInput, match="No row is left"):
        split([], validation=0.1, test=0.1, seed=1)
