"""Question-answer sheets: XLSX and CSV in the shape of QnABot's, header names in Chinese or English.

Several questions stand in one cell (a line each, or with | between) or in several columns. Formulas count by their
last computed value; macros are never looked at.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from openteller.core.errors import OpenTellerError
from openteller.knowledge.readers import archive
from openteller.knowledge.readers.pairs import Collector, Field, fields_of, is_header
from openteller.knowledge.readers.plain_text import decode
from openteller.knowledge.readers.reading import MAX_ROWS, Reading, no_pairs, too_large, unreadable
from openteller.knowledge.records import Problem

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADER_ROWS = 10
_MAX_COLUMNS = 200


def read_xlsx(data: bytes, name: str) -> Reading:
    """Read every sheet of a workbook that has a header row with questions and answers."""
    archive.check(data, name, member="xl/workbook.xml", kind="an Excel workbook (XLSX)")
    import openpyxl

    collector, known = Collector(), False
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            # The size a sheet declares may be wrong, and then rows would be cut.
            sheet.reset_dimensions()
            known |= _collect(sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS), collector, name)
        book.close()
    except OpenTellerError:
        raise
    # The package raises whatever its parts raise on a malformed workbook: KeyError, ValueError, ParseError, …
    except Exception as error:
        step = "Open it in Excel, save it again as XLSX, and import that."
        raise unreadable(name, "cannot be read as an Excel workbook", step, f"It is damaged ({error}).") from error
    return _reading(collector, known, name, MEDIA_TYPE)


def read_csv(data: bytes, name: str) -> Reading:
    """Read a sheet with commas, semicolons or tabs between its cells."""
    text = decode(data, name)
    collector = Collector()
    try:
        known = _collect(csv.reader(io.StringIO(text), delimiter=_delimiter(text)), collector, name)
    except csv.Error as error:
        step = "Save it again as CSV (UTF-8) or as XLSX, and import that."
        raise unreadable(name, "cannot be read as a sheet", step, f"{error}.") from error
    return _reading(collector, known, name, "text/csv")


def _collect(rows: Iterable[Sequence[Any]], collector: Collector, name: str) -> bool:
    """Take the rows of one sheet; whether it has a header row."""
    fields: dict[int, Field] = {}
    for number, row in enumerate(rows, 1):
        collector.rows_seen += 1
        if collector.rows_seen > MAX_ROWS:
            raise too_large(name, f"has more than {MAX_ROWS:,} rows", f"{MAX_ROWS:,} rows")
        if fields:
            values = _values(row, fields)
            if values:
                collector.add(number, values)
        elif is_header(found := fields_of(row)):
            fields = found
        elif number >= _HEADER_ROWS:
            break
    return bool(fields)


def _values(row: Sequence[Any], fields: dict[int, Field]) -> dict[Field, list[Any]]:
    values: dict[Field, list[Any]] = {}
    for column, field in fields.items():
        cell = row[column] if column < len(row) else None
        if cell is not None and str(cell).strip():
            values.setdefault(field, []).append(cell)
    return values


def _delimiter(text: str) -> str:
    """The mark that parts the header into known names; without a header, the most frequent of the first lines."""
    lines = list(islice(io.StringIO(text), _HEADER_ROWS))
    for line in lines:
        mark = max(",;\t", key=line.count)
        if is_header(fields_of(line.replace('"', "").split(mark))):
            return mark
    return max(",;\t", key="".join(lines).count)


def _reading(collector: Collector, known: bool, name: str, media_type: str) -> Reading:
    if not known:
        step = "Name the columns “question” and “answer” (or 问题 and 答案) in the first row."
        raise unreadable(name, "has no question and answer columns", step)
    if not collector.pairs:
        raise no_pairs(name, collector.problems)
    problems: tuple[Problem, ...] = tuple(collector.problems)
    return Reading(media_type=media_type, pairs=tuple(collector.pairs), problems=problems)
