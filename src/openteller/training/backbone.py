"""The encoder as a torch module, ready for LoRA or full training, with linear heads on top.

Knows nothing about data or losses.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from safetensors.numpy import save_file
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from openteller.runtime.encoder_graph import LinearHead
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.training.layers import free_layers


def bert_config(weights: EncoderWeights, dropout: float) -> BertConfig:
    """What transformers calls an encoder of this shape."""
    return BertConfig(
        vocab_size=len(weights.tensors["embeddings.word_embeddings.weight"]),
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.intermediate,
        max_position_embeddings=weights.positions,
        type_vocab_size=len(weights.tensors["embeddings.token_type_embeddings.weight"]),
        layer_norm_eps=weights.epsilon,
        pad_token_id=weights.special["pad"],
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )


def as_torch(weights: EncoderWeights, dropout: float) -> BertModel:
    """A transformers BertModel holding `weights`."""
    model = BertModel(bert_config(weights, dropout), add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.tensors.items()}, strict=False)
    return model


Adapter = Mapping[str, NDArray[np.float32]]
_ALPHA = 32


def adapter_rank(adapter: Adapter) -> int:
    """The rank of its LoRA matrices."""
    return next(len(array) for name, array in adapter.items() if name.endswith(".lora_A"))


def mixed(adapters: Sequence[Adapter], shares: Sequence[float]) -> dict[str, NDArray[np.float32]]:
    """One adapter that adds what all of `adapters` add, each by its share (model soups, Wortsman et al. 2022).

    Its rank is the sum of theirs. Every adapter's scale is taken to be that of a `MultiHead` of its rank.
    """
    rank = sum(map(adapter_rank, adapters))
    # A MultiHead multiplies by alpha over rank, and the rank has grown.
    grown = [share * rank / adapter_rank(adapter) for share, adapter in zip(shares, adapters, strict=True)]
    mixture = {}
    for name in adapters[0]:
        parts = [adapter[name].astype(np.float32) for adapter in adapters]
        if name.endswith(".lora_A"):
            mixture[name] = np.concatenate(parts, axis=0)
        else:
            mixture[name] = np.concatenate([p * g for p, g in zip(parts, grown, strict=True)], axis=1)
    return mixture


class MultiHead(nn.Module):
    """An encoder with linear heads on the mean of its tokens, or on each token.

    Args:
        weights: the encoder to start from.
        heads: head name → number of labels.
        token_heads: the heads that look at each token.
        lora_rank: rank of the adapters on every linear layer; 0 trains the whole encoder but its vocabulary.
        lora_alpha: over the rank, the scale of what the adapters add (Hu et al. 2021).
        dora: learn the lengths of the weights' columns apart from their directions (Liu et al. 2024).
        dropout: of the encoder and before the heads, 0–1.
    """

    def __init__(
        self,
        weights: EncoderWeights,
        heads: Mapping[str, int],
        *,
        token_heads: frozenset[str] = frozenset(),
        lora_rank: int = 0,
        lora_alpha: int = _ALPHA,
        dora: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder: nn.Module = as_torch(weights, dropout)
        self.lora_scale = lora_alpha / lora_rank if lora_rank else 0.0
        if lora_rank:
            targets = ["query", "key", "value", "dense"]
            config = LoraConfig(
                r=lora_rank, lora_alpha=lora_alpha, target_modules=targets, lora_dropout=0.0, use_dora=dora
            )
            with warnings.catch_warnings():
                # peft asks transformers for a property that transformers has renamed.
                warnings.simplefilter("ignore", FutureWarning)
                self.encoder = get_peft_model(self.encoder, config)
        else:
            self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.token_heads = token_heads
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(weights.hidden, count) for name, count in heads.items()})

    def train_only(self, layers: str, *, vocabulary: bool = False) -> None:
        """Let only these parts of the encoder learn: ``all``, ``top-4`` (the last four layers) or ``head`` (none).

        Raises:
            BadInput: another word, or more layers than there are.
        """
        encoder: Any = self.encoder
        chosen = free_layers(layers, list(encoder.encoder.layer), with_head=True)
        free = [self.encoder] if chosen is None else chosen
        self.encoder.requires_grad_(False)
        for module in free:
            module.requires_grad_(True)
        encoder.embeddings.word_embeddings.weight.requires_grad_(vocabulary and layers == "all")

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The mean vector (n, hidden), not normalised, and the token vectors (n, tokens, hidden)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1), hidden

    def head(self, name: str, mean: Tensor, tokens: Tensor) -> Tensor:
        """The logits of one head."""
        logits: Tensor = self.heads[name](self.dropout(tokens if name in self.token_heads else mean))
        return logits

    def adapter(self) -> dict[str, NDArray[np.float32]]:
        """The LoRA matrices by the names that `merge_lora` reads."""
        found = {}
        for name, tensor in self.encoder.state_dict().items():
            for side in ("lora_A", "lora_B"):
                if f".{side}." in name:
                    layer = name.split("base_model.model.")[1].split(f".{side}.")[0]
                    found[f"{layer}.{side}"] = tensor.detach().cpu().float().numpy()
        return found

    @torch.no_grad()
    def load(self, adapter: Mapping[str, NDArray[np.float32]], heads: Mapping[str, NDArray[np.float32]]) -> None:
        """Put an artefact's LoRA matrices and heads in place; the shapes must be this model's."""
        for name, tensor in self.encoder.state_dict().items():
            for side in ("lora_A", "lora_B"):
                if f".{side}." in name:
                    layer = name.split("base_model.model.")[1].split(f".{side}.")[0]
                    tensor.copy_(torch.from_numpy(adapter[f"{layer}.{side}"].astype(np.float32)))
        self._load_heads(heads)

    def load_whole(self, encoder: Mapping[str, NDArray[np.float32]], heads: Mapping[str, NDArray[np.float32]]) -> None:
        """Put the encoder and heads of a full training in place; the shapes must be this model's."""
        self.encoder.load_state_dict({name: torch.from_numpy(array) for name, array in encoder.items()})
        self._load_heads(heads)

    def _load_heads(self, heads: Mapping[str, NDArray[np.float32]]) -> None:
        for name, linear in self.heads.items():
            linear.load_state_dict({part: torch.from_numpy(heads[f"{name}.{part}"]) for part in ("weight", "bias")})

    @torch.no_grad()
    def keep(self, share: float, base: EncoderWeights) -> None:
        """Go back towards `base`, keeping this share of what the encoder learned: a mean of weights (Wortsman et al.
        2022, Robust fine-tuning of zero-shot models). The heads stay as they are and want to be trained again.
        """
        for name, tensor in self.encoder.state_dict().items():
            if ".lora_B." in name:
                tensor.mul_(share)
            elif not self.lora_scale and name in base.tensors:
                tensor.lerp_(torch.from_numpy(base.tensors[name]), 1 - share)

    def merge(self) -> None:
        """Take the adapters into the encoder's own weights, after which there are none."""
        if self.lora_scale:
            adapted: Any = self.encoder
            self.encoder, self.lora_scale = adapted.merge_and_unload(), 0.0

    def encoder_tensors(self) -> dict[str, NDArray[np.float32]]:
        """The encoder's weights after full training, by transformers' names."""
        return {name: t.detach().cpu().float().numpy() for name, t in self.encoder.state_dict().items()}

    def linear_heads(self) -> dict[str, LinearHead]:
        """The heads as arrays."""
        heads = {}
        for name, layer in self.heads.items():
            arrays = {part: t.detach().cpu().float().numpy() for part, t in layer.state_dict().items()}
            heads[name] = LinearHead(arrays["weight"], arrays["bias"], name in self.token_heads)
        return heads

    def save(self, folder: Path) -> None:
        """Write ``heads.safetensors`` beside ``adapter.safetensors`` (float16) or, without LoRA, ``encoder.safetensors``."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.lora_scale:
            save_file({k: v.astype(np.float16) for k, v in self.adapter().items()}, folder / "adapter.safetensors")
        else:
            save_file(self.encoder_tensors(), folder / "encoder.safetensors")
        heads = self.linear_heads()
        weights = {f"{name}.weight": head.weight for name, head in heads.items()}
        save_file(weights | {f"{name}.bias": head.bias for name, head in heads.items()}, folder / "heads.safetensors")
