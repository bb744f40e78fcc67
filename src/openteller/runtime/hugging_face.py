"""Reads an encoder of the BERT family from a folder in Hugging Face layout: config.json, model.safetensors, tokenizer.

BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA and DistilBERT are one architecture (Devlin et al. 2019) under several names
of tensors; here all take BERT's names. RoBERTa counts positions from the padding's id on: the rows before are left out, so
that position 0 is the first token's. Knows nothing about training, graphs or where the folder comes from.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from tokenizers import BertWordPieceTokenizer, Tokenizer

from openteller.core.errors import ModelUnavailable
from openteller.runtime.encoder_weights import EncoderWeights

CONFIG, TOKENIZER, VOCABULARY = "config.json", "tokenizer.json", "vocab.txt"
#: what may stand beside the weights and is read with them
COMPANIONS = (
    CONFIG,
    TOKENIZER,
    VOCABULARY,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
)

_ROBERTA = frozenset({"roberta", "xlm-roberta", "camembert"})
FAMILY = frozenset({"bert", "electra", "distilbert", *_ROBERTA})
_DISTILBERT = {
    "attention.q_lin": "attention.self.query",
    "attention.k_lin": "attention.self.key",
    "attention.v_lin": "attention.self.value",
    "attention.out_lin": "attention.output.dense",
    "sa_layer_norm": "attention.output.LayerNorm",
    "ffn.lin1": "intermediate.dense",
    "ffn.lin2": "output.dense",
    "output_layer_norm": "output.LayerNorm",
}
_SPECIAL = {
    "bos": ("[CLS]", "<s>"),
    "eos": ("[SEP]", "</s>"),
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "mask": ("[MASK]", "<mask>"),
}
_TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")
_KEPT = re.compile(r"(embeddings\.|encoder\.layer\.\d+\.).*\.(weight|bias)")


def read_layout(path: Path) -> EncoderWeights:
    """The encoder whose weights are at `path`, with what stands beside them.

    Raises:
        ModelUnavailable: a file is missing or damaged, or the architecture is of another family.
    """
    folder = path.parent
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        _require_family(config)
        tensors = _positions_from_zero(_tensors(path, config), config)
        tokenizer = _tokenizer(folder)
        pieces = _unigram(tokenizer)
        return EncoderWeights(
            tensors=tensors,
            pieces=pieces,
            special=_special_ids(tokenizer),
            layers=int(_any(config, "num_hidden_layers", "n_layers")),
            hidden=int(_any(config, "hidden_size", "dim")),
            heads=int(_any(config, "num_attention_heads", "n_heads")),
            intermediate=int(_any(config, "intermediate_size", "hidden_dim")),
            positions=len(tensors["embeddings.position_embeddings.weight"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            tokenizer="" if pieces else tokenizer.to_str(),
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            f"The encoder in {folder} cannot be read.",
            cause=f"A file is missing, damaged or of another architecture ({type(error).__name__}: {error}).",
            next_step=f"It needs {CONFIG}, model.safetensors, and {TOKENIZER} or {VOCABULARY}. Load it with transformers "
            "and write it with save_pretrained where it has other files.",
        ) from error


def is_encoder(config: Mapping[str, Any]) -> bool:
    """Whether a config.json describes an encoder that can be read here."""
    return config.get("model_type") in FAMILY and not config.get("is_decoder", False)


def _require_family(config: Mapping[str, Any]) -> None:
    if not is_encoder(config):
        raise ValueError(f"model_type is {config.get('model_type')!r}; known are {', '.join(sorted(FAMILY))}")
    act = config.get("hidden_act", config.get("activation", "gelu"))
    if act != "gelu":
        raise ValueError(f"its activation is {act!r}; known is 'gelu'")
    if (kind := config.get("position_embedding_type", "absolute")) != "absolute":
        raise ValueError(f"its positions are {kind!r}; known is 'absolute'")
    if config.get("embedding_size", config.get("hidden_size")) != config.get("hidden_size"):
        raise ValueError("its embeddings are of another size than its layers")


def _any(config: Mapping[str, Any], *names: str) -> Any:
    """What `config` has under the first of `names` that it knows."""
    return config[next((name for name in names if name in config), names[0])]


def _tensors(path: Path, config: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    found = {}
    with safe_open(path, "np") as file:
        for name in file.keys():  # noqa: SIM118 - no mapping
            if _KEPT.fullmatch(ours := _name(name)):
                found[ours] = file.get_tensor(name).astype(np.float32)
    types = "embeddings.token_type_embeddings.weight"
    if types not in found:  # DistilBERT has none
        found[types] = np.zeros((1, int(_any(config, "hidden_size", "dim"))), np.float32)
    layers = int(_any(config, "num_hidden_layers", "n_layers"))
    wanted = {f"embeddings.{table}.weight" for table in _TABLES} | {
        f"encoder.layer.{layer}.{part}.{side}"
        for layer in range(layers)
        for part in _DISTILBERT.values()
        for side in ("weight", "bias")
    }
    if missing := sorted(wanted - found.keys()):
        raise ValueError(f"{len(missing)} tensors are missing, such as {missing[0]}")
    return found


def _name(name: str) -> str:
    """BERT's name of a tensor of the family."""
    for prefix in ("bert.", "roberta.", "electra.", "distilbert.", "camembert.", "model."):
        name = name.removeprefix(prefix)
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    if match := re.fullmatch(r"transformer\.layer\.(\d+)\.(.+)\.(weight|bias)", name):
        layer, part, side = match.groups()
        return f"encoder.layer.{layer}.{_DISTILBERT.get(part, part)}.{side}"
    return name


def _positions_from_zero(
    tensors: dict[str, NDArray[np.float32]], config: Mapping[str, Any]
) -> dict[str, NDArray[np.float32]]:
    if config["model_type"] not in _ROBERTA:
        return tensors
    name = "embeddings.position_embeddings.weight"
    return tensors | {name: tensors[name][int(config.get("pad_token_id", 1)) + 1 :]}


def _tokenizer(folder: Path) -> Tokenizer:
    if (folder / TOKENIZER).is_file():
        return _from_file(folder / TOKENIZER)
    if not (folder / VOCABULARY).is_file():
        raise ValueError(f"it has neither {TOKENIZER} nor {VOCABULARY}")
    settings_path = folder / "tokenizer_config.json"
    settings = json.loads(settings_path.read_text(encoding="utf-8")) if settings_path.is_file() else {}
    pieces = (folder / VOCABULARY).read_text(encoding="utf-8").splitlines()
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    made = BertWordPieceTokenizer(vocabulary, lowercase=bool(settings.get("do_lower_case", True)))
    return Tokenizer.from_str(made.to_str())


def _from_file(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    # The library raises bare Exception for a file that it cannot read.
    except Exception as error:
        raise ValueError(f"{path.name}: {error}") from error


def _unigram(tokenizer: Tokenizer) -> list[tuple[str, float]]:
    """The pieces of a unigram vocabulary with their log probabilities; none of another kind."""
    model = json.loads(tokenizer.to_str())["model"]
    return [(str(piece), float(score)) for piece, score in model["vocab"]] if model.get("type") == "Unigram" else []


def _special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    ids = {}
    for role, names in _SPECIAL.items():
        found = next((i for name in names if (i := tokenizer.token_to_id(name)) is not None), None)
        if found is not None:
            ids[role] = found
        elif role != "mask":
            raise ValueError(f"its tokenizer has none of {', '.join(names)}")
    return ids
