"""Embedding: texts that mean the same come close, by InfoNCE with in-batch and hard negatives (van den Oord et al. 2018).

A row is a text with its pair and any negatives, or a text with a label: then rows of one label are each other's pairs.
"""

import random
from collections import defaultdict
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
from openteller.training.evaluation.predictions import Predictions, Ranking
from openteller.training.evaluation.slices import default_groups
from openteller.training.tasks.task import (
    Columns,
    Example,
    Features,
    Logits,
    LossOptions,
    encode,
    label_of,
    negatives_of,
    padded,
    text_of,
)


class ContrastiveModule(nn.Module):
    """An encoder whose mean vectors are held against each other."""

    def __init__(self, model: MultiHead, options: LossOptions) -> None:
        super().__init__()
        self.model, self.temperature = model, options.temperature

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, pairs: Tensor | None = None, group: Tensor | None = None
    ) -> dict[str, Tensor]:
        """``logits``: unit vectors (m, hidden). With `pairs` and `group` (n,): rows are n texts, n pairs, negatives."""
        vectors = F.normalize(self.model(input_ids, attention_mask)[0].float(), dim=1)
        if pairs is None or group is None:
            return {"logits": vectors}
        return {"loss": info_nce(vectors, group, self.temperature), "logits": vectors}


def info_nce(vectors: Tensor, group: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE over unit vectors (m, d): n texts, their n pairs, then negatives; n is the length of `group`.

    Rows of one group are not held against each other. The negatives count for the texts alone.
    """
    n = len(group)
    texts, others = vectors[:n], vectors[n:]
    same = (group[:, None] == group[None, :]) & ~torch.eye(n, dtype=torch.bool, device=group.device)
    scores = texts @ others.T / temperature
    forward = torch.cat([scores[:, :n].masked_fill(same, -torch.inf), scores[:, n:]], dim=1)
    gold = torch.arange(n, device=group.device)
    backward = scores[:, :n].T.masked_fill(same, -torch.inf)
    return (F.cross_entropy(forward, gold) + F.cross_entropy(backward, gold)) / 2


@dataclass(frozen=True)
class Embedding:
    """A space in which a text's pair is its nearest. `labelled`: rows have a label instead of a pair."""

    labelled: bool = False
    metric: str = "mrr"
    head: str = ""

    def example(self, record: Record, columns: Columns) -> Example:
        """A record with text and label, or with text, pair and, if it has them, negatives (a list)."""
        text = text_of(record, columns, "text")
        if self.labelled:
            return Example(record.where, (text,), label_of(record, columns))
        return Example(record.where, (text, text_of(record, columns, "pair"), *negatives_of(record, columns)), None)

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """No head, so no labels. Raises BadInput when no two rows of a label make a pair."""
        if self.labelled:
            golds = [e.gold for e in examples]
            if len(set(golds)) < 2 or len(set(golds)) == len(golds):
                raise BadInput(
                    "The rows make no pairs.",
                    cause=f"{len(golds)} rows have {len(set(golds))} labels.",
                    next_step="Give at least two labels, one of them with two rows.",
                )
        return ()

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """The token ids of every text; what a row is grouped by: its label, or its pair."""
        ids = [encode(tokenizer, [text]).ids for text in example.texts]
        group = example.gold if self.labelled else example.texts[1]
        return {"ids": ids, "group": group, "length": max(map(len, ids))}

    def trained_on(self, rows: Sequence[Features]) -> list[Features]:
        """With a label each: every row with the texts of its label, itself only when it stands alone."""
        if not self.labelled:
            return list(rows)
        by_group: dict[str, list[Features]] = defaultdict(list)
        for row in rows:
            by_group[row["group"]].append(row)
        linked = []
        for row in rows:
            others = [other["ids"][0] for other in by_group[row["group"]] if other is not row]
            linked.append({**row, "partners": others or row["ids"]})
        return linked

    def collate(self, rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
        """Texts, pairs, then negatives in ``input_ids``; ``pairs`` and ``group`` have a row for each text."""
        if self.labelled:
            if rows and "partners" not in rows[0]:
                return padded([row["ids"][0] for row in rows], pad)
            rows = [{**row, "ids": [*row["ids"], random.choice(row["partners"])]} for row in rows]
        ids = [row["ids"][0] for row in rows] + [row["ids"][1] for row in rows]
        ids += [negative for row in rows for negative in row["ids"][2:]]
        names = sorted({row["group"] for row in rows})
        group = torch.tensor([names.index(row["group"]) for row in rows])
        return padded(ids, pad) | {"pairs": torch.arange(len(rows)), "group": group}

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """The encoder with the contrastive loss."""
        return ContrastiveModule(model, options)

    def rows_of(self, logits: NDArray[np.float64], rows: Sequence[Features]) -> list[NDArray[np.float64]]:
        """(2, hidden) of each row: the text and its pair; (1, hidden) without pairs."""
        if self.labelled:
            return [vector[None] for vector in logits]
        return [np.stack([logits[i], logits[len(rows) + i]]) for i in range(len(rows))]

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """For each text, the cosines to every pair (or every other text) and which of them have its group."""
        texts = tuple(e.texts[0] for e in examples)
        vectors = np.stack([v[0] for v in logits])
        others = vectors if self.labelled else np.stack([v[1] for v in logits])
        groups = np.array([str(row["group"]) for row in rows])
        scores = vectors @ others.T
        golds = (groups[:, None] == groups[None, :]).astype(np.int64)
        if self.labelled:  # a text is not its own pair
            keep = ~np.eye(len(texts), dtype=bool)
            kept = [(golds[i][keep[i]], scores[i][keep[i]]) for i in range(len(texts))]
        else:
            kept = list(zip(golds, scores, strict=True))
        return Ranking(tuple(g for g, _ in kept), tuple(s for _, s in kept), texts, default_groups(texts))
