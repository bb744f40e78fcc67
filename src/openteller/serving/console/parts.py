"""What pages are put together from: figures, sections, tables, and charts that give away their picture and their numbers.

Knows nothing about what is shown.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from nicegui import events, ui

from openteller.insights.reports.files import SUFFIXES, content
from openteller.insights.reports.records import Report
from openteller.serving.console.page import Visit

GREENS = ("#2f7d68", "#d9a55c", "#a4571f", "#7d8a97", "#5b8db8", "#9b6fae")
"""The colours of series, in both light and dark."""
_AXIS = {"axisLabel": {"color": "#86938d"}, "splitLine": {"lineStyle": {"color": "rgba(134,147,141,.25)"}}}
_NAMES = {"color": "#86938d", "hideOverlap": True, "alignMinLabel": "left", "alignMaxLabel": "right"}
_WHOLE = frozenset(
    {
        "seq",
        "at",
        "since",
        "due",
        "left",
        "interval",
        "nps",
        "csat",
        "ces",
        "outcome",
        "mood",
        "stage",
        "status",
        "version",
        "grade",
        "sent",
        "read",
    }
)
"""Columns whose cells are not broken into lines."""
Row = Mapping[str, Any]
Interval = tuple[float, float]
"""Low and high."""
_ENDS = ("low", "high")
_PERCENT = "v => v == null || isNaN(v) ? '–' : (v * 100).toFixed(1) + ' %'"
_PLAIN = "v => v == null || isNaN(v) ? '–' : String(Math.round(v * 1000) / 1000)"
_AREA = """(params, api) => {
  const at = api.value(0), ends = [api.coord([at, api.value(1)]), api.coord([at, api.value(2)])];
  const style = {fill: api.visual('color'), opacity: .18};
  if (isNaN(api.value(3))) {
    const [low, high] = ends;
    return {type: 'rect', shape: {x: low[0] - 2, y: high[1], width: 4, height: low[1] - high[1]}, style};
  }
  const next = [api.coord([at + 1, api.value(4)]), api.coord([at + 1, api.value(3)])];
  return {type: 'polygon', shape: {points: [...ends, ...next]}, style};
}"""


@contextmanager
def section(title: str, note: str = "") -> Iterator[ui.column]:
    """A titled block of a page."""
    with ui.column().classes("section") as column:
        if title:
            ui.label(title).classes("section-title").props("role=heading aria-level=2")
        if note:
            ui.label(note).classes("note")
        yield column


def figures(items: Sequence[tuple[str, str, str]]) -> None:
    """Numbers that are seen at a glance: (name, value, remark)."""
    with ui.element("div").classes("figures"):
        for name, value, remark in items:
            with ui.element("div").classes("figure"):
                ui.label(name).classes("figure-name")
                ui.label(value).classes("figure-value")
                if remark:
                    ui.label(remark).classes("note")


def table(
    visit: Visit,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Row],
    *,
    numbers: Sequence[str] = (),
    on_row: Callable[[Row], Any] | None = None,
    file: str = "",
    page: int = 20,
) -> ui.table:
    """A dense table, cards on a telephone.

    Args:
        visit: whose page.
        columns: (field, heading).
        rows: field → text; `id` tells them apart.
        numbers: fields that are set to the right.
        on_row: called with the row that is pressed.
        file: the name of its CSV file; empty: there is none.
        page: rows at a time.
    """
    described = [
        {
            "name": f,
            "label": h,
            "field": f,
            "sortable": True,
            "align": "right" if f in numbers else "left",
            **({"style": "white-space: nowrap"} if f in _WHOLE else {}),
        }
        for f, h in columns
    ]
    keyed = [{"id": str(place), **row} for place, row in enumerate(rows)]
    found = ui.table(columns=described, rows=keyed, row_key="id", pagination=page)
    found.props('flat dense wrap-cells :grid="window.innerWidth < 600"').classes("table")
    found.props(f'no-data-label="{visit.say("没有数据", "Nothing here")}" :rows-per-page-options="[{page}]"')
    found.props(":pagination-label=\"(first, last, all) => first + '–' + last + ' / ' + all\"")
    if len(keyed) <= page:
        found.props("hide-pagination")
    if on_row:
        found.classes("pressable")
        pressed = on_row

        def press(event: events.GenericEventArguments) -> Any:
            # The row as this page was given it: what the browser sends back is not believed.
            return pressed(next(row for row in keyed if row["id"] == event.args))

        found.on("row-click", press, js_handler="(event, row) => emit(row.id)")
        found.on("card", press)
    found.add_slot("item", _CARD)
    if file:
        heads = [h for _, h in columns]
        cells = [[str(row.get(f, "")) for f, _ in columns] for row in rows]
        exports(visit, file, heads, cells)
    return found


_CARD = """
<div class="q-pa-xs col-12" @click="$parent.$emit('card', props.row.id)">
  <q-card flat bordered class="telephone-card"><q-list dense>
    <q-item v-for="col in props.cols" :key="col.name">
      <q-item-section side>{{ col.label }}</q-item-section>
      <q-item-section class="text-right">{{ col.value }}</q-item-section>
    </q-item>
  </q-list></q-card>
