"""Encoders in Hugging Face layout as a base: fine-tuned, pre-trained, exported and served like the one that ships."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer, BertModel

from openteller.core.errors import BadInput
from openteller.registry.manifest import read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.exported import open_exported
from openteller.runtime.loader import load_encoder
from openteller.runtime.onnx_backend import EncoderClassifier
from openteller.training.exporting.export import export
from openteller.training.finetune import finetune
from openteller.training.pretraining.pretrain import PretrainRecipe, pretrain
from openteller.training.trained import open_trained
from openteller.training.tuning import Places
from tests.runtime.test_hugging_face import TEXTS
from tests.runtime.test_hugging_face import write as write_model
from tests.training.test_finetune import RECIPE, quiet, write

PLACES = (
    "paris",
    "rome",
    "oslo",
    "a shop",
    "a bank",
    "the train",
    "school",
    "a hotel",
    "the sea",
    "a plane",
    "a car",
    "a pub",
)
LINES: list[dict[str, object]] = [{"text": f"i lost it in {place}", "label": "lost"} for place in PLACES] + [
    {"text": f"{place} what is the rate", "label": "rate"} for place in PLACES
]


@pytest.mark.parametrize(
    ("kind", "changes"), [("Bert", {"adapter": "lora", "learning_rate": 1e-2}), ("Roberta", {}), ("XLMRoberta", {})]
)
def test_what_is_trained_on_one_serves(tmp_path: Path, kind: str, changes: dict[str, object]) -> None:
    base, catalogue = str(write_model(tmp_path / "base", kind).parent), Catalogue(tmp_path / "data")
    write(tmp_path / "toy.jsonl", LINES)
    recipe = replace(RECIPE, **{"weights": base, "epochs": 12, "learning_rate": 5e-3} | changes)  # type: ignore[arg-type]
    finetune(recipe, tmp_path.joinpath, catalogue.locate(base), tmp_path / "artefact", quiet)
    assert read_manifest(tmp_path / "artefact").base == base
    encoder, manifest = load_encoder(tmp_path / "artefact", catalogue, tmp_path / "data")
    classifier = EncoderClassifier(encoder, "label", manifest.temperatures["label"])
    found = classifier.classify(["I lost it in Lima", "what is the rate"])
    assert [scores[0].label for scores in found] == ["lost", "rate"]

    model = open_trained(tmp_path / "artefact", catalogue)
    folder = export(model, tmp_path / "out", ("fp32",), [str(line["text"]) for line in LINES], quiet).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(TEXTS[0].lower(), return_tensors="pt")
    assert batch["input_ids"][0].tolist() == model.tokens(TEXTS[0]).ids
    bert = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    hidden = bert(input_ids=batch["input_ids"]).last_hidden_state.mean(1)[0].detach().numpy()
    expected = open_exported(folder)[0].encode([TEXTS[0]]).embedding[0]
    assert float(hidden @ expected / np.linalg.norm(hidden)) == pytest.approx(1, abs=1e-4)


MLM = PretrainRecipe(
    name="domain", weights="", corpus=["toy.txt"], steps=60, batch_size=8, max_tokens=32, learning_rate=1e-2, evaluations=2,
    validation_share=0.2, threads=1, vocabulary="trained",
)  # fmt: skip


def _corpus(folder: Path) -> Path:
    lines = [f"what is the rate on a {n} year deposit in {place}" for place in PLACES for n in (1, 2, 5)]
    (folder / "toy.txt").write_text("\n\n".join(lines), "utf-8")
    return folder


@pytest.mark.parametrize("kind", ["Bert", "XLMRoberta"])
def test_pre_training_on_one_lowers_perplexity_and_gives_a_base(tmp_path: Path, kind: str) -> None:
    path = write_model(tmp_path / "base", kind)
    recipe = replace(MLM, weights=str(path.parent))
    places = Places(path, path, tmp_path / "cache")
    manifest = pretrain(recipe, _corpus(tmp_path).joinpath, places, tmp_path / "domain", quiet)
    assert manifest.metrics["perplexity"] < manifest.metrics["perplexity_before"]
    write(tmp_path / "toy.jsonl", LINES)
    catalogue, base = Catalogue(tmp_path / "data"), str(tmp_path / "domain")
    finetune(
        replace(RECIPE, weights=base, epochs=1), tmp_path.joinpath, catalogue.locate(base), tmp_path / "artefact", quiet
    )
    assert load_encoder(tmp_path / "artefact", catalogue, tmp_path / "data")[1].base == base


def test_words_cannot_be_added_to_a_vocabulary_of_another_kind(tmp_path: Path) -> None:
    path = write_model(tmp_path / "base")
    recipe = replace(MLM, weights=str(path.parent), add_words=5)
    with pytest.raises(BadInput, match="Words cannot be added"):
        pretrain(recipe, _corpus(tmp_path).joinpath, Places(path, path, tmp_path / "cache"), tmp_path / "out", quiet)
