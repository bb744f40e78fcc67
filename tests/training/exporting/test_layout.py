"""The folder by transformers' own classes, and the command as a person meets it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from openteller.core.text import fold
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.exported import MODEL_FILES, open_exported
from openteller.training.exporting.export import export
from openteller.training.finetune import finetune
from openteller.training.trained import open_trained
from tests.training.test_finetune import LINES, RECIPE, SPANS, quiet, write


def test_a_tagger_is_a_stock_class(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl", SPANS)
    catalogue, text = Catalogue(data_dir), "转300元到ABC銀行🙂"
    recipe = replace(RECIPE, task="tokens", adapter="lora", epochs=1, max_tokens=32)
    finetune(recipe, tmp_path.joinpath, catalogue.locate("small"), tmp_path / "m", quiet)
    folder = export(open_trained(tmp_path / "m", catalogue), tmp_path / "out", ("fp32",), [text], quiet).folder
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert type(model).__name__ == "BertForTokenClassification"
    assert tuple(model.config.id2label.values()) == ("O", "B-amount", "I-amount")
    assert tokenizer("ABC abc")["input_ids"] == tokenizer("abc abc")["input_ids"]
    assert len(tokenizer("长" * 99, truncation=True)["input_ids"]) == 32
    with torch.no_grad():
        logits = model(**tokenizer(fold(text), return_tensors="pt")).logits[0, 1:-1].numpy()
    encoder, manifest = open_exported(folder)
    (found,) = encoder.encode([text]).token_logits["tags"]
    assert np.abs(found - logits).max() < 1e-4
    assert manifest.labels == {"tags": ("O", "B-amount", "I-amount")}


def test_the_command_exports_and_says_what_is_wrong(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from openteller.cli.main import run

    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(data_dir))
    monkeypatch.setenv("OPENTELLER_DATA", str(tmp_path))
    write(tmp_path / "toy.jsonl", LINES)
    model, out = str(tmp_path / "m"), str(tmp_path / "out")
    finetune(replace(RECIPE, epochs=2), tmp_path.joinpath, Catalogue(data_dir).locate("small"), tmp_path / "m", quiet)
    assert run(["export", model, "--output", out, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["models"]) == set(MODEL_FILES.values())
    assert all(found["passed"] for found in said["models"].values())
    assert run(["export", model, "--output", out, "--precision", "int8"]) == 0
    assert "decisions as torch (100.00%)" in capsys.readouterr().out
    (tmp_path / "texts.txt").write_text("\n \n", "utf-8")
    (tmp_path / "other.jsonl").write_text('{"words": "x"}\n', "utf-8")
    for arguments, message in (
        ([str(tmp_path / "nowhere")], "no readable manifest"),
        ([model, "--output", model], "no earlier export"),
        ([model, "--texts", str(tmp_path / "none.txt")], "cannot be read"),
        ([model, "--texts", str(tmp_path / "texts.txt")], "no text to compare"),
        ([model, "--texts", str(tmp_path / "other.jsonl")], "text is missing"),
    ):
        assert run(["export", *arguments]) == 1
        assert message in capsys.readouterr().err
    monkeypatch.delenv("OPENTELLER_DATA")
    assert run(["export", model]) == 1
    assert "OPENTELLER_DATA" in capsys.readouterr().err
