"""Our loop beside the reference recipe, on the same backbone, rows and epochs: samples a second, and F1 over seeds.

    OPENTELLER_DATA=… python benchmarks/training.py                    speed and F1, three seeds (hours on two cores)
    OPENTELLER_DATA=… python benchmarks/training.py --seeds 0          speed alone, a few minutes
    OPENTELLER_DATA=… python benchmarks/training.py --data wikiqa/train.jsonl --rows 600

The reference recipe: BERT with a classifier on top of its pooled first token, every layer and the vocabulary trained by
AdamW at 2e-5, batches of 16, every pair padded to 128 tokens, a plain loop, 5 epochs. Ours: recipes/bq.yaml with the same
rows and epochs. Rows are drawn evenly from both labels; the rows that are measured are never trained on. Both run in
float32 on one thread, one after the other in one process, so only their ratio means anything.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.metrics import classification_report, f1_score
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertForSequenceClassification

from openteller.core.text import fold
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.tokenizer import build_tokenizer
from openteller.settings import load
from openteller.training.backbone import as_torch
from openteller.training.finetune import FineTuneRecipe, Run
from openteller.training.preparing import prepare
from openteller.training.recipes import as_dataclass, data_path, read_recipe
from openteller.training.tasks.catalogue import task_named
from openteller.training.tasks.task import Example

RECIPE = Path(__file__).parents[1] / "recipes" / "bq.yaml"
PADDED, BATCH, RATE = 128, 16, 2e-5
WARM, TIMED = 2, 12  # steps


@dataclass(frozen=True)
class Rows:
    """What both train on and are measured on."""

    train: Sequence[Example]
    measured: Sequence[Example]
    labels: tuple[str, ...]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="bq/dev.jsonl", help="pairs with two labels, below OPENTELLER_DATA")
    parser.add_argument("--rows", type=int, default=2003)
    parser.add_argument("--measured", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3, help="runs whose F1 is averaged; 0: speed alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe = as_dataclass(FineTuneRecipe, read_recipe(RECIPE))
    recipe = replace(recipe, train=given.data, validation="", epochs=given.epochs, threads=1)
    weights = load_backbone(Catalogue(load().data_dir).locate(recipe.weights))
    drawn = rows_of(recipe, given.rows, given.measured)
    speeds = reference_speed(weights, drawn), our_speed(recipe, drawn)
    found: dict[str, list[float]] = {"reference": [], "ours": []}
    for seed in range(given.seeds):
        found["reference"].append(reference_f1(weights, drawn, given.epochs, seed))
        found["ours"].append(our_f1(replace(recipe, seed=seed), drawn))
    print_table(given, speeds, found)


def rows_of(recipe: FineTuneRecipe, train: int, measured: int) -> Rows:
    """As many of each label, in an order of chance that is always the same."""
    prepared = prepare(task_named(recipe.task), recipe, data_path)
    rows = [*prepared.examples["train"], *prepared.examples["validation"]]
    random.Random(1).shuffle(rows)
    by_label = [[row for row in rows if row.gold == label] for label in prepared.labels]
    even = [row for pair in zip(*by_label, strict=False) for row in pair]
    if len(even) < train + measured:
        sys.exit(f"{recipe.train} gives {len(even)} rows with as many of each label; {train + measured} are wanted.")
    return Rows(even[:train], even[train : train + measured], prepared.labels)


class Reference:
    """The reference recipe."""

    def __init__(self, weights: EncoderWeights, rows: Rows, seed: int) -> None:
        torch.manual_seed(seed)
        encoder = as_torch(weights, dropout=0.1)
        encoder.config.num_labels = len(rows.labels)
        self.model = BertForSequenceClassification(encoder.config)
        self.model.bert.load_state_dict(encoder.state_dict(), strict=False)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE)
        self.tokenizer: Tokenizer = build_tokenizer(weights, max_tokens=PADDED)
        self.tokenizer.enable_padding(length=PADDED, pad_id=weights.special["pad"])
        self.rows, self.order = rows, random.Random(seed)

    def batch(self, rows: Sequence[Example]) -> dict[str, Tensor]:
        """Every pair padded to 128 tokens, tokenised anew each time as a plain loop does."""
        tokens = self.tokenizer.encode_batch([tuple(map(fold, row.texts)) for row in rows])
        return {
            "input_ids": torch.tensor([t.ids for t in tokens]),
            "attention_mask": torch.tensor([t.attention_mask for t in tokens]),
            "labels": torch.tensor([self.rows.labels.index(str(row.gold)) for row in rows]),
        }

    def step(self, rows: Sequence[Example]) -> None:
        """One update."""
        self.model.train()
        loss = self.model(**self.batch(rows)).loss
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def epoch(self) -> None:
        """All rows in an order of chance."""
        rows = self.order.sample(list(self.rows.train), len(self.rows.train))
        for at in range(0, len(rows), BATCH):
            self.step(rows[at : at + BATCH])

    @torch.no_grad()
    def predicted(self) -> list[int]:
        """Label ids of the measured rows."""
        self.model.eval()
        found: list[int] = []
        for at in range(0, len(self.rows.measured), 64):
            logits = self.model(**self.batch(self.rows.measured[at : at + 64])).logits
            found += logits.argmax(1).tolist()
        return found


def reference_speed(weights: EncoderWeights, rows: Rows) -> float:
    """Samples a second over a few steps."""
    reference = Reference(weights, rows, 0)
    for step in range(WARM + TIMED):
        if step == WARM:
            started = time.perf_counter()
        reference.step(rows.train[step * BATCH : (step + 1) * BATCH])
    return TIMED * BATCH / (time.perf_counter() - started)


def our_run(recipe: FineTuneRecipe, rows: Rows, folder: Path) -> Run:
    """A run of ours on the same rows: they go through a file, as everyone's do."""
    for name, examples in (("train", rows.train), ("validation", rows.measured)):
        write(folder / f"{name}.jsonl", examples)
    own = replace(recipe, train="train.jsonl", validation="validation.jsonl", columns={}, leaks="keep")
    return Run(own, folder.joinpath, Catalogue(load().data_dir).locate(recipe.weights))


