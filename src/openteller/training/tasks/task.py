"""What a task is: how a record becomes an example, what a batch holds, the module with its loss, and its figures.

A task knows nothing about files, optimisers or the loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from openteller.core.text import fold
from openteller.training.backbone import MultiHead
from openteller.training.datasets.records import Record
from openteller.training.evaluation.predictions import Predictions

Columns = Mapping[str, str]
Features = dict[str, Any]
Logits = Sequence[NDArray[np.float64]]
Span = tuple[int, int, str]


@dataclass(frozen=True)
class Example:
    """One row as its task reads it.

    texts: one, or two of a pair, or a question with what it is held against.
    gold: a label, the labels, or the spans (start, end, type) in code points of the first text.
    query: what rows have in common that a split must not part, such as the question of several candidates.
    """

    where: str
    texts: tuple[str, ...]
    gold: str | tuple[str, ...] | tuple[Span, ...] | None
    query: str = ""

    @property
    def key(self) -> str:
        """What makes two rows the same row."""
        return "\n".join(map(fold, self.texts))

    @property
    def stratum(self) -> str | None:
        """What a split keeps in proportion: the label, or the set of labels or types."""
        return None if self.gold is None else "|".join(sorted(self.named))

    @property
    def named(self) -> frozenset[str]:
        """The labels, or the types of the spans."""
        golds = (self.gold,) if isinstance(self.gold, str) else self.gold or ()
        return frozenset(part if isinstance(part, str) else part[2] for part in golds)


@dataclass(frozen=True)
class LossOptions:
    """What a recipe may say about the loss. class_weights: (labels,) or None for equal ones."""

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    temperature: float = 0.05  #: of a contrastive loss


class Task(Protocol):
    """One kind of training on an encoder."""

    @property
    def metric(self) -> str:
        """The figure by which the best checkpoint is chosen; higher is better."""
        ...

    @property
    def head(self) -> str:
        """The name of its head: ``label``, ``tags`` when it looks at each token, or empty when there is none."""
        ...

    def example(self, record: Record, columns: Columns) -> Example:
        """Read a record; `columns` maps our names to those of the file. Raises ValueError with the reason."""
        ...

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The outputs of the head in order; () for a task without a head. Raises BadInput when it cannot be trained."""
        ...

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """The token ids, computed once, and the target. `length` is what batches are grouped by."""
        ...

    def trained_on(self, rows: Sequence[Features]) -> list[Features]:
        """The rows of the training split as the loop takes them, each with what it needs of the others."""
        ...

    def collate(self, rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
        """One batch, padded to its longest row; with what the loss needs when `rows` are those of `trained_on`."""
        ...

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """What the loop trains: called with a batch it returns ``loss`` and ``logits``."""
        ...

    def rows_of(self, logits: NDArray[np.float64], rows: Sequence[Features]) -> list[NDArray[np.float64]]:
        """The logits of a batch, row by row, without its padding."""
        ...

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """The logits of each example as predictions that can be judged."""
        ...


def text_of(record: Record, columns: Columns, name: str) -> str:
    """A text field. Raises ValueError when it is absent or no text."""
    column = columns.get(name, name)
    value = record.fields.get(column)
    if value is None:
        raise ValueError(f"the field {column} is missing or empty")
    if not isinstance(value, str):
        raise ValueError(f"the field {column} is {type(value).__name__}, not text")
    return value


def label_of(record: Record, columns: Columns, name: str = "label") -> str:
    """A label: text or a whole number. Raises ValueError when it is absent or something else."""
    column = columns.get(name, name)
    value = record.fields.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # what a spreadsheet makes of a whole number
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, str | int):
        raise ValueError(f"the field {column} is {value!r}, not a label")
    return str(value)


def negatives_of(record: Record, columns: Columns) -> list[str]:
    """The texts that are no match; [] without the field. Raises ValueError when it is no list of texts."""
    negatives = record.fields.get(columns.get("negatives", "negatives")) or []
    if not isinstance(negatives, list) or not all(isinstance(n, str) for n in negatives):
        raise ValueError(f"the negatives are {negatives!r}, not a list of texts")
    return negatives


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoding:
    """The tokens of one text or one pair, folded and not padded."""
    tokenizer.no_padding()
    text, *pair = map(fold, texts)
    return tokenizer.encode(text, pair[0] if pair else None)


def padded(ids: Sequence[Sequence[int]], pad: int) -> dict[str, Tensor]:
    """``input_ids`` and ``attention_mask`` (n, longest)."""
    longest = max(map(len, ids))
    return {
        "input_ids": torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids]),
    }
