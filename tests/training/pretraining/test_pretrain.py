"""Pre-training from a recipe: perplexity falls, nothing held out is trained on, a killed run goes on, bad input is refused."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForCausalLM, BertModel

from openteller.core.errors import BadInput, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import load_encoder
from openteller.training import finetune
from openteller.training.evaluation.perplexity import METRIC
from openteller.training.pretraining.corpus import Corpus
from openteller.training.pretraining.pretrain import PretrainRecipe, Run, pretrain
from openteller.training.tuning import Places
from tests.training.decoders import places, tiny_catalogue
from tests.training.pretraining.encoders import narrow_catalogue

RECIPE = PretrainRecipe(
    name="toy", weights="narrow", corpus=["toy.txt"], steps=12, batch_size=8, max_tokens=32, learning_rate=1e-2,
    evaluations=3, validation_share=0.15, threads=1,
)  # fmt: skip
CAUSAL = replace(RECIPE, task="clm", weights="tiny", steps=30)
THINGS = ("信用卡", "储蓄卡", "房贷", "理财产品", "外汇账户", "大额存单", "手机银行", "网上银行")
DEEDS = ("挂失", "开通", "注销", "提前还款", "查询余额", "修改限额", "申请", "转账")
LINES = [
    f"客户办理{thing}{deed}时，须携带身份证到网点，{n}个工作日办结。"
    for thing in THINGS
    for n, deed in enumerate(DEEDS, 1)
]


def write(folder: Path, lines: list[str] = LINES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "toy.txt").write_text("\n\n".join(lines), "utf-8")
    return folder


def quiet(*_: object) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose catalogue has the weights ``narrow``."""
    folder = tmp_path_factory.mktemp("encoder")
    narrow_catalogue(folder)
    return folder


def encoder(home: Path, cache: Path) -> Places:
    path = Catalogue(home).locate("narrow")
    return Places(path, path, cache / "cache")