def write(path: Path, examples: Sequence[Example]) -> None:
    """Pairs as JSONL."""
    lines = [
        json.dumps({"text": e.texts[0], "pair": e.texts[1], "label": e.gold}, ensure_ascii=False) for e in examples
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def our_speed(recipe: FineTuneRecipe, rows: Rows) -> float:
    """Samples a second over an epoch, with what the loop does beside its steps but without measuring."""
    with TemporaryDirectory() as folder:
        run = our_run(replace(recipe, epochs=1), rows, Path(folder))
        run.judge = lambda: {run.task.metric: 0.0}  # type: ignore[method-assign]
        fitted = run.fit(Path(folder) / "checkpoints", quiet)
    return fitted.samples / fitted.seconds


def reference_f1(weights: EncoderWeights, rows: Rows, epochs: int, seed: int) -> float:
    """Macro F1 after all epochs."""
    reference = Reference(weights, rows, seed)
    for _ in range(epochs):
        reference.epoch()
    gold = [rows.labels.index(str(row.gold)) for row in rows.measured]
    found = reference.predicted()
    print(classification_report(gold, found, target_names=rows.labels, zero_division=0))
    return float(f1_score(gold, found, average="macro"))


def our_f1(recipe: FineTuneRecipe, rows: Rows) -> float:
    """Macro F1 after all epochs: of the last one, so that neither of the two chooses by what is measured."""
    with TemporaryDirectory() as folder:
        run = our_run(recipe, rows, Path(folder))
        judge, seen = run.judge, iter(range(recipe.epochs + 1))
        run.judge = lambda: {run.task.metric: float(next(seen))}  # type: ignore[method-assign]
        run.fit(Path(folder) / "checkpoints", quiet)
        return judge()["macro_f1"]


def print_table(given: argparse.Namespace, speeds: tuple[float, float], found: dict[str, list[float]]) -> None:
    """Side by side."""
    table = Table(title=f"{given.rows} rows of {given.data}, {given.epochs} epochs, one thread, float32")
    for name in ("", "samples/s", "times", "macro F1, mean of seeds", "each"):
        table.add_column(name)
    for (name, scores), speed in zip(found.items(), speeds, strict=True):
        mean = f"{np.mean(scores):.3f}" if scores else "not run"
        each = " ".join(f"{score:.3f}" for score in scores)
        table.add_row(name, f"{speed:.1f}", f"{speed / speeds[0]:.1f}", mean, each)
    Console().print(table)


def quiet(*_: object) -> None:
    """Report nothing."""


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
