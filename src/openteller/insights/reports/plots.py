"""Plots from figures: bars, shares, a trend with its interval, a field of two measures. Knows no survey and no opinion.

Each is drawn at the width it is given, so that its letters stay readable. Plots have no colours of their own: tones.
"""

from collections.abc import Callable, Sequence
from math import floor, log10
from typing import NamedTuple

from openteller.insights.reports.drawing import Area, Box, Dot, Drawing, Label, Line, Shape, Tone, shortened, width_of

WIDTH = 680.0
_LINE, _RIGHT, _TOP, _BOTTOM = 26.0, 16.0, 14.0, 26.0


class Bar(NamedTuple):
    """A bar with its name, its figure as it is to be read, and the ends of its interval if it has one."""

    label: str
    value: float
    figure: str
    low: float | None = None
    high: float | None = None
    tone: Tone = Tone.MAIN


class Part(NamedTuple):
    """A part of a whole."""

    label: str
    share: float
    tone: Tone


class Point(NamedTuple):
    """A point of a trend with its interval; None where there is too little to say how sure it is."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


class Spot(NamedTuple):
    """A named spot in a field of two measures."""

    label: str
    x: float
    y: float
    tone: Tone = Tone.MAIN


def bars(rows: Sequence[Bar], title: str, width: float = WIDTH) -> Drawing:
    """A bar a row, from zero, on one scale; with whiskers where there is an interval."""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    names = min(max((width_of(row.label) for row in rows), default=0) + 12, width * 0.36)
    figures = max((width_of(row.figure) for row in rows), default=0) + 12
    room, span = width - names - figures, (high - low) or 1.0

    def x(value: float) -> float:
        return names + (value - low) / span * room

    shapes: list[Shape] = []
    for place, row in enumerate(rows):
        middle = place * _LINE + _LINE / 2
        start, end = sorted((x(0), x(row.value)))
        shapes.append(Label(x=names - 8, y=middle + 4, text=shortened(row.label, names - 10), anchor="end"))
        shapes.append(Box(x=start, y=middle - 7, width=max(end - start, 1), height=14, tone=row.tone))
        if row.low is not None and row.high is not None:
            shapes += _whisker(x(row.low), x(row.high), middle)
        shapes.append(Label(x=width, y=middle + 4, text=row.figure, anchor="end", tone=Tone.INK))
    if low < 0:
        shapes.append(Line(x1=x(0), y1=0, x2=x(0), y2=len(rows) * _LINE, tone=Tone.MUTED))
    return Drawing(title=title, width=width, height=max(len(rows), 1) * _LINE + 2, shapes=tuple(shapes))


def shares(rows: Sequence[tuple[str, Sequence[Part]]], title: str, width: float = WIDTH) -> Drawing:
    """A row of parts that make a whole; a part's share is written in it where there is room. Shares are 0–1."""
    names = min(max((width_of(name) for name, _ in rows), default=0) + 12, width * 0.36)
    room = width - names
    shapes: list[Shape] = []
    for place, (name, parts) in enumerate(rows):
        top, left = place * _LINE + 4, names
        shapes.append(Label(x=names - 8, y=top + 13, text=shortened(name, names - 10), anchor="end"))
        for part in parts:
            wide = part.share * room
            shapes.append(Box(x=left, y=top, width=max(wide - 1, 0), height=18, tone=part.tone))
            if wide > 38:
                tone = Tone.INK if part.tone in (Tone.MIDDLE, Tone.BAND) else Tone.GRID
                written = f"{part.share:.0%}"
                shapes.append(Label(x=left + wide / 2, y=top + 13, text=written, anchor="middle", tone=tone))
            left += wide
    legend = rows[0][1] if rows else ()
    y, x = len(rows) * _LINE + 18, names
    for part in legend:
        shapes.append(Box(x=x, y=y - 9, width=10, height=10, tone=part.tone))
        shapes.append(Label(x=x + 15, y=y, text=part.label))
        x += width_of(part.label) + 34
    return Drawing(title=title, width=width, height=len(rows) * _LINE + 28, shapes=tuple(shapes))


def trend(points: Sequence[Point], title: str, *, width: float = WIDTH, height: float = 220.0) -> Drawing:
    """A line through the points, over the band of their intervals; the scale is round and holds them all."""
    ends = [end for point in points for end in (point.value, point.low, point.high) if end is not None] or [0.0]
    low, high, step = _scale(min(ends), max(ends))
    left = max(width_of(_short(tick)) for tick in (low, high)) + 12
    room, tall = width - left - _RIGHT, height - _TOP - _BOTTOM

    def x(place: int) -> float:
        return left + (room / 2 if len(points) == 1 else place / max(len(points) - 1, 1) * room)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * tall

    shapes: list[Shape] = []
    for number in range(round((high - low) / step) + 1):
        tick = low + number * step
        shapes.append(Line(x1=left, y1=y(tick), x2=width - _RIGHT, y2=y(tick), tone=Tone.GRID))
        shapes.append(Label(x=left - 6, y=y(tick) + 4, text=_short(tick), anchor="end"))
    shapes += _bands(points, x, y)
    for place in range(1, len(points)):
        before, now = points[place - 1], points[place]
        ends_of = {"x1": x(place - 1), "y1": y(before.value), "x2": x(place), "y2": y(now.value)}
        shapes.append(Line(**ends_of, tone=Tone.MAIN, width=2))
    shapes += [Dot(x=x(place), y=y(point.value), radius=3.5, tone=Tone.MAIN) for place, point in enumerate(points)]
    shapes += _names_below(points, x, height, room)
    return Drawing(title=title, width=width, height=height, shapes=tuple(shapes))