@pytest.fixture(scope="module")
def decoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose catalogue has the weights ``tiny``."""
    folder = tmp_path_factory.mktemp("decoder")
    tiny_catalogue(folder)
    return folder


def test_masked_perplexity_falls_and_the_result_is_a_base_that_serves(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    recipe = replace(RECIPE, whole_words=True, add_words=3, add_words_least=5, vocabulary="trained")
    manifest = pretrain(recipe, tmp_path.joinpath, encoder(home, tmp_path), home / "models/toy", quiet)
    figures = manifest.metrics
    assert figures["perplexity"] < 0.8 * figures["perplexity_before"]
    assert [n for n in figures if n.startswith("perplexity_step_")] == [f"perplexity_step_{n}" for n in (4, 8, 12)]
    assert figures["train_documents"] + figures["held_out_documents"] == len(LINES)
    assert (home / "models/toy/perplexity.png").read_bytes().startswith(b"\x89PNG")
    assert not (home / "models/toy/checkpoints").exists()
    added = manifest.settings["added_words"]
    assert len(added) == 3
    vectors = BertModel.from_pretrained(home / "models/toy", add_pooling_layer=False).embeddings.word_embeddings.weight
    assert len(vectors) == manifest.settings["pieces"] == 20_000 + 3 + 1  # and the mask, which the small one lacks
    _fine_tune_on_it(home, tmp_path)


def _fine_tune_on_it(home: Path, folder: Path) -> None:
    """`weights: toy` in the recipe of a fine-tuning, then the encoder that serves it."""
    catalogue = Catalogue(home)
    rows = [{"text": line, "label": str("卡" in line)} for line in LINES]
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    recipe = finetune.FineTuneRecipe(name="on-toy", weights="toy", train="rows.jsonl", steps=2, epochs=1, threads=1)
    finetune.finetune(recipe, folder.joinpath, catalogue.locate("toy"), home / "models/on-toy", quiet)
    served, _ = load_encoder(home / "models/on-toy", catalogue, home)
    assert np.isfinite(served.encode(["信用卡挂失"]).embedding).all()
    with pytest.raises(NotFound, match="on-toy"):
        catalogue.locate("on-toy")  # a classifier is no base


def test_pretraining_goes_on_from_an_artefact_with_its_head(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    first = pretrain(RECIPE, tmp_path.joinpath, encoder(home, tmp_path), tmp_path / "models/toy", quiet)
    weights = Catalogue(tmp_path).locate(str(tmp_path / "models/toy"))
    run = Run(replace(RECIPE, weights="toy"), tmp_path.joinpath, Places(weights, weights, tmp_path / "cache"), quiet)
    assert run.judge()["perplexity"] == pytest.approx(first.metrics["perplexity"], rel=1e-3)


@pytest.mark.parametrize("adapter", ["none", "lora"])
def test_causal_perplexity_falls(decoder_dir: Path, tmp_path: Path, adapter: str) -> None:
    write(tmp_path)
    catalogue, output = Catalogue(decoder_dir), tmp_path / "out"
    recipe = replace(CAUSAL, adapter=adapter, learning_rate=1e-2)
    manifest = pretrain(recipe, tmp_path.joinpath, places(catalogue, decoder_dir), output, quiet)
    assert manifest.metrics["perplexity"] < 0.8 * manifest.metrics["perplexity_before"]
    assert manifest.settings["gguf"] == {"none": "model", "lora": "adapter"}[adapter]
    assert (output / f"{manifest.settings['gguf']}.gguf").exists()
    model = AutoModelForCausalLM.from_pretrained(output)
    assert sum(p.numel() for p in model.parameters()) > 0
    assert not (output / "adapter_config.json").exists()  # it is merged


def test_no_held_out_text_is_trained_on(decoder_dir: Path, tmp_path: Path) -> None:
    write(tmp_path)
    run = Run(CAUSAL, tmp_path.joinpath, places(Catalogue(decoder_dir), decoder_dir), quiet)
    held = {text for text, is_held in Corpus(CAUSAL, tmp_path.joinpath).read() if is_held}
    decode = run.student._tokenizer.decode  # type: ignore[attr-defined]

    def whole(windows: object) -> str:
        ids = [i for row in windows for i in windows.batch([row])["input_ids"][0].tolist()]  # type: ignore[attr-defined]
        return decode(ids)

    trained, measured = whole(run.train), whole(run.held_out)
    assert held
    assert all(text in measured for text in held)
    assert not any(text in trained for text in held)


def test_the_corpus_is_tokenised_once(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    where = encoder(home, tmp_path)
    Run(RECIPE, tmp_path.joinpath, where, quiet)
    (folder,) = (tmp_path / "cache/corpora").iterdir()
    before = (folder / "train.tokens").stat().st_mtime_ns
    run = Run(RECIPE, tmp_path.joinpath, where, quiet)
    assert (folder / "train.tokens").stat().st_mtime_ns == before
    Run(replace(RECIPE, whole_words=True), tmp_path.joinpath, where, quiet)
    assert len(list((tmp_path / "cache/corpora").iterdir())) == 2
    assert sum(row["length"] - 2 for row in run.train) == run.tokens.tokens["train"]
    assert {row["length"] for row in run.train[:-1]} == {RECIPE.max_tokens}


KILLED = """
import sys
from pathlib import Path
from tests.training.pretraining.test_pretrain import KILLABLE, encoder
from openteller.training.pretraining.pretrain import pretrain
data, folder = map(Path, sys.argv[1:])
def report(step, steps, text):
    print(step, flush=True)
