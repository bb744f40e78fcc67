"""Tables whose first row names the columns: CSV and the first sheet of an XLSX workbook.

A column without a name is left out, as the index that pandas writes; two columns of one name are refused.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from openteller.core.errors import OpenTellerError
from openteller.core.text import normalise
from openteller.training.datasets.encoding import SAMPLE_BYTES, not_utf8, require_utf8
from openteller.training.datasets.records import BadRow, Record, tidy, unreadable

_DELIMITERS = ",;\t"
_SNIFFED_ROWS = 50
_UNDECODED = re.compile("[\udc80-\udcff]")


def read_csv(path: Path) -> Iterator[Record | BadRow]:
    """The rows of a CSV file with commas, semicolons or tabs between its cells; a cell may span lines."""
    with path.open("rb") as raw:
        start = raw.read(SAMPLE_BYTES)
    require_utf8(path, start)
    delimiter = _delimiter(start.decode("utf-8-sig", errors="replace"))
    # Bytes that are not UTF-8 come as surrogates, so that one such row does not end the reading.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = _numbered(csv.reader(stream, delimiter=delimiter, strict=True))
        names = _names(path, next(rows, (1, []))[1])
        for number, cells in rows:
            where = f"{path.name}:{number}"
            if isinstance(cells, str):
                yield BadRow(where, cells)
            elif any(cell.strip() for cell in cells):
                yield _csv_row(where, names, cells)


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | str]]:
    """(row, its cells); for a row that is no CSV the reason stands in place of the cells."""
    number = 0
    while True:
        number += 1
        try:
            cells: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = f"not CSV ({error}); is a quotation mark left open?"
        yield number, cells


def _csv_row(where: str, names: Sequence[str], cells: list[str]) -> Record | BadRow:
    if any(map(_UNDECODED.search, cells)):
        return BadRow(where, "not UTF-8")
    if len(cells) != len(names):
        return BadRow(where, f"{len(cells)} cells under {len(names)} columns")
    return tidy(where, {name: cell for name, cell in zip(names, cells, strict=True) if name})


def _delimiter(sample: str) -> str:
    """The mark under which the first rows have the width of the header, and the header more than one column."""

    def fit(mark: str) -> tuple[bool, float]:
        rows = islice(_numbered(csv.reader(io.StringIO(sample, newline=""), delimiter=mark)), _SNIFFED_ROWS)
        widths = [len(cells) for _, cells in rows if cells and not isinstance(cells, str)]
        return bool(widths) and widths[0] > 1, sum(w == widths[0] for w in widths) / max(1, len(widths))

    return max(_DELIMITERS, key=fit)


def read_xlsx(path: Path) -> Iterator[Record | BadRow]:
    """The rows of the first sheet; formulas count by their last computed value."""
    import openpyxl

    with path.open("rb") as stream:
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            yield from _sheet_rows(path, book.worksheets[0])
            book.close()
        except OpenTellerError:
            raise
        # The package raises whatever its parts raise on a malformed workbook: BadZipFile, KeyError, OSError, …
        except Exception as error:
            step = "Open it in Excel and save it again as XLSX, without a password."
            raise unreadable(path, f"It is damaged, encrypted or no XLSX workbook ({error}).", step) from error


def _sheet_rows(path: Path, sheet: Any) -> Iterator[Record | BadRow]:
    # The size a sheet declares may be wrong, and then rows would be cut.
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    names = _names(path, [cell.value for cell in next(rows, ())])
    for number, cells in enumerate(rows, 2):
        if any(cell.value is not None and str(cell.value).strip() for cell in cells):
            yield _sheet_row(f"{path.name}:{number}", names, cells)


def _sheet_row(where: str, names: Sequence[str], cells: Sequence[Any]) -> Record | BadRow:
    # A row may be shorter than the header; what stands beyond the header are side notes.
    named = [(name, cell) for name, cell in zip(names, cells, strict=False) if name]
    for _, cell in named:
        if cell.data_type == "e":
            return BadRow(where, f"the cell {cell.coordinate} holds the error {cell.value}")
    return tidy(where, {name: cell.value for name, cell in named})


def _names(path: Path, cells: Sequence[object]) -> list[str]:
    """The columns' names, "" for one without. Raises UnreadableFile when there is none, or one stands twice."""
    if isinstance(cells, str):
        raise unreadable(path, f"Its first row is {cells}", "Correct the row that names the columns.")
    names = ["" if cell is None else normalise(str(cell)) for cell in cells]
    if any(_UNDECODED.search(str(cell)) for cell in cells):
        raise not_utf8(path, "Its first row is not UTF-8.")
    given = [name for name in names if name]
    if not given:
        raise unreadable(path, "Its first row names no column.", "Name the columns in the first row.")
    if twice := sorted({name for name in given if given.count(name) > 1}):
        raise unreadable(path, f"Columns stand twice: {', '.join(twice)}.", "Give each column a name of its own.")
    return names
