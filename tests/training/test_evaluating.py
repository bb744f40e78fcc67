"""Measuring an artefact: what was trained is what is measured, and the command says it in four ways."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from defusedxml import ElementTree

from openteller.core.errors import BadInput
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import shipped_artefact
from openteller.training.evaluating import evaluate, open_artefact
from openteller.training.finetune import finetune
from tests.training.test_finetune import LINES, RECIPE, SPANS, quiet, write


@pytest.mark.parametrize(
    ("changes", "rows"),
    [({}, LINES), ({"adapter": "lora"}, LINES), ({"adapter": "dora"}, LINES), ({"task": "tokens"}, SPANS)],
)
def test_what_was_trained_is_what_is_measured(
    data_dir: Path, tmp_path: Path, changes: dict[str, object], rows: list[dict[str, object]]
) -> None:
    data = write(tmp_path / "toy.jsonl", rows)
    held = write(tmp_path / "held.jsonl", [row | {"text": f"{row['text']}?"} for row in rows])
    catalogue = Catalogue(data_dir)
    recipe = replace(RECIPE, validation=held.name, epochs=2, **changes)  # type: ignore[arg-type]
    made = finetune(recipe, tmp_path.joinpath, catalogue.locate("small"), tmp_path / "m", quiet)
    artefact = open_artefact(tmp_path / "m", catalogue)
    report = evaluate(artefact, held, champion=artefact, samples=50)
    figures = report.as_dict()["figures"]
    # Adapters are written in half precision, which may move a figure in the third place.
    for name in ("accuracy", "macro_f1", "micro_f1", "nll"):
        if name in figures:
            assert figures[name]["value"] == pytest.approx(made.metrics[name], abs=2e-3)
    assert report.n == len(rows)
    assert data.exists()


def test_an_artefact_of_no_task_is_refused(data_dir: Path, tmp_path: Path) -> None:
    catalogue = Catalogue(data_dir)
    with pytest.raises(BadInput, match="cannot be measured"):
        open_artefact(shipped_artefact(), catalogue)


def test_the_command_prints_a_table_json_and_junit(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from openteller.cli.main import run

    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(data_dir))
    data, model = write(tmp_path / "toy.jsonl"), tmp_path / "m"
    finetune(RECIPE, tmp_path.joinpath, Catalogue(data_dir).locate("small"), model, quiet)
    assert run(["evaluate", str(model), str(data), "--output", str(tmp_path / "report")]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert {p.name for p in (tmp_path / "report").iterdir()} >= {"report.html", "report.json", "confusion.png"}
    assert run(["evaluate", str(model), str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == len(LINES)
    assert run(["evaluate", str(model), str(data), "--junit", "accuracy=0.5"]) == 0
    ElementTree.fromstring(capsys.readouterr().out)
    assert run(["evaluate", str(model), str(data), "--junit", "accuracy=1.01"]) == 1
    capsys.readouterr()
    assert run(["evaluate", str(model), str(data), "--junit", "accuracy"]) == 1
    assert "no threshold" in capsys.readouterr().err
    (tmp_path / "bad.jsonl").write_text('{"text": "x"}\n')
    assert run(["evaluate", str(model), str(tmp_path / "bad.jsonl")]) == 1
    assert "bad.jsonl:1" in capsys.readouterr().err
