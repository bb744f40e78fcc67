from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from openteller.insights.reports import svg
from openteller.insights.reports.drawing import Box, Dot, Drawing, Label, Line, Tone, shortened, width_of
from openteller.insights.reports.palette import DARK, LIGHT, rgb
from openteller.insights.reports.plots import Bar, Part, Point, Spot, bars, field, shares, trend
from openteller.insights.reports.records import Period, Source, Table

VALUES = st.floats(-1e6, 1e6)
NAMES = st.text(max_size=40)


def inside(drawing: Drawing) -> None:
    for shape in drawing.shapes:
        match shape:
            case Line():
                corners = ((shape.x1, shape.y1), (shape.x2, shape.y2))
            case Box():
                corners = ((shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height))
            case Dot() | Label():
                corners = ((shape.x, shape.y),)
            case _:
                corners = shape.points
        for x, y in corners:
            assert -1 <= x <= drawing.width + 1
            assert -5 <= y <= drawing.height + 1


@given(st.lists(st.builds(Bar, NAMES, VALUES, st.just("1.0"), VALUES, VALUES), max_size=8))
def test_bars_stay_in_their_box(rows: list[Bar]) -> None:
    inside(bars(rows, "t"))


@given(st.lists(st.builds(lambda a, b, c: Point("m", b, *sorted((a, c))), VALUES, VALUES, VALUES), max_size=30))
def test_a_trend_stays_in_its_box(points: list[Point]) -> None:
    inside(trend(points, "t"))


@given(st.lists(st.builds(Spot, NAMES, VALUES, VALUES), max_size=12))
def test_a_field_stays_in_its_box(spots: list[Spot]) -> None:
    inside(field(spots, "t", ("a", "b")))


def test_lengths_are_as_the_values_are() -> None:
    boxes = [shape for shape in bars([Bar("a", 10, "10"), Bar("b", 20, "20")], "t").shapes if isinstance(shape, Box)]
    assert boxes[1].width == pytest.approx(2 * boxes[0].width)
    parts = [Part("p", 0.25, Tone.GOOD), Part("q", 0.75, Tone.BAD)]
    wide = [shape.width for shape in shares([("row", parts)], "t").shapes if isinstance(shape, Box)][:2]
    assert wide[1] + 1 == pytest.approx(3 * (wide[0] + 1))


def test_higher_values_stand_higher_and_the_last_month_is_named() -> None:
    drawn = trend([Point(f"2026-{month:02}", month, month - 1, month + 2) for month in range(1, 13)], "t", width=320)
    dots = [shape for shape in drawn.shapes if isinstance(shape, Dot)]
    assert all(later.y < before.y and later.x > before.x for before, later in pairwise(dots))
    named = [shape.text for shape in drawn.shapes if isinstance(shape, Label) and shape.text.startswith("2026")]
    assert named[-1] == "2026-12"
    assert len(named) < 12


def test_what_is_drawn_is_escaped() -> None:
    drawn = svg.markup(bars([Bar("<script>", 1, '"&')], '"><script>'))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def test_letters_are_measured() -> None:
    assert width_of("银行") == 24
    assert width_of("ab") < 15
    assert shortened("银行网点", 40) == "银行…"
    assert shortened("abc", 40) == "abc"


def test_every_tone_has_both_colours() -> None:
    assert set(LIGHT) == set(DARK) == set(Tone)
    assert rgb("#0a0b0c") == (10, 11, 12)


def test_records_refuse_what_cannot_be_drawn() -> None:
    with pytest.raises(ValidationError, match="begins with"):
        Source(text="a", url="javascript:alert(1)")
    with pytest.raises(ValidationError, match="as many cells"):
        Table(head=("a", "b"), rows=(("1",),))
    with pytest.raises(ValidationError, match="after it begins"):
        Period(first=date(2026, 2, 1), last=date(2026, 1, 1))
