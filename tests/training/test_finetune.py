"""Fine-tuning from a recipe: it learns, it serves, it goes on after a kill, it stops when it cannot."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import load_encoder
from openteller.runtime.onnx_backend import EncoderClassifier
from openteller.training.finetune import FineTuneRecipe, Run, finetune
from openteller.training.fitting import LengthGrouped, length_grouped, make_optimiser

RECIPE = FineTuneRecipe(
    name="toy", weights="small", train="toy.jsonl", epochs=4, batch_size=8, learning_rate=1e-3, validation_share=0.2,
    threads=1,
)  # fmt: skip
PLACES = ("北京", "家里", "超市", "公司", "机场", "酒店", "车上", "学校", "海边", "医院", "银行", "餐厅")
LINES = [{"text": f"我的卡在{place}丢了", "label": "lost"} for place in PLACES] + [
    {"text": f"{place}的房贷利率多少", "label": "rate"} for place in PLACES
]
SPANS = [{"text": f"转{i}00元到{p}", "spans": [[1, 5 if i < 10 else 6, "amount"]]} for i, p in enumerate(PLACES, 1)]

RANKED = [
    {"text": f"{place}的卡丢了", "pair": pair, "label": int(pair == "挂失银行卡")}
    for place in PLACES
    for pair in ("挂失银行卡", "房贷利率表", "开户材料")
]


def write(path: Path, rows: list[dict[str, object]] = LINES) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def quiet(*_: object) -> None:
    """Report nothing."""


def test_it_learns_and_what_it_wrote_serves(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    catalogue, seen, output = Catalogue(data_dir), [], tmp_path / "artefact"
    report = lambda step, steps, text: seen.append((step, steps))  # noqa: E731
    finetune(RECIPE, tmp_path.joinpath, catalogue.locate("small"), output, report)
    encoder, manifest = load_encoder(output, catalogue, tmp_path)
    assert manifest.labels == {"label": ("lost", "rate")}
    assert manifest.metrics["accuracy"] == 1.0
    assert manifest.metrics["train_rows"] + manifest.metrics["validation_rows"] == len(LINES)
    assert seen[-1][0] == seen[-1][1]
    assert not (output / "checkpoints").exists()
    classifier = EncoderClassifier(encoder, "label", manifest.temperatures["label"])
    found = classifier.classify(["卡在地铁丢了怎么办", "上海房贷利率是多少"])
    assert [scores[0].label for scores in found] == ["lost", "rate"]


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({"adapter": "lora"}, LINES),
        ({"adapter": "dora"}, LINES),
        ({"trained": "top-1", "optimiser": "adafactor"}, LINES),
        ({"trained": "head", "optimiser": "sgd", "schedule": "cosine", "accumulate": 2}, LINES),
        ({"steps": 4, "class_weights": "balanced", "patience": 1, "precision": "bf16"}, LINES),
        ({"task": "multi-label", "columns": {"labels": "label"}}, LINES),
        ({"task": "pair-classification", "columns": {"pair": "text"}}, LINES),
        ({"task": "tokens"}, SPANS),
        ({"task": "embedding-by-label"}, LINES),
        ({"task": "reranking", "layers": 1}, RANKED),
        ({"few_shot": 4, "label_names": True, "contrastive_steps": 4}, LINES),
        ({"task": "embedding", "columns": {"pair": "label"}, "leaks": "keep"}, LINES),
    ],
)
def test_every_switch_trains_and_is_written(
    data_dir: Path, tmp_path: Path, changes: dict[str, object], rows: list[dict[str, object]]
) -> None:
    write(tmp_path / "toy.jsonl", rows)
    recipe = replace(RECIPE, epochs=1, **changes)
    catalogue, output = Catalogue(data_dir), tmp_path / "artefact"
    manifest = finetune(recipe, tmp_path.joinpath, catalogue.locate("small"), output, quiet)
    assert all(np.isfinite(v) for v in manifest.metrics.values())
    encoder, read = load_encoder(output, catalogue, tmp_path)
    assert read.metrics == manifest.metrics
    assert np.isfinite(encoder.encode(["卡丢了"]).embedding).all()


def test_an_unknown_figure_is_refused_before_training(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, metric="f2")
    with pytest.raises(BadInput, match="There is no figure 'f2'") as caught:
        finetune(recipe, tmp_path.joinpath, Catalogue(data_dir).locate("small"), tmp_path / "m", quiet)
    assert "macro_f1" in str(caught.value.next_step)
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_a_few_texts_of_each_label_are_enough_for_what_is_easy(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, few_shot=3, label_names=True, contrastive_steps=12, epochs=2)
    run = Run(recipe, tmp_path.joinpath, Catalogue(data_dir).locate("small"))
    assert [e.texts[0] for e in run.prepared.examples["train"][-2:]] == ["lost", "rate"]
    before = run.model.heads["label"].weight.clone()
    run.fit(tmp_path / "checkpoints", quiet)
    assert not before.equal(run.model.heads["label"].weight)
    assert run.judge()["accuracy"] == 1.0


def test_the_few_shot_mode_is_of_classifications(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl", SPANS)
    with pytest.raises(BadInput, match="no few-shot mode"):
        Run(replace(RECIPE, task="tokens", label_names=True), tmp_path.joinpath, Catalogue(data_dir).locate("small"))


def test_only_what_the_recipe_names_is_trained(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    small = Catalogue(data_dir).locate("small")

    def learning(**changes: object) -> set[str]:
        run = Run(replace(RECIPE, **changes), tmp_path.joinpath, small)  # type: ignore[arg-type]
        return {name for name, p in run.model.named_parameters() if p.requires_grad}

    head = {"heads.label.weight", "heads.label.bias"}
    assert learning(trained="head") == head
    assert {n.split(".")[3] for n in learning(trained="top-1") - head} == {"1"}
    words = "encoder.embeddings.word_embeddings.weight"
    assert words not in learning()
    assert words in learning(vocabulary="trained")
    assert all("lora_" in n for n in learning(adapter="lora") - head)
    with pytest.raises(BadInput, match="top-9"):
        learning(trained="top-9")


KILLED = """
import sys, json
from dataclasses import replace
from pathlib import Path
from tests.training.test_finetune import RECIPE
from openteller.runtime.catalogue import Catalogue
from openteller.training.finetune import finetune
folder = Path(sys.argv[2])
recipe = replace(RECIPE, epochs=6)
def report(step, steps, text):
    print(step, flush=True)
