"""A decoder of two layers as a GGUF file, with a tokenizer of bytes and a few marks: made in a moment, read by all."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from openteller.runtime.catalogue import Catalogue
from openteller.training.tuning import Places

HIDDEN, INNER, LAYERS, HEADS, KEYS = 64, 96, 2, 4, 2
_SPECIAL = ["<unk>", "<s>", "</s>"]
TURNS = ["<start_of_turn>", "<end_of_turn>"]


def write_tiny(path: Path, *, turns: bool = True) -> Path:
    """Write the file; with Gemma's turn tokens unless told otherwise. Two query heads share a key head."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEYS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(10000.0)
    tokens = _vocabulary(gguf, writer, TURNS if turns else [])
    draw = np.random.default_rng(7)
    for name, shape in _shapes(tokens):
        array = np.ones(shape) if name.endswith("norm.weight") else draw.normal(0, 0.15, shape)
        writer.add_tensor(name, array.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary(gguf: Any, writer: Any, turns: list[str]) -> int:
    kind = gguf.TokenType
    letters = [chr(c) for c in range(33, 127)]
    tokens = [*_SPECIAL, *turns, *[f"<0x{b:02X}>" for b in range(256)], "▁", *letters]
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.CONTROL] * len(turns), *[kind.BYTE] * 256]
    types += [kind.NORMAL] * (1 + len(letters))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    return len(tokens)


def _shapes(tokens: int) -> list[tuple[str, tuple[int, ...]]]:
    narrow = HIDDEN * KEYS // HEADS
    layer = {
        "attn_norm": (HIDDEN,), "attn_q": (HIDDEN, HIDDEN), "attn_k": (narrow, HIDDEN), "attn_v": (narrow, HIDDEN),
        "attn_output": (HIDDEN, HIDDEN), "ffn_norm": (HIDDEN,), "ffn_gate": (INNER, HIDDEN), "ffn_up": (INNER, HIDDEN),
        "ffn_down": (HIDDEN, INNER),
    }  # fmt: skip
    layers = [(f"blk.{i}.{name}.weight", shape) for i in range(LAYERS) for name, shape in layer.items()]
    return [("token_embd.weight", (tokens, HIDDEN)), *layers, ("output_norm.weight", (HIDDEN,))]


def tiny_catalogue(data_dir: Path) -> Catalogue:
    """A catalogue whose ``tiny`` is the file, below `data_dir`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = write_tiny(data_dir / "tiny.gguf")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = (
        f"- name: tiny\n  role: generator\n  licence: Apache-2.0\n  sha256: {digest}\n  size: {path.stat().st_size}\n"
    )
    (data_dir / "models.yaml").write_text(entry + "  source: {kind: path, path: tiny.gguf}\n", "utf-8")
    return Catalogue(data_dir)


def places(catalogue: Catalogue, data_dir: Path, name: str = "tiny") -> Places:
    """Where a run on the weights called `name` finds things."""
    return Places(catalogue.locate(name), catalogue.locate(catalogue.origin(name)), data_dir / "cache")
