"""Checks: what repeats, contradicts or leaks is found, and dropped only where it may be."""

from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.training.datasets.checks import (
    Conflict,
    Duplicate,
    DuplicatePolicy,
    Leak,
    Policy,
    SplitCounts,
    clean,
    conflicts,
    duplicates,
    leaks,
)
from openteller.training.datasets.records import Keyed


def _rows(name: str, *pairs: str) -> list[Keyed]:
    """Rows such as "a/x": key and label; "a" has no label."""
    return [
        Keyed(f"{name}:{i}", key, label or None)
        for i, (key, _, label) in enumerate((pair.partition("/") for pair in pairs), 1)
    ]


TRAIN = _rows("t", "a/x", "b/y", "a/x", "a/z", "c/x", "c", "c", "d/y", "e/x", "a/x")
VALIDATION = _rows("v", "d/y", "d/y", "f/x", "f/y", "g/y")
TEST = _rows("h", "e/x", "e/x", "e/y", "g/y")
SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


def test_each_finding_names_its_rows() -> None:
    assert duplicates(TRAIN) == [Duplicate("t:1", ("t:3", "t:10")), Duplicate("t:6", ("t:7",))]
    assert conflicts(TRAIN) == [Conflict(("t:1", "t:3", "t:4", "t:10"), ("x", "x", "z", "x"))]
    assert leaks(TRAIN, VALIDATION) == [Leak(("t:8",), ("v:1", "v:2"))]
    assert leaks(TRAIN, TEST) == [Leak(("t:9",), ("h:1", "h:2", "h:3"))]
    assert not duplicates([])
    assert not leaks([], TEST)


def test_cleaning_drops_from_train_and_leaves_test_as_it_is() -> None:
    cleaned = clean(SPLITS, conflicts="drop", leaks="drop", duplicates="drop")
    assert cleaned.kept == {"train": [1, 4, 5], "validation": [0, 4], "test": [0, 1, 2, 3]}
    assert cleaned.report.splits == {
        "train": SplitCounts(rows=10, duplicates=3, conflicts=2, leaks=2, kept=3),
        "validation": SplitCounts(rows=5, duplicates=1, conflicts=2, leaks=1, kept=2),
        "test": SplitCounts(rows=4, duplicates=1, conflicts=3, leaks=3, kept=4),
    }
    assert cleaned.report.lines() == [
        "train: 10 rows, 3 repeated, 2 with contradictory labels, 2 held out too; 3 kept",
        "validation: 5 rows, 1 repeated, 2 with contradictory labels, 1 in train too; 2 kept",
        "test: 4 rows, 1 repeated, 3 with contradictory labels, 3 in train too; 4 kept",
        "1 rows of other held-out splits stand in test too; kept",
    ]


def test_keeping_keeps_all_and_counts() -> None:
    cleaned = clean(SPLITS, conflicts="keep", leaks="keep", duplicates="keep")
    assert cleaned.kept == {name: list(range(len(rows))) for name, rows in SPLITS.items()}
    assert cleaned.report.splits["train"] == SplitCounts(10, 3, 4, 2, 10)


def test_errors_name_rows_and_the_way_out() -> None:
    with pytest.raises(BadInput) as raised:
        clean(SPLITS, conflicts="error", leaks="drop", duplicates="drop")
    assert raised.value.message.startswith("4 rows")
    assert raised.value.cause == "t:1: x\nt:4: z\nv:3: x\nv:4: y"
    assert "conflicts: drop" in raised.value.next_step
    with pytest.raises(BadInput) as raised:
        clean(SPLITS, conflicts="drop", leaks="error", duplicates="drop")
    assert raised.value.message.startswith("2 rows")
    assert raised.value.cause == "t:8: as v:1\nt:9: as h:3"
    assert "leaks: drop" in raised.value.next_step
    many = [Keyed(f"m:{i}", str(i // 2), "xy"[i % 2]) for i in range(3000)]
    for splits, error in (({"train": many}, "conflicts"), ({"train": many, "dev": many}, "leaks")):
        policies: dict[str, Policy] = {"conflicts": "keep", "leaks": "keep", error: "error"}
        with pytest.raises(BadInput) as raised:
            clean(splits, conflicts=policies["conflicts"], leaks=policies["leaks"], duplicates="keep")
        assert raised.value.cause.count("\n") == 20
        assert raised.value.cause.endswith("and 2,980 more")


def test_a_published_set_that_contradicts_itself_stops_nothing() -> None:
    assert clean({"test": TEST}, conflicts="error", leaks="error", duplicates="drop").kept == {"test": [0, 1, 2, 3]}


@pytest.mark.parametrize("wrong", ["conflicts", "leaks", "duplicates"])
def test_an_unknown_policy_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong):
        clean({}, **{"conflicts": "keep", "leaks": "keep", "duplicates": "keep", wrong: "dorp"})  # type: ignore[arg-type]


_KEYED = st.builds(Keyed, st.just("w"), st.sampled_from("abcdefgh"), st.sampled_from(["x", "y", None]))
_SPLITS = st.dictionaries(st.sampled_from(["train", "validation", "dev", "test"]), st.lists(_KEYED, max_size=12))


@given(_SPLITS, st.sampled_from(get_args(Policy)[1:]), st.sampled_from(get_args(Policy)[1:]), st.data())
def test_cleaning_does_what_its_policies_say(
    splits: Mapping[str, list[Keyed]], conflicting: Policy, leaking: Policy, data: st.DataObject
) -> None:
    repeated: DuplicatePolicy = data.draw(st.sampled_from(get_args(DuplicatePolicy)))
    cleaned = clean(splits, conflicts=conflicting, leaks=leaking, duplicates=repeated)
    left = {name: [splits[name][i] for i in indices] for name, indices in cleaned.kept.items()}
    assert cleaned.kept.keys() == splits.keys()
    assert left.get("test") == splits.get("test")
    for name, indices in cleaned.kept.items():
        assert indices == sorted(set(indices))
        assert cleaned.report.splits[name].kept == len(indices)
        if name != "test":
            assert repeated == "keep" or not duplicates(left[name])
            assert conflicting == "keep" or not conflicts(left[name])
        if name not in ("train", "test") and conflicting == repeated == "keep":
            assert left[name] == splits[name]
    held = [row for name, rows in left.items() if name != "train" for row in rows]
    assert leaking == "keep" or not leaks(left.get("train", []), held)
    once = clean(left, conflicts=conflicting, leaks=leaking, duplicates=repeated)
    assert once.kept == {name: list(range(len(rows))) for name, rows in left.items()}
