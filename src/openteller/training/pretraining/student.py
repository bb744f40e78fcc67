"""What a language model in training is to the run: how it reads texts, its module with a loss, and what it leaves behind.

A student knows nothing about corpora, caches or the loop. There are two: masked.py and causal.py.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from openteller.training.pretraining.windows import Layout


class Student(Protocol):
    """A language model in training."""

    @property
    def module(self) -> nn.Module:
        """What the loop trains: called with a batch of windows it returns ``loss``."""
        ...

    @property
    def layout(self) -> Layout:
        """What its windows look like."""
        ...

    @property
    def digest(self) -> str:
        """What stands for its tokenizer and how it cuts texts into words."""
        ...

    def tokenise(self, texts: Sequence[str]) -> list[tuple[Sequence[int], NDArray[Any]]]:
        """The token ids of each text, and whether each begins a word."""
        ...

    def loss(self, batch: dict[str, Tensor], generator: torch.Generator) -> tuple[float, int]:
        """The summed loss on a batch of held-out windows and the number of tokens it is of."""
        ...

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the model's files; what the manifest's settings have to say about it."""
        ...
