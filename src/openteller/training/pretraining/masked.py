"""Masked language modelling on an encoder (Devlin et al. 2019).

The head is a linear map with GELU and layer norm, then the word embeddings again, with a bias a piece that starts as the
piece's log probability. The published encoders come without such a head, so it starts untrained unless the weights are
an artefact of this module, and a perplexity "before" counts what the head has yet to learn. A run with `trained: head`
shows what the encoder knew all along. Knows nothing about corpora.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from openteller.core.errors import BadInput
from openteller.core.text import fold
from openteller.runtime.encoder_files import write_encoder
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.model_ids import WEIGHTS
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.backbone import MultiHead
from openteller.training.checkpoints import digest
from openteller.training.encoders import tuned
from openteller.training.pretraining.masking import Corruption, corrupt
from openteller.training.pretraining.windows import Layout
from openteller.training.pretraining.words import word_starts
from openteller.training.tuning import Tuning

HEAD = "mlm_head.safetensors"
_MASK, _WORDS = "<mask>", "embeddings.word_embeddings.weight"


class MaskedHead(nn.Module):
    """Token vectors to logits over the vocabulary, whose vectors it is given: they are the encoder's own."""

    def __init__(self, hidden: int, scores: Sequence[float]) -> None:
        super().__init__()
        self.transform = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.bias = nn.Parameter(torch.tensor(scores))

    def forward(self, vectors: Tensor, words: Tensor) -> Tensor:
        """(n, hidden) and (vocabulary, hidden) to (n, vocabulary)."""
        return F.linear(self.norm(F.gelu(self.transform(vectors))), words, self.bias)


class MaskedModule(nn.Module):
    """An encoder with the head; it hides tokens itself, so that every pass over a window hides others."""

    def __init__(self, model: MultiHead, head: MaskedHead, how: Corruption) -> None:
        super().__init__()
        self.model, self.heads, self.how = model, nn.ModuleDict({"masked": head}), how

    def forward(self, input_ids: Tensor, attention_mask: Tensor, words: Tensor) -> dict[str, Tensor]:
        """``loss``: the mean over the hidden tokens, chance drawn from torch's own generator."""
        total, count = self.summed(input_ids, attention_mask, words)
        return {"loss": total / count}

    def summed(
        self, ids: Tensor, mask: Tensor, words: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int]:
        """The summed loss at the hidden tokens and how many they are."""
        seen, chosen = corrupt(ids, words, self.how, generator)
        _, tokens = self.model(seen, mask)
        encoder: Any = self.model.encoder
        logits = self.heads["masked"](tokens[chosen], encoder.embeddings.word_embeddings.weight)
        return F.cross_entropy(logits.float(), ids[chosen], reduction="sum"), int(chosen.sum())


