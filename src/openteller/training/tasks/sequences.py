"""Tasks with one decision a text or a pair of texts: one label of many, or any number of labels.

Sources: linear head on mean-pooled tokens; label smoothing (Szegedy et al. 2016); multi-label by binary cross-entropy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from openteller.core.errors import BadInput
from openteller.training.backbone import MultiHead
from openteller.training.datasets.records import Record
from openteller.training.evaluation.predictions import MultiLabel, Predictions, SingleLabel
from openteller.training.evaluation.slices import default_groups
from openteller.training.tasks.task import (
    Columns,
    Example,
    Features,
    Logits,
    LossOptions,
    encode,
    label_of,
    padded,
    text_of,
)

HEAD = "label"


class HeadModule(nn.Module):
    """An encoder with one head and its loss."""

    def __init__(self, model: MultiHead, options: LossOptions, head: str, *, many: bool) -> None:
        super().__init__()
        self.model, self.options, self.name, self.many = model, options, head, many
        weights = options.class_weights
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", torch.tensor(weights) if weights else None, persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, target: Tensor | None = None) -> dict[str, Tensor]:
        """``logits`` (n, labels), and ``loss`` when `target` is given: (n,) label ids or (n, labels) of 0 and 1."""
        mean, tokens = self.model(input_ids, attention_mask)
        logits = self.model.head(self.name, mean, tokens).float()
        if target is None:
            return {"logits": logits}
        if self.many:
            smooth = self.options.label_smoothing
            soft = target.float() * (1 - smooth) + smooth / 2
            loss = F.binary_cross_entropy_with_logits(logits, soft, pos_weight=self.class_weights)
        else:
            loss = F.cross_entropy(
                logits, target, weight=self.class_weights, label_smoothing=self.options.label_smoothing
            )
        return {"loss": loss, "logits": logits}


class _OneDecision:
    """What tasks with one row of logits a text share."""

    def trained_on(self, rows: Sequence[Features]) -> list[Features]:
        """The rows as they are."""
        return list(rows)

    def collate(self, rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
        """A batch with ``target``: (n,) ids, or (n, labels) of 0 and 1."""
        return padded([r["ids"] for r in rows], pad) | {"target": torch.tensor([r["target"] for r in rows])}

    def rows_of(self, logits: NDArray[np.float64], rows: Sequence[Features]) -> list[NDArray[np.float64]]:
        """One vector of logits a row."""
        return list(logits)


@dataclass(frozen=True)
class Classification(_OneDecision):
    """One label of many. With `pair` the texts are two: a question and an answer, or two questions."""

    pair: bool = False
    metric: str = "macro_f1"
    head: str = HEAD

    def example(self, record: Record, columns: Columns) -> Example:
        """A record with text, label and, of a pair, pair."""
        return Example(record.where, _texts(record, columns, self.pair), label_of(record, columns))

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The labels in order; numbers by value. Raises BadInput for fewer than two."""
        return at_least_two({str(e.gold) for e in examples})

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """Token ids and the label's id; -1 for a label that training does not know."""
        ids = encode(tokenizer, example.texts).ids
        return {"ids": ids, "target": labels.index(example.gold) if example.gold in labels else -1, "length": len(ids)}

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """The encoder with a softmax head."""
        return HeadModule(model, options, self.head, many=False)

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """Logits and gold ids; rows whose label is not of training count as out of scope."""
        texts = tuple(e.texts[0] for e in examples)
        gold = np.array([row["target"] for row in rows], dtype=np.int64)
        return SingleLabel(tuple(labels), gold, np.stack(logits), texts, default_groups(texts))


@dataclass(frozen=True)
class MultiLabelClassification(_OneDecision):
    """Any number of labels, none included."""

    metric: str = "micro_f1"
    head: str = HEAD

    def example(self, record: Record, columns: Columns) -> Example:
        """A record with text and labels: a list, or one text with | between them."""
        column = columns.get("labels", "labels")
        value = record.fields.get(column) or []
        found = value.split("|") if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not all(isinstance(label, str | int) for label in found):
            raise ValueError(f"the field {column} is {value!r}, not a list of labels")
        names = sorted({str(label).strip() for label in found} - {""})
        return Example(record.where, _texts(record, columns, False), tuple(names))

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """Every label that occurs. Raises BadInput for none."""
        found = {str(label) for e in examples for label in e.gold or ()}
        if not found:
            raise BadInput("No row has a label.", next_step="Name the column of the labels in the recipe's columns.")
        return tuple(sorted(found))

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """Token ids and a vector of 0 and 1."""
        ids = encode(tokenizer, example.texts).ids
        return {"ids": ids, "target": [float(label in (example.gold or ())) for label in labels], "length": len(ids)}

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """The encoder with a sigmoid head."""
        return HeadModule(model, options, self.head, many=True)

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """Logits and gold vectors."""
        texts = tuple(e.texts[0] for e in examples)
        gold = np.array([row["target"] for row in rows], dtype=np.int64)
        return MultiLabel(tuple(labels), gold, np.stack(logits), texts, default_groups(texts))


def at_least_two(found: set[str]) -> tuple[str, ...]:
    """Labels in order, numbers by value. Raises BadInput for fewer than two."""
    if len(found) < 2:
        raise BadInput(
            f"The data has {len(found)} label(s).",
            cause=f"Found: {', '.join(sorted(found)) or 'none'}.",
            next_step="A classifier needs at least two; check the recipe's columns.",
        )
    return tuple(
        sorted(found, key=lambda label: (not label.isdecimal(), int(label) if label.isdecimal() else 0, label))
    )


def _texts(record: Record, columns: Columns, pair: bool) -> tuple[str, ...]:
    return tuple(text_of(record, columns, name) for name in (("text", "pair") if pair else ("text",)))
