"""Whisper as it is trained here: a window cut to the clip, what of it learns, its loss, and greedy decoding.

Whisper was trained on windows of 30 s; the encoder's positions let it look at less, and serving does so (the clip and a few
seconds of silence), which costs a fifth. Knows nothing about files of clips or about artefacts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration
from transformers.utils import logging

from openteller.core.errors import ModelUnavailable
from openteller.training.decoders import IGNORED, drop_frozen
from openteller.training.layers import free_layers
from openteller.training.tuning import Tuning
from openteller.training.whisper_weights import from_ctranslate2

_SPECIAL = ("startoftranscript", "zh", "en", "transcribe", "notimestamps", "endoftext")
PROMPT = 3  #: tokens that are given and never learned: start, language, task
_TICK = 0.02  # seconds from timestamp to timestamp
_ADAPTED = "q_proj|k_proj|v_proj|out_proj|fc1|fc2"
_TOKENS_A_SECOND, _FEWEST_TOKENS = 12, 16  # more than anybody says: what ends a loop


@dataclass(frozen=True)
class Whisper:
    """transformers' model, its tokenizer, and the file that the tokenizer is of."""

    model: Any
    tokenizer: Tokenizer
    tokenizer_file: Path

    @property
    def bands(self) -> int:
        """Mel bands of its features."""
        return int(self.model.config.num_mel_bins)

    def prompt(self, language: str, *, timed: bool) -> list[int]:
        """The tokens before the words of a clip in `language`; the fourth says when they begin, or that no times are told."""
        names = ("startoftranscript", language, "transcribe")
        return [*map(self._special, names), self.timestamp(0) if timed else self._special("notimestamps")]

    def timestamp(self, seconds: float) -> int:
        """The token of a time within the window; those of times follow the one that tells none."""
        return self._special("notimestamps") + 1 + round(seconds / _TICK)

    def words(self, text: str, language: str) -> list[int]:
        """The tokens of `text`; English begins with a space, as it does in Whisper's own texts."""
        spoken = text if language == "zh" else f" {text}"
        return list(self.tokenizer.encode(spoken, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say, without prompt, times and end."""
        return str(self.tokenizer.decode([i for i in ids if i < self.end])).strip()

    @property
    def end(self) -> int:
        """The token that ends a text."""
        return self._special("endoftext")

    def _special(self, name: str) -> int:
        found = self.tokenizer.token_to_id(f"<|{name}|>")
        assert found is not None  # load_whisper has looked
        return found


def load_whisper(weights: Path, config: Path, tokenizer: Path) -> Whisper:
    """The model at `weights`: CTranslate2's ``model.bin``, or ``model.safetensors`` of a folder in Hugging Face layout.

    Args:
        weights: the file.
        config: config.json of the first; the second has its own.
        tokenizer: tokenizer.json.

    Raises:
        ModelUnavailable: a file is missing or damaged, or it is no multilingual Whisper.
    """
    try:
        pieces = Tokenizer.from_file(str(tokenizer))
    # The library raises bare Exception for a file that it cannot read.
    except Exception as error:
        raise _unreadable(tokenizer, error) from error
    if any(pieces.token_to_id(f"<|{name}|>") is None for name in _SPECIAL):
        raise _unreadable(tokenizer, ValueError("it is not the multilingual one"))
    if weights.suffix == ".bin":
        return Whisper(from_ctranslate2(weights, config), pieces, tokenizer)
    try:
        with without_bars():
            model = WhisperForConditionalGeneration.from_pretrained(weights.parent, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unreadable(weights, error) from error
    return Whisper(model, pieces, tokenizer)


def most_tokens(frames: int) -> int:
    """How many tokens are enough for a window of so many frames."""
    return _FEWEST_TOKENS + _TOKENS_A_SECOND * frames // 100


@contextmanager
def without_bars() -> Iterator[None]:
    """Silences transformers' bars: a run has its own."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _unreadable(path: Path, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"The speech model's file {path} cannot be used.",
        cause=f"It is missing, damaged or of another model ({str(error)[:200]}).",
        next_step="Name whisper-base of the catalogue, or a folder in Hugging Face layout with its tokenizer.json.",
    )


def tuned(model: Any, tuning: Tuning) -> Any:
    """`model` with adapters, or with only that trainable which the recipe says.

    ``trained``: all; decoder; top-9 (the last nine layers of encoder and decoder together: all of a decoder of six, and three
    of the encoder). The vocabulary and the encoder's positions, which are sines, stay as they are unless said otherwise.

    Raises BadInput for an unknown part.
    """
    for layer in model.modules():
        if isinstance(getattr(layer, "dropout", None), float):
            layer.dropout = tuning.dropout
    sides = model.model.encoder, model.model.decoder
    layers = [layer for side in sides for layer in side.layers]
    if tuning.trained == "decoder":
        chosen: Sequence[nn.Module] = list(sides[1].layers)
    else:
        free = free_layers(tuning.trained, layers, with_head=False)
        chosen = layers if free is None else free
    if tuning.adapter != "none":
        return _adapted(model, tuning, chosen)
    model.requires_grad_(False)
    for part in [model] if tuning.trained == "all" else [*chosen, sides[1].layer_norm]:
        part.requires_grad_(True)
    sides[0].embed_positions.requires_grad_(False)
    sides[1].embed_tokens.requires_grad_(tuning.vocabulary == "trained")
    return model


def _adapted(model: Any, tuning: Tuning, chosen: Sequence[nn.Module]) -> Any:
    wanted = {id(part) for layer in chosen for part in layer.modules()}
    names = [
        name
        for name, part in model.named_modules()
        if id(part) in wanted and isinstance(part, nn.Linear) and name.rsplit(".", 1)[1] in _ADAPTED.split("|")
    ]
    config = LoraConfig(
        r=tuning.lora_rank, lora_alpha=tuning.lora_alpha, target_modules=names, lora_dropout=0.0,
        use_dora=tuning.adapter == "dora",
    )  # fmt: skip
    adapted = get_peft_model(model, config)
    model.model.decoder.embed_tokens.weight.requires_grad_(tuning.vocabulary == "trained")
    return adapted


class Recogniser(nn.Module):
    """Whisper with its loss. Its state holds what is trained alone, so that checkpoints of an adapter are small."""

    def __init__(self, whisper: Whisper, model: Any, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.model, self.whisper, self.label_smoothing = model, whisper, label_smoothing
        base = self.base
        self._encoder_learns = any(p.requires_grad for p in base.model.encoder.parameters())
        self.register_state_dict_post_hook(drop_frozen)  # type: ignore[no-untyped-call]

    @property
    def base(self) -> Any:
        """The model of transformers, with adapters in it where there are any."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def encode(self, features: Tensor) -> Tensor:
        """(n, frames / 2, hidden) of log-mel `features` (n, bands, frames), for windows of any length up to 30 s."""
        encoder = self.base.model.encoder
        hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(features)))).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            hidden = layer(hidden, None)
        out: Tensor = encoder.layer_norm(hidden)
        return out

    def forward(self, features: Tensor, input_ids: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """``loss``: the mean over the tokens after the prompt that count.

        Args:
            features: (n, bands, frames).
            input_ids: (n, tokens): prompt and words.
            targets: (n, tokens): the token that follows each, IGNORED where none counts.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._encoder_learns):
            heard = self.encode(features)
        base = self.base
        hidden = base.model.decoder(input_ids=input_ids, encoder_hidden_states=heard, use_cache=False)
        logits = base.proj_out(hidden.last_hidden_state[:, PROMPT - 1 :]).float()
        loss = F.cross_entropy(
            logits.flatten(0, 1), targets[:, PROMPT - 1 :].flatten(), ignore_index=IGNORED,
            label_smoothing=self.label_smoothing if self.training else 0.0,
        )  # fmt: skip
        return {"loss": loss}

    @torch.no_grad()
    def transcribe(self, features: Tensor, language: str, *, timed: bool) -> list[str]:
        """The words of each window, the likeliest token each time; (n, bands, frames) of one language.

        timed: with timestamps among the words, as serving has it, which are thrown away.
        """
        self.eval()
        heard, base = self.encode(features).float(), self.base
        ids = torch.tensor([self.whisper.prompt(language, timed=timed)] * len(features), device=features.device)
        done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        banned, first = self._banned(ids.device, timed=timed)
        step, past = ids, None
        for _ in range(most_tokens(features.shape[2])):
            given = base.model.decoder(
                input_ids=step, encoder_hidden_states=heard, past_key_values=past, use_cache=True
            )
            past = given.past_key_values
            scores = base.proj_out(given.last_hidden_state[:, -1]).float() + (first if step is ids else banned)
            step = scores.argmax(-1).masked_fill(done, self.whisper.end)[:, None]
            ids, done = torch.cat([ids, step], 1), done | (step[:, 0] == self.whisper.end)
            if done.all():
                break
        return [self.whisper.text(row) for row in ids.tolist()]

    def _banned(self, device: torch.device, *, timed: bool) -> tuple[Tensor, Tensor]:
        """What is added to the scores of tokens, at any step and at the first, so that those never come that must not."""
        said, size = self.base.generation_config, self.base.config.vocab_size
        banned = torch.zeros(size, device=device)
        banned[list(said.suppress_tokens or ())] = -torch.inf
        banned[self.whisper.end + 1 : self.whisper.timestamp(0) if timed else None] = -torch.inf
        first = banned.clone()
        first[list(said.begin_suppress_tokens or ())] = -torch.inf
        return banned, first
