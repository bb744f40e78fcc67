"""Opens a folder that `teller export` wrote: a model in ONNX files with its tokenizer, which needs neither torch nor base.

Knows nothing about how the folder was made.
"""

from pathlib import Path
from types import MappingProxyType
from typing import Literal

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import Manifest, read_manifest
from openteller.runtime.loader import TOKEN_HEADS
from openteller.runtime.onnx_backend import EncoderClassifier, OnnxEncoder

Precision = Literal["fp32", "int8"]
#: The model's file of each precision, below the folder; the one that is preferred comes last.
MODEL_FILES: MappingProxyType[str, str] = MappingProxyType({"fp32": "onnx/model.onnx", "int8": "onnx/model_int8.onnx"})
_CLASSIFYING = frozenset({"classification", "pair-classification"})


def open_exported(folder: Path, precision: Precision | None = None, threads: int = 1) -> tuple[OnnxEncoder, Manifest]:
    """The encoder with its heads in `folder`.

    Args:
        folder: holds the manifest, ``tokenizer.json`` and at least one model.
        precision: which model; None: int8 when it is there.
        threads: threads of one run.

    Raises:
        ModelUnavailable: it is no such folder, lacks that model, or a file is not the one that was written.
    """
    manifest = read_manifest(folder)
    found = [name for name, file in MODEL_FILES.items() if file in manifest.files]
    chosen = precision or (found[-1] if found else "int8")
    if chosen not in found:
        raise ModelUnavailable(
            f"{folder.name} holds no {chosen} model.",
            cause=f"It has: {', '.join(found) or 'none; it is not a folder of `teller export`'}.",
            next_step=f"Write it with `teller export ARTEFACT --precision {chosen}`.",
        )
    heads = TOKEN_HEADS & manifest.labels.keys()
    return OnnxEncoder(folder, manifest.labels, heads, threads, MODEL_FILES[chosen]), manifest


def open_classifier(folder: Path, precision: Precision | None = None, threads: int = 1) -> EncoderClassifier:
    """The classifier in `folder`, with its temperature. A pair classifier takes pairs of texts.

    Raises:
        ModelUnavailable: as `open_exported`, or the model gives no single label.
    """
    encoder, manifest = open_exported(folder, precision, threads)
    if manifest.task not in _CLASSIFYING:
        raise ModelUnavailable(
            f"{folder.name} is no classifier.",
            cause=f"Its task is {manifest.task}.",
            next_step="Read its outputs with runtime.exported.open_exported.",
        )
    (head,) = manifest.labels
    return EncoderClassifier(encoder, head, manifest.temperatures.get(head, 1.0))
