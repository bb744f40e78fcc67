"""Fine-tunes an encoder for one task, from a recipe to an artefact that serves.

    recipe ─▶ rows (read, checked, split) ─▶ model (full, top layers, head, LoRA) ─▶ loop ─▶ figures ─▶ artefact

Knows nothing about the command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import nn

from openteller.core.errors import BadInput
from openteller.registry.manifest import Manifest, sha256
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training import checkpoints, few_shot, processes
from openteller.training.artefacts import described
from openteller.training.backbone import MultiHead
from openteller.training.calibration import temperature_of
from openteller.training.corrections import NOTED
from openteller.training.encoders import tuned
from openteller.training.evaluation.figures import figures
from openteller.training.evaluation.predictions import Predictions
from openteller.training.fitting import Fitted, Watch, fit, forward, require_figure
from openteller.training.optimisation import Report
from openteller.training.preparing import SPLITS, Sources, prepare
from openteller.training.processes import from_main
from openteller.training.provenance import languages
from openteller.training.tasks.catalogue import task_named
from openteller.training.tasks.task import Example, Features, LossOptions, Task
from openteller.training.tuning import Tuning, begin

_SAID = frozenset({"attribution", "licence", "feedback"})  # fields that say something and change nothing


@dataclass(frozen=True)
class FineTuneRecipe(Tuning, Sources):
    """One run of fine-tuning. Fields of the loop stand in Schedule, those of the model in Tuning, of the data in Sources."""

    task: str = "classification"
    layers: int = 0  #: of the encoder that are used, from the first; 0: all
    label_smoothing: float = 0.0
    class_weights: str = "equal"  #: or balanced: by the inverse of how often a label occurs
    temperature: float = 0.05  #: of a contrastive loss
    contrastive_steps: int = 0  #: bring texts of one label together for so many steps, then fit the head on them; 0: no
    seed: int = 20261123
    attribution: str = ""  #: whose the training data are, and under which licence
    licence: str = ""  #: of the artefact; empty: that of the training data and of the base weights


def recipe_of(manifest: Manifest) -> FineTuneRecipe:
    """The recipe of an artefact, as its manifest notes it."""
    known = {f.name for f in fields(FineTuneRecipe)}
    return FineTuneRecipe(**{name: value for name, value in manifest.settings.items() if name in known})


def finetune(
    recipe: FineTuneRecipe,
    locate: Callable[[str], Path],
    weights_path: Path,
    output: Path,
    report: Report,
    *,
    restart: bool = False,
    corrections: Path | None = None,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`; a run that was cut off goes on where it was.

    Started several times by torchrun or Ray Train, the processes share the rows, and the first one writes.

    Args:
        recipe: what to train.
        locate: finds the path of a data set.
        weights_path: the base encoder's file.
        output: where the artefact goes; its checkpoints stand in `output`/checkpoints until it is done.
        report: told (step, steps, text) as it goes.
        restart: leave old checkpoints aside.
        corrections: further rows, as `feedback.curated` writes them.

    Raises:
        BadInput: the recipe or its data cannot be used.
        FloatingPointError: the loss is not finite.
    """
    with processes.together():
        run = Run(recipe, locate, weights_path, corrections)
        for line in run.prepared.lines():
            report(0, 0, line)
        folder = checkpoints.folder_of(output, restart=restart)
        fitted = run.fit(folder, report)
        return checkpoints.finished(folder, lambda: run.save(output, fitted))


def build_model(recipe: FineTuneRecipe, task: Task, weights: EncoderWeights, labels: Sequence[str]) -> MultiHead:
    """The encoder with its head, and only that trainable which the recipe says."""
    return tuned(weights, {task.head: len(labels)} if task.head else {}, recipe)


def predict(
    task: Task,
    module: nn.Module,
    examples: Sequence[Example],
    rows: Sequence[Features],
    labels: Sequence[str],
    pad: int,
) -> Predictions:
    """What the task's `module` says of `examples`, whose tokenised `rows` are padded with the id `pad`."""
    logits = forward(module, rows, lambda batch: task.collate(batch, pad), task.rows_of)
    return task.predictions(logits, examples, rows, labels)


