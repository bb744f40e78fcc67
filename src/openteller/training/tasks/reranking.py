"""Reranking: a cross-encoder reads a query with a candidate and says how relevant it is.

A row is a query with one candidate and whether it is relevant, or a query with a relevant candidate and any negatives. Two
losses are added: binary cross-entropy, which makes scores comparable between queries, and half the cross-entropy over each
relevant candidate and its rivals, which orders them (Nogueira & Cho 2019; Gao et al. 2021, localized contrastive estimation).
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
from openteller.core.text import fold
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

HEAD = "relevance"
RELEVANT, IRRELEVANT = "1", "0"
_POSITIVE_WEIGHT = 2.0
LIST_SHARE = 0.5


class RerankingModule(nn.Module):
    """An encoder with one output for a pair of texts."""

    def __init__(self, model: MultiHead) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, target: Tensor | None = None, lists: Tensor | None = None
    ) -> dict[str, Tensor]:
        """``logits`` (n, 1), and ``loss`` with `target` (n,) of 0 and 1.

        lists: (queries, candidates) rows of `input_ids` that compete, the relevant one first, -1 where there is none.
        """
        mean, tokens = self.model(input_ids, attention_mask)
        logits = self.model.head(HEAD, mean, tokens).float()
        if target is None or lists is None:
            return {"logits": logits}
        return {"loss": relevance_loss(logits[:, 0], target.float(), lists), "logits": logits}


def relevance_loss(scores: Tensor, target: Tensor, lists: Tensor) -> Tensor:
    """Binary cross-entropy of `scores` (n,) plus half the list loss of `lists` (m, k); see `RerankingModule.forward`."""
    binary, ordered = relevance_losses(scores, target, lists)
    return binary + LIST_SHARE * ordered


def relevance_losses(scores: Tensor, target: Tensor, lists: Tensor) -> tuple[Tensor, Tensor]:
    """The two by themselves; the list loss is 0 without lists."""
    weight = torch.tensor(_POSITIVE_WEIGHT, device=scores.device)
    binary = F.binary_cross_entropy_with_logits(scores, target, pos_weight=weight)
    if not len(lists):
        return binary, scores.new_zeros(())
    competing = scores[lists.clamp(min=0)].masked_fill(lists < 0, -torch.inf)
    first = torch.zeros(len(lists), dtype=torch.long, device=scores.device)
    return binary, F.cross_entropy(competing, first)


@dataclass(frozen=True)
class Reranking:
    """Candidates in the order of their relevance. rivals: irrelevant candidates beside each relevant one, drawn anew."""

    rivals: int = 5
    metric: str = "mrr"
    head: str = HEAD

    def example(self, record: Record, columns: Columns) -> Example:
        """A record with text, pair and label (1 relevant, 0 not), or with text, relevant pair and negatives (a list)."""
        texts = tuple(text_of(record, columns, name) for name in ("text", "pair"))
        negatives = negatives_of(record, columns)
        gold = (
            RELEVANT if negatives and columns.get("label", "label") not in record.fields else label_of(record, columns)
        )
        if gold not in (RELEVANT, IRRELEVANT):
            raise ValueError(f"the label is {gold!r}, neither {RELEVANT} nor {IRRELEVANT}")
        return Example(record.where, (*texts, *negatives), gold, query=fold(texts[0]))

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The one output. Raises BadInput when nothing is relevant or nothing is not."""
        relevant = [e.gold == RELEVANT for e in examples]
        others = [not r or len(e.texts) > 2 for r, e in zip(relevant, examples, strict=True)]
        if not any(relevant) or not any(others):
            raise BadInput(
                "The rows do not tell what is relevant.",
                cause=f"Of {len(examples)} rows {sum(relevant)} are relevant and {sum(others)} name something that is not.",
                next_step="Give rows of label 1 and 0, or negatives beside each relevant pair.",
            )
        return ("relevant",)

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """The token ids of the query with its candidate, then with each negative."""
        ids = [encode(tokenizer, (example.texts[0], candidate)).ids for candidate in example.texts[1:]]
        relevant = example.gold == RELEVANT
        return {"ids": ids, "query": example.query, "relevant": relevant, "length": max(map(len, ids))}

    def trained_on(self, rows: Sequence[Features]) -> list[Features]:
        """The relevant rows, each with the rivals of its query; and one of each query that nothing answers."""
        wrong: dict[str, list[list[int]]] = defaultdict(list)
        for row in rows:
            wrong[row["query"]] += row["ids"][row["relevant"] :]
        answered = {row["query"] for row in rows if row["relevant"]}
        right = [{**row, "rivals": wrong[row["query"]]} for row in rows if row["relevant"]]
        return right + [
            {"ids": [], "rivals": ids, "relevant": False, "length": max(map(len, ids))}
            for query, ids in wrong.items()
            if query not in answered
        ]

    def collate(self, rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
        """Every candidate of `rows`; of rows to train on, the relevant ones with some rivals, ``target`` and ``lists``."""
        if not rows or "rivals" not in rows[0]:
            return padded([ids for row in rows for ids in row["ids"]], pad)
        ids: list[list[int]] = []
        target: list[float] = []
        lists: list[list[int]] = []
        for row in rows:
            right, wrong = row["ids"][: row["relevant"]], row["rivals"]
            drawn = random.sample(wrong, min(self.rivals, len(wrong)))
            if right and drawn:
                lists.append([*range(len(ids), len(ids) + 1 + len(drawn)), *[-1] * (self.rivals - len(drawn))])
            ids += [*right, *drawn]
            target += [1.0] * len(right) + [0.0] * len(drawn)
        competing = torch.tensor(lists, dtype=torch.long).view(-1, self.rivals + 1)
        return padded(ids, pad) | {"target": torch.tensor(target), "lists": competing}

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """The encoder with one output."""
        return RerankingModule(model)

    def rows_of(self, logits: NDArray[np.float64], rows: Sequence[Features]) -> list[NDArray[np.float64]]:
        """(candidates,) scores of each row."""
        ends = np.cumsum([len(row["ids"]) for row in rows])
        return np.split(logits[:, 0], ends[:-1])

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """For each query, the scores of all its candidates and which of them are relevant."""
        scores: dict[str, list[float]] = defaultdict(list)
        gold: dict[str, list[int]] = defaultdict(list)
        texts: dict[str, str] = {}
        for found, example in zip(logits, examples, strict=True):
            texts.setdefault(example.query, example.texts[0])
            scores[example.query] += found.tolist()
            gold[example.query] += [int(example.gold == RELEVANT), *[0] * (len(found) - 1)]
        return Ranking(
            tuple(np.array(gold[query], dtype=np.int64) for query in texts),
            tuple(np.array(scores[query], dtype=np.float64) for query in texts),
            tuple(texts.values()),
            default_groups(tuple(texts.values())),
        )