pretrain(KILLABLE, folder.joinpath, encoder(data, folder), folder / "out", report)
"""
KILLABLE = replace(RECIPE, steps=24, evaluations=8)


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(home: Path, root: Path, tmp_path: Path) -> None:
    whole, killed = write(tmp_path / "whole"), write(tmp_path / "killed")
    expected = pretrain(KILLABLE, whole.joinpath, encoder(home, whole), whole / "out", quiet)
    command = [sys.executable, "-c", KILLED, str(home), str(killed)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 11:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert list((killed / "out/checkpoints").glob("checkpoint-*"))
    steps: list[int] = []
    went_on = pretrain(
        KILLABLE, killed.joinpath, encoder(home, killed), killed / "out", lambda step, *_: steps.append(step)
    )
    assert min(s for s in steps if s) > 3
    assert went_on.metrics["log_likelihood"] == pytest.approx(expected.metrics["log_likelihood"], abs=2e-3)


def test_the_vocabulary_stays_frozen_unless_asked(home: Path, tmp_path: Path) -> None:
    write(tmp_path)

    def learning(**changes: object) -> set[str]:
        run = Run(replace(RECIPE, **changes), tmp_path.joinpath, encoder(home, tmp_path), quiet)  # type: ignore[arg-type]
        return {name for name, p in run.student.module.named_parameters() if p.requires_grad}

    words = "model.encoder.embeddings.word_embeddings.weight"
    assert words not in learning()
    assert words in learning(vocabulary="trained")
    assert {name.split(".")[4] for name in learning(trained="top-1") if "layer" in name} == {"0"}
    assert all("lora_" in name or name.startswith("heads.") for name in learning(adapter="lora"))


def test_a_very_long_text_is_cut_into_windows(home: Path, tmp_path: Path) -> None:
    write(tmp_path, [*LINES, "利率" * 50_000])
    run = Run(RECIPE, tmp_path.joinpath, encoder(home, tmp_path), quiet)
    assert max(row["length"] for row in run.train) <= RECIPE.max_tokens
    assert sum(run.tokens.documents.values()) == len(LINES) + 1


@pytest.mark.parametrize(
    ("lines", "changes", "message"),
    [
        ([""], {}, "corpus is empty"),
        (LINES[:1], {"validation_share": 0.0}, "Nothing is held out"),
        (LINES[:1], {"validation_share": 0.99}, "Nothing is trained on"),
        (LINES, {"task": "rtd"}, "task is 'rtd'"),
        (LINES, {"mask_share": 0.0}, "mask_share is 0"),
        (LINES, {"add_words": 5}, "New words have to be trained"),
        (LINES, {"adapter": "qlora"}, "adapter"),
        (LINES, {"trained": "top-9"}, "top-9"),
        (LINES, {"optimiser": "prodigy"}, "no optimiser"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    home: Path, tmp_path: Path, lines: list[str], changes: dict[str, object], message: str
) -> None:
    write(tmp_path, lines)
    recipe = replace(RECIPE, **changes)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=message):
        pretrain(recipe, tmp_path.joinpath, encoder(home, tmp_path), tmp_path / "out", quiet)
    assert not (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"add_words": 5}, "Words cannot be added"),
        ({"gguf": "adapter"}, "cannot be written as an adapter"),
        ({"gguf": "adapter", "adapter": "lora", "vocabulary": "trained"}, "cannot be written as an adapter"),
        ({"gguf": "q4"}, "gguf is 'q4'"),
        ({"trained": "head"}, "The layers 'head' cannot be trained"),
    ],
)
def test_what_a_decoder_cannot_is_refused_before_it_trains(
    decoder_dir: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    write(tmp_path)
    recipe = replace(CAUSAL, **changes)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=message):
        Run(recipe, tmp_path.joinpath, places(Catalogue(decoder_dir), decoder_dir), quiet)


def test_a_loss_that_is_not_finite_stops_the_run(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    recipe = replace(RECIPE, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        pretrain(recipe, tmp_path.joinpath, encoder(home, tmp_path), tmp_path / "out", quiet)
    assert not (tmp_path / "out/manifest.json").exists()


def test_another_corpus_does_not_go_on_with_old_checkpoints(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    where = encoder(home, tmp_path)

    class Enough(Exception):
        pass

    def stop(step: int, steps: int, text: str) -> None:
        if step > 5:
            raise Enough

    with pytest.raises(Enough):
        pretrain(RECIPE, tmp_path.joinpath, where, tmp_path / "out", stop)
    write(tmp_path, LINES[1:])
    with pytest.raises(BadInput, match="another run"):
        pretrain(RECIPE, tmp_path.joinpath, where, tmp_path / "out", quiet)


def test_the_figure_that_chooses_is_the_likelihood(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    run = Run(RECIPE, tmp_path.joinpath, encoder(home, tmp_path), quiet)
    fitted = run.fit(tmp_path / "checkpoints", quiet)
    rows = [row[f"eval_{METRIC}"] for row in fitted.history if f"eval_{METRIC}" in row]
    assert fitted.best == max(rows)
    assert run.judge()[METRIC] == fitted.best
