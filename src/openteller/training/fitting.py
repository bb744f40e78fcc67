"""The loop: transformers' Trainer around a task's module, with checkpoints, early stopping and the best one restored.

Started by torchrun or Ray Train it is one process of several (training/processes.py): `batch_size` rows go to each at a
step. Knows nothing about files of examples or about artefacts.
"""

import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import Sampler
from transformers import (
    Adafactor,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
)

from openteller.core.errors import BadInput
from openteller.training import optimisation, processes
from openteller.training.checkpoints import newest_whole
from openteller.training.optimisation import Report
from openteller.training.tasks.task import Features

Judge = Callable[[], dict[str, float]]
Watch = Callable[[int, float], None]
PRECISIONS = (*optimisation.PRECISIONS, "fp16", "auto")
SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup", "polynomial")


_LAYER = re.compile(r"\.layers?\.(\d+)\.")
_OPTIMISERS: dict[str, Callable[..., Any]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9),
    "adafactor": partial(Adafactor, scale_parameter=False, relative_step=False),
}


@dataclass(frozen=True)
class Schedule:
    """How a module is fitted; the fields mean what they mean in a recipe."""

    optimiser: str = "adamw"
    learning_rate: float = 2e-4
    head_learning_rate: float = 0.0  #: 0: the same
    layer_decay: float = (
        1.0  #: each layer learns at this share of the rate of the next, embeddings slowest (Howard & Ruder 2018)
    )
    schedule: str = "linear"
    warmup: float = 0.1
    weight_decay: float = 0.01
    batch_size: int = 32
    accumulate: int = 1
    epochs: int = 4
    steps: int = 0  #: 0: as many as the epochs have
    patience: int = 0  #: evaluations without gain after which it stops; 0: never
    metric: str = ""  #: figure that chooses the best checkpoint, higher is better; empty: the task's own
    seed: int = 20261123
    precision: str = "fp32"  #: bf16, fp16; auto: bf16 where the processor or the GPU multiplies it, else fp32
    compile: bool = False
    checkpoint_minutes: float = 5.0


@dataclass(frozen=True)
class Fitted:
    """What a run gave. history: a row for each log and evaluation, as the Trainer keeps it."""

    best: float
    best_step: int
    seconds: float
    samples: int
    history: tuple[dict[str, float], ...]


