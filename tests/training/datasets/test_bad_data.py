"""Reading what cannot be read: an error with a cause and a next step, never a traceback."""

import gzip
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.training.datasets.readers import EXTENSIONS, read
from openteller.training.datasets.records import BadRow

GOOD = b'{"text": "a", "label": "x"}\n'


def _skipping(path: Path) -> tuple[list[str], list[BadRow]]:
    """The places of the rows that are left, and the bad ones; reading strictly names the same bad ones."""
    bad: list[BadRow] = []
    left = [record.where.split(":")[1] for record in read(path, on_bad="skip", bad=bad)]
    with pytest.raises(BadInput) as raised:
        list(read(path))
    assert raised.value.cause == "\n".join(f"{row.where}: {row.reason}" for row in bad)
    assert f"{path.name} has {len(bad)} row(s)" in raised.value.message
    assert "bad_rows: skip" in raised.value.next_step
    return left, bad


def _refused(path: Path) -> BadInput:
    """The error, the same whether bad rows are skipped or not."""
    with pytest.raises(BadInput) as raised:
        list(read(path, on_bad="skip"))
    with pytest.raises(BadInput):
        list(read(path))
    assert raised.value.message
    assert raised.value.next_step
    return raised.value


def test_bad_lines_of_jsonl_are_named_with_their_reasons(tmp_path: Path) -> None:
    wrong = [
        (b"{", "not JSON"),
        (b'"text"', "no JSON object or array but str"),
        (b'{"n": NaN}', "NaN is no number"),
        (b'{"n": [1, -Infinity]}', "-Infinity is no number"),
        (b'{"n": [1, 1e999]}', "the field 'n' holds inf"),
        ('{"text": "caf\u00e9"}'.encode("latin-1"), "not UTF-8 (byte 0xE9 at position 14)"),
        (b'{"text": "a"} {"text": "b"}', "not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"n": ' + b"[" * 100_000 + b"}", "nested too deeply"),
        (b'{"n": "\0"}', "not JSON"),
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(GOOD + line + b"\n" for line, _ in wrong))
    left, bad = _skipping(path)
    assert left == [str(1 + 2 * i) for i in range(len(wrong))]
    assert [row.where for row in bad] == [f"a.jsonl:{2 + 2 * i}" for i in range(len(wrong))]
    for row, (_, reason) in zip(bad, wrong, strict=True):
        assert reason in row.reason
        assert "\n" not in row.reason


def test_bad_rows_of_csv_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        b"text,label",
        b"a,x",
        b"a,b,x",
        b"short",
        b'"a"b,x',
        b"caf\xe9,x",
        b"nan,x",
        b"a" * 140_000 + b",x",
        b"z,y",
    ]
    path.write_bytes(b"\r\n".join(rows))
    left, bad = _skipping(path)
    assert left == ["2", "7", "9"]
    assert [row.where for row in bad] == ["a.csv:3", "a.csv:4", "a.csv:5", "a.csv:6", "a.csv:8"]
    reasons = ("3 cells under 2 columns", "1 cells", "quotation mark", "not UTF-8", "field limit")
    assert all(reason in row.reason for row, reason in zip(bad, reasons, strict=True))


def test_a_quotation_mark_left_open_is_no_silent_loss(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\na,x\n"b,x\nc,x\nd,x\n', "utf-8")
    assert _skipping(tmp_path / "a.csv")[0] == ["2"]


def test_error_cells_and_numbers_that_are_none_are_bad_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["text", "n"], ["a", 1], ["#N/A", 2], ["b", 3]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    left, bad = _skipping(tmp_path / "a.xlsx")
    assert (left, bad[0].reason) == (["2", "4"], "the cell A3 holds the error #N/A")
    pq.write_table(pa.table({"text": ["a", "b"], "n": pa.array([1.0, float("nan")])}), tmp_path / "a.parquet")
    left, bad = _skipping(tmp_path / "a.parquet")
    assert (left, bad) == (["1"], [BadRow("a.parquet:2", "the field 'n' holds nan, which is no number")])


def test_no_row_after_a_bad_one_is_given_and_twenty_are_named(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.jsonl", []
    path.write_bytes(GOOD + b"{\n" * 12_345 + GOOD)
    with pytest.raises(BadInput) as raised:
        seen.extend(read(path))
    lines = raised.value.cause.split("\n")
    assert len(seen) == 1
    assert "12,345 row(s)" in raised.value.message
    assert [line.split(": ")[0] for line in lines[:-1]] == [f"a.jsonl:{i}" for i in range(2, 22)]
    assert lines[-1] == "and 12,325 more"


def test_a_file_of_bad_rows_only_is_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps([{"text": "a"}], indent=1), "utf-8")
    assert "a.jsonl:1: " in _refused(tmp_path / "a.jsonl").cause


def test_a_line_of_a_megabyte_is_read(tmp_path: Path) -> None:
    text = "长" * 400_000
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False), "utf-8")
    assert [record.fields["text"] for record in read(tmp_path / "a.jsonl")] == [text]


