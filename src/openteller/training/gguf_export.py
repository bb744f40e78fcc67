"""A trained decoder for llama.cpp: its LoRA matrices as an adapter beside the base's GGUF file, or the whole model.

Formats: ggml-org/ggml docs/gguf.md; adapters as llama.cpp convert_lora_to_gguf.py writes them (general.type adapter,
adapter.type lora, adapter.lora.alpha, `<tensor>.lora_a` (rank, in) and `<tensor>.lora_b` (out, rank)). llama.cpp keeps the
query and key rows of the architecture llama in another order, and adds one to Gemma's norms; so do we.
Tried with llama (SmolLM2) and gemma3. Knows nothing about training.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput, MissingDependency
from openteller.runtime.decoder_files import ADAPTER, MODEL
from openteller.training.datasets.records import require_choice
from openteller.training.decoders import Decoder, adapter_pairs, merged, save_decoder

GGUF = ".gguf"
CHOICES = ("auto", "none", "adapter", "model")
_REORDERED = frozenset({"llama"})
_SHIFTED = frozenset({"gemma3"})
_KNOWN = _REORDERED | _SHIFTED | {"qwen2", "qwen3"}
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Export:
    """How a decoder is written.

    base: the file that training began with, directly or through other artefacts: GGUF, or safetensors.
    direct: training began with that file itself, so that an adapter fits it.
    adapter: whether LoRA matrices hold all that was trained.
    gguf: none, adapter, model, or auto: an adapter where it fits, else the model, and none where the base is no GGUF file.
    alpha: of the LoRA matrices.
    """

    base: Path
    direct: bool
    adapter: bool
    gguf: str
    alpha: float

    def check(self) -> None:
        """Refuse before training what could not be written after it. Raises BadInput or MissingDependency."""
        require_choice("gguf", self.gguf, CHOICES)
        if self.gguf == "adapter" and not (self.adapter and self.direct and self.base.suffix == GGUF):
            raise BadInput(
                "The model cannot be written as an adapter of the catalogue's GGUF file.",
                cause="Adapters hold LoRA matrices alone, trained on that very file.",
                next_step="Use adapter: lora with a frozen vocabulary and such weights, or gguf: model.",
            )
        if self.kind == "model" and self.base.suffix != GGUF:
            raise BadInput(
                "The model cannot be written for llama.cpp.",
                cause="The weights it is built on are no GGUF file.",
                next_step="Set gguf: none, and convert the artefact with llama.cpp's convert_hf_to_gguf.py.",
            )
        if self.kind != "none":
            _architecture(self.base)

    @property
    def kind(self) -> str:
        """adapter, model or none: what `gguf` comes to."""
        if self.gguf != "auto":
            return self.gguf
        if self.base.suffix != GGUF:
            return "none"
        return "adapter" if self.adapter and self.direct else "model"

    def write(self, model: Any, tokenizer: Any, folder: Path) -> dict[str, Any]:
        """Write the model, adapters merged, in Hugging Face layout, and for llama.cpp; what was written of the latter."""
        kind = self.kind
        if kind == "adapter":
            write_adapter(self.base, adapter_pairs(model), self.alpha, folder / ADAPTER)
        plain = merged(model)
        save_decoder(Decoder(plain, tokenizer), folder)
        if kind == "model":
            write_model(self.base, plain.state_dict(), tokenizer.chat_template, folder / MODEL)
        return {"gguf": kind}


def _architecture(base: Path) -> tuple[Any, str, int]:
    """(the package gguf, the architecture and its number of layers) of the file `base`."""
    try:
        import gguf
    except ImportError as error:
        raise MissingDependency(
            "GGUF files cannot be written.", cause=str(error), next_step='pip install "openteller[train]"'
        ) from error
    reader = gguf.GGUFReader(base)
    name = str(reader.fields["general.architecture"].contents())
    if name not in _KNOWN:
        raise BadInput(
            f"A model of the architecture {name} cannot be written for llama.cpp here.",
            next_step=f"Set gguf: none, and convert it with llama.cpp; known are {', '.join(sorted(_KNOWN))}.",
        )
    return gguf, name, int(reader.fields[f"{name}.block_count"].contents())


def _names(gguf: Any, architecture: str, layers: int) -> Any:
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    return gguf.get_tensor_name_map(kinds[architecture], layers)


def write_adapter(base: Path, pairs: Iterable[tuple[str, Any, Any]], alpha: float, path: Path) -> None:
    """Write LoRA matrices as an adapter of the model in `base`.

    Args:
        base: the GGUF file of the model that they were trained on.
        pairs: (layer, lora_A (rank, in), lora_B (out, rank)) of each adapted layer, by transformers' names.
        alpha: llama.cpp adds alpha / rank times their product.
        path: the file to write.
    """
    gguf, architecture, layers = _architecture(base)
    names, heads = _names(gguf, architecture, layers), _heads(gguf, base, architecture)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(alpha))
    for layer, down, up in pairs:
        name = names.get_name(layer)
        if name is None:
            raise BadInput(f"llama.cpp knows no layer {layer} in {architecture}.", next_step="Use gguf: model.")
        writer.add_tensor(f"{name}.weight.lora_a", np.ascontiguousarray(down.float().cpu().numpy()))
        writer.add_tensor(
            f"{name}.weight.lora_b", _rows(f"{name}.weight", up.float().cpu().numpy(), architecture, heads)
        )
    _finish(writer)


def write_model(base: Path, state: dict[str, Any], template: str | None, path: Path) -> None:
    """Write a whole model as 8-bit blocks (Q8_0; vectors as float32), all else as in `base`.

    Args:
        base: a GGUF file of the same shapes, whose tokenizer and settings are copied.
        state: the model's tensors by transformers' names.
        template: the chat template; None keeps that of `base`, if it has one.
        path: the file to write.
    """
    gguf, architecture, layers = _architecture(base)
    names, heads = _names(gguf, architecture, layers), _heads(gguf, base, architecture)
    found = {names.get_name(name, try_suffixes=(".weight", ".bias")): tensor for name, tensor in state.items()}
    reader, writer = gguf.GGUFReader(base), gguf.GGUFWriter(path, architecture)
    for field in reader.fields.values():
        _copy(gguf, writer, field, template)
    if template:
        writer.add_chat_template(template)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for tensor in reader.tensors:
        name = str(tensor.name)
        array = _rows(name, _floats(found, name), architecture, heads)
        if architecture in _SHIFTED and name.endswith("norm.weight"):
            array = array + 1
        blocks = array.ndim == 2 and array.shape[1] % 32 == 0
        kind = gguf.GGMLQuantizationType.Q8_0 if blocks else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(array, kind) if blocks else array, raw_dtype=kind)
    _finish(writer)


def _floats(found: dict[Any, Any], name: str) -> Array:
    if name not in found:
        raise BadInput(f"The trained model has no tensor {name}.", next_step="Name the weights it was trained from.")
    array: Array = np.ascontiguousarray(found[name].detach().float().cpu().numpy())
    return array


def _copy(gguf: Any, writer: Any, field: Any, template: str | None) -> None:
    replaced = {"general.architecture", "general.file_type", *(["tokenizer.chat_template"] if template else [])}
    if field.name.startswith("GGUF.") or field.name in replaced:
        return
    kind = field.types[0]
    inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
    writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)


def _heads(gguf: Any, base: Path, architecture: str) -> tuple[int, int]:
    """Query heads and key heads."""
    fields = gguf.GGUFReader(base).fields
    queries = int(fields[f"{architecture}.attention.head_count"].contents())
    keys = fields.get(f"{architecture}.attention.head_count_kv")
    return queries, int(keys.contents()) if keys else queries


def _rows(name: str, array: Array, architecture: str, heads: tuple[int, int]) -> Array:
    """The rows of a query or key matrix in llama.cpp's order: the halves of each head interleaved."""
    count = heads[0] if ".attn_q.weight" in name else heads[1] if ".attn_k.weight" in name else 0
    if not count or architecture not in _REORDERED:
        return np.ascontiguousarray(array)
    split = array.reshape(count, 2, array.shape[0] // count // 2, *array.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(array.shape))


def _finish(writer: Any) -> None:
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