class LengthGrouped(Sampler[int]):
    """Rows in random order, those of like length together, so that a batch has little padding.

    The order depends on the seed and the epoch alone: a run that goes on in mid-epoch meets the rest of it.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        batches = length_grouped(self.lengths, self.batch_size, self.seed + self.epoch)
        return iter([i for batch in batches for i in batch])

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self.epoch = epoch


def length_grouped(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """Batches of like length in random order: shuffled, sorted within windows of 50 batches, then dealt."""
    order = list(range(len(lengths)))
    draw = random.Random(seed)
    draw.shuffle(order)
    batches = []
    for at in range(0, len(order), size * 50):
        window = sorted(order[at : at + size * 50], key=lambda i: lengths[i])
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    draw.shuffle(batches)
    batches.sort(key=lambda batch: len(batch) < size)  # a short batch in the middle would shift those after it
    return batches


def require_figure(name: str, figures: Mapping[str, float]) -> None:
    """Raises BadInput when `name` is none of the figures that are measured: said before training, not after an epoch."""
    if name not in figures:
        raise BadInput(f"There is no figure {name!r} here.", next_step=f"Use one of {', '.join(figures)}.")


def fit(
    module: nn.Module,
    rows: Sequence[Features],
    collate: Callable[[Sequence[Features]], dict[str, Any]],
    judge: Judge,
    schedule: Schedule,
    folder: Path,
    report: Report,
    watch: Watch | None = None,
) -> Fitted:
    """Train `module` in place and leave it at its best evaluation.

    Args:
        module: called with a batch it returns ``loss``.
        rows: the training rows, each with its ``length``.
        collate: rows to a batch.
        judge: the figures of the module as it stands, on the validation rows; `schedule.metric` is among them.
        schedule: how.
        folder: checkpoints are kept and looked for here.
        report: told (step, steps, text).
        watch: told (step, figure) after each evaluation; what it raises ends the run.

    Raises:
        FloatingPointError: the loss is not finite.
        BadInput: the checkpoints here are of another run, or an option is unknown.
    """
    arguments = _arguments(schedule, folder, len(rows))
    optimiser = make_optimiser(module, schedule)
    started = time.time()
    clock = _Clock(report, schedule.checkpoint_minutes)
    callbacks: list[TrainerCallback] = [clock]
    if schedule.patience:
        callbacks.append(EarlyStoppingCallback(schedule.patience))
    trainer = _Trainer(
        model=_Finite(module),
        args=arguments,
        train_dataset=rows,
        eval_dataset=list(rows[:1]),  # asked for, and not looked at: evaluate() has its own rows
        data_collator=collate,
        optimizers=(optimiser, _rates(optimiser, schedule, len(rows))),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.judge, trainer.watch = judge, watch
    before = processes.from_main(lambda: newest_whole(folder, report))
    trainer.train(resume_from_checkpoint=str(before) if before else None)
    state = trainer.state
    return Fitted(
        best=float(state.best_metric if state.best_metric is not None else math.nan),
        best_step=int(state.best_global_step or state.global_step),
        seconds=time.time() - started,
        samples=clock.steps_done * schedule.batch_size * schedule.accumulate * processes.count(),
        history=tuple({k: float(v) for k, v in row.items()} for row in state.log_history),
    )


class _Finite(nn.Module):
    """Stops a run whose loss is not a number, before it spoils the weights."""

    # The Trainer asks for it when a checkpoint lacks weights: those of a module that keeps only what it trains.
    _keys_to_ignore_on_save = None

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, **batch: Any) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.module(**batch)
        if "loss" in outputs and not torch.isfinite(outputs["loss"]):
            raise FloatingPointError("The loss is not finite; lower learning_rate or look for broken rows.")
        return outputs


class _Trainer(Trainer):
    """transformers' Trainer with our sampler and our figures."""

    judge: Judge
    watch: Watch | None

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGrouped:
        rows: Any = train_dataset if train_dataset is not None else self.train_dataset
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        return LengthGrouped([row["length"] for row in rows], size, self.args.seed)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        figures = {f"eval_{name}": value for name, value in self.judge().items()}
        self.log(dict(figures))
        if self.watch:
            self.watch(self.state.global_step, figures[f"eval_{self.args.metric_for_best_model}"])
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures


class _Clock(TrainerCallback):
    """Tells how far the run is, and has it saved every few minutes."""

    def __init__(self, report: Report, minutes: float) -> None:
        self.report, self.seconds, self.saved = report, minutes * 60, time.monotonic()
        self.steps_done = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps_done += 1
        loss = next((row["loss"] for row in reversed(state.log_history) if "loss" in row), None)
        text = f"epoch {math.ceil(state.epoch or 1)}" + (f" loss {loss:.3f}" if loss is not None else "")
        self.report(state.global_step, state.max_steps, text)
        if time.monotonic() - self.saved > self.seconds:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.saved = time.monotonic()

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        figures = " ".join(f"{k.removeprefix('eval_')} {v:.4f}" for k, v in (metrics or {}).items())
        self.report(0, 0, f"step {state.global_step} of {state.max_steps}, validation: {figures}")


def steps_of(schedule: Schedule, rows: int) -> int:
    """Updates of a run on `rows` rows."""
    if schedule.steps:
        return schedule.steps
    batches = math.ceil(rows / (schedule.batch_size * processes.count()))
    return schedule.epochs * max(1, math.ceil(batches / schedule.accumulate))