class Run:
    """One task, its rows and its model, as a recipe asks. Raises BadInput when recipe or data cannot be used."""

    def __init__(
        self,
        recipe: FineTuneRecipe,
        locate: Callable[[str], Path],
        weights_path: Path,
        corrections: Path | None = None,
    ) -> None:
        begin(recipe)
        if (recipe.contrastive_steps or recipe.label_names) and recipe.task != "classification":
            raise BadInput(
                f"The task {recipe.task} has no few-shot mode.",
                next_step="Leave out contrastive_steps and label_names, or use the task classification.",
            )
        self.recipe, self.task = recipe, task_named(recipe.task)
        self.prepared = prepare(self.task, recipe, locate, corrections)
        weights = load_backbone(weights_path, recipe.layers)
        tokenizer = build_tokenizer(weights, max_tokens=recipe.max_tokens)
        self.pad, self.layers = weights.special["pad"], weights.layers
        self.model = build_model(recipe, self.task, weights, self.prepared.labels)
        self.rows = {name: self.prepared.features(self.task, tokenizer, name) for name in ("train", "validation")}
        self.options = LossOptions(recipe.label_smoothing, self._class_weights(), recipe.temperature)
        self.module: nn.Module = self.task.module(self.model, self.options)
        self._data = {name: [content_digest(locate(file)) for file in recipe.files(name)] for name in SPLITS}
        self._corrected = {NOTED: self.prepared.corrected.noted()} if self.prepared.corrected else {}

    def fit(self, folder: Path, report: Report, watch: Watch | None = None) -> Fitted:
        """Train, from the newest checkpoint in `folder` if it has one of this run; leaves the best state."""
        from_main(lambda: checkpoints.claim(folder, self._settings() | {"data": self._data} | self._corrected))
        if self.recipe.metric:
            require_figure(self.recipe.metric, self.judge())
        schedule = replace(self.recipe, metric=self.recipe.metric or self.task.metric)
        if self.recipe.contrastive_steps:
            return self._contrast(folder, report, watch)
        rows = self.task.trained_on(self.rows["train"])
        return fit(self.module, rows, self._collate, self.judge, schedule, folder, report, watch)

    def _contrast(self, folder: Path, report: Report, watch: Watch | None) -> Fitted:
        """The two stages of the few-shot mode."""
        schedule = replace(self.recipe, steps=self.recipe.contrastive_steps)
        rows, examples = self.rows, self.prepared.examples
        fitted = few_shot.contrast(self.model, rows, examples, self.pad, self.options, schedule, folder, report, watch)
        few_shot.fit_head(self.model, rows["train"], self._collate)
        return fitted

    def judge(self) -> dict[str, float]:
        """The figures on validation as the model stands."""
        return figures(self.predictions("validation"))

    def predictions(self, name: str) -> Predictions:
        """What the model says of a split."""
        examples, rows = self.prepared.examples[name], self.rows[name]
        return predict(self.task, self.module, examples, rows, self.prepared.labels, self.pad)

    def save(self, output: Path, fitted: Fitted) -> Manifest:
        """Calibrate, measure and write the artefact."""
        if self.recipe.adapter == "dora":  # merged first: it is the merged encoder that is measured and serves
            self.model.merge()
        found = self.predictions("validation")
        temperature = temperature_of(found) if self.task.head else 1.0
        measured = figures(found, temperature) | {
            "train_rows": float(len(self.rows["train"])),
            "validation_rows": float(len(self.rows["validation"])),
            "minutes": fitted.seconds / 60,
            "samples_per_second": fitted.samples / max(fitted.seconds, 1e-9),
        }
        self.model.save(output)
        labels = {self.task.head: self.prepared.labels} if self.task.head else {}
        manifest = Manifest(
            name=self.recipe.name,
            task=self.recipe.task,
            base=self.recipe.weights,
            created_at=datetime.now(UTC),
            licence=self.recipe.licence or "that of the training data and of the base weights",
            data=tuple(filter(None, (self.recipe.attribution, *self._files()))),
            metrics={name: round(value, 4) for name, value in measured.items() if np.isfinite(value)},
            labels=labels,
            temperatures=dict.fromkeys(labels, round(temperature, 4)),
            settings=self._settings() | self._corrected | {"lora_scale": self.model.lora_scale, "layers": self.layers},
            languages=languages(text for example in self.prepared.examples["train"] for text in example.texts),
        )
        return described(output, manifest)

    def _files(self) -> list[str]:
        corrected = [self.prepared.corrected.attribution()] if self.prepared.corrected else []
        return [file for name in ("train", "validation") for file in self.recipe.files(name)] + corrected

    def _settings(self) -> dict[str, object]:
        """What of the recipe makes the model what it is."""
        return {name: value for name, value in asdict(self.recipe).items() if name not in _SAID}

    def _collate(self, rows: Sequence[Features]) -> dict[str, torch.Tensor]:
        return self.task.collate(rows, self.pad)

    def _class_weights(self) -> tuple[float, ...] | None:
        if self.recipe.class_weights == "equal":
            return None
        if self.recipe.class_weights != "balanced" or self.recipe.task not in ("classification", "pair-classification"):
            raise BadInput(
                f"class_weights {self.recipe.class_weights!r} cannot be used with task {self.recipe.task}.",
                next_step="Use equal, or balanced with a classification.",
            )
        counts = np.bincount([row["target"] for row in self.rows["train"]], minlength=len(self.prepared.labels))
        return tuple(float(w) for w in counts.sum() / (len(counts) * counts))


def content_digest(path: Path) -> object:
    """What changes when a file changes, or anything in a folder of a saved data set."""
    if path.is_dir():
        return {str(file.relative_to(path)): sha256(file) for file in sorted(path.rglob("*")) if file.is_file()}
    return sha256(path)
