"""Encoders in Hugging Face layout: read as transformers reads them, and refused with a reason where they cannot be."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel

from openteller.core.errors import ModelUnavailable, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone, read_encoder
from openteller.runtime.encoder_graph import build_encoder
from openteller.runtime.hugging_face import read_layout
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.backbone import as_torch

TEXTS = ["I lost my card", "银行卡丢了", "what is the rate on a one year deposit, please"]
_LETTERS = sorted({c for text in TEXTS for c in text.lower() if not c.isspace()})
_SIZE: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def _word_piece() -> Tokenizer:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{c}" for c in _LETTERS)]
    made = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def _unigram() -> Tokenizer:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *_LETTERS, *(f"▁{c}" for c in _LETTERS), "ж", "<mask>"]
    made = Tokenizer(models.Unigram([(p, -float(i) / 10) for i, p in enumerate(pieces)], unk_id=3))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def _bpe() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *alphabet, "<mask>"]
    made = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


_DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
FAMILY: dict[str, tuple[Callable[[], Tokenizer], dict[str, Any]]] = {
    "Bert": (_word_piece, _SIZE),
    "Electra": (_word_piece, _SIZE | {"embedding_size": 32}),
    "DistilBert": (_word_piece, _DISTIL),
    "Roberta": (_bpe, _SIZE | {"pad_token_id": 1}),
    "XLMRoberta": (_unigram, _SIZE | {"pad_token_id": 1}),
}


def write(folder: Path, kind: str = "Bert", **changes: Any) -> Path:
    """A small model of `kind` with random weights, as transformers writes it; the path of its weights."""
    torch.manual_seed(5)
    made, size = FAMILY[kind]
    tokenizer = made()
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=80, **(size | changes)
    )
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "model.safetensors"


@pytest.mark.parametrize("kind", FAMILY)
def test_vectors_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    weights = read_encoder(path)
    tokenizer = build_tokenizer(weights)
    encodings = tokenizer.encode_batch(TEXTS)
    batch = {
        "input_ids": torch.tensor([e.ids for e in encodings]),
        "attention_mask": torch.tensor([e.attention_mask for e in encodings]),
    }
    theirs, ours = AutoModel.from_pretrained(tmp_path).eval(), as_torch(weights, 0.0).eval()
    with torch.no_grad():
        wanted, found = theirs(**batch).last_hidden_state, ours(**batch).last_hidden_state
    kept = batch["attention_mask"].bool()
    assert kept.sum() < kept.numel(), "no text was padded"
    torch.testing.assert_close(found[kept], wanted[kept], atol=1e-5, rtol=1e-4)

    import onnxruntime

    build_encoder(weights, {}, tmp_path / "encoder.onnx", int8=False)
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    (served,) = session.run(["embedding"], {name: tensor.numpy().astype(np.int64) for name, tensor in batch.items()})
    mask = batch["attention_mask"].unsqueeze(-1)
    mean = torch.nn.functional.normalize((wanted * mask).sum(1) / mask.sum(1), dim=1)
    np.testing.assert_allclose(served, mean.numpy(), atol=1e-5)


def test_a_unigram_vocabulary_is_trimmed_and_another_stays_whole(tmp_path: Path) -> None:
    trimmed = load_backbone(write(tmp_path / "x", "XLMRoberta"))
    assert "ж" not in dict(trimmed.pieces)
    assert len(trimmed.pieces) == len(trimmed.tensors["embeddings.word_embeddings.weight"])
    whole = load_backbone(write(tmp_path / "b", "Bert"))
    assert whole.tokenizer
    assert len(whole.tensors["embeddings.word_embeddings.weight"]) == _word_piece().get_vocab_size()


def test_a_vocabulary_file_is_enough(tmp_path: Path) -> None:
    path = write(tmp_path)
    pieces = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("\n".join(sorted(pieces, key=pieces.__getitem__)) + "\n", encoding="utf-8")
    found = [build_tokenizer(read_layout(path)).encode(text).tokens for text in TEXTS]
    assert found == [_word_piece().encode(text).tokens for text in TEXTS]


def test_old_names_of_layer_norms_and_half_precision(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = write(tmp_path)
    before = read_layout(path).tensors
    old = {
        f"bert.{n}".replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): t.bfloat16()
        for n, t in load_file(path).items()
    }
    save_file(old, path)
    after = read_layout(path).tensors
    assert after.keys() >= {n for n in before if not n.startswith("pooler")}
    for name, array in after.items():
        np.testing.assert_allclose(array, before[name], atol=0.02, rtol=0.01)


def test_no_text_is_longer_than_the_positions(tmp_path: Path) -> None:
    weights = read_layout(write(tmp_path))
    assert len(build_tokenizer(weights, 256).encode("a " * 500).ids) == weights.positions == 80


def _config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: _config(f, model_type="deberta-v2"), "deberta-v2"),
        (lambda f: _config(f, hidden_act="relu"), "relu"),
        (lambda f: _config(f, position_embedding_type="relative_key"), "relative_key"),
        (lambda f: _config(f, num_hidden_layers=3), "encoder.layer.2"),
        (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json"),
        (lambda f: (f / "tokenizer.json").write_text("{"), "tokenizer.json"),
        (lambda f: (f / "config.json").write_text("{"), "Expecting"),
        (lambda f: os.truncate(f / "model.safetensors", 999), "cut short"),
    ],
    ids=[
        "family",
        "activation",
        "positions",
        "layers",
        "no tokenizer",
        "broken tokenizer",
        "broken config",
        "cut short",
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, spoil: Callable[[Path], Any], said: str) -> None:
    path = write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelUnavailable) as caught:
        read_encoder(path)
    assert said in str(caught.value.cause) + str(caught.value.next_step)


def test_the_packaged_english_encoder_knows_a_paraphrase(tmp_path: Path) -> None:
    weights = load_backbone(Catalogue(tmp_path).locate("all-minilm-l6-v2"))
    build_encoder(weights, {}, tmp_path / "encoder.onnx")
    import onnxruntime

    encodings = build_tokenizer(weights).encode_batch(
        ["i lost my card", "my card is missing", "what is the interest rate"]
    )
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    batch = {
        "input_ids": np.array([e.ids for e in encodings], np.int64),
        "attention_mask": np.array([e.attention_mask for e in encodings], np.int64),
    }
    (vectors,) = session.run(["embedding"], batch)
    assert vectors[0] @ vectors[1] > 0.6 > 0.4 > vectors[0] @ vectors[2]


def test_a_folder_is_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "My Model")
    (tmp_path / "My Model" / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# A model\n")
    catalogue = Catalogue(tmp_path)
    entry = catalogue.entry(str(path.parent))
    assert (entry.name, entry.role, entry.licence) == ("my-model", "encoder", "mit")
    assert catalogue.locate(str(path.parent)) == path.resolve()
    assert catalogue.origin(str(path.parent)) == str(path.parent)


def test_a_folder_that_changes_is_another_model(tmp_path: Path) -> None:
    path = write(tmp_path / "m")
    first = Catalogue(tmp_path).entry(str(path.parent)).sha256
    write(tmp_path / "m", num_hidden_layers=1)
    assert Catalogue(tmp_path).entry(str(path.parent)).sha256 != first


def test_a_folder_of_no_model_and_of_an_unknown_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no weights called"):
        Catalogue(tmp_path).entry(str(tmp_path))
    path = write(tmp_path / "m")
    _config(path.parent, model_type="bart", architectures=["BartModel"])
    with pytest.raises(ModelUnavailable, match="Nothing can be built"):
        Catalogue(tmp_path).entry(str(path.parent))
