"""An encoder of one narrow layer with real pieces and random weights: a step of it takes milliseconds."""

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_weights import EncoderWeights
from tests.runtime.encoders import small, write_e5

HIDDEN, INNER, POSITIONS = 32, 48, 64


@cache
def narrow() -> EncoderWeights:
    """The encoder, with 20,000 pieces of e5 and no mask."""
    draw, taken = np.random.default_rng(5), small()
    sizes = {taken.hidden: HIDDEN, taken.intermediate: INNER, taken.positions: POSITIONS}
    tensors = {}
    for name, array in taken.tensors.items():
        if name.startswith("encoder.layer.1."):
            continue
        shape = [sizes.get(n, n) for n in array.shape]
        plain = np.ones(shape) if "LayerNorm.weight" in name else draw.normal(0, 0.05, shape)
        tensors[name] = plain.astype(np.float32)
    return replace(
        taken, tensors=tensors, layers=1, hidden=HIDDEN, heads=2, intermediate=INNER, positions=POSITIONS
    )  # fmt: skip


def narrow_catalogue(folder: Path) -> Catalogue:
    """A catalogue whose ``narrow`` is a file of `narrow()` below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "narrow.bin"
    write_e5(path, narrow())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = f"- name: narrow\n  role: encoder\n  licence: MIT\n  sha256: {digest}\n  size: {path.stat().st_size}\n"
    (folder / "models.yaml").write_text(entry + "  source: {kind: path, path: narrow.bin}\n", "utf-8")
    return Catalogue(folder)
