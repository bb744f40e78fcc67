"""What a plot consists of: shapes in a box, each with the part that it plays. Knows nothing about HTML, PDF or colours.

    figures ─▶ plots.* ─▶ Drawing ─▶ svg.markup (a page) or pdf (paper)

Coordinates are points from the upper left corner of the box; a letter is `LETTER` points high.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from openteller.core.records import Record
from openteller.core.text import han_share

LETTER = 12


class Tone(StrEnum):
    """The part that a shape plays. `palette.py` has its colour."""

    GOOD = "good"
    MIDDLE = "middle"
    BAD = "bad"
    MAIN = "main"
    BAND = "band"
    INK = "ink"
    MUTED = "muted"
    GRID = "grid"


class Line(Record):
    """A straight line."""

    kind: Literal["line"] = "line"
    x1: float
    y1: float
    x2: float
    y2: float
    tone: Tone
    width: float = 1


class Box(Record):
    """A filled rectangle."""

    kind: Literal["box"] = "box"
    x: float
    y: float
    width: float = Field(ge=0)
    height: float = Field(ge=0)
    tone: Tone


class Area(Record):
    """A filled polygon."""

    kind: Literal["area"] = "area"
    points: tuple[tuple[float, float], ...] = Field(min_length=3)
    tone: Tone


class Dot(Record):
    """A filled circle."""

    kind: Literal["dot"] = "dot"
    x: float
    y: float
    radius: float
    tone: Tone


class Label(Record):
    """A line of text; `y` is where its letters stand."""

    kind: Literal["label"] = "label"
    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    tone: Tone = Tone.MUTED


Shape = Annotated[Line | Box | Area | Dot | Label, Field(discriminator="kind")]


class Drawing(Record):
    """A plot with its size, and what it shows in words for those who do not see it."""

    title: str = Field(min_length=1)
    width: float = Field(gt=0)
    height: float = Field(gt=0)
    shapes: tuple[Shape, ...]


def width_of(text: str) -> float:
    """About how wide a label is, in points: a Han character is as wide as high, a Latin one about half."""
    return sum(LETTER if han_share(c) or ord(c) > 0x2E80 else LETTER * 0.58 for c in text)


def shortened(text: str, room: float) -> str:
    """The text, cut with an ellipsis to fit `room` points."""
    if width_of(text) <= room:
        return text
    while text and width_of(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"