</div>
"""


def chart(
    visit: Visit,
    file: str,
    names: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    kind: str = "bar",
    stacked: bool = False,
    percent: bool = False,
    across: bool = False,
    bands: Mapping[str, Sequence[Interval | None]] | None = None,
    marks: Sequence[tuple[int, str]] = (),
    colours: Sequence[str] = GREENS,
) -> ui.echart:
    """Series over named places, with a hint on hover, a legend that switches series, and its PNG and CSV.

    Args:
        visit: whose page.
        file: the name of the files, without an ending.
        names: the places on the horizontal axis.
        series: name → a value a place; None: no value.
        kind: ``bar`` or ``line``.
        stacked: one on top of the other.
        percent: the values are shares.
        across: bars lie, which leaves room for long names.
        bands: a series' name → the interval of each of its values, drawn behind it; the CSV has its ends.
        marks: (place, what happened there), each a line across.
        colours: of the series, in order.
    """
    bands = bands or {}
    drawn: list[dict[str, Any]] = [
        {
            "name": name, "type": kind, "data": list(values), "barMaxWidth": 28, "connectNulls": True,
            **({"stack": "all"} if stacked else {}),
        }
        for name, values in series.items()
    ]  # fmt: skip
    if drawn and marks:
        drawn[0]["markLine"] = _marks(marks)
    drawn += [_band(name, bands[name], colours[place]) for place, name in enumerate(series) if name in bands]
    value_axis: dict[str, Any] = {"type": "value", **_AXIS}
    if all(value is None or float(value).is_integer() for values in series.values() for value in values):
        value_axis |= {"minInterval": 1}  # counts have no halves
    if percent:
        value_axis |= {"axisLabel": {"color": "#86938d", ":formatter": "v => Math.round(v * 1000) / 10 + '%'"}}
    options = {
        "color": list(colours),
        "animation": False,
        "tooltip": {"trigger": "axis", "confine": True, ":valueFormatter": _PERCENT if percent else _PLAIN},
        "legend": {"textStyle": {"color": "#86938d"}, "top": 0, "type": "scroll"},
        "grid": {"left": 8, "right": 12, "top": 48 if marks else 36, "bottom": 8, "containLabel": True},
        **_axes(names, value_axis, across),
        "series": drawn,
    }
    found = ui.echart(options).classes("chart")
    if across:
        found.style(f"height: {max(140, 80 + 40 * len(names))}px")
    columns: dict[str, Sequence[float | None]] = dict(series)
    for name, intervals in bands.items():
        columns |= {
            f"{name} {end}": [one[side] if one else None for one in intervals] for side, end in enumerate(_ENDS)
        }
    cells = [[name, *(_cell(values[place]) for values in columns.values())] for place, name in enumerate(names)]
    exports(visit, file, ["", *columns], cells, found)
    return found


def _axes(names: Sequence[str], values: dict[str, Any], across: bool) -> dict[str, Any]:
    places: dict[str, Any] = {"type": "category", "data": list(names), **_AXIS}
    if not across:
        return {"xAxis": places | {"axisLabel": _NAMES}, "yAxis": values}
    label = {"color": "#86938d", "width": 130, "overflow": "break"}
    return {"xAxis": values, "yAxis": places | {"inverse": True, "axisLabel": label}}


def _band(name: str, intervals: Sequence[Interval | None], colour: str) -> dict[str, Any]:
    """The intervals as an area from each place to the next, a bar where there is no next."""
    following = [*intervals[1:], None]
    data = [
        [place, *here, *(after or (None, None))]
        for place, (here, after) in enumerate(zip(intervals, following, strict=True))
        if here
    ]
    return {
        "name": f"{name} 95 %", "type": "custom", "data": data, ":renderItem": _AREA, "itemStyle": {"color": colour},
        "dimensions": ["", *_ENDS, "", ""], "encode": {"x": 0, "y": [1, 2], "tooltip": [1, 2]}, "z": 1,
    }  # fmt: skip


def _marks(marks: Sequence[tuple[int, str]]) -> dict[str, Any]:
    return {
        "symbol": "none",
        "lineStyle": {"color": "#a4571f", "type": "dashed", "width": 1.5},
        "label": {"formatter": "{b}", "color": "#86938d", "position": "end"},
        "data": [{"name": text, "xAxis": place} for place, text in marks],
    }


def report_files(visit: Visit, file: str, make: Callable[[], Report]) -> None:
    """Buttons that give away a report as HTML and PDF, made when one is pressed."""

    async def give(suffix: str) -> None:
        found = await visit.act(lambda: content(make(), suffix))
        if found:
            ui.download.content(found, f"{file}-{visit.language}{suffix}")

    say = visit.say
    with ui.element("div").classes("line"):
        for suffix in SUFFIXES:
            text = say("报告 ", "Report, ") + suffix.removeprefix(".").upper()
            ui.button(text, icon="download", on_click=partial(give, suffix)).props("outline dense no-caps")


def exports(
    visit: Visit, file: str, heads: Sequence[str], cells: Sequence[Sequence[str]], picture: ui.echart | None = None
) -> None:
    """Buttons that give away a table as CSV, and a chart as PNG."""
    with ui.row().classes("exports"):
        if picture is not None:
            drawn = picture

            def save() -> None:
                ui.run_javascript(
                    f"const link = document.createElement('a'); link.download = {json.dumps(file + '.png')};"
                    f"link.href = getElement({drawn.id}).chart.getDataURL({{pixelRatio: 2, backgroundColor:"
                    "document.body.classList.contains('body--dark') ? '#172723' : '#ffffff'}); link.click()"
                )

            ui.button("PNG", on_click=save).props("flat dense no-caps size=sm")
        ui.button("CSV", on_click=lambda: ui.download.content(csv_of(heads, cells), f"{file}.csv")).props(
            "flat dense no-caps size=sm"
        )


def csv_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table as CSV (RFC 4180) in UTF-8 with its mark, which spreadsheets need for Chinese.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV Injection).
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in (heads, *rows):
        writer.writerow(
            [f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") or _is_minus(cell) else cell for cell in row]
        )
    return text.getvalue().encode("utf-8-sig")


def _is_minus(cell: str) -> bool:
    """Whether a cell begins with a minus and is no number."""
    if not cell.startswith("-"):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
