"""Whisper's weights between CTranslate2's file and transformers' module (Radford et al. 2022).

CTranslate2 stacks query, key and value into one matrix and names layers by number; transformers keeps them apart, gives the
key no bias, and ties the output to the embedding. Everything else is the same number under another name. Reads the layout
that the package writes for a WhisperSpec: names, shapes and float arrays, one after another. Knows nothing about audio.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from openteller.core.errors import ModelUnavailable

SPEC, VERSION = "WhisperSpec", 6
_TYPES: Mapping[int, str] = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
# The least that a model's sizes are told by.
_EMBEDDING, _POSITIONS, _CONVOLUTION = (
    "decoder/embeddings/weight",
    "encoder/position_encodings/encodings",
    "encoder/conv1",
)
Arrays = dict[str, NDArray[Any]]


def read_arrays(path: Path) -> Arrays:
    """Every variable of a CTranslate2 model by its name; those that point at another stand under both names.

    Raises:
        ModelUnavailable: the file is damaged, quantised, or of another model than Whisper.
    """
    try:
        with path.open("rb") as file:
            return _arrays(file)
    except (OSError, struct.error, UnicodeDecodeError, ValueError, KeyError) as error:
        raise ModelUnavailable(
            f"The speech model {path} cannot be trained on.",
            cause=f"It is damaged, quantised, or no Whisper of CTranslate2 ({error}).",
            next_step="Name whisper-base of the catalogue, a float16 conversion, or a folder in Hugging Face layout.",
        ) from error


def _arrays(file: IO[bytes]) -> Arrays:
    version, spec = _number(file, "<I"), _text(file)
    _number(file, "<I")  # revision
    if (version, spec) != (VERSION, SPEC):
        raise ValueError(f"it is {spec} in version {version} of the format")
    found: Arrays = {}
    for _ in range(_number(file, "<I")):
        name = _text(file)
        shape = [_number(file, "<I") for _ in range(_number(file, "<B"))]
        kind, size = _number(file, "<B"), _number(file, "<I")
        found[name] = np.frombuffer(_exactly(file, size), _TYPES[kind]).reshape(shape)
    for _ in range(_number(file, "<I")):
        alias = _text(file)
        found[alias] = found[_text(file)]
    return found


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it is cut short")
    return data


def _number(file: IO[bytes], kind: str) -> int:
    return int(struct.unpack(kind, _exactly(file, struct.calcsize(kind)))[0])


def _text(file: IO[bytes]) -> str:
    return _exactly(file, _number(file, "<H"))[:-1].decode()


def state_of(arrays: Arrays) -> dict[str, Tensor]:
    """The state of transformers' WhisperForConditionalGeneration that has these weights, float32.

    Raises KeyError or ValueError when a variable is missing or is no float.
    """
    state: dict[str, Tensor] = {}
    for side in ("encoder", "decoder"):
        ours = f"model.{side}"
        _norm(arrays, state, f"{side}/layer_norm", f"{ours}.layer_norm")
        state[f"{ours}.embed_positions.weight"] = _float(arrays, f"{side}/position_encodings/encodings")
        for layer in range(layers_of(arrays, side)):
            _layer(arrays, state, f"{side}/layer_{layer}", f"{ours}.layers.{layer}")
    for part in ("conv1", "conv2"):
        _linear(arrays, state, f"encoder/{part}", f"model.encoder.{part}")
    state["model.decoder.embed_tokens.weight"] = _float(arrays, _EMBEDDING)
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    return state


def _layer(arrays: Arrays, state: dict[str, Tensor], theirs: str, ours: str) -> None:
    _norm(arrays, state, f"{theirs}/self_attention/layer_norm", f"{ours}.self_attn_layer_norm")
    _fused(arrays, state, f"{theirs}/self_attention/linear_0", f"{ours}.self_attn", "qkv")
    _linear(arrays, state, f"{theirs}/self_attention/linear_1", f"{ours}.self_attn.out_proj")
    if f"{theirs}/attention/linear_0/weight" in arrays:
        _norm(arrays, state, f"{theirs}/attention/layer_norm", f"{ours}.encoder_attn_layer_norm")
        _fused(arrays, state, f"{theirs}/attention/linear_0", f"{ours}.encoder_attn", "q")
        _fused(arrays, state, f"{theirs}/attention/linear_1", f"{ours}.encoder_attn", "kv")
        _linear(arrays, state, f"{theirs}/attention/linear_2", f"{ours}.encoder_attn.out_proj")
    _norm(arrays, state, f"{theirs}/ffn/layer_norm", f"{ours}.final_layer_norm")
    _linear(arrays, state, f"{theirs}/ffn/linear_0", f"{ours}.fc1")
    _linear(arrays, state, f"{theirs}/ffn/linear_1", f"{ours}.fc2")


def _fused(arrays: Arrays, state: dict[str, Tensor], theirs: str, ours: str, parts: str) -> None:
    """Projections that stand on top of each other, one for each letter of `parts`; the key's bias is zero by design."""
    weights = _float(arrays, f"{theirs}/weight").chunk(len(parts))
    biases = _float(arrays, f"{theirs}/bias").chunk(len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        state[f"{ours}.{part}_proj.weight"] = weight.clone()
        if part != "k":
            state[f"{ours}.{part}_proj.bias"] = bias.clone()


def _linear(arrays: Arrays, state: dict[str, Tensor], theirs: str, ours: str) -> None:
    for side in ("weight", "bias"):
        state[f"{ours}.{side}"] = _float(arrays, f"{theirs}/{side}")


def _norm(arrays: Arrays, state: dict[str, Tensor], theirs: str, ours: str) -> None:
    state[f"{ours}.weight"] = _float(arrays, f"{theirs}/gamma")
    state[f"{ours}.bias"] = _float(arrays, f"{theirs}/beta")


def _float(arrays: Arrays, name: str) -> Tensor:
    array = arrays[name]
    if array.dtype.kind != "f":
        raise ValueError(f"{name} is quantised to {array.dtype}")
    return torch.from_numpy(array.astype(np.float32))


def layers_of(arrays: Arrays, side: str) -> int:
    """How many layers the encoder or the decoder has."""
    return len(
        {
            name.split("/")[1]
            for name in arrays
            if name.startswith(f"{side}/layer_") and name.split("/")[1] != "layer_norm"
        }
    )


def config_of(arrays: Arrays) -> WhisperConfig:
    """The configuration that the shapes tell; special tokens are those of the multilingual vocabulary."""
    vocabulary, hidden = arrays[_EMBEDDING].shape
    heads = int(arrays["encoder/num_heads"])
    wide = len(arrays["encoder/layer_0/ffn/linear_0/bias"])
    return WhisperConfig(
        vocab_size=vocabulary, d_model=hidden, num_mel_bins=arrays[f"{_CONVOLUTION}/weight"].shape[1],
        encoder_layers=layers_of(arrays, "encoder"), decoder_layers=layers_of(arrays, "decoder"),
        encoder_attention_heads=heads, decoder_attention_heads=int(arrays["decoder/num_heads"]),
        encoder_ffn_dim=wide, decoder_ffn_dim=wide, max_source_positions=len(arrays[_POSITIONS]),
        max_target_positions=len(arrays["decoder/position_encodings/encodings"]),
        bos_token_id=50257, eos_token_id=50257, pad_token_id=50257, decoder_start_token_id=50258,
    )  # fmt: skip


def from_ctranslate2(path: Path, config: Path) -> WhisperForConditionalGeneration:
    """The module with the weights of ``model.bin`` at `path`, and what its ``config.json`` says about generating.

    Raises:
        ModelUnavailable: a file is missing, damaged, or of another model.
    """
    arrays = read_arrays(path)
    try:
        model = WhisperForConditionalGeneration(config_of(arrays))
        model.load_state_dict(state_of(arrays))
        model.generation_config = _generation(json.loads(config.read_text(encoding="utf-8")))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise ModelUnavailable(
            f"The speech model {path} cannot be trained on.",
            cause=f"A variable is missing or of another shape ({str(error)[:300]}).",
            next_step="Name whisper-base of the catalogue, a float16 conversion, or a folder in Hugging Face layout.",
        ) from error
    return model


def _generation(config: Mapping[str, Any]) -> GenerationConfig:
    """The tokens that must not come, the languages, and the heads that know the time, as transformers notes them."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        suppress_tokens=config["suppress_ids"],
        begin_suppress_tokens=config["suppress_ids_begin"],
        alignment_heads=config["alignment_heads"],
        lang_to_id={str(i): i for i in config["lang_ids"]},
    )
