"""Causal language modelling on a decoder: each token is predicted from those before it. Knows nothing about corpora."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from openteller.training.checkpoints import digest
from openteller.training.decoders import IGNORED, CausalModule, Decoder, tuned
from openteller.training.gguf_export import Export
from openteller.training.pretraining.windows import Layout
from openteller.training.tuning import Tuning


class CausalStudent:
    """A decoder that learns to go on with a text.

    Args:
        decoder: the model.
        tuning: what of it is trained.
        export: writes the result.
    """

    def __init__(self, decoder: Decoder, tuning: Tuning, export: Export) -> None:
        self._tokenizer, self._tuning, self._export = decoder.tokenizer, tuning, export
        self._causal = CausalModule(tuned(decoder.model, tuning))
        self.module: nn.Module = _OnWindows(self._causal)

    @property
    def layout(self) -> Layout:
        """Windows of the stream as it is; each document begins as its tokenizer begins a text, and has an end."""
        end = self._tokenizer.eos_token_id
        pad = self._tokenizer.pad_token_id
        return Layout(self._tuning.max_tokens, (), (), (end,), end if pad is None else pad)

    @property
    def digest(self) -> str:
        """Its tokenizer."""
        return digest(self._tokenizer.backend_tokenizer.to_str())

    def tokenise(self, texts: Sequence[str]) -> list[tuple[Sequence[int], NDArray[np.bool_]]]:
        """The tokens of each text, which is not folded: a decoder has to write as people do."""
        found = self._tokenizer(list(texts), add_special_tokens=True, return_attention_mask=False, verbose=False)
        return [(ids, np.ones(len(ids), np.bool_)) for ids in found["input_ids"]]

    def loss(self, batch: dict[str, Tensor], generator: torch.Generator) -> tuple[float, int]:
        """The summed loss of every token but the first of each window, and how many they are."""
        ids, mask = batch["input_ids"], batch["attention_mask"]
        total, count = self._causal.summed(ids, mask, _targets(ids, mask))
        return float(total), count

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the model in Hugging Face layout and for llama.cpp."""
        return self._export.write(self._causal.model, self._tokenizer, folder)


class _OnWindows(nn.Module):
    """The causal loss of a batch of windows, in which every token counts."""

    def __init__(self, causal: CausalModule) -> None:
        super().__init__()
        self.causal = causal

    def forward(self, input_ids: Tensor, attention_mask: Tensor, words: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.causal(input_ids, attention_mask, _targets(input_ids, attention_mask))
        return found


def _targets(ids: Tensor, mask: Tensor) -> Tensor:
    return ids.masked_fill(mask == 0, IGNORED)
