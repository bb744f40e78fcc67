"""What recipes share: which model and what of it is trained; of language models also how often it is measured.

Knows nothing about models or data.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from openteller.training.datasets.records import require_choice
from openteller.training.fitting import PRECISIONS, Schedule

CHOICES = {"adapter": ("none", "lora", "dora"), "vocabulary": ("frozen", "trained"), "precision": PRECISIONS}


@dataclass(frozen=True)
class Tuning(Schedule):
    """Which model is trained, and what of it; the fields mean what they mean in a recipe. Those of the loop: Schedule."""

    name: str = "model"
    weights: str = "e5-small"  #: name in the catalogue of weights, or what pre-training wrote: its name or folder
    trained: str = "all"  #: all; top-4: the last four layers; head, of an encoder: the head alone
    vocabulary: str = "frozen"  #: or trained: the word embeddings too
    adapter: str = "none"  #: lora or dora
    lora_rank: int = 16
    lora_alpha: int = 32
    dropout: float = 0.1  #: of an encoder
    max_tokens: int = 128
    threads: int = 0  #: 0 leaves the choice to torch: every core the process may use

    @property
    def in_adapter(self) -> bool:
        """Whether LoRA matrices hold all that is trained."""
        return self.adapter == "lora" and self.vocabulary == "frozen"


@dataclass(frozen=True)
class LanguageTuning(Tuning):
    """The same of a language model."""

    evaluations: int = 10  #: on held-out text, spread over the run
    gguf: str = "auto"  #: of a decoder: adapter beside the base where it fits, else model; or none, adapter, model


@dataclass(frozen=True)
class Places:
    """Where a run finds and keeps things.

    weights: the file of the base weights.
    base: the GGUF file that a decoder goes back to; the weights themselves for others.
    cache: below it stand tokenised corpora and converted decoders.
    """

    weights: Path
    base: Path
    cache: Path


def begin(tuning: Tuning) -> None:
    """Check the choices of a recipe, and set torch's threads and chance. Raises BadInput."""
    for field, choices in CHOICES.items():
        require_choice(field, getattr(tuning, field), choices)
    if tuning.threads:
        torch.set_num_threads(tuning.threads)
    torch.manual_seed(tuning.seed)


def measured_often(tuning: LanguageTuning, steps: int, metric: str) -> Schedule:
    """The loop's schedule over `steps` updates with the recipe's evaluations spread over them: it makes one an epoch."""
    return replace(tuning, steps=steps, epochs=max(1, min(tuning.evaluations, steps)), metric=tuning.metric or metric)