def make_optimiser(module: nn.Module, schedule: Schedule) -> Optimizer:
    """The optimiser over what may be trained; heads at their own rate, layers at theirs. Raises BadInput."""
    if schedule.optimiser not in _OPTIMISERS:
        known = ", ".join(_OPTIMISERS)
        raise BadInput(f"There is no optimiser {schedule.optimiser!r}.", next_step=f"Use one of {known}.")
    if not 0 < schedule.layer_decay <= 1:
        raise BadInput(
            f"layer_decay is {schedule.layer_decay}.", next_step="Use a number above 0, at most 1; 0.9 is common."
        )
    learned = [(f".{name}", p) for name, p in module.named_parameters() if p.requires_grad]
    heads = [p for name, p in learned if ".heads." in name]
    by_depth: dict[int, list[nn.Parameter]] = defaultdict(list)
    for name, parameter in learned:
        if ".heads." not in name:
            by_depth[_depth(name)].append(parameter)
    top = max((_depth(f".{name}") for name, _ in module.named_parameters()), default=0)
    rate = schedule.learning_rate
    groups: list[dict[str, Any]] = [
        {"params": by_depth[depth], "lr": rate * schedule.layer_decay ** (top - depth)}
        for depth in sorted(by_depth, reverse=True)
    ]
    if heads:
        groups.append({"params": heads, "lr": schedule.head_learning_rate or rate})
    optimiser: Optimizer = _OPTIMISERS[schedule.optimiser](groups, weight_decay=schedule.weight_decay)
    return optimiser


def _depth(name: str) -> int:
    """The layer of a parameter, from 1; 0 for embeddings."""
    found = _LAYER.search(name)
    return int(found[1]) + 1 if found else 0


def _rates(optimiser: Optimizer, schedule: Schedule, rows: int) -> Any:
    if schedule.schedule not in SCHEDULES:
        raise BadInput(f"There is no schedule {schedule.schedule!r}.", next_step=f"Use one of {', '.join(SCHEDULES)}.")
    steps = steps_of(schedule, rows)
    return get_scheduler(schedule.schedule, optimiser, max(1, int(steps * schedule.warmup)), steps)


def _resolved(precision: str) -> str:
    """What ``auto`` means here: elsewhere than on these, bfloat16 is emulated and several times slower."""
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else "fp32"


def _arguments(schedule: Schedule, folder: Path, rows: int) -> TrainingArguments:
    on_gpu, precision = torch.cuda.is_available(), _resolved(schedule.precision)
    every = max(1, steps_of(schedule, rows) // max(1, schedule.epochs))
    by_steps: dict[str, Any] = {
        "max_steps": schedule.steps,
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_strategy": "steps",
    }
    by_epochs: dict[str, Any] = {
        "num_train_epochs": schedule.epochs,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
    }
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=schedule.batch_size,
        gradient_accumulation_steps=schedule.accumulate,
        **(by_steps | {"save_steps": every} if schedule.steps else by_epochs),
        load_best_model_at_end=True,
        metric_for_best_model=schedule.metric,
        greater_is_better=True,
        save_total_limit=2,
        seed=schedule.seed,
        data_seed=schedule.seed,
        use_cpu=not on_gpu,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        torch_compile=schedule.compile,
        remove_unused_columns=False,
        logging_steps=10,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=False,
        log_level="error",
    )


@torch.no_grad()
def forward(
    module: nn.Module,
    rows: Sequence[Features],
    collate: Callable[[Sequence[Features]], dict[str, Tensor]],
    rows_of: Callable[[np.ndarray, Sequence[Features]], list[np.ndarray]],
    size: int = 64,
) -> list[np.ndarray]:
    """The logits of each row, float64, in the order of `rows`; texts of like length go through together."""
    module.eval()
    device = next(module.parameters()).device
    order = sorted(range(len(rows)), key=lambda i: rows[i]["length"])
    found: list[np.ndarray | None] = [None] * len(rows)
    for at in range(0, len(order), size):
        chosen = [rows[i] for i in order[at : at + size]]
        batch = {k: v.to(device) for k, v in collate(chosen).items() if k in ("input_ids", "attention_mask")}
        logits = module(**batch)["logits"].double().cpu().numpy()
        for i, row in zip(order[at : at + size], rows_of(logits, chosen), strict=True):
            found[i] = row
    return [row for row in found if row is not None]
