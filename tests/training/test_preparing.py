"""Preparing: from the files of a recipe to the rows that are trained on, and what a person is told of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from openteller.core.errors import BadInput
from openteller.training.preparing import Prepared, Sources, prepare
from openteller.training.tasks.catalogue import TASKS

ROWS = [{"text": f"{label} {i}", "label": label} for label in ("card", "loan") for i in range(10)]
SOURCES = Sources(train="train.jsonl", validation_share=0.2)


def write(path: Path, rows: Sequence[object]) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")


def prepared(folder: Path, sources: Sources, task: str = "classification") -> Prepared:
    return prepare(TASKS[task], sources, folder.joinpath)


def test_a_split_may_have_several_files(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ROWS)
    write(tmp_path / "a.jsonl", [{"text": "a new card", "label": "card"}])
    write(tmp_path / "b.jsonl", [{"text": "the weather", "label": "elsewhere"}])
    found = prepared(tmp_path, replace(SOURCES, validation="a.jsonl, b.jsonl"))
    assert [e.where for e in found.examples["validation"]] == ["a.jsonl:1", "b.jsonl:1"]
    assert len(found.examples["train"]) == len(ROWS)


def test_arrays_are_rows_whose_columns_have_numbers(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [[row["text"], row["label"]] for row in ROWS])
    found = prepared(tmp_path, replace(SOURCES, columns={"text": "0", "label": "1"}))
    assert found.labels == ("card", "loan")


def test_a_label_that_the_recipe_does_not_name_is_a_bad_row(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [*ROWS, {"text": "text", "label": "label"}])
    sources = replace(SOURCES, labels="card, loan")
    with pytest.raises(BadInput) as error:
        prepared(tmp_path, sources)
    assert "train.jsonl:21: the label label is none of card, loan" in str(error.value.cause)
    found = prepared(tmp_path, replace(sources, bad_rows="skip"))
    assert "1 rows skipped: train.jsonl:21: the label label is none of card, loan" in found.lines()


def test_a_label_with_one_text_is_told(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [*ROWS, {"text": "text", "label": "label"}])
    found = prepared(tmp_path, SOURCES)
    assert "labels with one text to train on: label" in found.lines()
    assert found.lines()[-1] == "rows: train 17, validation 4"


def test_the_candidates_of_a_query_stay_on_one_side(tmp_path: Path) -> None:
    rows = [{"text": f"question {q}", "pair": f"{q} {c}", "label": int(c == 0)} for q in range(20) for c in range(4)]
    write(tmp_path / "train.jsonl", rows)
    found = prepared(tmp_path, SOURCES, "reranking")
    sides = [{e.texts[0] for e in found.examples[name]} for name in ("train", "validation")]
    assert sides[1]
    assert not sides[0] & sides[1]
    assert len(found.examples["validation"]) == 4 * len(sides[1])