def field(
    spots: Sequence[Spot], title: str, axes: tuple[str, str], *, width: float = WIDTH, height: float = 300.0
) -> Drawing:
    """Named spots in a field: the first axis to the right, the second upwards, with lines through their means."""
    xs, ys = [spot.x for spot in spots] or [0.0], [spot.y for spot in spots] or [0.0]
    (left, right), (low, high) = _padded(xs), _padded(ys)

    def x(value: float) -> float:
        return 10 + (value - left) / (right - left) * (width - 20)

    def y(value: float) -> float:
        return 10 + (high - value) / (high - low) * (height - 50)

    middle_x, middle_y = x(sum(xs) / len(xs)), y(sum(ys) / len(ys))
    shapes: list[Shape] = [
        Line(x1=middle_x, y1=10, x2=middle_x, y2=height - 40, tone=Tone.GRID),
        Line(x1=10, y1=middle_y, x2=width - 10, y2=middle_y, tone=Tone.GRID),
        Line(x1=10, y1=height - 40, x2=width - 10, y2=height - 40, tone=Tone.MUTED),
        Label(x=width - 10, y=height - 22, text=f"{axes[0]} →", anchor="end"),
        Label(x=10, y=height - 22, text=f"↑ {axes[1]}"),
    ]
    for spot in spots:
        shapes.append(Dot(x=x(spot.x), y=y(spot.y), radius=5, tone=spot.tone))
        rightmost = x(spot.x) + width_of(spot.label) + 12 > width
        place, anchor = (x(spot.x) - 9, "end") if rightmost else (x(spot.x) + 9, "start")
        shapes.append(Label.model_validate({"x": place, "y": y(spot.y) + 4, "text": spot.label, "anchor": anchor}))
    return Drawing(title=title, width=width, height=height, shapes=tuple(shapes))


def _whisker(low: float, high: float, y: float) -> list[Shape]:
    across = {"tone": Tone.INK, "width": 1.2}
    lines = [{"x1": low, "y1": y, "x2": high, "y2": y}]
    lines += [{"x1": end, "y1": y - 4, "x2": end, "y2": y + 4} for end in (low, high)]
    return [Line.model_validate(line | across) for line in lines]


def _bands(points: Sequence[Point], x: Callable[[int], float], y: Callable[[float], float]) -> list[Shape]:
    """The band between neighbours that both have an interval; where a point stands alone, a bar."""
    shapes: list[Shape] = []
    for place, point in enumerate(points):
        if point.low is None or point.high is None:
            continue
        after = points[place + 1] if place + 1 < len(points) else None
        if after and after.low is not None and after.high is not None:
            here, there = (x(place), y(point.low), y(point.high)), (x(place + 1), y(after.low), y(after.high))
            corners = ((here[0], here[1]), (here[0], here[2]), (there[0], there[2]), (there[0], there[1]))
            shapes.append(Area(points=corners, tone=Tone.BAND))
        elif len(points) == 1:
            top = y(point.high)
            shapes.append(Box(x=x(place) - 8, y=top, width=16, height=max(y(point.low) - top, 0), tone=Tone.BAND))
    return shapes


def _names_below(points: Sequence[Point], x: Callable[[int], float], height: float, room: float) -> list[Shape]:
    """The points' names, as many as have room; the last always, the others counted back from it."""
    widest = max((width_of(point.label) for point in points), default=1.0) + 10
    every = max(1, -(-len(points) // max(int(room / widest), 1)))
    last = len(points) - 1
    return [
        Label(
            x=x(place),
            y=height - 8,
            text=point.label,
            anchor="end" if place == last and last else "start" if place == 0 and last else "middle",
        )
        for place, point in enumerate(points)
        if (last - place) % every == 0
    ]


def _scale(low: float, high: float) -> tuple[float, float, float]:
    """Round ends that hold both, and the step between lines: 1, 2 or 5 times a power of ten, three to seven of them."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** floor(log10(span / 4))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= span / 5)
    first, last = floor(low / step) * step, -floor(-high / step) * step
    return (first, last, step) if last > first else (first, first + step, step)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.12 or 1.0
    return low - margin, high + margin


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    return f"{round(value, 6):g}"
