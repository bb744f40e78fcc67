"""Reading: every format, written by the library that writes it in practice, comes back as it was."""

import csv
import datetime
import gzip
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import MissingDependency
from openteller.core.text import normalise
from openteller.training.datasets.readers import EXTENSIONS, read
from openteller.training.datasets.records import BadRow, Record, place, tidy

datasets = pytest.importorskip("datasets")

ROWS: list[dict[str, Any]] = [
    {"text": "我的卡,丢了; 怎么办\t急", "label": "lost"},
    {"text": 'She said "no",\nthen left.', "label": "rate"},
    {"text": "b\u2028c — é 😀", "label": "other"},
]


def _jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n", "utf-8")


def _jsonl_gz(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in ROWS)


def _delimited(mark: str, encoding: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.DictWriter(stream, ["text", "label"], delimiter=mark)
            writer.writeheader()
            writer.writerows(ROWS)

    return write


def _xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    for row in ROWS:
        book.active.append([row["text"], row["label"]])
    book.create_sheet("second").append(["not", "read"])
    book.save(path)


def _saved(path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(path)


FORMATS = [
    ("a.jsonl", _jsonl, 1),
    ("A.JSONL", _jsonl, 1),
    ("a.jsonl.gz", _jsonl_gz, 1),
    ("comma.csv", _delimited(",", "utf-8"), 2),
    ("semicolon.csv", _delimited(";", "utf-8-sig"), 2),
    ("tab.csv", _delimited("\t", "utf-8"), 2),
    ("tab.tsv", _delimited("\t", "utf-8"), 2),
    ("pandas.csv", lambda path: pd.DataFrame(ROWS).to_csv(path), 2),
    ("a.xlsx", _xlsx, 2),
    ("pandas.xlsx", lambda path: pd.DataFrame(ROWS).to_excel(path), 2),
    ("pandas.parquet", lambda path: pd.DataFrame(ROWS).to_parquet(path), 1),
    ("datasets.parquet", lambda path: datasets.Dataset.from_list(ROWS).to_parquet(path), 1),
    ("saved", _saved, 1),
]


@pytest.mark.parametrize(("name", "write", "first"), FORMATS, ids=[name for name, *_ in FORMATS])
def test_what_was_written_is_read(tmp_path: Path, name: str, write: Callable[[Path], None], first: int) -> None:
    path = tmp_path / name
    write(path)
    bad: list[BadRow] = []
    assert list(read(path, on_bad="skip", bad=bad)) == [
        Record(f"{name}:{number}", row) for number, row in enumerate(ROWS, first)
    ]
    assert not bad
    assert [r.where for r in islice(read(path), 1)] == [f"{name}:{first}"]  # left before the end, nothing stays open


def test_every_extension_has_a_reader() -> None:
    assert set(EXTENSIONS) == {".jsonl", ".jsonl.gz", ".csv", ".tsv", ".xlsx", ".parquet", ".yml", ".yaml"}


def test_text_is_normalised_and_all_else_keeps_its_type(tmp_path: Path) -> None:
    row = {
        "text": " ＡＴＭ\u200b ",
        "n": 3,
        "x": 0.5,
        "yes": False,
        "tokens": ["Ａ", "", 1, None],
        "turns": [{"ｒｏｌｅ": "１"}],
        "none": None,
        "empty": "",
        "blank": " \u3000",
        "zero": 0,
        "nothing": [],
    }
    (tmp_path / "a.jsonl").write_text(f"\ufeff\r\n{json.dumps(row)}\r\n\n{{}}", "utf-8")
    first, second = read(tmp_path / "a.jsonl")
    assert first.fields == {
        "text": "ATM",
        "n": 3,
        "x": 0.5,
        "yes": False,
        "tokens": ["A", "", 1, None],
        "turns": [{"ｒｏｌｅ": "1"}],
        "zero": 0,
        "nothing": [],
    }
    assert first.fields["yes"] is False
    assert (first.where, second.where, second.fields) == ("a.jsonl:2", "a.jsonl:4", {})


def test_offsets_of_the_file_find_their_place_in_the_normalised_text() -> None:
    record = tidy("a:1", {"text": "  第①张㎏ ﬁle\u200b x ", "same": "abc"})
    assert isinstance(record, Record)
    assert record.fields["text"] == "第1张kg file x"
    written = record.written["text"]
    for surface, expected in (("第", "第"), ("①", "1"), ("㎏", "kg"), ("ﬁle\u200b", "file"), ("x ", "x")):
        start, end = written.index(surface), written.index(surface) + len(surface)
        assert str(record.fields["text"])[record.place("text", start) : record.place("text", end)] == expected
    assert record.place("same", 2) == 2


@given(st.text(max_size=30))
def test_places_never_go_back_and_end_at_the_end(written: str) -> None:
    places = [place(written, i) for i in range(len(written) + 1)]
    assert places[0] == 0
    assert places[-1] == len(normalise(written))


def test_a_table_keeps_its_row_numbers_over_blank_rows_and_cells_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label,\n"a\nb",x,1\n\n , ,\nc,,2\n', "utf-8")
    assert list(read(tmp_path / "a.csv")) == [
        Record("a.csv:2", {"text": "a\nb", "label": "x"}),
        Record("a.csv:5", {"text": "c"}),
    ]


def test_a_table_of_one_column_may_have_any_mark_in_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nfirst; with; marks\nsecond\nthird\n", "utf-8")
    assert [r.fields["text"] for r in read(tmp_path / "a.csv")] == ["first; with; marks", "second", "third"]


def test_a_workbook_keeps_numbers_dates_and_rows_shorter_than_the_header(tmp_path: Path) -> None:
    book, day = openpyxl.Workbook(), datetime.datetime(2026, 11, 26)
    for row in ([" text ", None, "n", "day"], ["a"], [], ["b", "side", 2, day, "note"], [None, None, 1.5]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert list(read(tmp_path / "a.xlsx")) == [
        Record("a.xlsx:2", {"text": "a"}),
        Record("a.xlsx:4", {"text": "b", "n": 2, "day": day}),
        Record("a.xlsx:5", {"n": 1.5}),
    ]


def test_class_labels_come_with_their_names(tmp_path: Path) -> None:
    names, tags = datasets.ClassLabel(names=["lost", "rate"]), datasets.ClassLabel(names=["O", "B-card"])
    features = datasets.Features(
        text=datasets.Value("string"), label=names, tags=datasets.List(tags), more=datasets.List(datasets.Value("int8"))
    )
    rows = {"text": ["a", "b"], "label": [1, -1], "tags": [[0, 1], []], "more": [[1], [0]]}
    dataset = datasets.Dataset.from_dict(rows, features=features)
    dataset.save_to_disk(tmp_path / "saved")
    dataset.to_parquet(tmp_path / "a.parquet")
    for path in (tmp_path / "saved", tmp_path / "a.parquet"):
        assert [dict(r.fields) for r in read(path)] == [
            {"text": "a", "label": "rate", "tags": ["O", "B-card"], "more": [1]},
            {"text": "b", "tags": [], "more": [0]},
        ]


def test_parquet_keeps_nested_values_over_many_batches(tmp_path: Path) -> None:
    rows = [{"text": f"t{i}", "spans": [[i, i + 1]], "meta": {"n": i}, "none": None} for i in range(3000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=700)
    found = list(read(tmp_path / "a.parquet"))
    assert [r.where for r in found[::2999]] == ["a.parquet:1", "a.parquet:3000"]
    assert [dict(r.fields) for r in found] == [{k: v for k, v in row.items() if v is not None} for row in rows]


def test_a_split_of_a_saved_dict_is_a_data_set(tmp_path: Path) -> None:
    whole = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict(train=whole, test=whole.select([1])).save_to_disk(tmp_path / "both")
    assert [r.fields for r in read(tmp_path / "both" / "test")] == [ROWS[1]]
    assert next(read(tmp_path / "both" / "train")).where == "train:1"


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow"), ("saved", "datasets")])
def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    {"a.parquet": lambda path: pd.DataFrame(ROWS).to_parquet(path), "saved": _saved}[name](tmp_path / name)
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingDependency, match="train"):
        list(read(tmp_path / name))
