"""What a model said next to what is right, one record for each kind of task.

Checked once, at the door, so that the figures need not check again. Knows nothing about models or files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openteller.core.errors import BadInput

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
Span = tuple[int, int, str]  #: start and end in code points, end exclusive, and the type
Groups = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class SingleLabel:
    """One label a text.

    labels: the k labels in the order of the logits.
    gold: (n,) ids into `labels`; -1 for a row out of scope, whose label is none of them.
    logits: (n, k) before temperature.
    groups: slice dimension → the value of each row, e.g. language or customer group.
    """

    labels: tuple[str, ...]
    gold: Ids
    logits: Array
    texts: tuple[str, ...]
    groups: Groups = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_rows(self.texts, self.groups)
        _check_labels(self.labels)
        shape = (len(self.texts), len(self.labels))
        object.__setattr__(self, "gold", _whole("gold", self.gold, shape[:1], -1, shape[1] - 1))
        object.__setattr__(self, "logits", _finite("logits", self.logits, shape))


@dataclass(frozen=True, eq=False)
class MultiLabel:
    """Any number of labels a text. gold: (n, k) of 0 and 1. logits: (n, k), independent, before temperature."""

    labels: tuple[str, ...]
    gold: Ids
    logits: Array
    texts: tuple[str, ...]
    groups: Groups = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_rows(self.texts, self.groups)
        _check_labels(self.labels)
        shape = (len(self.texts), len(self.labels))
        object.__setattr__(self, "gold", _whole("gold", self.gold, shape, 0, 1))
        object.__setattr__(self, "logits", _finite("logits", self.logits, shape))


@dataclass(frozen=True, eq=False)
class Spans:
    """Typed spans of each text. A type that only the gold has is kept: the model has missed it."""

    types: tuple[str, ...]
    gold: tuple[frozenset[Span], ...]
    predicted: tuple[frozenset[Span], ...]
    texts: tuple[str, ...]
    groups: Groups = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_rows(self.texts, self.groups)
        _check_labels(self.types)
        for name, found in (("gold", self.gold), ("predicted", self.predicted)):
            _check_count(name, len(found), len(self.texts))
        found_types = {span[2] for spans in self.gold + self.predicted for span in spans}
        object.__setattr__(self, "types", self.types + tuple(sorted(found_types - set(self.types))))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates of each query. gold: (m,) of 0 and 1 a query. scores: (m,) a query, the highest comes first."""

    gold: tuple[Ids, ...]
    scores: tuple[Array, ...]
    texts: tuple[str, ...]
    groups: Groups = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_rows(self.texts, self.groups)
        for name, found in (("gold", self.gold), ("scores", self.scores)):
            _check_count(name, len(found), len(self.texts))
        shapes = [(len(scores),) for scores in self.scores]
        gold = tuple(_whole("gold", g, s, 0, 1) for g, s in zip(self.gold, shapes, strict=True))
        scores = tuple(_finite("scores", x, s) for x, s in zip(self.scores, shapes, strict=True))
        object.__setattr__(self, "gold", gold)
        object.__setattr__(self, "scores", scores)

    @cached_property
    def ranked(self) -> tuple[Ids, ...]:
        """The gold of each query in the order of its scores. A tie counts against the relevant candidate."""
        return tuple(g[np.lexsort((g, -s))] for g, s in zip(self.gold, self.scores, strict=True))


Predictions = SingleLabel | MultiLabel | Spans | Ranking


def task_kind(predictions: Predictions) -> str:
    """The name of the kind: single-label, multi-label, spans or ranking."""
    names = {SingleLabel: "single-label", MultiLabel: "multi-label", Spans: "spans", Ranking: "ranking"}
    return names[type(predictions)]


def classes(predictions: Predictions) -> tuple[str, ...]:
    """The labels or span types; () for a ranking."""
    if isinstance(predictions, Ranking):
        return ()
    return predictions.types if isinstance(predictions, Spans) else predictions.labels


def same_rows(one: Predictions, other: Predictions) -> bool:
    """Whether both were measured on the same texts with the same gold, whatever the order of their labels."""
    if type(one) is not type(other) or one.texts != other.texts:
        return False
    return all(a == b for a, b in zip(_gold_by_name(one), _gold_by_name(other), strict=True))


def _gold_by_name(predictions: Predictions) -> Iterator[Any]:
    if isinstance(predictions, SingleLabel):
        return (predictions.labels[g] if g >= 0 else None for g in predictions.gold)
    if isinstance(predictions, MultiLabel):
        return ({predictions.labels[i] for i in np.flatnonzero(row)} for row in predictions.gold)
    if isinstance(predictions, Spans):
        return iter(predictions.gold)
    return (row.tolist() for row in predictions.gold)


def _check_rows(texts: tuple[str, ...], groups: Groups) -> None:
    if not texts:
        raise BadInput("There are no predictions to judge.", next_step="Name data with at least one row.")
    for dimension, values in groups.items():
        _check_count(f"the group {dimension}", len(values), len(texts))


def _check_labels(labels: tuple[str, ...]) -> None:
    if len(set(labels)) != len(labels) or not labels:
        raise BadInput(f"The {len(labels)} labels cannot be used.", cause="None are given, or one is there twice.")


def _check_count(name: str, found: int, expected: int) -> None:
    if found != expected:
        raise BadInput(f"The predictions do not fit together: {name} has {found} rows, texts {expected}.")


def _whole(name: str, values: ArrayLike, shape: tuple[int, ...], low: int, high: int) -> Ids:
    array = np.asarray(values)
    _check_shape(name, array.shape, shape)
    if array.size and (not np.isfinite(array).all() or (array != np.floor(array)).any()):
        raise BadInput(f"The values of {name} are not whole numbers.")
    if array.size and (array.min() < low or array.max() > high):
        raise BadInput(f"The values of {name} run from {array.min()} to {array.max()}, not from {low} to {high}.")
    return array.astype(np.int64)


def _finite(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.asarray(values, dtype=np.float64)
    _check_shape(name, array.shape, shape)
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise BadInput(
            f"{bad} of the {array.size} {name} are not finite.",
            cause="The training has diverged, or half precision overflowed.",
            next_step="Lower the learning rate or train in fp32.",
        )
    return array


def _check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise BadInput(f"The predictions do not fit together: {name} has the shape {found}, not {expected}.")
