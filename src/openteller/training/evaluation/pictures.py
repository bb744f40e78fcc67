"""PNG pictures of a report, the confusion matrix and the reliability curve, and of a run. Knows nothing about files.

Drawn with matplotlib's objects on an Agg canvas, so that nothing global changes.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from openteller.training.evaluation.predictions import Ids
from openteller.training.evaluation.report import Report, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CLASSES = 60
_SHOWN_OF_MORE = 40
_LONGEST_LABEL = 28
_CHINESE_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "SimHei")
_BLUE, _INK = "#2a6f97", "#333333"


def confusion_picture(report: Report) -> bytes | None:
    """The confusion matrix, each row coloured by shares of its gold label; None where there is none.

    Of more than 60 classes the 40 most often confused are drawn. A label that no font can draw is shown by its number.
    """
    from matplotlib.colors import PowerNorm

    if report.confusion is None:
        return None
    chosen = most_confused_classes(report.confusion)
    counts = report.confusion[np.ix_(chosen, chosen)]
    side = 3.2 + 0.34 * len(chosen)
    figure = _blank(max(6.0, side + 0.6), max(5.2, side))
    axes = figure.add_subplot()
    support = np.maximum(report.confusion[chosen].sum(1, keepdims=True), 1)
    # The square root of the share: a few confusions in a hundred have to be seen beside the diagonal.
    image = axes.imshow(counts / support, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, pad=0.02, label="share of the gold label")
    _name_classes(axes, report.labels, chosen)
    _write_counts(axes, counts, support)
    title = f"Confusion of {_number(counts.sum())} rows"
    if len(chosen) < len(report.labels):
        title += f": the {len(chosen)} of {len(report.labels)} classes most often confused"
    axes.set_title(title, fontsize=11, loc="left")
    return _png(figure)


def reliability_picture(report: Report) -> bytes | None:
    """How often predictions of each probability came true, and how many there are; None without probabilities."""
    if not report.reliability:
        return None
    bins = report.reliability
    figure = _blank(5.6, 6.2)
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1, label="perfectly calibrated")
    curve.plot([b.confidence for b in bins], [b.accuracy for b in bins], "o-", color=_BLUE, label="measured")
    curve.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that came true")
    curve.legend(loc="upper left", frameon=False)
    ece = report.figures["ece"].value
    curve.set_title(f"Reliability at temperature {report.temperature:.2f}, ECE {ece:.3f}", fontsize=11, loc="left")
    widths = [b.high - b.low for b in bins]
    counts.bar([b.low for b in bins], [b.n for b in bins], widths, align="edge", color=_BLUE, edgecolor="white")
    counts.set(xlabel="probability", ylabel="predictions")
    for axes in (curve, counts):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#eeeeee")
        axes.set_axisbelow(True)
    return _png(figure)


def curve_picture(points: Sequence[tuple[int, float]], label: str, title: str) -> bytes:
    """A figure over the steps of a run, (step, figure) each, on a logarithmic scale; those that are 0 or less are left out."""
    figure = _blank(6.4, 4.2)
    axes = figure.add_subplot()
    drawn = [(step, value) for step, value in points if value > 0]
    axes.plot([step for step, _ in drawn], [value for _, value in drawn], "o-", color=_BLUE)
    axes.set(xlabel="step", ylabel=label, yscale="log")
    axes.set_title(printable(title), fontsize=11, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#eeeeee", which="both")
    axes.set_axisbelow(True)
    return _png(figure)


def most_confused_classes(confusion: Ids) -> Ids:
    """The ids, ascending, of all classes or, of more than 60, of the 40 with most confusions from or to them."""
    k = len(confusion)
    if k <= _MOST_CLASSES:
        return np.arange(k)
    wrong = confusion - np.diag(np.diag(confusion))
    return np.sort(np.argsort(-(wrong.sum(0) + wrong.sum(1)), kind="stable")[:_SHOWN_OF_MORE])


def _name_classes(axes: "Axes", labels: tuple[str, ...], chosen: Ids) -> None:
    families, drawable = _fonts()
    names, numbered = [], False
    for i in chosen.tolist():
        name = printable(labels[i])
        if not set(name) <= drawable:
            name, numbered = f"no. {i + 1}", True
        names.append(name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "\u2026")
    # A dollar sign in a label is no formula.
    style: dict[str, Any] = {"fontfamily": families, "parse_math": False, "fontsize": 9}
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", **style)
    axes.set_yticks(range(len(names)), names, **style)
    note = "\nno. n: the n-th label of report.json,\nwhich no font here can draw" if numbered else ""
    axes.set(xlabel="predicted" + note, ylabel="gold")
    axes.tick_params(length=0)


def _write_counts(axes: "Axes", counts: Ids, support: Ids) -> None:
    for row, column in np.argwhere(counts).tolist():
        dark = counts[row, column] > 0.3 * support[row, 0]
        text = _number(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else _INK)


def _number(count: int) -> str:
    return f"{count / 1000:.1f}k" if count >= 10_000 else str(count)


@cache
def _fonts() -> tuple[list[str], frozenset[str]]:
    """The font families to draw labels with, and the characters that one of them has."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    known = {entry.name for entry in fontManager.ttflist}
    families = ["DejaVu Sans", *[name for name in _CHINESE_FONTS if name in known][:1]]
    paths = [fontManager.findfont(FontProperties(family=[name])) for name in families]
    return families, frozenset(chr(code) for path in paths for code in get_font(path).get_charmap())


def _blank(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def _png(figure: "Figure") -> bytes:
    written = BytesIO()
    figure.savefig(written, format="png", dpi=130)
    return written.getvalue()
