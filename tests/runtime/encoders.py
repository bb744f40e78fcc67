"""Encoder files for tests: the real e5, and its first two layers with 20,000 of its pieces, which build in seconds."""

import hashlib
import struct
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from openteller.runtime.catalogue import Catalogue
from openteller.runtime.e5_weights import read_e5
from openteller.runtime.encoder_weights import EncoderWeights, keep_scripts
from tests.runtime.engines import weights

_LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}


@cache
def e5() -> EncoderWeights:
    """multilingual-e5-small as its package carries it."""
    return read_e5(weights("e5-small"))


@cache
def e5_zh_en() -> EncoderWeights:
    """The same with the vocabulary that serving keeps."""
    return keep_scripts(e5())


@cache
def small() -> EncoderWeights:
    """Two layers of e5 and the first 20,000 pieces that serving keeps."""
    whole = e5_zh_en()
    words = whole.tensors["embeddings.word_embeddings.weight"][:20_000]
    tensors = {n: t for n, t in whole.tensors.items() if not n.startswith("encoder.") or n.split(".")[2] in "01"}
    tensors["embeddings.word_embeddings.weight"] = words
    return replace(whole, tensors=tensors, pieces=whole.pieces[:20_000], layers=2)


def write_e5(path: Path, encoder: EncoderWeights) -> None:
    """Write `encoder` in the format that `read_e5` reads, all tensors as float32."""
    names = {"emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight"}
    names |= {"emb.type": "embeddings.token_type_embeddings.weight"}
    names |= {f"emb.ln.{part[0]}": f"embeddings.LayerNorm.{part}" for part in ("weight", "bias")}
    for layer in range(encoder.layers):
        for short, name in _LINEAR.items():
            for part in ("weight", "bias"):
                names[f"l{layer}.{short}.{part[0]}"] = f"encoder.layer.{layer}.{name}.{part}"
    arrays = {short: encoder.tensors[name] for short, name in names.items()}
    head = _header(encoder) + _vocabulary(encoder)
    at = len(head) + 4 + sum(2 + len(short) + struct.calcsize("<BIQQ") for short in arrays)
    directory = struct.pack("<i", len(arrays))
    for short, array in arrays.items():
        directory += struct.pack("<H", len(short)) + short.encode()
        directory += struct.pack("<BIQQ", 0, array.size, at, array.size * 4)
        at += array.size * 4
    path.write_bytes(head + directory + b"".join(a.astype("<f4").tobytes() for a in arrays.values()))


def _header(encoder: EncoderWeights) -> bytes:
    words = encoder.tensors["embeddings.word_embeddings.weight"]
    types = encoder.tensors["embeddings.token_type_embeddings.weight"]
    sizes = (encoder.hidden, encoder.layers, encoder.heads, encoder.intermediate, len(words), encoder.positions)
    return b"E5S1" + struct.pack("<I7ifi", 1, *sizes, len(types), encoder.epsilon, 0)


def _vocabulary(encoder: EncoderWeights) -> bytes:
    pieces = [piece.encode() for piece, _ in encoder.pieces]
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype("<u4")
    scores = np.array([score for _, score in encoder.pieces], "<f4")
    special = (encoder.special[name] for name in ("bos", "eos", "pad", "unk"))
    blob = b"".join(pieces)
    counts = struct.pack("<5iQ", len(pieces), *special, len(blob))
    return counts + starts.tobytes() + scores.tobytes() + blob + struct.pack("<iI", 0, 0)


def small_catalogue(data_dir: Path) -> Catalogue:
    """A catalogue whose ``small`` is a file of `small()` below `data_dir`."""
    path = data_dir / "small.bin"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        write_e5(path, small())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = f"- name: small\n  role: encoder\n  licence: MIT\n  sha256: {digest}\n  size: {path.stat().st_size}\n"
    (data_dir / "models.yaml").write_text(entry + "  source: {kind: path, path: small.bin}\n", "utf-8")
    return Catalogue(data_dir)
