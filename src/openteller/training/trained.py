"""A trained encoder with all its heads as a torch module, whatever its task: what export and explanations begin with.

Knows nothing about data sets or figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Encoding, Tokenizer

from openteller.core.errors import BadInput
from openteller.registry.manifest import Manifest, read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_graph import LinearHead
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.loader import TOKEN_HEADS, base_weights, trained
from openteller.runtime.protocols import Text
from openteller.runtime.tokenizer import MAX_TOKENS, build_tokenizer
from openteller.training.backbone import MultiHead, adapter_rank
from openteller.training.tasks.catalogue import TASKS
from openteller.training.tasks.task import encode

MULTI_TASK = "multi-task"
_ENCODERS = frozenset({*TASKS, MULTI_TASK, "understanding", "relevance"})
_PAIRED = frozenset({"pair-classification", "reranking", "relevance"})
_MANY = frozenset({"multi-label", "reranking", "relevance"})


class HeadKind(StrEnum):
    """What a head decides: one label of many, yes or no for each label, or a tag for each token."""

    ONE = "single-label"
    MANY = "multi-label"
    TOKENS = "tokens"


@dataclass(frozen=True)
class TrainedEncoder:
    """An artefact that is open.

    model: with its adapters as they were trained, not merged; in evaluation mode.
    weights, heads: the same with adapters merged, as arrays.
    """

    manifest: Manifest
    model: MultiHead
    weights: EncoderWeights
    heads: dict[str, LinearHead]
    tokenizer: Tokenizer
    pad: int

    @property
    def paired(self) -> bool:
        """Whether two texts are read together."""
        return bool({self.manifest.task, *self._tasks.values()} & _PAIRED)

    @property
    def max_tokens(self) -> int:
        """Where a text is cut."""
        return int(self.manifest.settings.get("max_tokens", MAX_TOKENS))

    def kind(self, head: str) -> HeadKind:
        """What `head` decides."""
        if head in TOKEN_HEADS:
            return HeadKind.TOKENS
        many = self._tasks.get(head, self.manifest.task) in _MANY or head == "needs"
        return HeadKind.MANY if many else HeadKind.ONE

    @property
    def _tasks(self) -> dict[str, str]:
        """Head → its task, of an encoder with heads of several tasks."""
        heads = self.manifest.settings.get("heads") if self.manifest.task == MULTI_TASK else None
        return {name: str(head["task"]) for name, head in heads.items()} if isinstance(heads, dict) else {}

    def tokens(self, text: Text) -> Encoding:
        """The tokens of a text or a pair, folded and not padded."""
        return encode(self.tokenizer, (text,) if isinstance(text, str) else text)

    @torch.no_grad()
    def outputs(self, batch: dict[str, torch.Tensor]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Unit vectors (n, hidden), and head → logits (n, labels), or (n, tokens, labels) of a token head."""
        mean, tokens = self.model(**batch)
        logits = {name: self.model.head(name, mean, tokens).numpy() for name in self.heads}
        return torch.nn.functional.normalize(mean, dim=1).numpy(), logits


def open_trained(folder: Path, catalogue: Catalogue) -> TrainedEncoder:
    """The artefact in `folder`, which `teller finetune` wrote or which ships.

    Raises:
        ModelUnavailable: it or its base weights are missing, damaged or do not fit each other.
        BadInput: it is no encoder, such as a language model.
    """
    manifest = read_manifest(folder)
    if manifest.task not in _ENCODERS:
        raise BadInput(
            f"{folder.name} is no fine-tuned encoder.",
            cause=f"Its task is {manifest.task}.",
            next_step="Name one that `teller finetune` wrote; a language model is in Hugging Face layout already.",
        )
    base = base_weights(manifest, catalogue.locate(manifest.base))
    weights, heads = trained(folder, manifest, base)
    tokenizer = build_tokenizer(base, int(manifest.settings.get("max_tokens", MAX_TOKENS)))
    model = _model(folder, manifest, base, heads).eval()
    return TrainedEncoder(manifest, model, weights, heads, tokenizer, base.special["pad"])


def _model(folder: Path, manifest: Manifest, base: EncoderWeights, heads: dict[str, LinearHead]) -> MultiHead:
    sizes = {name: len(labels) for name, labels in manifest.labels.items()}
    token_heads = frozenset(name for name, head in heads.items() if head.per_token)
    arrays = load_file(folder / "heads.safetensors")
    scale = float(manifest.settings.get("lora_scale", 0.0))
    if not scale:
        model = MultiHead(base, sizes, token_heads=token_heads)
        model.load_whole(load_file(folder / "encoder.safetensors"), arrays)
        return model
    adapter = load_file(folder / "adapter.safetensors")
    rank = adapter_rank(adapter)
    model = MultiHead(base, sizes, token_heads=token_heads, lora_rank=rank, lora_alpha=round(scale * rank))
    model.load(adapter, arrays)
    return model


def require_text(text: Text, paired: bool) -> None:
    """Raise BadInput unless `text` is one text, or two where the model reads pairs, and holds something."""
    parts: Sequence[str] = (text,) if isinstance(text, str) else text
    if (len(parts) == 2) != paired:
        raise BadInput(
            f"The model reads {'two texts together' if paired else 'one text'}, not {len(parts)}.",
            next_step="Give the second text too." if paired else "Leave the second text out.",
        )
    if not all(part.strip() for part in parts):
        raise BadInput("A text is empty.", next_step="Give a text with at least one character.")
