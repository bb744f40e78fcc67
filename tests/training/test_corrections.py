"""Corrections among training rows: what counts, what gives way, what is left out, for every kind of recipe."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from openteller.core.errors import UnreadableFile
from openteller.feedback import curated
from openteller.feedback.records import Curated, Head
from openteller.registry.manifest import sha256
from openteller.training.examples import held_out
from openteller.training.preparing import Prepared, Sources, prepare
from openteller.training.tasks.catalogue import TASKS
from openteller.training.understanding import Corpus
from tests.feedback.desk import example
from tests.training.test_understanding import RECIPE, corner

__all__ = ["corner"]

ROWS = [{"text": f"{label} {i}", "label": label} for label in ("card", "loan") for i in range(10)]
SOURCES = Sources(train="train.jsonl", validation_share=0.2, test_share=0.1, feedback="intent")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "train.jsonl", ROWS)
    return tmp_path


def write(path: Path, rows: Sequence[object]) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


def prepared(
    folder: Path, rows: Sequence[Curated], sources: Sources = SOURCES, task: str = "classification"
) -> Prepared:
    curated.write(folder / "corrections.jsonl", rows)
    return prepare(TASKS[task], sources, folder.joinpath, folder / "corrections.jsonl")


def labelled(found: Prepared, name: str = "train") -> dict[str, object]:
    return {e.texts[0]: e.gold for e in found.examples[name]}


def test_each_correction_ends_in_one_place(folder: Path) -> None:
    plain = prepare(TASKS["classification"], SOURCES, folder.joinpath)
    train, validation, test = (labelled(plain, name) for name in ("train", "validation", "test"))
    card, loan = (next(t for t, gold in train.items() if gold == label) for label in ("card", "loan"))
    rows = [
        example("a new text", "loan"),
        example(card.upper(), "loan"),
        example(loan, "loan"),
        example(next(iter(validation)), "loan"),
        example(next(iter(test)), "loan"),
        example("another", "mortgage"),
        example("a new text", "negative", head=Head.SENTIMENT),
    ]
    found = prepared(folder, rows)
    assert found.corrected is not None
    assert found.corrected.counts == {"added": 1, "relabelled": 1, "agreed": 1, "held_out": 2, "unknown": 1}
    assert found.corrected.sha256 == sha256(folder / "corrections.jsonl")
    assert found.corrected.up_to == rows[5].reviewed_at
    expected = {t: g for t, g in train.items() if t != card} | {card.upper(): "loan", "a new text": "loan"}
    assert labelled(found) == expected
    assert len(found.examples["train"]) == len(expected)
    for name in ("validation", "test"):
        assert found.examples[name] == plain.examples[name]
    assert found.labels == plain.labels
    said = next(line for line in found.lines() if line.startswith("corrections"))
    assert "1 added, 1 in place of original rows with another label" in said
    assert "2 left out: their text is validated or tested on" in said


def test_the_head_keeps_its_labels_when_a_correction_takes_the_last_row(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [*ROWS, {"text": "the one", "label": "gold"}])
    found = prepared(tmp_path, [example("the one", "card")])
    assert found.labels == ("card", "gold", "loan")
    assert "gold" not in labelled(found).values()


def test_several_labels_or_none(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [row | {"labels": [row["label"]]} for row in ROWS])
    sources = replace(SOURCES, feedback="needs")
    rows = [example("both", "card", "loan", head=Head.NEEDS), example("none", "-", head=Head.NEEDS)]
    found = labelled(prepared(tmp_path, rows, sources, "multi-label"))
    assert (found["both"], found["none"]) == (("card", "loan"), ())


def test_a_damaged_file_is_refused(folder: Path) -> None:
    (folder / "corrections.jsonl").write_text("{")
    with pytest.raises(UnreadableFile):
        prepare(TASKS["classification"], SOURCES, folder.joinpath, folder / "corrections.jsonl")


def test_the_understanding_takes_corrections_of_every_head(corner: Path, tmp_path: Path) -> None:
    plain = Corpus(RECIPE, corner)
    wrong, held = plain.train[0], plain.validation[0]
    question = plain.questions[0]
    new = next(f"一句新的话 {n}" for n in range(100) if not held_out(f"一句新的话 {n}"))
    rows = [
        example(wrong.text, "deposit_rate", head=Head.INTENT),
        example(wrong.text, "positive", head=Head.SENTIMENT),
        example(question.text, "greeting", head=Head.INTENT),
        example(new, "-", head=Head.NEEDS),
        example(held.text, "deposit_rate", head=Head.INTENT),
        example(new, "no_such_intent", head=Head.INTENT),
    ]
    curated.write(tmp_path / "c.jsonl", rows)
    corpus = Corpus(RECIPE, corner, corrections=tmp_path / "c.jsonl")
    assert corpus.corrected is not None
    # The article's question is labelled by its intent alone, and the sentence has no original label at all.
    assert corpus.corrected.counts == {"added": 1, "relabelled": 3, "agreed": 0, "held_out": 1, "unknown": 1}
    corrected = corpus.train[0]
    assert (corrected.intent, corrected.sentiment) == ("deposit_rate", "positive")
    assert (corrected.needs, corrected.spans) == (wrong.needs, wrong.spans)
    assert corpus.questions[0].intent == "greeting"
    assert (corpus.train[-1].text, corpus.train[-1].needs, corpus.train[-1].intent) == (new, (), None)
    assert len(corpus.train) == len(plain.train) + 1
    assert corpus.validation == plain.validation
    assert "4 corrections by the bank's staff" in corpus.attribution[-1]
