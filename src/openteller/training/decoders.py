"""A decoder as a torch module: loaded once from its GGUF file, what of it learns, its loss, and how it is written.

Turning a GGUF file's blocks into floats takes a minute or two, so the result is kept in Hugging Face layout under a name
made of the file's hash. Knows nothing about data.
"""

import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoModelForCausalLM, AutoTokenizer

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.registry.manifest import sha256
from openteller.runtime.model_ids import WEIGHTS
from openteller.training.layers import free_layers
from openteller.training.tuning import Tuning

IGNORED = -100  #: the target of a token that takes no loss
_CHUNK = 256  # positions whose logits stand in memory at once: 256 × 262,144 pieces × 4 bytes = 268 MB


@dataclass(frozen=True)
class Decoder:
    """A causal language model and its tokenizer, of transformers."""

    model: Any
    tokenizer: Any


def load_decoder(path: Path, kept: Path) -> Decoder:
    """The decoder at `path`: a GGUF file, or the weights of a folder in Hugging Face layout.

    Args:
        path: ``*.gguf`` or ``…/model.safetensors``.
        kept: the folder below which what was read from GGUF files is kept, 4 bytes a weight.

    Raises:
        ModelUnavailable: it cannot be read.
        MissingDependency: the package gguf is not installed.
    """
    folder = _converted(path, kept) if path.suffix == ".gguf" else path.parent
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        return Decoder(model, AutoTokenizer.from_pretrained(folder))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unreadable(folder, error) from error


def _converted(path: Path, kept: Path) -> Path:
    folder = kept / f"{path.stem}-{sha256(path)[:12]}"
    if (folder / WEIGHTS).exists():
        return folder
    kept.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(dir=kept))
    try:
        source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
        tokenizer = AutoTokenizer.from_pretrained(**source)
        model: Any = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
        # It is plain floats now, and may be written.
        model.hf_quantizer = None
        del model.config.quantization_config
        model.save_pretrained(work, max_shard_size="100GB")
        tokenizer.save_pretrained(work)
        shutil.rmtree(folder, ignore_errors=True)
        work.replace(folder)
    except ImportError as error:
        raise MissingDependency(
            "GGUF weights cannot be trained on.", cause=str(error), next_step='pip install "openteller[train]"'
        ) from error
    except (ValueError, KeyError, RuntimeError, IndexError, struct.error) as error:
        raise _unreadable(path, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _unreadable(path: Path, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"The decoder {path.name} cannot be read.",
        cause=f"It is damaged, or of an architecture that transformers does not know ({error}).",
        next_step="Fetch or train it again, or name other weights.",
    )


def tuned(model: Any, tuning: Tuning) -> Any:
    """`model` with adapters, or with only that trainable which the recipe says. Raises BadInput for an unknown part."""
    if tuning.adapter != "none":
        config = LoraConfig(
            task_type="CAUSAL_LM", r=tuning.lora_rank, lora_alpha=tuning.lora_alpha, target_modules="all-linear",
            lora_dropout=0.0, use_dora=tuning.adapter == "dora",
        )  # fmt: skip
        model = get_peft_model(model, config)
    else:
        layers = list(_base(model).get_decoder().layers)
        chosen = free_layers(tuning.trained, layers, with_head=False)
        free = [model] if chosen is None else chosen
        model.requires_grad_(False)
        for part in free:
            part.requires_grad_(True)
    _base(model).get_input_embeddings().weight.requires_grad_(tuning.vocabulary == "trained")
    return model


def merged(model: Any) -> Any:
    """`model` with its adapters taken into its weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _base(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class CausalModule(nn.Module):
    """A decoder with its loss. Its state holds what is trained alone, so that checkpoints of an adapter are small."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.register_state_dict_post_hook(drop_frozen)  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """``loss``: the mean over the targets that count."""
        total, count = self.summed(input_ids, attention_mask, targets)
        return {"loss": total / max(count, 1)}

    def summed(self, ids: Tensor, mask: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        """The summed loss of predicting each of `targets` from what stands before it, and how many count.

        Only positions with a target reach the vocabulary, a few at a time, or its logits would fill the memory.
        """
        base = _base(self.model)
        hidden = base.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
        following = targets[:, 1:]
        counted = following != IGNORED
        vectors, golds = hidden[counted], following[counted]
        total = hidden.sum() * 0.0  # a batch without a target has a loss, of zero
        for at in range(0, len(golds), _CHUNK):
            part = vectors[at : at + _CHUNK], golds[at : at + _CHUNK]
            total = total + checkpoint(self._loss, *part, use_reentrant=False)
        return total, len(golds)

    def _loss(self, vectors: Tensor, golds: Tensor) -> Tensor:
        base = _base(self.model)
        logits = base.get_output_embeddings()(vectors).float()
        if cap := getattr(base.config, "final_logit_softcapping", None):
            logits = torch.tanh(logits / cap) * cap
        return F.cross_entropy(logits, golds, reduction="sum")


def drop_frozen(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    """Leave out of a module's state what does not learn."""
    learned = {f"{prefix}{name}" for name, parameter in module.named_parameters() if parameter.requires_grad}
    for name in [name for name in state if name.startswith(prefix) and name not in learned]:
        del state[name]


def save_decoder(decoder: Decoder, folder: Path) -> None:
    """Write a decoder without adapters in Hugging Face layout, 4 bytes a weight."""
    decoder.model.save_pretrained(folder, max_shard_size="100GB")
    decoder.tokenizer.save_pretrained(folder)


def adapter_pairs(model: Any) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name of the layer as transformers has it, lora_A (rank, in), lora_B (out, rank)) of each adapted layer."""
    state = dict(model.named_parameters())
    for name, matrix in state.items():
        if ".lora_A." in name:
            layer = name.split("base_model.model.")[1].split(".lora_A.")[0]
            yield layer, matrix.detach(), state[name.replace(".lora_A.", ".lora_B.")].detach()
