"""Measures an artefact on a data set: its rows through its model, and the report of what came out.

Knows nothing about the command line.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from openteller.core.errors import BadInput
from openteller.registry.manifest import Manifest, read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.training.backbone import MultiHead
from openteller.training.datasets.readers import OnBad
from openteller.training.datasets.records import BadRow
from openteller.training.evaluation.predictions import Predictions
from openteller.training.evaluation.report import Report, build
from openteller.training.finetune import predict, recipe_of
from openteller.training.multitask import tasks_of
from openteller.training.preparing import Sources, examples_of, features_of
from openteller.training.tasks.catalogue import TASKS
from openteller.training.tasks.task import Example, LossOptions, Task
from openteller.training.trained import open_trained

_TIMED = 50  # texts of the latency figures


@dataclass(frozen=True)
class Artefact:
    """A trained model with what it needs to read texts."""

    manifest: Manifest
    task: Task
    recipe: Sources
    model: MultiHead
    tokenizer: Tokenizer
    pad: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The outputs of its head; () without one."""
        return self.manifest.labels.get(self.task.head, ())

    @property
    def temperature(self) -> float:
        """What its logits are divided by."""
        return self.manifest.temperatures.get(self.task.head, 1.0)

    def predictions(self, examples: Sequence[Example]) -> Predictions:
        """What the model says of `examples`."""
        rows = features_of(self.task, examples, self.tokenizer, self.labels)
        return predict(self.task, self.task.module(self.model, LossOptions()), examples, rows, self.labels, self.pad)


def open_artefact(folder: Path, catalogue: Catalogue, head: str = "") -> Artefact:
    """The artefact in `folder`; of one with several heads, `head`.

    Raises:
        ModelUnavailable: it or its base weights are missing or damaged.
        BadInput: it was not made by a recipe of a task, such as the understanding; or it has no such head.
    """
    manifest = read_manifest(folder, verify=False)
    if heads := tasks_of(manifest):
        if head not in heads:
            raise BadInput(
                f"{folder.name} has no head {head!r}." if head else f"{folder.name} has several heads.",
                next_step=f"Name one with --head: {', '.join(heads)}.",
            )
        opened, (task, recipe) = open_trained(folder, catalogue), heads[head]
        return Artefact(manifest, task, recipe, opened.model, opened.tokenizer, opened.pad)
    if head and head not in manifest.labels:
        raise BadInput(f"{folder.name} has no head {head!r}.", next_step="Leave out --head.")
    if manifest.task not in TASKS:
        raise BadInput(
            f"{folder.name} cannot be measured this way.",
            cause=f"Its task is {manifest.task}.",
            next_step=f"Name an artefact whose task is one of {', '.join(sorted(TASKS))}.",
        )
    opened = open_trained(folder, catalogue)
    return Artefact(manifest, TASKS[manifest.task], recipe_of(manifest), opened.model, opened.tokenizer, opened.pad)


def open_champion(folder: Path, catalogue: Catalogue, head: str = "") -> Artefact:
    """As `open_artefact`, but where there is a single head, that one whatever it is called. Raises likewise."""
    return open_artefact(folder, catalogue, head if tasks_of(read_manifest(folder, verify=False)) else "")


def evaluate(
    artefact: Artefact,
    data: Path,
    *,
    champion: Artefact | None = None,
    bad_rows: OnBad = "error",
    samples: int = 1000,
) -> Report:
    """The report of `artefact` on the rows of `data`, beside the champion's on the same rows.

    Raises:
        BadInput: rows cannot be used, or the champion has another task.
    """
    if champion and _kind(champion.task) != _kind(artefact.task):
        raise BadInput(
            f"{artefact.manifest.name} and {champion.manifest.name} cannot be compared.",
            cause=f"Their tasks are {artefact.manifest.task} and {champion.manifest.task}.",
        )
    bad: list[BadRow] = []
    examples = examples_of(artefact.task, data, replace(artefact.recipe, bad_rows=bad_rows), bad)
    if not examples:
        raise BadInput(f"{data.name} has no rows to measure on.")
    return build(
        artefact.predictions(examples),
        title=f"{artefact.manifest.name} on {data.name}",
        dataset=data.name,
        model=artefact.manifest.name,
        temperature=artefact.temperature,
        champion=champion.predictions(examples) if champion else None,
        champion_temperature=champion.temperature if champion else 1.0,
        latency=_latency(artefact, examples),
        samples=samples,
    )


def _kind(task: Task) -> tuple[type, bool]:
    """What tasks must share to be compared; not the names of their heads."""
    return type(task), bool(getattr(task, "pair", False))


def _latency(artefact: Artefact, examples: Sequence[Example]) -> dict[str, float]:
    """Milliseconds of one text at a time through torch, after one that is not counted."""
    module = artefact.task.module(artefact.model, LossOptions()).eval()
    taken = []
    with torch.no_grad():
        for example in examples[: _TIMED + 1]:
            started = time.perf_counter()
            rows = features_of(artefact.task, [example], artefact.tokenizer, artefact.labels)
            batch = artefact.task.collate(rows, artefact.pad)
            module(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
            taken.append((time.perf_counter() - started) * 1000)
    counted = taken[1:] or taken
    return {f"torch_ms_p{p}": float(np.percentile(counted, p)) for p in (50, 95)}