class MaskedStudent:
    """An encoder that learns to guess hidden tokens.

    Args:
        weights: the encoder, its vocabulary extended already.
        tuning: what of it is trained.
        share: of the words that are hidden, 0–1.
        whole_words: hide all tokens of a word or none.
        head: an earlier head to go on from, if its vocabulary is the encoder's.

    Raises:
        BadInput: an option cannot be used.
    """

    def __init__(
        self,
        weights: EncoderWeights,
        tuning: Tuning,
        share: float,
        *,
        whole_words: bool = False,
        head: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        weights = _with_mask(weights)
        self.weights, self._tuning, self._whole_words = weights, tuning, whole_words
        if not 0 < share < 1:
            raise BadInput(f"mask_share is {share}.", next_step="Use a number between 0 and 1; 0.15 is common.")
        special = set(weights.special.values())
        ordinary = torch.tensor([i for i in range(len(weights.tensors[_WORDS])) if i not in special])
        masked = MaskedHead(weights.hidden, _scores(weights))
        if head is not None and head["bias"].shape == tuple(masked.bias.shape):
            masked.load_state_dict({name: torch.from_numpy(array) for name, array in head.items()})
        self._model = _encoder(weights, tuning)
        self.module = MaskedModule(self._model, masked, Corruption(weights.special["mask"], ordinary, share))
        self._tokenizer = build_tokenizer(weights)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def layout(self) -> Layout:
        """``<s> … </s>`` around each window, ``</s>`` between documents."""
        special = self.weights.special
        begin, end = (special["bos"],), (special["eos"],)
        return Layout(self._tuning.max_tokens, begin, end, end, special["pad"])

    @property
    def digest(self) -> str:
        """Its pieces, and whether words are whole."""
        return digest([self.weights.pieces or self.weights.tokenizer, self._whole_words])

    def tokenise(self, texts: Sequence[str]) -> list[tuple[Sequence[int], NDArray[np.bool_]]]:
        """The tokens of each text, folded as fine-tuning and serving fold it."""
        folded = [fold(text) for text in texts]
        found = self._tokenizer.encode_batch(folded, add_special_tokens=False)
        if not self._whole_words:
            return [(encoding.ids, np.ones(len(encoding.ids), np.bool_)) for encoding in found]
        return [(e.ids, word_starts(text, e.offsets)) for e, text in zip(found, folded, strict=True)]

    def loss(self, batch: dict[str, Tensor], generator: torch.Generator) -> tuple[float, int]:
        """The summed loss at tokens hidden by `generator`, and how many they are."""
        total, count = self.module.summed(batch["input_ids"], batch["attention_mask"], batch["words"], generator)
        return float(total), count

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the encoder in Hugging Face layout, adapters merged, and its head beside it."""
        self._model.merge()
        trained = self._model.encoder_tensors()
        whole = replace(self.weights, tensors={name: trained[name] for name in self.weights.tensors})
        write_encoder(whole, folder / WEIGHTS)
        head = {
            name: tensor.detach().cpu().numpy() for name, tensor in self.module.heads["masked"].state_dict().items()
        }
        save_file(head, folder / HEAD)
        build_tokenizer(whole, max_tokens=self._tuning.max_tokens).save(str(folder / "tokenizer.json"))
        config: Any = self._model.encoder.config
        config.architectures = ["BertModel"]
        config.save_pretrained(folder)
        return {"layers": whole.layers, "pieces": len(whole.tensors[_WORDS])}


def earlier_head(weights_path: Path) -> dict[str, NDArray[np.float32]] | None:
    """The head beside the weights that an earlier pre-training wrote; None where there is none."""
    path = weights_path.with_name(HEAD)
    return dict(load_file(path)) if weights_path.name == WEIGHTS and path.is_file() else None


def _with_mask(weights: EncoderWeights) -> EncoderWeights:
    """`weights` with the id of a mask among the special ones; where no piece is one, it is added, its vector their mean."""
    if "mask" in weights.special:
        return weights
    names = [piece for piece, _ in weights.pieces]
    if not names:
        raise BadInput("The encoder's tokenizer has no mask.", next_step="Use one that was trained to guess words.")
    if _MASK in names:
        return replace(weights, special=weights.special | {"mask": names.index(_MASK)})
    table = weights.tensors[_WORDS]
    grown = np.concatenate([table, table.mean(axis=0, keepdims=True)])
    return replace(
        weights,
        pieces=[*weights.pieces, (_MASK, 0.0)],
        special=weights.special | {"mask": len(names)},
        tensors=weights.tensors | {_WORDS: grown},
    )


def _encoder(weights: EncoderWeights, tuning: Tuning) -> MultiHead:
    model = tuned(weights, {}, tuning)
    encoder: Any = model.encoder
    encoder.embeddings.word_embeddings.weight.requires_grad_(tuning.vocabulary == "trained")
    return model


def _scores(weights: EncoderWeights) -> list[float]:
    """The log probabilities of the pieces; the least of them for special ones, which have none. 0 where none are known."""
    if not weights.pieces:
        return [0.0] * len(weights.tensors[_WORDS])
    special = set(weights.special.values())
    least = min(score for _, score in weights.pieces)
    return [least if i in special else score for i, (_, score) in enumerate(weights.pieces)]
