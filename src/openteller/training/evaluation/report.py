"""The report of one evaluation: everything that is drawn or printed, and its forms as JSON and JUnit XML.

It holds labels and figures and none of the texts, so that it can leave the room in which customers' words are read.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput
from openteller.training.evaluation.figures import Bin, ClassRow, Confused, confusion, most_confused, per_class
from openteller.training.evaluation.figures import reliability as reliability_bins
from openteller.training.evaluation.intervals import Comparison, paired, resampled
from openteller.training.evaluation.measures import LOWER_IS_BETTER, measure, measures
from openteller.training.evaluation.predictions import Ids, Predictions, SingleLabel, classes, task_kind
from openteller.training.evaluation.slices import Gap, SliceRow, gaps, slices

#: The figures by which models of a kind are compared; the first is also the one that is sliced.
HEADLINES = {
    "single-label": ("accuracy", "macro_f1"),
    "multi-label": ("micro_f1", "macro_f1"),
    "spans": ("micro_f1", "macro_f1"),
    "ranking": ("mrr", "hit_at_1"),
}


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Report:
    """What an evaluation found.

    n: rows or queries measured. before: the figures of a baseline, empty for none. comparisons: with the champion.
    confusion: (k, k) gold down, predicted across; None unless there is one label a text.
    latency: name with its unit (p95_ms) → figure.
    """

    title: str
    kind: str
    dataset: str
    model: str
    n: int
    created_at: datetime
    temperature: float
    figures: Mapping[str, Figure]
    before: Mapping[str, float]
    comparisons: tuple[Comparison, ...]
    labels: tuple[str, ...]
    per_class: tuple[ClassRow, ...]
    confused: tuple[Confused, ...]
    confusion: Ids | None
    reliability: tuple[Bin, ...]
    sliced: str  #: the figure in `slices` and `gaps`
    slices: tuple[SliceRow, ...]
    gaps: tuple[Gap, ...]
    latency: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON: NaN as None, the confusion as the list of its cells that are not 0."""
        found: dict[str, Any] = _plain(self)
        if self.confusion is not None:
            found["confusion"] = [
                {"gold": self.labels[g], "predicted": self.labels[p], "count": int(self.confusion[g, p])}
                for g, p in np.argwhere(self.confusion)
            ]
        return found

    def as_junit(self, thresholds: Mapping[str, float]) -> str:
        """JUnit XML with a test case for each threshold on a figure or a latency, for a build server.

        It fails when the figure is below its threshold, or above it where less is better, and when it is undefined.
        Raises BadInput for a threshold on a figure that the report lacks: a gate that checks nothing must not pass.
        """
        measured = {name: f.value for name, f in self.figures.items()} | dict(self.latency)
        for name in thresholds:
            if name not in measured:
                raise BadInput(
                    f"There is a threshold on {name!r}, which was not measured.",
                    next_step=f"Choose among {', '.join(measured)}.",
                )
        failures = {name: self._failure(name, measured[name], limit) for name, limit in thresholds.items()}
        suite = ElementTree.Element(
            "testsuite",
            name=printable(self.title),
            tests=str(len(failures)),
            failures=str(sum(bool(text) for text in failures.values())),
            timestamp=self.created_at.isoformat(timespec="seconds"),
        )
        for name, text in failures.items():
            case = ElementTree.SubElement(suite, "testcase", classname=printable(self.model), name=printable(name))
            if text:
                ElementTree.SubElement(case, "failure", message=text).text = self._weakest()
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)

    def _failure(self, name: str, value: float, limit: float) -> str:
        less = name in LOWER_IS_BETTER or name in self.latency
        passed = value <= limit if less else value >= limit  # NaN passes neither
        return "" if passed else f"{name} is {value:.4f}, {'above' if less else 'below'} {limit:.4f}"

    def _weakest(self) -> str:
        rows = worst_first(self.per_class)[:5]
        return "\n".join(f"{printable(row.label)}: F1 {row.f1:.4f}, support {row.support}" for row in rows)


def build(
    predictions: Predictions,
    *,
    title: str,
    dataset: str,
    model: str,
    temperature: float = 1.0,
    before: Mapping[str, float] | None = None,
    champion: Predictions | None = None,
    champion_temperature: float = 1.0,
    latency: Mapping[str, float] | None = None,
    metric: str | None = None,
    samples: int = 1000,
    seed: int = 0,
    created_at: datetime | None = None,
) -> Report:
    """Measure everything once. metric: the figure that is sliced, when not the usual one; created_at: now."""
    kind = task_kind(predictions)
    metric = metric or HEADLINES[kind][0]
    temperatures = (champion_temperature, temperature)
    single = predictions if isinstance(predictions, SingleLabel) else None
    sliced = slices(predictions, metric, temperature=temperature, seed=seed, samples=samples)
    return Report(
        title=title,
        kind=kind,
        dataset=dataset,
        model=model,
        n=len(predictions.texts),
        created_at=created_at or utc_now(),
        temperature=temperature,
        figures={name: _with_interval(predictions, name, temperature, seed, samples) for name in measures(predictions)},
        before=dict(before or {}),
        comparisons=()
        if champion is None
        else tuple(
            paired(champion, predictions, name, seed=seed, samples=samples, temperatures=temperatures)
            for name in HEADLINES[kind]
        ),
        labels=classes(predictions),
        per_class=tuple(per_class(predictions)),
        confused=tuple(most_confused(single)) if single else (),
        confusion=confusion(single) if single else None,
        reliability=tuple(reliability_bins(predictions, temperature)),
        sliced=metric,
        slices=tuple(sliced),
        gaps=tuple(gaps(sliced, metric)),
        latency=dict(latency or {}),
    )


def worst_first(rows: tuple[ClassRow, ...]) -> list[ClassRow]:
    """The classes by F1, the lowest first; those that never occur last."""
    return sorted(rows, key=lambda row: (math.isnan(row.f1), row.f1, -row.support))


def printable(text: str) -> str:
    """`text` on one line without characters that a terminal obeys or XML forbids."""
    return "".join(c if c.isprintable() else "\ufffd" for c in re.sub(r"\s+", " ", text))


def _with_interval(predictions: Predictions, name: str, temperature: float, seed: int, samples: int) -> Figure:
    measured = measure(predictions, name, temperature)
    interval = resampled(measured, seed=seed, samples=samples)
    return Figure(measured.figure(), interval.low, interval.high)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else None