finetune(recipe, folder.joinpath, Catalogue(Path(sys.argv[1])).locate("small"), folder / "artefact", report)
"""


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(
    data_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        write(folder / "toy.jsonl")
    small = Catalogue(data_dir).locate("small")
    recipe = replace(RECIPE, epochs=6)
    expected = finetune(recipe, whole.joinpath, small, whole / "artefact", quiet)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(data_dir), str(killed)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 8:  # in the third of six epochs
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert list((killed / "artefact/checkpoints").glob("checkpoint-*"))
    steps: list[int] = []
    went_on = finetune(recipe, killed.joinpath, small, killed / "artefact", lambda step, *_: steps.append(step))
    assert min(s for s in steps if s) > 3
    assert went_on.metrics["accuracy"] == expected.metrics["accuracy"]
    assert went_on.metrics["nll"] == pytest.approx(expected.metrics["nll"], abs=1e-3)


SHARED = replace(RECIPE, dropout=0.0, validation_share=1 / 3)
TOGETHER = """
import os, sys
from dataclasses import replace
from pathlib import Path
from tests.training.test_finetune import SHARED
from openteller.runtime.catalogue import Catalogue
from openteller.training.finetune import finetune
folder = Path(sys.argv[2])
steps = []
def report(step, total, text):
    steps.append(step)
