"""The understanding run on a corner of the authored data: three steps, and the artefact serves."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import load_file

from openteller.core.errors import BadInput
from openteller.registry.manifest import read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.loader import load_encoder
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.backbone import MultiHead
from openteller.training.examples import Example
from openteller.training.understanding import (
    TAGS,
    Corpus,
    UnderstandingRecipe,
    contrastive_loss,
    encode,
    tag_tokens,
    train,
)
from tests.runtime.encoders import small

RECIPE = UnderstandingRecipe(
    name="toy", weights="small", examples="examples", articles="articles", steps=3, pairs=4, labelled=8, lora_rank=2,
    threads=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def corner(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of utterances, cut to 12 lines a language, and one file of articles."""
    folder = tmp_path_factory.mktemp("corner")
    source = root / "recipes/data/understanding"
    (folder / "examples").mkdir()
    (folder / "articles").mkdir()
    shutil.copy(source / "TAXONOMY.yaml", folder / "examples")
    for name in ("talk.yaml", "deposits.yaml"):
        whole = yaml.safe_load((source / name).read_text("utf-8"))
        cut = {intent: {lang: lines[:12] for lang, lines in both.items()} for intent, both in whole.items()}
        (folder / "examples" / name).write_text(yaml.safe_dump(cut, allow_unicode=True), "utf-8")
    articles = yaml.safe_load((root / "src/openteller/demo/bank/articles/deposits.yaml").read_text("utf-8"))[:5]
    (folder / "articles" / "deposits.yaml").write_text(yaml.safe_dump(articles, allow_unicode=True), "utf-8")
    return folder


@pytest.mark.parametrize("rank", [2, 0], ids=["lora", "whole encoder"])
def test_three_steps_write_an_artefact_that_serves(corner: Path, data_dir: Path, tmp_path: Path, rank: int) -> None:
    catalogue, steps = Catalogue(data_dir), []
    recipe = replace(RECIPE, lora_rank=rank)
    output = tmp_path / "artefact"
    report = lambda step, total, text: steps.append(step)  # noqa: E731
    written = train(recipe, corner, catalogue.locate("small"), output, report)
    encoder, manifest = load_encoder(output, catalogue, tmp_path)
    assert manifest == written
    assert steps == [1, 2, 3]
    assert manifest.base == "small"
    assert set(manifest.temperatures) == {"intent", "sentiment", "needs", "tags"}
    found = encoder.encode(["我想存20万三年", "hello"])
    assert {n: v.shape[1] for n, v in found.logits.items()} == {
        n: len(manifest.labels[n]) for n in ("intent", "sentiment", "needs")
    }
    assert found.token_logits["tags"][0].shape[1] == len(TAGS)
    assert np.isfinite(found.embedding).all()


