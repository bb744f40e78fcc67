"""Several heads in one run: each learns, one pass serves them, each is measured and exported; bad recipes are refused."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openteller.core.errors import BadInput
from openteller.registry.manifest import read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.exported import open_exported
from openteller.runtime.loader import load_encoder
from openteller.runtime.onnx_backend import EncoderClassifier
from openteller.training.evaluating import evaluate, open_artefact, open_champion
from openteller.training.exporting.export import export
from openteller.training.exporting.texts import validation_texts
from openteller.training.finetune import finetune
from openteller.training.multitask import MultiTaskRecipe, Run, train
from openteller.training.trained import HeadKind, open_trained
from tests.training.test_finetune import LINES, PLACES, SPANS, quiet, write
from tests.training.test_finetune import RECIPE as ONE

MOODS: list[dict[str, object]] = [{"text": f"{place}的服务太差了", "label": "bad"} for place in PLACES] + [
    {"text": f"{place}的服务真好", "label": "good"} for place in PLACES
]
NEEDS: list[dict[str, object]] = [{"text": f"想在{place}存钱", "labels": ["saving"]} for place in PLACES] + [
    {"text": f"去{place}要换外币", "labels": ["travel", "exchange"]} for place in PLACES
]
HEADS: dict[str, Any] = {
    "intent": {"train": "toy.jsonl", "validation_share": 0.2},
    "mood": {"train": "mood.jsonl", "validation_share": 0.2, "weight": 0.5, "attribution": "written here"},
    "needs": {"task": "multi-label", "train": "needs.jsonl", "validation_share": 0.2},
    "tags": {"task": "tokens", "train": "spans.jsonl", "validation_share": 0.2},
}
RECIPE = MultiTaskRecipe(
    name="desk", weights="small", heads=HEADS, epochs=10, batch_size=16, learning_rate=2e-3, threads=1
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    for name, lines in (("toy", LINES), ("mood", MOODS), ("needs", NEEDS), ("spans", SPANS)):
        write(tmp_path / f"{name}.jsonl", lines)
    return tmp_path


def test_each_head_learns_and_one_pass_serves_all(data_dir: Path, rows: Path) -> None:
    catalogue, seen = Catalogue(data_dir), []
    report = lambda done, total, text: seen.append(text)  # noqa: E731
    manifest = train(RECIPE, rows.joinpath, catalogue.locate("small"), rows / "desk", report)
    assert manifest.labels["intent"] == ("lost", "rate")
    assert manifest.labels["mood"] == ("bad", "good")
    assert manifest.labels["needs"] == ("exchange", "saving", "travel")
    assert manifest.metrics["intent_accuracy"] == manifest.metrics["mood_accuracy"] == 1.0
    assert manifest.metrics["needs_micro_f1"] > 0.9
    assert manifest.metrics["tags_micro_f1"] > 0.5
    assert manifest.metrics["tags_train_rows"] + manifest.metrics["tags_validation_rows"] == len(SPANS)
    assert manifest.data == ("toy.jsonl", "written here", "mood.jsonl", "needs.jsonl", "spans.jsonl")
    assert any(text.startswith("mood: rows: train") for text in seen)
    encoder, _ = load_encoder(rows / "desk", catalogue, rows)
    read = encoder.encode(["在地铁丢了卡,服务太差了"])
    assert set(read.logits) == {"intent", "mood", "needs"}
    assert set(read.token_logits) == {"tags"}
    found = {
        h: EncoderClassifier(encoder, h, 1.0).classify(["我的卡在地铁丢了", "这里服务真好"]) for h in ("intent", "mood")
    }
    assert found["intent"][0][0].label == "lost"
    assert found["mood"][1][0].label == "good"

    for head in HEADS:
        measured = evaluate(open_artefact(rows / "desk", catalogue, head), rows / f"{_file(head)}.jsonl", samples=20)
        assert measured.n == {"tags": len(SPANS)}.get(head, 24)
    model = open_trained(rows / "desk", catalogue)
    kinds = [model.kind(head) for head in HEADS]
    assert kinds == [HeadKind.ONE, HeadKind.ONE, HeadKind.MANY, HeadKind.TOKENS]
    texts = validation_texts(model.manifest, rows.joinpath, paired=model.paired)
    folder = export(model, rows / "out", ("fp32",), texts, quiet).folder
    assert set(open_exported(folder)[1].labels) == set(HEADS)


def _file(head: str) -> str:
    return {"intent": "toy", "tags": "spans"}.get(head, head)


def test_with_an_adapter_and_against_a_model_of_one_head(data_dir: Path, rows: Path) -> None:
    catalogue = Catalogue(data_dir)
    heads = {name: HEADS[name] for name in ("intent", "mood")}
    recipe = replace(RECIPE, heads=heads, adapter="lora", learning_rate=1e-2)
    train(recipe, rows.joinpath, catalogue.locate("small"), rows / "desk", quiet)
    finetune(replace(ONE, epochs=1), rows.joinpath, catalogue.locate("small"), rows / "one", quiet)
    candidate = open_artefact(rows / "desk", catalogue, "intent")
    champion = open_champion(rows / "one", catalogue, "intent")
    report = evaluate(candidate, rows / "toy.jsonl", champion=champion, samples=20)
    assert report.as_dict()["comparisons"]
    assert (rows / "desk/adapter.safetensors").is_file()


def test_a_checkpoint_holds_the_encoder_once(data_dir: Path, rows: Path) -> None:
    run = Run(RECIPE, rows.joinpath, Catalogue(data_dir).locate("small"))
    names = list(run.module.state_dict())
    assert len(names) == len({id(t) for t in run.module.state_dict(keep_vars=True).values()})
    assert all(name.startswith("model.") for name in names)


def test_a_run_that_is_killed_goes_on(data_dir: Path, rows: Path) -> None:
    catalogue, output = Catalogue(data_dir), rows / "desk"
    whole = train(RECIPE, rows.joinpath, catalogue.locate("small"), rows / "whole", quiet)
    code = (
        "import os, signal, sys; from pathlib import Path; from openteller.runtime.catalogue import Catalogue\n"
        "from openteller.training.multitask import train; from tests.training.test_multitask import RECIPE\n"
        "def stop(done, total, text):\n"
        "    if total and done >= total // 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"rows = Path({str(rows)!r}); c = Catalogue(Path({str(data_dir)!r}))\n"
        "train(RECIPE, rows.joinpath, c.locate('small'), rows / 'desk', stop)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (output / "manifest.json").exists()
    again = train(RECIPE, rows.joinpath, catalogue.locate("small"), output, quiet)
    for name, value in whole.metrics.items():
        if name not in ("minutes", "samples_per_second"):
            assert again.metrics[name] == pytest.approx(value, abs=0.02), name


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        ({"intent": HEADS["intent"]}, "names 1 heads"),
        ({**HEADS, "mood": "mood.jsonl"}, "The head mood"),
        ({**HEADS, "mood": {**HEADS["mood"], "tempo": 1}}, "tempo"),
        ({**HEADS, "a.b": HEADS["mood"]}, "cannot be called"),
        ({**HEADS, "spans": HEADS["tags"]}, "cannot have the task tokens"),
        ({**HEADS, "tags": HEADS["mood"]}, "cannot have the task classification"),
        ({**HEADS, "mood": {**HEADS["mood"], "task": "embedding"}}, "no place among several heads"),
        ({**HEADS, "mood": {**HEADS["mood"], "task": "pair-classification"}}, "one pass"),
        ({**HEADS, "mood": {**HEADS["mood"], "columns": {"label": "none"}}}, "rows of mood"),
    ],
    ids=["one head", "no fields", "unknown field", "name", "spans elsewhere", "tags", "task", "pairs", "columns"],
)
def test_a_recipe_that_cannot_be_used(data_dir: Path, rows: Path, heads: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        Run(replace(RECIPE, heads=heads), rows.joinpath, Catalogue(data_dir).locate("small"))
    assert said in str(caught.value)


def test_which_head_has_to_be_said(data_dir: Path, rows: Path) -> None:
    catalogue = Catalogue(data_dir)
    recipe = replace(RECIPE, heads={name: HEADS[name] for name in ("intent", "mood")}, epochs=1)
    train(recipe, rows.joinpath, catalogue.locate("small"), rows / "desk", quiet)
    for head in ("", "tempo"):
        with pytest.raises(BadInput) as caught:
            open_artefact(rows / "desk", catalogue, head)
        assert "intent, mood" in str(caught.value.next_step)
    assert json.loads((rows / "desk/manifest.json").read_text("utf-8"))["task"] == "multi-task"
    assert read_manifest(rows / "desk").settings["heads"]["mood"]["weight"] == 0.5
