"""Several heads on one encoder in one run, each with its task and rows, so that one pass serves them all (Caruana 1997).

    recipe ─▶ rows of each head ─▶ one encoder ─▶ loop over mixed batches ─▶ figures of each head ─▶ artefact

Knows nothing about the command line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from openteller.core.errors import BadInput
from openteller.registry.manifest import Manifest
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.loader import TOKEN_HEADS
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training import checkpoints, processes
from openteller.training.artefacts import described
from openteller.training.backbone import MultiHead
from openteller.training.calibration import temperature_of
from openteller.training.encoders import tuned
from openteller.training.evaluation.figures import figures
from openteller.training.evaluation.predictions import Predictions
from openteller.training.finetune import content_digest, predict
from openteller.training.fitting import Fitted, fit, require_figure
from openteller.training.optimisation import Report
from openteller.training.preparing import SPLITS, Prepared, Sources, prepare
from openteller.training.processes import from_main
from openteller.training.provenance import languages
from openteller.training.recipes import as_dataclass
from openteller.training.tasks.catalogue import headed
from openteller.training.tasks.task import Features, LossOptions, Task
from openteller.training.trained import MULTI_TASK
from openteller.training.tuning import Tuning, begin

MEAN = "mean"  #: the mean of each head's own figure


@dataclass(frozen=True)
class HeadRecipe(Sources):
    """One head: its task and its rows."""

    task: str = "classification"
    weight: float = 1.0  #: of its loss beside the others'
    label_smoothing: float = 0.0
    attribution: str = ""  #: whose the training data are, and under which licence


@dataclass(frozen=True)
class MultiTaskRecipe(Tuning):
    """One run. heads: name → the fields of `HeadRecipe`; the head that marks spans is called tags."""

    heads: dict[str, Any] = field(default_factory=dict)
    layers: int = 0  #: of the encoder that are used, from the first; 0: all
    licence: str = ""  #: of the artefact; empty: that of the training data and of the base weights

    def head(self, name: str) -> HeadRecipe:
        """The recipe of one head. Raises BadInput."""
        given = self.heads[name]
        if not isinstance(given, dict):
            raise BadInput(
                f"The head {name} is {given!r}.",
                next_step="Give its task, train and columns, each on a line of its own.",
            )
        found = as_dataclass(HeadRecipe, given)
        if not name.isidentifier():
            raise BadInput(f"A head cannot be called {name!r}.", next_step="Use letters, digits and _.")
        if (found.task == "tokens") != (name in TOKEN_HEADS):
            raise BadInput(
                f"The head {name} cannot have the task {found.task}.",
                cause=f"Heads that mark spans are called {', '.join(TOKEN_HEADS)}, and only those.",
                next_step="Rename it.",
            )
        return found if "seed" in given else replace(found, seed=self.seed)


def tasks_of(manifest: Manifest) -> dict[str, tuple[Task, HeadRecipe]]:
    """Head → its task and its recipe, of an artefact with several heads; none of another."""
    heads: dict[str, Any] = manifest.settings["heads"] if manifest.task == MULTI_TASK else {}
    found = {name: as_dataclass(HeadRecipe, given) for name, given in heads.items()}
    return {name: (headed(recipe.task, name), recipe) for name, recipe in found.items()}


@dataclass(frozen=True)
class Part:
    """One head at work. rows: of train and validation."""

    recipe: HeadRecipe
    task: Task
    prepared: Prepared
    rows: Mapping[str, Sequence[Features]]
    module: nn.Module


class Joint(nn.Module):
    """The encoder with all heads. Called with a batch of each head it returns the mean loss over all rows."""

    def __init__(self, model: MultiHead, parts: Mapping[str, Part]) -> None:
        super().__init__()
        self.model = model
        # Kept out of the module tree: each of them holds the same encoder, which a checkpoint should have once.
        self._parts = dict(parts)

    def forward(self, **batches: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss``; a batch may lack heads."""
        rows = sum(len(batch["input_ids"]) for batch in batches.values())
        losses = [
            self._parts[name].module(**batch)["loss"] * self._parts[name].recipe.weight * len(batch["input_ids"]) / rows
            for name, batch in batches.items()
        ]
        # Processes that train together wait for every gradient.
        absent = (
            p.sum() * 0 for name in self._parts.keys() - batches.keys() for p in self.model.heads[name].parameters()
        )
        return {"loss": torch.stack([*losses, *absent]).sum()}


