"""How fast and how good a model is in torch and as exported, on the same texts, one thread each, in one run.

    teller export var/models/banking77 --output var/exports/banking77
    python benchmarks/export.py var/models/banking77 var/exports/banking77 held-out.jsonl

The data are those of `teller evaluate`; the artefact has a task with one decision a text or a pair. Two kinds of throughput
stand beside each other: batches (as they come, or sorted by length), and one text at a time, which is how OpenTeller
serves. Time is that of the process, so that other work on the machine counts little. Not a timed test.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime
import torch
from rich.console import Console
from rich.table import Table

from openteller.registry.manifest import read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.exported import MODEL_FILES
from openteller.runtime.onnx_backend import integers_saturate
from openteller.settings import load
from openteller.training.evaluating import Artefact, open_artefact
from openteller.training.evaluation.figures import figures
from openteller.training.preparing import examples_of, features_of
from openteller.training.tasks.task import Features, LossOptions, padded

Run = Callable[[dict[str, torch.Tensor]], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artefact", type=Path)
    parser.add_argument("exported", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=500, help="of the data, the first; default: 500")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each line, of which the fastest counts")
    given = parser.parse_args()
    torch.set_num_threads(1)
    artefact = open_artefact(given.artefact, Catalogue(load().data_dir))
    examples = examples_of(artefact.task, given.data, replace(artefact.recipe, bad_rows="skip"), [])[: given.rows]
    rows = features_of(artefact.task, examples, artefact.tokenizer, artefact.labels)
    table = _table(f"{artefact.manifest.name} on {given.data.name}, {len(rows)} rows, one thread")
    base = 0.0
    for name, run in _models(artefact, given.exported).items():
        for way, order, size in _ways(rows):
            seconds, logits = _timed(run, rows, order, size, artefact.pad, given.repeat)
            found = artefact.task.predictions(list(logits), examples, rows, artefact.labels)
            measured = figures(found, artefact.temperature)
            rate = len(rows) / seconds
            base = base or rate  # torch, as texts come
            quality = [f"{measured[n]:.4f}" if n in measured else "" for n in ("accuracy", "macro_f1", "micro_f1")]
            table.add_row(name, way, f"{rate:.0f}", f"{rate / base:.2f}", *quality)
    Console(width=100).print(table)


def _models(artefact: Artefact, exported: Path) -> dict[str, Run]:
    """Name → from a batch to logits; the files of the export are those that its manifest has."""
    module = artefact.task.module(artefact.model, LossOptions()).eval()

    def by_torch(batch: dict[str, torch.Tensor]) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(module(**batch)["logits"].numpy())

    runs: dict[str, Run] = {"torch fp32": by_torch}
    files = read_manifest(exported).files
    for precision, file in MODEL_FILES.items():
        if file in files:
            runs[f"ONNX {precision}"] = _by_onnx(exported / file, artefact.task.head)
    return runs


def _by_onnx(path: Path, head: str) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if integers_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run([head], {name: ids.numpy() for name, ids in batch.items()})[0])


def _ways(rows: Sequence[Features]) -> list[tuple[str, list[int], int]]:
    """(what it is called, the order of the rows, the size of a batch)."""
    as_they_come = list(range(len(rows)))
    by_length = sorted(as_they_come, key=lambda i: rows[i]["length"])
    return [
        ("32, as they come", as_they_come, 32),
        ("8, by length", by_length, 8),
        ("32, by length", by_length, 32),
        ("one by one", as_they_come, 1),
    ]


def _timed(
    run: Run, rows: Sequence[Features], order: Sequence[int], size: int, pad: int, repeat: int
) -> tuple[float, np.ndarray]:
    """Seconds of the fastest run, and the logits of the last in the order of the rows."""
    run(padded([rows[i]["ids"] for i in order[:size]], pad))
    taken, logits = [], {}
    for _ in range(repeat):
        started = time.process_time()
        for at in range(0, len(order), size):
            chosen = order[at : at + size]
            logits |= dict(zip(chosen, run(padded([rows[i]["ids"] for i in chosen], pad)), strict=True))
        taken.append(time.process_time() - started)
    return min(taken), np.stack([logits[i] for i in range(len(rows))]).astype(np.float64)


def _table(title: str) -> Table:
    table = Table(title=title)
    for column in ("model", "batch", "texts/s", "× torch", "accuracy", "macro F1", "micro F1"):
        table.add_column(column, justify="left" if column in ("model", "batch") else "right")
    return table


if __name__ == "__main__":
    main()
