"""Plots as inline SVG: cash flow by month, bars by kind, a position in fifths, events on a line of time.

Plain functions from figures to markup; colours are classes of widget/profile.css, so that a plot follows the reader's
light or dark scheme. Each takes its width in pixels and is drawn at that size, so that its letters stay readable on a
telephone. Every text is escaped here. Knows nothing about customers.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import NamedTuple

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 12, 24


class MonthBars(NamedTuple):
    """One month: what came in, and what went out in two parts, all of them 0 or more; and what is written below."""

    label: str
    income: Decimal
    fixed: Decimal
    free: Decimal
    whole: bool = True


class Bar(NamedTuple):
    """A bar with its name and its figure as it is to be read."""

    label: str
    value: Decimal
    figure: str


class Moment(NamedTuple):
    """Something on the line of time; `number` stands in the dot and before its text elsewhere on the page."""

    on: date
    number: int
    sure: bool


def month_bars(months: Sequence[MonthBars], title: str, width: int = 700, height: int = 240) -> str:
    """Two columns a month: income, and spending with the fixed part below. What is not whole is paler."""
    top = _round_up(max((max(m.income, m.fixed + m.free) for m in months), default=Decimal(1)))
    step = (width - _LEFT - _RIGHT) / max(len(months), 1)
    drawn = [_axis(top, width, height)]
    for place, month in enumerate(months):
        left, column = _LEFT + place * step, max(step * 0.32, 3)
        parts = (
            (month.income, Decimal(0), "in", 0.14),
            (month.fixed, Decimal(0), "fixed", 0.52),
            (month.free, month.fixed, "free", 0.52),
        )
        pale = "" if month.whole else " part"
        drawn += [
            _column(left + shift * step, column, base, value, top, height, name + pale)
            for value, base, name, shift in parts
        ]
        # Where months stand close, every second is named, the last one always.
        if step >= 34 or (len(months) - 1 - place) % 2 == 0:
            drawn.append(_text(left + step / 2, height - 7, month.label, "middle"))
    return _svg(drawn, title, width, height)


def bars(rows: Sequence[Bar], title: str, width: int = 700) -> str:
    """A bar a row, the longest as wide as there is room."""
    most = max((row.value for row in rows), default=Decimal(0)) or Decimal(1)
    label, figure, line = min(150, width // 3), 92, 26
    drawn = []
    for place, row in enumerate(rows):
        middle, length = place * line + 17, float(row.value / most) * (width - label - figure - 8)
        drawn.append(_text(label - 8, middle, row.label, "end"))
        drawn.append(
            f'<rect class="free" x="{label}" y="{place * line + 5}" width="{max(length, 2):.1f}" height="16" rx="4"/>'
        )
        drawn.append(_text(label + max(length, 2) + 8, middle, row.figure, "start"))
    return _svg(drawn, title, width, len(rows) * line + 4)


def fifths(rows: Sequence[tuple[str, int]], title: str, width: int = 340) -> str:
    """A row of five boxes for each name, filled up to its score."""
    label, line = 110, 34
    size = (width - label) / 5
    drawn = []
    for place, (name, score) in enumerate(rows):
        drawn.append(_text(label - 10, place * line + 20, name, "end"))
        drawn += [
            f'<rect class="{"in" if box < score else "empty"}" x="{label + box * size + 2:.1f}" y="{place * line + 4}" width="{size - 4:.1f}" height="22" rx="5"/>'
            for box in range(5)
        ]
    return _svg(drawn, title, width, len(rows) * line)


def timeline(moments: Sequence[Moment], first: date, last: date, title: str, width: int = 700) -> str:
    """Numbered dots on a line from `first` to `last`; those that would cover each other stand higher."""
    span, room = max((last - first).days, 1), width - 48
    placed, ends = [], list[float]()
    for moment in sorted(moments, key=lambda one: one.on):
        x = 24 + (moment.on - first).days / span * room
        level = next((n for n, end in enumerate(ends) if x - end >= 24), len(ends))
        ends[level : level + 1] = [x]
        placed.append((moment, x, level))
    line = 14 + 25 * max(len(ends), 1)
    drawn = [f'<line class="axis" x1="24" y1="{line}" x2="{width - 24}" y2="{line}"/>']
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        day = date.fromordinal(first.toordinal() + round(span * share))
        drawn.append(_text(24 + share * room, line + 20, f"{day:%Y-%m}", anchor))
    for moment, x, level in placed:
        y = line - 12 - level * 25
        drawn.append(f'<line class="stem" x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{line}"/>')
        drawn.append(f'<circle class="{"dot" if moment.sure else "dot unsure"}" cx="{x:.1f}" cy="{y}" r="11"/>')
        drawn.append(f'<text class="number" x="{x:.1f}" y="{y + 4}" text-anchor="middle">{moment.number}</text>')
    height = line + 28
    return _svg(drawn, title, width, height)


def _axis(top: Decimal, width: int, height: int) -> str:
    lines = []
    for share in (Decimal(0), Decimal("0.5"), Decimal(1)):
        y = _y(top * share, top, height)
        lines.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{width - _RIGHT}" y2="{y:.1f}"/>')
        lines.append(_text(_LEFT - 6, y + 4, _short(top * share), "end"))
    return "".join(lines)


def _column(x: float, wide: float, base: Decimal, value: Decimal, top: Decimal, height: int, name: str) -> str:
    value = max(value, Decimal(0))
    upper, lower = _y(base + value, top, height), _y(base, top, height)
    return f'<rect class="{name}" x="{x:.1f}" y="{upper:.1f}" width="{wide:.1f}" height="{lower - upper:.1f}"/>'


def _y(value: Decimal, top: Decimal, height: int) -> float:
    return height - _BOTTOM - float(value / top) * (height - _TOP - _BOTTOM)


def _round_up(value: Decimal) -> Decimal:
    """The next of 1, 2, 3, 4, 6, 8 times a power of ten: its half is round enough as well."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(value.adjusted())
    return next(step * power for step in map(Decimal, (1, 2, 3, 4, 6, 8, 10)) if step * power >= value)


def _short(value: Decimal) -> str:
    """The figure of a scale, in thousands where it has them."""
    return f"{(value / 1000).normalize():f}k" if value >= 1000 else f"{value.normalize():f}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(drawn: Sequence[str], title: str, width: int, height: int) -> str:
    named = escape(title, quote=True)
    return f'<svg class="plot" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{named}">{"".join(drawn)}</svg>'
