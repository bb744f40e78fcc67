"""What training leaves beside a model: its machine, its languages, its card; and what an evaluation adds to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from openteller.cli.main import run
from openteller.registry.evidence import figures_of
from openteller.registry.manifest import read_manifest
from openteller.registry.registry import ModelRegistry
from openteller.runtime.catalogue import Catalogue
from openteller.training import checkpoints
from openteller.training.evaluating import evaluate, open_artefact
from openteller.training.evaluation import rendering
from openteller.training.finetune import finetune
from openteller.training.provenance import languages, this_machine
from tests.training.test_finetune import LINES, RECIPE, quiet, write

SAID = {"actor": "li", "reason": "because"}


def test_the_languages_of_texts() -> None:
    assert languages(["我的卡丢了", "房贷利率", "I lost my card"]) == ("zh", "en")
    assert languages(["I lost my card", "where is it"]) == ("en",)
    assert languages(["我的APP打不开"]) == ("zh",)
    assert languages(["card"] * 200 + ["卡"]) == ("en",)
    assert languages([]) == ()


def test_the_machine_is_this_one() -> None:
    machine = this_machine()
    assert machine.processor.strip()
    assert machine.cores >= 1


def test_a_trained_model_has_its_card_and_an_evaluation_fills_it(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = write(tmp_path / "held.jsonl", [row | {"text": f"请问{row['text']}"} for row in LINES])
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, epochs=1, attribution="Toy sentences, CC BY 4.0", licence="Apache-2.0")
    folder = tmp_path / "m"
    made = finetune(recipe, tmp_path.joinpath, Catalogue(data_dir).locate("small"), folder, quiet)
    assert (made.languages, made.machine, made.licence) == (("zh",), this_machine(), "Apache-2.0")
    assert made.data == ("Toy sentences, CC BY 4.0", "toy.jsonl")
    assert {"attribution", "licence"}.isdisjoint(made.settings)
    text = (folder / "README.md").read_text("utf-8")
    assert "license: apache-2.0" in text
    assert "- Toy sentences, CC BY 4.0" in text
    assert made.machine.processor in text
    assert "README.md" not in made.files

    rendering.write(evaluate(open_artefact(folder, Catalogue(data_dir)), held, samples=50), folder)
    assert read_manifest(folder) == made
    accuracy = json.loads((folder / "report.json").read_text("utf-8"))["figures"]["accuracy"]
    found = figures_of(folder).values
    assert found["report.accuracy"] == accuracy["value"]
    assert found["report.accuracy.low"] == accuracy["low"]
    registry = ModelRegistry(tmp_path)
    version = registry.register(folder, actor="li")
    card = (registry.folder("toy", version.version) / "README.md").read_text("utf-8")
    assert f"On {len(LINES)} rows of held.jsonl" in card

    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path))
    few = write(tmp_path / "few.jsonl", LINES[8:16])
    (tmp_path / "models.yaml").write_text(
        (data_dir / "models.yaml").read_text("utf-8").replace("small.bin", str(data_dir / "small.bin")), "utf-8"
    )
    capsys.readouterr()
    assert run(["models", "compare", "toy@candidate", "toy@candidate", "--data", str(few), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 8
    assert all(row["difference"] == 0 for row in report["comparisons"])


def test_what_only_says_something_starts_no_other_run(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    small, output = Catalogue(data_dir).locate("small"), tmp_path / "out"

    class Enough(Exception):
        pass

    def stop(step: int, steps: int, text: str) -> None:
        if step > 3:
            raise Enough

    with pytest.raises(Enough):
        finetune(RECIPE, tmp_path.joinpath, small, output, stop)
    before = checkpoints.newest_whole(output / "checkpoints", quiet)
    assert before is not None
    with pytest.raises(Enough):
        finetune(replace(RECIPE, attribution="ours"), tmp_path.joinpath, small, output, stop)
