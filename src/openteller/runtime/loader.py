"""From an artefact (heads, with an adapter of a few MB or a whole encoder) and the base weights in the catalogue to an encoder that runs.

The built encoder is kept below ``<data_dir>/models/built`` under a name made of what went into it, so a changed
artefact or base is built anew and nothing stale is ever loaded. Knows nothing about training.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import Manifest, read_manifest
from openteller.registry.registry import ModelRegistry
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.encoder_graph import LinearHead, build_encoder, merge_lora
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.onnx_backend import OnnxEncoder, OnnxReranker
from openteller.runtime.tokenizer import build_tokenizer

TOKEN_HEADS = frozenset({"tags"})
UNDERSTANDING, RELEVANCE = "understanding-zh-en", "relevance-zh-en"
#: Slot of the registry whose champion serves → the room that ships weights for it.
SERVED = MappingProxyType({UNDERSTANDING: "understanding", RELEVANCE: "knowledge"})
BUILD_FORMAT = "3"  #: raised when the way of building changes, and with it what the same weights give
Progress = Callable[[int, int, str], None]


def shipped_artefact(room: str = "understanding") -> Path:
    """The folder of an artefact that ships with the package: ``understanding``, or ``knowledge`` for the reranker."""
    return Path(__file__).parent.parent / room / "weights"


def serving_artefact(slot: str, data_dir: Path) -> Path:
    """The verified folder that serves as `slot` (one of `SERVED`): the registry's champion, else what ships.

    Raises:
        ModelUnavailable: the champion is damaged. What ships does not step in: the figures would be another model's.
    """
    return ModelRegistry(data_dir).champion(slot) or shipped_artefact(SERVED[slot])


def try_out(
    slot: str, artefact: Path, catalogue: Catalogue, data_dir: Path, threads: int = 1, progress: Progress | None = None
) -> None:
    """Load `artefact` as it would be loaded to serve as `slot`; does nothing for a slot that is not served from.

    Raises:
        ModelUnavailable: it would not load, or lacks a head that the assistant reads.
    """
    if slot not in SERVED:
        return
    shipped, ours = (read_manifest(folder, verify=False) for folder in (shipped_artefact(SERVED[slot]), artefact))
    if missing := shipped.labels.keys() - ours.labels.keys():
        raise ModelUnavailable(
            f"{artefact.name} cannot serve as {slot}.",
            cause=f"It has no {', '.join(sorted(missing))}.",
            next_step=f"Train one with recipes/{slot}.yaml.",
        )
    load = load_reranker if slot == RELEVANCE else load_encoder
    load(artefact, catalogue, data_dir, threads, progress)


def load_encoder(
    artefact: Path, catalogue: Catalogue, data_dir: Path, threads: int = 1, progress: Progress | None = None
) -> tuple[OnnxEncoder, Manifest]:
    """The encoder of `artefact`, built first if it has not been.

    Raises:
        ModelUnavailable: the artefact or its base weights are missing, damaged or do not fit each other.
    """
    folder, manifest = _built(artefact, catalogue, data_dir, progress)
    return OnnxEncoder(folder, manifest.labels, TOKEN_HEADS & manifest.labels.keys(), threads), manifest


def load_reranker(
    artefact: Path, catalogue: Catalogue, data_dir: Path, threads: int = 1, progress: Progress | None = None
) -> OnnxReranker:
    """The cross-encoder of `artefact`, built first if it has not been. Raises ModelUnavailable as `load_encoder`."""
    manifest = read_manifest(artefact, verify=False)  # _built proves the files
    if manifest.task not in ("relevance", "reranking"):
        raise ModelUnavailable(
            f"The artefact {manifest.name} is no reranker.",
            cause=f"Its task is {manifest.task}.",
            next_step="Train one with recipes/relevance-zh-en.yaml.",
        )
    folder, manifest = _built(artefact, catalogue, data_dir, progress)
    (head,) = manifest.labels
    return OnnxReranker(folder, head, manifest.temperatures[head], int(manifest.settings["max_tokens"]), threads)


def _built(artefact: Path, catalogue: Catalogue, data_dir: Path, progress: Progress | None) -> tuple[Path, Manifest]:
    manifest = read_manifest(artefact)
    folder = data_dir / "models" / "built" / f"{manifest.name}-{_fingerprint(manifest, catalogue)}"
    if not (folder / "encoder.onnx").exists():
        _build(artefact, manifest, catalogue.locate(manifest.base), folder, progress or _silent)
    return folder, manifest


def _fingerprint(manifest: Manifest, catalogue: Catalogue) -> str:
    parts = [BUILD_FORMAT, str(catalogue.entry(manifest.base).sha256), *sorted(manifest.files.values())]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def base_weights(manifest: Manifest, path: Path) -> EncoderWeights:
    """What the artefact's training began with: the file at `path`, trimmed as training trimmed it."""
    return load_backbone(path, int(manifest.settings.get("layers", 0)))


def trained(artefact: Path, manifest: Manifest, base: EncoderWeights) -> tuple[EncoderWeights, dict[str, LinearHead]]:
    """The encoder of `artefact`, its adapter merged into `base`, and its heads.

    Raises:
        ModelUnavailable: its files are missing, damaged or do not fit `base`.
    """
    try:
        merged = _adapted(base, artefact, manifest)
        heads = load_file(artefact / "heads.safetensors")
        return merged, {
            name: LinearHead(heads[f"{name}.weight"], heads[f"{name}.bias"], name in TOKEN_HEADS)
            for name in manifest.labels
        }
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelUnavailable(
            f"The artefact {manifest.name} cannot be read.", cause=str(error), next_step="Restore it from the release."
        ) from error


def _build(artefact: Path, manifest: Manifest, base: Path, folder: Path, progress: Progress) -> None:
    progress(0, 4, "reading base weights")
    weights = base_weights(manifest, base)
    progress(1, 4, "merging the adapter")
    merged, heads = trained(artefact, manifest, weights)
    progress(2, 4, "building and quantising")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(dir=folder.parent))
    try:
        build_encoder(merged, heads, work / "encoder.onnx")
        build_tokenizer(weights).save(str(work / "tokenizer.json"))
        progress(3, 4, "storing")
        try:
            os.replace(work, folder)
        except OSError:
            if not (folder / "encoder.onnx").exists():  # another process was faster only if its file is there
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress(4, 4, "ready")


def _adapted(weights: EncoderWeights, artefact: Path, manifest: Manifest) -> EncoderWeights:
    """The base with the artefact's LoRA matrices merged in, or with the tensors of a full training in its place."""
    scale = float(manifest.settings.get("lora_scale", 0.0))
    if scale:
        adapter = load_file(artefact / "adapter.safetensors")
        return merge_lora(weights, {name: array.astype(np.float32) for name, array in adapter.items()}, scale)
    trained = load_file(artefact / "encoder.safetensors")
    own = {name: array.shape for name, array in weights.tensors.items()}
    if any(name not in trained or trained[name].shape != shape for name, shape in own.items()):
        raise ModelUnavailable(
            f"The encoder of {manifest.name} does not fit {manifest.base}.",
            cause="It was trained on another base model.",
            next_step="Train it again with the recipe that names this base model.",
        )
    return replace(weights, tensors={name: trained[name].astype(np.float32) for name in own})


def _silent(done: int, total: int, text: str) -> None:
    """Report nothing."""
