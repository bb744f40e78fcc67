"""Checks of labelled rows: repeated rows, contradictory labels, and training rows that stand in a held-out set too.

A split called ``test`` is counted and never changed. Knows nothing about formats or models.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from openteller.core.errors import BadInput
from openteller.training.datasets.records import NAMED, Keyed, listed, require_choice

Policy = Literal["error", "drop", "keep"]
DuplicatePolicy = Literal["drop", "keep"]
TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Duplicate:
    """Rows with the key and label of an earlier one."""

    first: str
    again: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Rows with one key and several labels; `labels` stand in the order of `rows`."""

    rows: tuple[str, ...]
    labels: tuple[str | None, ...]


@dataclass(frozen=True)
class Leak:
    """Training rows whose key a held-out set has too."""

    train: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True)
class SplitCounts:
    """Rows of one split: how many there were, how many a check found, how many are left.

    Each check looks at what the one before it left. leaks: of a held-out split, its rows that stand in train too.
    """

    rows: int
    duplicates: int
    conflicts: int
    leaks: int
    kept: int


@dataclass(frozen=True)
class CheckReport:
    """What the checks found. shared_with_test: rows of held-out splits, as validation, that stand in test too."""

    splits: Mapping[str, SplitCounts]
    shared_with_test: int

    def lines(self) -> list[str]:
        """The report for a person, a line a split."""
        lines = [
            f"{name}: {c.rows:,} rows, {c.duplicates:,} repeated, {c.conflicts:,} with contradictory labels, "
            f"{c.leaks:,} {'held out too' if name == TRAIN else 'in train too'}; {c.kept:,} kept"
            for name, c in self.splits.items()
        ]
        if self.shared_with_test:
            lines.append(f"{self.shared_with_test:,} rows of other held-out splits stand in {TEST} too; kept")
        return lines


@dataclass(frozen=True)
class Cleaned:
    """The indices kept of each split, in order, and what was found."""

    kept: Mapping[str, list[int]]
    report: CheckReport


def duplicates(rows: Sequence[Keyed]) -> list[Duplicate]:
    """Groups of rows with the same key and the same label."""
    groups = _grouped(rows, range(len(rows)), _key_and_label)
    return [Duplicate(rows[g[0]].where, tuple(rows[i].where for i in g[1:])) for g in groups if len(g) > 1]


def conflicts(rows: Sequence[Keyed]) -> list[Conflict]:
    """Groups of rows with the same key and two or more labels; a row without label contradicts none."""
    return [
        Conflict(tuple(rows[i].where for i in group), tuple(rows[i].label for i in group))
        for group in _contradictory(rows, range(len(rows)))
    ]


def leaks(train: Sequence[Keyed], held: Sequence[Keyed]) -> list[Leak]:
    """The keys of held-out rows that stand in train too."""
    known = {rows[0].key: rows for rows in _rows_by_key(train)}
    return [
        Leak(tuple(row.where for row in known[group[0].key]), tuple(row.where for row in group))
        for group in _rows_by_key(held)
        if group[0].key in known
    ]


def clean(
    splits: Mapping[str, Sequence[Keyed]], *, conflicts: Policy, leaks: Policy, duplicates: DuplicatePolicy
) -> Cleaned:
    """Check every split, and drop what the policies say.

    Args:
        splits: rows by split; what is not ``train`` is held out.
        conflicts: "drop" drops every row of a key with several labels.
        leaks: "drop" drops the row of train, for a held-out set stays as it was published.
        duplicates: "drop" drops what repeats an earlier row of the same split.

    Raises:
        BadInput: a check whose policy is "error" found rows, 20 of which are named; or there is no such policy.
    """
    _require_policies(conflicts, leaks, duplicates)
    kept = {name: list(range(len(rows))) for name, rows in splits.items()}
    repeated = {name: _repeated(rows) for name, rows in splits.items()}
    _drop(kept, repeated, duplicates)
    contradictory = {n: [i for g in _contradictory(rows, kept[n]) for i in g] for n, rows in splits.items()}
    if conflicts == "error":
        _refuse_conflicts(splits, contradictory)
    _drop(kept, contradictory, conflicts)
    left = {name: [rows[i] for i in kept[name]] for name, rows in splits.items()}
    leaked = _leaked(splits, kept)
    if leaks == "error":
        _refuse_leaks(left)
    if TRAIN in splits:
        _drop(kept, {TRAIN: leaked[TRAIN]}, leaks)
    counts = {
        name: SplitCounts(len(rows), len(repeated[name]), len(contradictory[name]), len(leaked[name]), len(kept[name]))
        for name, rows in splits.items()
    }
    return Cleaned(kept, CheckReport(counts, _shared_with_test(left)))


