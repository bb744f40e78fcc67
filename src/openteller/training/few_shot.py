"""Few labelled texts a class: the encoder is trained to bring texts of one label together, then a linear head is fitted on it.

Sources: SetFit (Tunstall et al. 2022, Efficient few-shot learning without prompts); the pairs are held against each other by
InfoNCE. Knows nothing about recipes or files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from openteller.training.backbone import MultiHead
from openteller.training.evaluation.figures import figures
from openteller.training.fitting import Fitted, Schedule, Watch, fit, forward
from openteller.training.optimisation import Report
from openteller.training.tasks.embedding import Embedding
from openteller.training.tasks.sequences import HEAD
from openteller.training.tasks.task import Example, Features, LossOptions

_SPACE = Embedding(labelled=True)
_INVERSE_PENALTY = 10.0  # of the logistic regression, on vectors whose mean length is 1


def contrast(
    model: MultiHead,
    rows: Mapping[str, Sequence[Features]],
    examples: Mapping[str, Sequence[Example]],
    pad: int,
    options: LossOptions,
    schedule: Schedule,
    folder: Path,
    report: Report,
    watch: Watch | None = None,
) -> Fitted:
    """Bring texts of one label together, from the newest checkpoint in `folder`; the best state by MRR is left in `model`.

    Args:
        model: its encoder is trained, its head is not.
        rows: ``train`` and ``validation``, of a classification, each with ``ids``.
        examples: what the rows were made of.
        pad: the id that pads.
        options: the temperature of the loss.
        schedule: how.
        folder: of the checkpoints.
        report: told (step, steps, text).
        watch: told (step, MRR) after each evaluation.
    """
    spaced = {name: _by_label(found, examples[name]) for name, found in rows.items()}
    module = _SPACE.module(model, options)

    def collate(batch: Sequence[Features]) -> dict[str, Tensor]:
        return _SPACE.collate(batch, pad)

    def judge() -> dict[str, float]:
        vectors = forward(module, spaced["validation"], collate, _SPACE.rows_of)
        return figures(_SPACE.predictions(vectors, examples["validation"], spaced["validation"], ()))

    trained = _SPACE.trained_on(spaced["train"])
    model.heads.requires_grad_(False)  # processes that train together wait for every gradient
    try:
        return fit(module, trained, collate, judge, replace(schedule, metric=_SPACE.metric), folder, report, watch)
    finally:
        model.heads.requires_grad_(True)


def fit_head(
    model: MultiHead, rows: Sequence[Features], collate: Callable[[Sequence[Features]], dict[str, Tensor]]
) -> None:
    """Fit the head of a classification on the mean vectors of `rows` by logistic regression, the encoder as it is."""
    vectors = np.stack(forward(_Means(model), rows, collate, lambda logits, _: list(logits)))
    length = float(np.linalg.norm(vectors, axis=1).mean())
    gold = np.array([row["target"] for row in rows])
    found = LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000).fit(vectors / length, gold)
    weight, bias = found.coef_ / length, found.intercept_
    if len(weight) == 1:  # of two labels it fits the second alone
        weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        head: torch.nn.Linear = model.heads[HEAD]  # type: ignore[assignment]
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))


class _Means(torch.nn.Module):
    """The mean vectors of texts, as a head sees them."""

    def __init__(self, model: MultiHead) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """``logits``: (n, hidden)."""
        return {"logits": self.model(input_ids, attention_mask)[0].float()}


def _by_label(rows: Sequence[Features], examples: Sequence[Example]) -> list[Features]:
    """Rows of a classification as the embedding task has them."""
    return [{**row, "ids": [row["ids"]], "group": e.gold} for row, e in zip(rows, examples, strict=True)]
