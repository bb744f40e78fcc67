"""What pages give away as files."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from openteller.serving.console.parts import csv_of

CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
FORMULAS = ("=", "+", "@", "\t", "\r")


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_a_table_comes_back_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    found = read(csv_of(["问题", "n"], rows))
    assert found[0] == ["问题", "n"]
    assert [[cell.removeprefix("'") for cell in row] for row in found[1:]] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.startswith(FORMULAS) for row in found for cell in row)


def test_a_minus_before_a_number_is_a_number() -> None:
    assert read(csv_of(["a", "b"], [["-1.5", "-cmd"]]))[1] == ["-1.5", "'-cmd"]


def test_spreadsheets_are_told_that_it_is_utf_8() -> None:
    assert csv_of(["时间"], []).startswith(b"\xef\xbb\xbf")