def _require_policies(conflicts: str, leaks: str, duplicates: str) -> None:
    require_choice("conflicts", conflicts, get_args(Policy))
    require_choice("leaks", leaks, get_args(Policy))
    require_choice("duplicates", duplicates, get_args(DuplicatePolicy))


def _drop(kept: dict[str, list[int]], found: Mapping[str, Sequence[int]], policy: Policy) -> None:
    if policy != "drop":
        return
    for name, rows in found.items():
        gone = set(rows)
        if name != TEST:
            kept[name] = [i for i in kept[name] if i not in gone]


def _grouped(rows: Sequence[Keyed], chosen: Iterable[int], by: Callable[[Keyed], Hashable]) -> list[list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i in chosen:
        groups[by(rows[i])].append(i)
    return list(groups.values())


def _key(row: Keyed) -> str:
    return row.key


def _key_and_label(row: Keyed) -> tuple[str, str | None]:
    return row.key, row.label


def _rows_by_key(rows: Sequence[Keyed]) -> list[list[Keyed]]:
    return [[rows[i] for i in group] for group in _grouped(rows, range(len(rows)), _key)]


def _repeated(rows: Sequence[Keyed]) -> list[int]:
    return [i for group in _grouped(rows, range(len(rows)), _key_and_label) for i in group[1:]]


def _contradictory(rows: Sequence[Keyed], chosen: Iterable[int]) -> list[list[int]]:
    groups = _grouped(rows, chosen, _key)
    return [group for group in groups if len({rows[i].label for i in group} - {None}) > 1]


def _leaked(splits: Mapping[str, Sequence[Keyed]], kept: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Rows of train whose key is held out, and held-out rows whose key is in train."""
    keys = {name: {splits[name][i].key for i in kept[name]} for name in splits}
    held = set().union(*(found for name, found in keys.items() if name != TRAIN))
    other = {name: held if name == TRAIN else keys.get(TRAIN, set()) for name in splits}
    return {name: [i for i in kept[name] if splits[name][i].key in other[name]] for name in splits}


def _shared_with_test(splits: Mapping[str, Sequence[Keyed]]) -> int:
    published = {row.key for row in splits.get(TEST, ())}
    return sum(row.key in published for name, rows in splits.items() if name not in (TRAIN, TEST) for row in rows)


def _refuse_conflicts(splits: Mapping[str, Sequence[Keyed]], found: Mapping[str, Sequence[int]]) -> None:
    rows = [splits[name][i] for name, indices in found.items() if name != TEST for i in indices]
    if rows:
        raise BadInput(
            f"{len(rows):,} rows have the text of another row and a different label.",
            cause=listed([f"{row.where}: {row.label}" for row in rows[:NAMED]], len(rows)),
            next_step="Correct them, or set conflicts: drop.",
        )


def _refuse_leaks(splits: Mapping[str, Sequence[Keyed]]) -> None:
    train = splits.get(TRAIN, ())
    held = {row.key: row.where for name, rows in splits.items() if name != TRAIN for row in rows}
    rows = [row for row in train if row.key in held]
    if rows:
        raise BadInput(
            f"{len(rows):,} rows of {TRAIN} stand in a held-out split too.",
            cause=listed([f"{r.where}: as {held[r.key]}" for r in islice(rows, NAMED)], len(rows)),
            next_step="Remove them, or set leaks: drop.",
        )
