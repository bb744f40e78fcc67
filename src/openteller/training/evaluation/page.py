"""A report as one HTML file that needs nothing else: tables, and charts by plotly, whose code is inside.

The page forbids the browser to fetch anything, and every word of the data is escaped.
"""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from openteller.training.evaluation.report import Report, printable
from openteller.training.evaluation.sections import Section, sections

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_BLUE = "#2a6f97"
# Named one by one: plotly also has a button that sends the chart to its makers.
_BUTTONS = {"displaylogo": False, "modeBarButtons": [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]]}
# Steep at first: a few confusions in a hundred have to be seen beside the diagonal.
_SHADES = [[0, "#f7fbff"], [0.02, "#dbe9f6"], [0.1, "#a9cfe5"], [0.35, "#519ccc"], [1, "#08306b"]]
_STYLE = """
body { font: 15px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #222; background: #fff;
       max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.about { color: #555; margin-top: 0; }
.wide { overflow: auto; max-height: 34rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid #e3e3e3; }
th { font-weight: 600; border-bottom-color: #999; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


def page(report: Report) -> str:
    """The whole HTML document."""
    tables = [_table(section) for section in sections(report)]
    first = 2 if report.comparisons else 1  # the figures and the comparison come before the charts
    made = report.created_at.strftime("%Y-%m-%d %H:%M UTC")
    about = f"{report.model} on {report.dataset}, {report.n} rows, temperature {report.temperature:.2f}, {made}"
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_safe(report.title)}</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_safe(report.title)}</h1>",
            f'<p class="about">{_safe(about)}</p>',
            *tables[:first],
            *_charts(report),
            *tables[first:],
            "</body>\n</html>\n",
        ]
    )


def _table(section: Section) -> str:
    head = _row("th", section.columns, section.words)
    body = "\n".join(_row("td", row, section.words) for row in section.rows)
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return f'<h2>{_safe(section.title)}</h2>\n<div class="wide">{table}</div>'


def _row(tag: str, cells: tuple[str, ...], words: int) -> str:
    kinds = ["" if place < words else ' class="figure"' for place in range(len(cells))]
    written = (f"<{tag}{kind}>{_safe(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
    return f"<tr>{''.join(written)}</tr>"


def _charts(report: Report) -> list[str]:
    """Heading and chart of each figure; the first brings plotly's code."""
    from plotly.io import to_html

    drawn = {
        "Confusion": _confusion(report),
        "Reliability": _reliability(report),
        "Slices with intervals": _sliced(report),
    }
    found: list[str] = []
    for title, figure in drawn.items():
        if figure is not None:
            options = {"full_html": False, "config": _BUTTONS, "div_id": f"chart{len(found)}"}
            chart = to_html(figure, include_plotlyjs=not found, default_height=figure.layout.height, **options)
            found.append(f"<h2>{title}</h2>\n{chart}")
    return found


def _confusion(report: Report) -> "Figure | None":
    from plotly.graph_objects import Heatmap

    if report.confusion is None:
        return None
    names = _names(report.labels)
    shares = report.confusion / np.maximum(report.confusion.sum(1, keepdims=True), 1)
    hover = "gold %{y}<br>predicted %{x}<br>%{customdata} rows, %{z:.1%} of the gold label<extra></extra>"
    heat = Heatmap(x=names, y=names, z=shares, customdata=report.confusion, hovertemplate=hover)
    heat.update(colorscale=_SHADES, zmin=0, zmax=1, xgap=1, ygap=1, colorbar={"title": "share", "tickformat": ".0%"})
    figure = _blank(heat, height=260 + (32 if len(names) <= 30 else 20) * len(names))
    figure.update_xaxes(title="predicted", type="category", tickangle=-45, showgrid=False)
    figure.update_yaxes(title="gold", type="category", autorange="reversed", showgrid=False)
    return figure


def _reliability(report: Report) -> "Figure | None":
    from plotly.graph_objects import Scatter

    if not report.reliability:
        return None
    confidence, right = [b.confidence for b in report.reliability], [b.accuracy for b in report.reliability]
    hover = "probability %{x:.3f}<br>came true %{y:.3f}<br>%{customdata} predictions<extra></extra>"
    curve = Scatter(x=confidence, y=right, customdata=[b.n for b in report.reliability], hovertemplate=hover)
    curve.update(mode="lines+markers", name="measured", line={"color": _BLUE}, marker={"size": 8})
    ideal = Scatter(x=[0, 1], y=[0, 1], name="perfectly calibrated", mode="lines", hoverinfo="skip")
    ideal.update(line={"color": "#999", "dash": "dash", "width": 1})
    figure = _blank(ideal, curve, height=460)
    figure.update_xaxes(title="probability", range=[0, 1])
    figure.update_yaxes(title="share that came true", range=[0, 1.02])
    return figure


def _sliced(report: Report) -> "Figure | None":
    from plotly.graph_objects import Scatter

    if not report.slices:
        return None
    names = _names(f"{row.dimension}: {row.value}" for row in report.slices)
    figures = np.array([row.figure for row in report.slices])
    above = np.array([row.high for row in report.slices]) - figures
    below = figures - np.array([row.low for row in report.slices])
    dots = Scatter(x=figures, y=names, customdata=[row.n for row in report.slices], mode="markers")
    dots.update(hovertemplate="%{y}<br>%{x:.4f}, %{customdata} rows<extra></extra>", marker={"size": 9, "color": _BLUE})
    dots.update(error_x={"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": "#7fa8c0"})
    figure = _blank(dots, height=140 + 30 * len(names))
    figure.update_xaxes(title=report.sliced)
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def _blank(*traces: Any, height: int) -> "Figure":
    from plotly.graph_objects import Figure

    figure = Figure(list(traces))
    figure.update_layout(template="plotly_white", height=height, margin={"t": 20, "l": 20, "r": 20, "b": 20})
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def _names(labels: Iterable[str]) -> list[str]:
    # Plotly reads some HTML in names, and a formula between dollar signs.
    return [escape(printable(label), quote=False).replace("$", "&#36;") for label in labels]


def _safe(text: str) -> str:
    return escape(printable(text))
