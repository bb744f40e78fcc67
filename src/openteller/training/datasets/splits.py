"""Splitting rows into training, validation and test: stratified by label, rows of one key on one side.

The order in a stratum is that of a hash of seed and key, so the split depends on the rows and not on their order, and
added rows move few others. Knows nothing about what a key or a label is.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openteller.core.errors import BadInput
from openteller.training.datasets.records import Keyed


@dataclass(frozen=True)
class Split:
    """The indices of each side, ascending."""

    train: list[int]
    validation: list[int]
    test: list[int]


def split(rows: Sequence[Keyed], *, validation: float, test: float, seed: int) -> Split:
    """Split `rows`, each label by itself; rows without label are one stratum.

    A label with one key is trained on. One with two is validated on as well when `validation` is over 0, one with
    three or more is tested on as well when `test` is. The shares are of keys, not of rows.

    Raises:
        BadInput: the shares make no sense, or there is no row to train on.
    """
    _require_shares(validation, test)
    if not rows:
        raise BadInput("No row is left to train on.", next_step="Give more data, or drop fewer rows.")
    labels_of: dict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        labels_of[row.key].add(row.label)
    validated, tested = _held_out(labels_of, validation, test, seed)
    trained = _trained(labels_of, labels_of.keys() - validated - tested, seed)
    sides: tuple[list[int], list[int], list[int]] = ([], [], [])
    for i, row in enumerate(rows):
        sides[0 if row.key in trained else 1 if row.key in validated else 2].append(i)
    return Split(*sides)


def _require_shares(validation: float, test: float) -> None:
    shares = (validation, test)
    if not all(math.isfinite(share) and share >= 0 for share in shares) or sum(shares) >= 1:
        raise BadInput(
            f"The shares validation {validation} and test {test} make no sense.",
            cause="Each has to be 0 or more, and both together less than 1.",
            next_step="Use 0.1 and 0.1, for instance.",
        )


def _held_out(
    labels_of: Mapping[str, set[str | None]], validation: float, test: float, seed: int
) -> tuple[set[str], set[str]]:
    """The keys of validation and of test."""
    validated: set[str] = set()
    tested: set[str] = set()
    for keys in _strata(labels_of):
        ordered = sorted(keys, key=lambda key: (_draw(seed, key), key))
        n_validation, n_test = _counts(len(ordered), validation, test)
        # From both ends, so that a key that joins moves one other at each boundary at most.
        validated.update(ordered[:n_validation])
        tested.update(ordered[len(ordered) - n_test :])
    return validated, tested


def _strata(labels_of: Mapping[str, set[str | None]]) -> list[list[str]]:
    """The keys by label; a key with several labels counts for the one with the fewest keys."""
    sizes = Counter(label for labels in labels_of.values() for label in labels)
    strata: dict[str | None, list[str]] = defaultdict(list)
    for key, labels in labels_of.items():
        strata[min(labels, key=lambda label: (sizes[label], label is None, label or ""))].append(key)
    return list(strata.values())


def _counts(keys: int, validation: float, test: float) -> tuple[int, int]:
    """How many of `keys` are validated and tested on; at least one is left for training."""
    n_validation = max(int(keys * validation + 0.5), int(validation > 0 and keys >= 2))
    n_test = max(int(keys * test + 0.5), int(test > 0 and keys >= 3))
    while n_validation + n_test > keys - 1:
        if n_validation > n_test:
            n_validation -= 1
        else:
            n_test -= 1
    return n_validation, n_test


def _trained(labels_of: Mapping[str, set[str | None]], chosen: set[str], seed: int) -> set[str]:
    """`chosen` with a key of every label: contradictory labels may have left one without."""
    trained = set(chosen)
    missing = set().union(*labels_of.values()).difference(*(labels_of[key] for key in trained))
    for label in sorted(missing, key=lambda label: (label is None, label or "")):
        trained.add(min((k for k in labels_of if label in labels_of[k]), key=lambda key: (_draw(seed, key), key)))
    return trained


def _draw(seed: int, key: str) -> bytes:
    return hashlib.blake2b(f"{seed}\n{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
