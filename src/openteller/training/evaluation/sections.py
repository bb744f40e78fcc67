"""The tables of a report as plain text cells, for whoever lays them out: the terminal or the page."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from openteller.training.evaluation.measures import LOWER_IS_BETTER
from openteller.training.evaluation.report import Report, worst_first


@dataclass(frozen=True)
class Section:
    """A table. The first `words` columns hold words, the others figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


def sections(report: Report, most_classes: int | None = None) -> list[Section]:
    """The tables that have rows: figures, comparison, classes (worst first), confusions, slices, gaps, latency."""
    found = [
        _figures(report),
        _comparisons(report),
        _classes(report, most_classes),
        _confused(report),
        _slices(report),
        _gaps(report),
        _latency(report),
    ]
    return [section for section in found if section.rows]


def shown(value: float, sign: bool = False) -> str:
    """A figure with four decimals, or none when it is a large whole number; a dash when it is undefined."""
    if not math.isfinite(value):
        return "-"
    if value == int(value) and abs(value) > 1:
        return f"{value:+.0f}" if sign else f"{value:.0f}"
    return f"{value:+.4f}" if sign else f"{value:.4f}"


def _between(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{shown(low)} to {shown(high)}"


def _figures(report: Report) -> Section:
    compared = bool(report.before)
    rows = []
    for name, figure in report.figures.items():
        title = f"{name} (less is better)" if name in LOWER_IS_BETTER else name
        before = report.before.get(name, math.nan)
        change = (shown(before), shown(figure.value), shown(figure.value - before, sign=True))
        rows.append((title, *(change if compared else change[1:2]), _between(figure.low, figure.high)))
    middle = ("before", "after", "change") if compared else ("value",)
    return Section("Figures", ("figure", *middle, "95% interval"), tuple(rows))


def _comparisons(report: Report) -> Section:
    rows = (
        (
            c.metric,
            shown(c.champion),
            shown(c.candidate),
            shown(c.difference, sign=True),
            _between(c.low, c.high),
            f"{'<0.0001' if c.p_value < 0.0001 else shown(c.p_value)} ({c.test})",
            "yes" if c.better else "no",
        )
        for c in report.comparisons
    )
    columns = ("figure", "champion", "candidate", "difference", "95% interval", "p", "better")
    return Section("Against the champion", columns, tuple(rows))


def _classes(report: Report, most: int | None) -> Section:
    rows = [
        (row.label, *map(shown, (row.precision, row.recall, row.f1)), str(row.support))
        for row in worst_first(report.per_class)[:most]
    ]
    every = len(report.per_class)
    title = "Classes, worst first" + (f" ({len(rows)} of {every})" if len(rows) < every else "")
    return Section(title, ("class", "precision", "recall", "F1", "support"), tuple(rows))


def _confused(report: Report) -> Section:
    rows = tuple((pair.gold, pair.predicted, str(pair.count)) for pair in report.confused)
    return Section("Most often confused", ("gold", "predicted", "rows"), rows, words=2)


def _slices(report: Report) -> Section:
    rows: Iterable[tuple[str, ...]] = (
        (row.dimension, row.value, str(row.n), shown(row.figure), _between(row.low, row.high)) for row in report.slices
    )
    return Section("Slices", ("group", "value", "rows", report.sliced, "95% interval"), tuple(rows), words=2)


def _gaps(report: Report) -> Section:
    rows = tuple((gap.dimension, gap.worst, gap.best, shown(gap.gap)) for gap in report.gaps)
    return Section(f"Gaps in {report.sliced}", ("group", "worst", "best", "gap"), rows, words=3)


def _latency(report: Report) -> Section:
    return Section("Latency", ("measure", "value"), tuple((name, f"{v:.2f}") for name, v in report.latency.items()))
