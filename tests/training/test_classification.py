"""Fine-tuning with one head: it learns, it serves, it stops when it cannot."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from openteller.core.errors import BadInput
from openteller.core.text import fold
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import load_encoder
from openteller.runtime.onnx_backend import EncoderClassifier
from openteller.training.classification import ClassificationRecipe, length_grouped, padded, read_rows, split, train

RECIPE = ClassificationRecipe(
    name="toy", weights="small", epochs=4, batch_size=8, learning_rate=1e-3, validation_share=0.2, threads=1
)
PLACES = ("北京", "家里", "超市", "公司", "机场", "酒店", "车上", "学校", "海边", "医院", "银行", "餐厅")
LINES = [(f"我的卡在{place}丢了", "lost") for place in PLACES] + [
    (f"{place}的房贷利率多少", "rate") for place in PLACES
]


def _write(path: Path, lines: list[tuple[str, str]]) -> Path:
    path.write_text("\n".join(json.dumps({"text": t, "label": k}, ensure_ascii=False) for t, k in lines), "utf-8")
    return path


def test_it_learns_and_what_it_wrote_serves(data_dir: Path, tmp_path: Path) -> None:
    data, catalogue, seen = _write(tmp_path / "toy.jsonl", LINES), Catalogue(data_dir), []
    output = tmp_path / "artefact"
    train(RECIPE, data, catalogue.locate("small"), output, lambda step, steps, text: seen.append((step, steps)))
    encoder, manifest = load_encoder(output, catalogue, tmp_path)
    assert manifest.labels == {"label": ("lost", "rate")}
    assert manifest.metrics["accuracy"] == 1.0
    assert manifest.metrics["train_rows"] + manifest.metrics["validation_rows"] == len(LINES)
    assert seen[-1][0] == seen[-1][1]
    classifier = EncoderClassifier(encoder, "label", manifest.temperatures["label"])
    found = classifier.classify(["卡在地铁丢了怎么办", "上海房贷利率是多少"])
    assert [scores[0].label for scores in found] == ["lost", "rate"]


def test_a_loss_that_is_not_finite_stops_the_run(data_dir: Path, tmp_path: Path) -> None:
    data = _write(tmp_path / "toy.jsonl", LINES)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(replace(RECIPE, learning_rate=1e30), data, data_dir / "small.bin", tmp_path / "out", lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_one_class_is_refused(data_dir: Path, tmp_path: Path) -> None:
    data = _write(tmp_path / "toy.jsonl", LINES[:12])
    with pytest.raises(BadInput, match="1 label"):
        train(RECIPE, data, data_dir / "small.bin", tmp_path / "out", lambda *_: None)


def test_one_text_a_label_is_refused(data_dir: Path, tmp_path: Path) -> None:
    data = _write(tmp_path / "toy.jsonl", [LINES[0], LINES[-1]])
    with pytest.raises(BadInput, match="one text a label"):
        train(RECIPE, data, data_dir / "small.bin", tmp_path / "out", lambda *_: None)


@pytest.mark.parametrize("bad", ["{", "[1]", '{"text": "a"}', "7"])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"text": "a", "label": "x"}}\n{bad}\n', "utf-8")
    with pytest.raises(BadInput, match="Line 2"):
        read_rows(tmp_path / "t.jsonl")


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_rows(tmp_path / "none.jsonl")


def test_a_line_separator_inside_a_text_is_text(tmp_path: Path) -> None:
    rows, labels = read_rows(_write(tmp_path / "t.jsonl", [("a\u2028b", "x"), ("c", "y"), (" ", "z")]))
    assert len(rows) == 2
    assert labels == ("x", "y")


def test_the_split_is_stratified_stable_and_keeps_twins_together() -> None:
    rows = [(f"Text {i}", i % 3) for i in range(60)] + [(f"TEXT {i}", i % 3) for i in range(60)]
    train_rows, validation = split(rows, 0.2, 1)
    assert (train_rows, validation) == split(rows, 0.2, 1)
    assert sorted(train_rows + validation) == sorted(rows)
    assert not {fold(t) for t, _ in train_rows} & {fold(t) for t, _ in validation}
    assert {label: sum(k == label for _, k in validation) for label in range(3)} == {0: 8, 1: 8, 2: 8}
    assert split([("only", 0), ("a", 1), ("b", 1)], 0.5, 1)[0].count(("only", 0)) == 1


def test_batches_hold_every_row_once_with_its_like() -> None:
    lengths = [i % 17 + 1 for i in range(103)]
    batches = length_grouped(lengths, 8, 0)
    assert sorted(i for batch in batches for i in batch) == list(range(103))
    assert max(max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches) <= 3


def test_padding_is_masked() -> None:
    inputs, mask = padded([[5, 6, 7], [8]], 1)
    assert inputs.tolist() == [[5, 6, 7], [8, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