def train(
    recipe: MultiTaskRecipe,
    locate: Callable[[str], Path],
    weights_path: Path,
    output: Path,
    report: Report,
    *,
    restart: bool = False,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`; a run that was cut off goes on where it was.

    Args:
        recipe: what to train.
        locate: finds the path of a data set.
        weights_path: the base encoder's file.
        output: where the artefact goes; its checkpoints stand in `output`/checkpoints until it is done.
        report: told (step, steps, text) as it goes.
        restart: leave old checkpoints aside.

    Raises:
        BadInput: the recipe or its data cannot be used.
        FloatingPointError: the loss is not finite.
    """
    with processes.together():
        run = Run(recipe, locate, weights_path)
        for name, part in run.parts.items():
            for line in part.prepared.lines():
                report(0, 0, f"{name}: {line}")
        folder = checkpoints.folder_of(output, restart=restart)
        fitted = run.fit(folder, report)
        return checkpoints.finished(folder, lambda: run.save(output, fitted))


class Run:
    """The heads, their rows and their model, as a recipe asks. Raises BadInput when recipe or data cannot be used."""

    def __init__(self, recipe: MultiTaskRecipe, locate: Callable[[str], Path], weights_path: Path) -> None:
        begin(recipe)
        if len(recipe.heads) < 2:
            raise BadInput(
                f"The recipe names {len(recipe.heads)} heads.",
                next_step="Name two or more in heads, or use the task of one.",
            )
        self.recipe = recipe
        wanted = {name: recipe.head(name) for name in recipe.heads}
        tasks = {name: headed(head.task, name) for name, head in wanted.items()}
        if len({head.task == "pair-classification" for head in wanted.values()}) > 1:
            raise BadInput(
                "Heads that read two texts and heads that read one cannot be served by one pass.",
                next_step="Train them in two runs.",
            )
        prepared = {name: prepare(tasks[name], head, locate) for name, head in wanted.items()}
        weights = load_backbone(weights_path, recipe.layers)
        tokenizer = build_tokenizer(weights, max_tokens=recipe.max_tokens)
        self.pad, self.layers = weights.special["pad"], weights.layers
        self.model = tuned(weights, {name: len(found.labels) for name, found in prepared.items()}, recipe)
        self.parts = {}
        for name, head in wanted.items():
            task, found = tasks[name], prepared[name]
            rows = {side: found.features(task, tokenizer, side) for side in ("train", "validation")}
            module = task.module(self.model, LossOptions(head.label_smoothing))
            self.parts[name] = Part(head, task, found, rows, module)
        self.module = Joint(self.model, self.parts)
        self._data = {
            name: [content_digest(locate(file)) for side in SPLITS for file in head.files(side)]
            for name, head in wanted.items()
        }

    def fit(self, folder: Path, report: Report) -> Fitted:
        """Train, from the newest checkpoint in `folder` if it has one of this run; leaves the best state."""
        from_main(lambda: checkpoints.claim(folder, asdict(self.recipe) | {"data": self._data}))
        rows = [{**row, "of": name} for name, part in self.parts.items() for row in part.rows["train"]]
        if self.recipe.metric:
            require_figure(self.recipe.metric, self.judge())
        schedule = replace(self.recipe, metric=self.recipe.metric or MEAN)
        return fit(self.module, rows, self._collate, self.judge, schedule, folder, report)

    def judge(self) -> dict[str, float]:
        """The figures of each head on its validation rows as the model stands, and the mean of their own ones."""
        return self._figures({})

    def predictions(self, name: str) -> Predictions:
        """What the model says of the validation rows of a head."""
        part = self.parts[name]
        examples, rows = part.prepared.examples["validation"], part.rows["validation"]
        return predict(part.task, part.module, examples, rows, part.prepared.labels, self.pad)

    def save(self, output: Path, fitted: Fitted) -> Manifest:
        """Calibrate, measure and write the artefact."""
        if self.recipe.adapter == "dora":  # merged first: it is the merged encoder that is measured and serves
            self.model.merge()
        temperatures = {name: round(temperature_of(self.predictions(name)), 4) for name in self.parts}
        measured = self._figures(temperatures) | {
            **{
                f"{name}_{side}_rows": float(len(part.rows[side]))
                for name, part in self.parts.items()
                for side in part.rows
            },
            "minutes": fitted.seconds / 60,
            "samples_per_second": fitted.samples / max(fitted.seconds, 1e-9),
        }
        self.model.save(output)
        heads = {name: asdict(part.recipe) for name, part in self.parts.items()}
        sources = [s for part in self.parts.values() for s in (part.recipe.attribution, *part.recipe.files("train"))]
        manifest = Manifest(
            name=self.recipe.name,
            task=MULTI_TASK,
            base=self.recipe.weights,
            created_at=datetime.now(UTC),
            licence=self.recipe.licence or "that of the training data and of the base weights",
            data=tuple(dict.fromkeys(filter(None, sources))),
            metrics={name: round(value, 4) for name, value in measured.items() if np.isfinite(value)},
            labels={name: part.prepared.labels for name, part in self.parts.items()},
            temperatures=temperatures,
            settings=asdict(self.recipe) | {"heads": heads, "lora_scale": self.model.lora_scale, "layers": self.layers},
            languages=languages(
                text for part in self.parts.values() for e in part.prepared.examples["train"] for text in e.texts
            ),
        )
        return described(output, manifest)

    def _figures(self, temperatures: Mapping[str, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        own = []
        for name, part in self.parts.items():
            of_head = figures(self.predictions(name), temperatures.get(name, 1.0))
            own.append(of_head[part.task.metric])
            found |= {f"{name}_{figure}": value for figure, value in of_head.items()}
        return {MEAN: float(np.mean(own))} | found

    def _collate(self, rows: Sequence[Features]) -> dict[str, dict[str, Tensor]]:
        """A batch of each head that has rows among these."""
        return {
            name: part.task.collate(own, self.pad)
            for name, part in self.parts.items()
            if (own := [row for row in rows if row["of"] == name])
        }