small = Catalogue(Path(sys.argv[1])).locate("small")
made = finetune(replace(SHARED, batch_size=4), folder.joinpath, small, folder / "artefact", report)
(folder / f"{os.environ['RANK']}.txt").write_text(f"{max(steps)} {made.metrics['nll']}")
"""


def test_two_processes_that_share_the_rows_learn_what_one_learns(data_dir: Path, root: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    (tmp_path / "together.py").write_text(TOGETHER, "utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(tmp_path / "together.py"), str(data_dir), str(tmp_path)],
        cwd=root, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    alone = finetune(SHARED, tmp_path.joinpath, Catalogue(data_dir).locate("small"), tmp_path / "alone", quiet)
    for rank in "01":
        steps, nll = (tmp_path / f"{rank}.txt").read_text().split()
        assert int(steps) == 8  # 16 rows, 4 to each of two at a step, 4 epochs
        assert float(nll) == pytest.approx(alone.metrics["nll"], abs=2e-3)
    assert not (tmp_path / "artefact" / "checkpoints").exists()


def test_another_recipe_does_not_go_on_with_old_checkpoints(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    small, out = Catalogue(data_dir).locate("small"), tmp_path / "out"

    class Enough(Exception):
        pass

    def stop(step: int, steps: int, text: str) -> None:
        if step > 4:
            raise Enough

    with pytest.raises(Enough):
        finetune(RECIPE, tmp_path.joinpath, small, out, stop)
    with pytest.raises(BadInput, match="another run"):
        finetune(replace(RECIPE, learning_rate=2e-3), tmp_path.joinpath, small, out, quiet)
    write(tmp_path / "toy.jsonl", LINES[1:])
    with pytest.raises(BadInput, match="another run"):
        finetune(RECIPE, tmp_path.joinpath, small, out, quiet)
    finetune(RECIPE, tmp_path.joinpath, small, out, quiet, restart=True)


def test_early_stopping_restores_the_best_checkpoint(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    run = Run(replace(RECIPE, epochs=12, patience=2), tmp_path.joinpath, Catalogue(data_dir).locate("small"))
    fitted = run.fit(tmp_path / "checkpoints", quiet)
    rows = [row for row in fitted.history if "eval_macro_f1" in row]
    assert len(rows) < 12
    assert fitted.best == max(row["eval_macro_f1"] for row in rows)
    assert run.judge()["macro_f1"] == fitted.best


def test_a_loss_that_is_not_finite_stops_the_run(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        finetune(recipe, tmp_path.joinpath, data_dir / "small.bin", tmp_path / "out", quiet)


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (LINES[:12], {}, "1 label"),
        ([LINES[0], LINES[-1]], {}, "validate"),
        ([*LINES, {"text": "x"}], {}, "1 of 25 rows"),
        ([*LINES, {"text": LINES[0]["text"], "label": "rate"}], {}, "conflict"),
        (LINES, {"task": "poetry"}, "no task"),
        (LINES, {"optimiser": "prodigy"}, "no optimiser"),
        (LINES, {"schedule": "wild"}, "no schedule"),
        (LINES, {"class_weights": "odd"}, "class_weights"),
        (LINES, {"adapter": "qlora"}, "adapter"),
        (LINES, {"vocabulary": "train"}, "vocabulary"),
        (LINES, {"precision": "fp7"}, "precision"),
        (LINES, {"metric": "beauty"}, "beauty"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    data_dir: Path, tmp_path: Path, rows: list[dict[str, object]], changes: dict[str, object], message: str
) -> None:
    write(tmp_path / "toy.jsonl", rows)
    recipe = replace(RECIPE, **changes)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=message):
        finetune(recipe, tmp_path.joinpath, data_dir / "small.bin", tmp_path / "out", quiet)
    assert not (tmp_path / "out/manifest.json").exists()


def test_few_shot_keeps_so_many_a_label(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    run = Run(replace(RECIPE, few_shot=3), tmp_path.joinpath, data_dir / "small.bin")
    assert len(run.rows["train"]) == 6


def test_a_very_long_text_is_cut_and_trains(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl", [*LINES, {"text": "利率" * 50_000, "label": "rate"}])
    run = Run(RECIPE, tmp_path.joinpath, data_dir / "small.bin")
    assert max(row["length"] for row in run.rows["train"]) <= RECIPE.max_tokens


def test_batches_hold_every_row_once_with_its_like() -> None:
    lengths = [i % 17 + 1 for i in range(103)]
    batches = length_grouped(lengths, 8, 0)
    assert sorted(i for batch in batches for i in batch) == list(range(103))
    assert max(max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches) <= 3
    assert [len(b) for b in batches] == [8] * 12 + [7]
    sampler = LengthGrouped(lengths, 8, 0)
    assert list(sampler) == [i for batch in batches for i in batch]
    sampler.set_epoch(1)
    assert sorted(sampler) == list(range(103))
    assert list(sampler) == [i for b in length_grouped(lengths, 8, 1) for i in b]


def test_lower_layers_learn_more_slowly_when_told_so(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, layer_decay=0.5, learning_rate=1e-3, head_learning_rate=4e-3)
    run = Run(recipe, tmp_path.joinpath, Catalogue(data_dir).locate("small"))
    rates = [group["lr"] for group in make_optimiser(run.module, recipe).param_groups]
    assert rates == [1e-3, 0.5e-3, 0.25e-3, 4e-3]  # two layers, the embeddings, the head
    with pytest.raises(BadInput, match="layer_decay"):
        make_optimiser(run.module, replace(recipe, layer_decay=0.0))
