"""An encoder with its vocabulary in one safetensors file: what pre-training writes, and what can be a base in its turn. Other
formats are read by modules of their own.

The tensors have transformers' names; the vocabulary (pieces with log probabilities, special ids) and what no shape tells
stand in the file's metadata. Knows nothing about training, or about the other files of an artefact.
"""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from openteller.core.errors import ModelUnavailable
from openteller.runtime.e5_weights import read_e5
from openteller.runtime.encoder_weights import EncoderWeights, first_layers, keep_scripts
from openteller.runtime.hugging_face import read_layout

EXTENSION = ".safetensors"
_ENTRY = "openteller.encoder"


def read_encoder(path: Path) -> EncoderWeights:
    """The encoder at `path`: a safetensors file of pre-training, one in Hugging Face layout, or e5 as its package has it.

    Raises:
        ModelUnavailable: the file is missing, damaged or of another format.
    """
    if path.suffix != EXTENSION:
        return read_e5(path)
    try:
        with safe_open(path, "np") as file:
            noted = (file.metadata() or {}).get(_ENTRY)
            if noted is None:
                return read_layout(path)
            noted = json.loads(noted)
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118 - no mapping
        noted["pieces"] = [(str(piece), float(score)) for piece, score in noted["pieces"]]
        return EncoderWeights(tensors=tensors, **noted)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            f"The encoder weights at {path.name} cannot be read.",
            cause=f"The file is missing, cut short, or no encoder ({error}).",
            next_step="Restore its folder: fetch it again, or pre-train it again with its recipe.",
        ) from error


def load_backbone(path: Path, layers: int = 0) -> EncoderWeights:
    """The encoder at `path` with its vocabulary trimmed to Chinese and English; its first `layers` only, 0: all."""
    weights = keep_scripts(read_encoder(path))
    return first_layers(weights, layers) if layers else weights


def write_encoder(weights: EncoderWeights, path: Path) -> None:
    """Write `weights` so that `read_encoder` and, with a config.json beside it, transformers read them."""
    noted = {f.name: getattr(weights, f.name) for f in fields(weights) if f.name != "tensors"}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in weights.tensors.items()}
    save_file(arrays, path, metadata={"format": "pt", _ENTRY: json.dumps(noted, ensure_ascii=False)})
