"""Files as people have them: encodings, missing cells, rows that cannot be used."""

import io
from contextlib import suppress
from datetime import UTC, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.encodings import decoded_by_line
from openteller.core.errors import BadInput, UnreadableFile
from openteller.insights.surveys.importing import Imported, read
from openteller.understanding.personal_data import redacted
from tests.insights.surveys.asked import SURVEY

CSV = "编号,提交时间,recommend,您对网点满意吗,words,branch,别的\n1,2026-05-01 09:30,10,5,办得很快,南,x\n2,2026/5/2,0,,队伍太长,北,y\n"


def imported(data: bytes, name: str = "a.csv", **options: dict[str, str]) -> Imported:
    return read(data, name, SURVEY, zone="Asia/Shanghai", redact=redacted, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_says_the_same(encoding: str) -> None:
    found = imported(CSV.encode(encoding))
    first, second = found.answers
    assert (first.values["recommend"], first.values["branch_ok"], first.groups) == (10, 5, {"branch": "南"})
    assert first.answered_at == datetime(2026, 5, 1, 1, 30, tzinfo=UTC)
    assert "branch_ok" not in second.values
    assert (first.key, second.key) == ("id:1", "id:2")
    assert not found.faults
    assert len(found.ignored) == 1


def test_a_file_of_two_encodings_is_read_line_by_line() -> None:
    data = (
        "recommend,words\n9,服务很好\n".encode()
        + "3,排队太久\n".encode("gb18030")
        + b"5,\xff\xff\n"
        + "8,不错\n".encode()
    )
    found = imported(data)
    assert [answer.values.get("words") for answer in found.answers] == ["服务很好", "排队太久", "不错"]
    assert [fault.line for fault in found.faults] == [4]
    assert "neither UTF-8 nor GB 18030" in found.faults[0].message


def test_lines_are_numbered_as_an_editor_shows_them() -> None:
    found = imported(b'recommend,words\n9,"two\nlines"\n11,x\n,y\n\n7,z\n')
    assert [fault.line for fault in found.faults] == [4, 5]
    assert [answer.values["recommend"] for answer in found.answers] == [9, 7]


def test_a_workbook_is_read_like_a_sheet() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["recommend", "提交时间", "words"])  # type: ignore[union-attr]
    book.active.append([9.0, datetime(2026, 5, 1, 9, 30), "fast"])  # type: ignore[union-attr]
    book.active.append(["x", None, None])  # type: ignore[union-attr]
    book.save(out)
    found = imported(out.getvalue(), "a.xlsx")
    assert found.answers[0].values == {"recommend": 9, "words": "fast"}
    assert found.answers[0].answered_at == datetime(2026, 5, 1, 1, 30, tzinfo=UTC)
    assert found.answers[0].language == "en"
    assert [fault.line for fault in found.faults] == [3]


def test_columns_are_mapped_where_their_names_say_nothing() -> None:
    found = imported(b"Q1;Q2\n9;5\n", columns={"Q1": "recommend", "q2": "branch_ok"})
    assert found.answers[0].values == {"recommend": 9, "branch_ok": 5}
    for columns, message in (({"Q9": "recommend"}, "no column 'Q9'"), ({"Q1": "nothing"}, "no 'nothing'")):
        with pytest.raises(BadInput, match=message):
            imported(b"Q1;Q2\n9;5\n", columns=columns)


@pytest.mark.parametrize(
    ("data", "name", "error", "message"),
    [
        (b"", "a.csv", BadInput, "No column belongs|is empty"),
        (b"a,b\n1,2\n", "a.csv", BadInput, "No column belongs to a question"),
        (b"recommend,recommend\n1,2\n", "a.csv", BadInput, "Two columns hold recommend"),
        (b"\x00\x01\x02\x03" * 50, "a.csv", UnreadableFile, "not text"),
        (b"PK nothing", "a.xlsx", UnreadableFile, "no Excel workbook"),
    ],
)
def test_what_is_no_file_of_answers_is_refused(data: bytes, name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        imported(data, name)


def test_the_same_row_twice_is_two_answers_and_the_same_file_the_same_keys() -> None:
    data = b"recommend\n9\n9\n8\n"
    first, again = imported(data), imported(data)
    assert len({answer.key for answer in first.answers}) == 3
    assert [answer.key for answer in first.answers] == [answer.key for answer in again.answers]
    found = imported(b"id,recommend\na,9\na,8\n")
    assert (len(found.answers), [fault.line for fault in found.faults]) == (1, [3])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    decoded_by_line(data)
    with suppress(BadInput):
        imported(b"recommend,words\n" + data)