def test_pairs_of_a_public_set_are_drawn_too(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{label} {n}", "label": label} for label in ("card_arrival", "atm_support") for n in range(3)]
    (tmp_path / "train.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    shutil.copytree("recipes/data/mappings", corner / "recipes/data/mappings")
    recipe, said = replace(RECIPE, banking77="public", public_pairs=5, steps=1), list[str]()
    report = lambda step, total, text: said.append(text)  # noqa: E731
    small = Catalogue(data_dir).locate("small")
    written = train(recipe, corner, small, tmp_path / "artefact", report, lambda name: tmp_path)
    assert "public pairs" in said[0]
    assert any("BANKING77" in line for line in written.data)


@pytest.mark.parametrize("rank", [2, 0], ids=["lora", "whole encoder"])
def test_keeping_nothing_gives_the_base_back(corner: Path, data_dir: Path, tmp_path: Path, rank: int) -> None:
    recipe = replace(RECIPE, lora_rank=rank, keep=0.0, head_steps=2)
    said: list[str] = []
    train(recipe, corner, data_dir / "small.bin", tmp_path / "kept", lambda *step: said.append(step[2]))
    assert len(said) == 5
    if rank:
        adapter = load_file(tmp_path / "kept" / "adapter.safetensors")
        assert not any(matrix.any() for name, matrix in adapter.items() if name.endswith("lora_B"))
    else:
        base = load_backbone(data_dir / "small.bin").tensors
        trained = load_file(tmp_path / "kept" / "encoder.safetensors")
        assert all(np.allclose(trained[name], array, atol=1e-6) for name, array in base.items())


def test_wordings_of_a_faq_form_pairs(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    (corner / "faq").mkdir()
    rows = [
        {"topic": "t", "question": f"What of {n}?", "asked": [f"about {n}", f"{n} please"], "answer": f"It is {n}."}
        for n in range(20)
    ]
    (corner / "faq" / "en.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = replace(RECIPE, faq="faq", steps=1)
    corpus = Corpus(recipe, corner)
    assert sum(e.source == "faq" for e in (*corpus.questions, *corpus.held_questions)) == 80
    written = train(recipe, corner, data_dir / "small.bin", tmp_path / "a", lambda *_: None)
    assert 0 <= written.metrics["faq_hit_at_1"] <= 1


def test_training_goes_on_from_an_artefact(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    train(RECIPE, corner, data_dir / "small.bin", tmp_path / "first", lambda *_: None)
    still = replace(RECIPE, start=str(tmp_path / "first"), steps=1, learning_rate=0.0, head_learning_rate=0.0)
    train(still, corner, data_dir / "small.bin", tmp_path / "second", lambda *_: None)
    for name in ("adapter.safetensors", "heads.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_a_mixture_adds_what_each_adapter_adds_by_its_share(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    for name, rank, seed in (("a", 2, 1), ("b", 4, 2)):
        recipe = replace(RECIPE, lora_rank=rank, seed=seed, learning_rate=0.01)
        train(recipe, corner, data_dir / "small.bin", tmp_path / name, lambda *_: None)
    mix = {str(tmp_path / "a"): 0.5, str(tmp_path / "b"): 0.25}
    mixed = train(replace(RECIPE, mix=mix, steps=0), corner, data_dir / "small.bin", tmp_path / "m", lambda *_: None)
    assert mixed.settings["lora_rank"] == 6

    def added(name: str) -> dict[str, np.ndarray]:
        found, scale = load_file(tmp_path / name / "adapter.safetensors"), read_manifest(tmp_path / name).settings
        layers = {key.rpartition(".")[0] for key in found}
        product = {n: found[f"{n}.lora_B"].astype(float) @ found[f"{n}.lora_A"].astype(float) for n in layers}
        return {n: scale["lora_scale"] * delta for n, delta in product.items()}

    a, b, m = added("a"), added("b"), added("m")
    assert max(np.abs(delta).max() for delta in a.values()) > 1e-3
    assert all(np.allclose(m[n], 0.5 * a[n] + 0.25 * b[n], atol=1e-4) for n in m)


def test_a_loss_that_is_not_finite_stops_the_run(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, head_learning_rate=1e30, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="not finite"):
        train(recipe, corner, data_dir / "small.bin", tmp_path / "out", lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_the_split_keeps_texts_apart(corner: Path) -> None:
    corpus = Corpus(RECIPE, corner)
    assert not {e.text for e in corpus.train} & {e.text for e in corpus.validation}
    assert [e.text for e in Corpus(RECIPE, corner).train] == [e.text for e in corpus.train]


def test_no_data_is_refused(corner: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "articles").mkdir()
    shutil.copy(corner / "examples" / "TAXONOMY.yaml", tmp_path / "examples")
    with pytest.raises(BadInput, match="too little"):
        Corpus(RECIPE, tmp_path)


def test_tags_begin_and_go_on() -> None:
    text = "转5000元给王芳"
    encoding = build_tokenizer(small()).encode(text)
    tags = tag_tokens(Example(text, spans=((1, 6, "amount"), (7, 9, "person"))), encoding)
    assert tags[0] == tags[-1] == -100
    named = {}
    for (start, end), tag in zip(encoding.offsets, tags, strict=True):
        if tag > 0:
            named.setdefault(TAGS[tag][2:], []).append((TAGS[tag][0], start, end))
    assert {kind: found[0][0] for kind, found in named.items()} == {"amount": "B", "person": "B"}
    assert all(side == "I" for found in named.values() for side, _, _ in found[1:])


def test_pairs_that_agree_cost_less() -> None:
    vectors = torch.eye(4)
    agreeing = contrastive_loss(torch.cat([vectors, vectors]), 0.1)
    crossed = contrastive_loss(torch.cat([vectors, vectors.flip(0)]), 0.1)
    assert agreeing < 0.01 < 5 < crossed


@torch.no_grad()
def test_texts_encoded_by_length_keep_their_order() -> None:
    texts = ["卡", "a long story about a card that was lost on a train " * 2, *("how do I freeze it",) * 30, "loan"]
    model = MultiHead(small(), {"intent": 2}, dropout=0.0).eval()
    tokenizer = build_tokenizer(small())
    mean, tokens, _ = encode(model, tokenizer, texts)
    for i in (0, 1, 5, len(texts) - 1):
        alone, own, _ = encode(model, tokenizer, [texts[i]])
        assert torch.allclose(mean[i], alone[0], atol=1e-4)
        assert torch.allclose(tokens[i, : own.shape[1]], own[0], atol=1e-3)