CHINESE = "".join(f'{{"text": "我的卡丢了{i}", "label": "丢卡"}}\n' for i in range(9))
CHINESE_CSV = "文本,标签\n" + "我的卡丢了,丢卡\n" * 9
SHEET = "text,label\n"


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        *[(f"empty{extension}", b"", "empty") for extension in EXTENSIONS],
        ("blank.jsonl", b"\n \n", "empty"),
        ("header.csv", b"text,label\n", "empty"),
        ("gb.jsonl", CHINESE.encode("gb18030"), "not UTF-8"),
        ("gb.csv", CHINESE_CSV.encode("gb18030"), "not UTF-8"),
        ("gbheader.csv", "文本,label\na,b\n".encode("gb18030"), "not UTF-8"),
        ("latin.csv", (SHEET + "caf\u00e9,x\n" * 20_000).encode("latin-1"), "not UTF-8"),
        ("wide.jsonl", CHINESE.encode("utf-16"), "UTF-16"),
        ("wide.csv", SHEET.encode("utf-16-le"), "UTF-16"),
        ("gb.yml", "nlu:\n- intent: 丢卡\n".encode("gb18030"), "not UTF-8"),
        ("unnamed.csv", b",\n1,2\n", "names no column"),
        ("twice.csv", b"text,text\n1,2\n", "stand twice: text"),
        ("quote.csv", b'"te"xt,label\n1,2\n', "first row"),
        ("cut.jsonl.gz", gzip.compress(GOOD * 50_000)[:-9], "cut off"),
        ("no.jsonl.gz", GOOD, "no gzip"),
        ("no.xlsx", b"PK\x03\x04 broken", "damaged"),
        ("no.parquet", b"PAR1 broken PAR1", "damaged"),
        ("a.txt", b"a", "extension"),
        ("a", b"a", "extension"),
        ("a.json", b"{}", "extension"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(
    tmp_path: Path, name: str, content: bytes, cause: str
) -> None:
    (tmp_path / name).write_bytes(content)
    error = _refused(tmp_path / name)
    assert cause in error.cause
    assert name in error.message


def test_whole_files_cut_in_the_middle_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(2000)]})
    frame.to_excel(tmp_path / "a.xlsx")
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.xlsx", "a.parquet"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        assert "damaged" in _refused(tmp_path / name).cause
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("a.txt", "no workbook")
    assert "damaged" in _refused(tmp_path / "a.xlsx").cause


def test_parquet_with_damaged_pages_or_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(5000)]}), path)
    whole = bytearray(path.read_bytes())
    whole[4:3000] = b"\xff" * 2996
    path.write_bytes(whole)
    assert "damaged" in _refused(path).cause
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), path)
    assert "one name" in _refused(path).cause


def test_places_without_a_data_set_are_refused(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"text": "a"}])
    datasets.DatasetDict(train=rows, test=rows).save_to_disk(tmp_path / "both")
    assert "test, train" in _refused(tmp_path / "both").message
    rows.save_to_disk(tmp_path / "saved")
    (tmp_path / "saved" / "data-00000-of-00001.arrow").write_bytes(b"broken")
    assert "damaged" in _refused(tmp_path / "saved").cause
    rows.select([]).save_to_disk(tmp_path / "none")
    _refused(tmp_path / "none")
    (tmp_path / "folder.jsonl").mkdir()
    assert "no data set" in _refused(tmp_path / "folder.jsonl").message
    assert "No such file" in _refused(tmp_path / "absent.jsonl").cause
    assert "Not a directory" in _refused(tmp_path / "saved" / "state.json" / "a.csv").cause
    assert "null" in _refused(Path("a\0.csv")).cause
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    with pytest.raises(BadInput, match="error, skip"):
        read(tmp_path / "a.jsonl", on_bad="drop")  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(extension=st.sampled_from(EXTENSIONS), content=st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
@example(".csv", b"\r\x01")
def test_whatever_stands_in_a_file_is_read_or_refused(tmp_path: Path, extension: str, content: bytes) -> None:
    path = tmp_path / f"any{extension}"
    path.write_bytes(content)
    with suppress(BadInput):
        list(read(path, on_bad="skip"))
