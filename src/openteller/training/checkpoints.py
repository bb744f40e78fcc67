"""Checkpoints of a run: which is the newest one that is whole, and whether it is of this run.

A process that is killed while it saves leaves a folder that looks like a checkpoint and is none. Knows nothing about
what is trained.
"""

import hashlib
import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open

from openteller.core.errors import BadInput
from openteller.training.optimisation import Report
from openteller.training.processes import from_main

_RUN = "run.json"
_NAME = re.compile(r"checkpoint-(\d+)")
T = TypeVar("T")


def folder_of(output: Path, *, restart: bool) -> Path:
    """Where the checkpoints of a run that writes to `output` stand; old ones are deleted first when it starts anew."""
    folder = output / "checkpoints"
    if restart:
        from_main(lambda: discard(folder))
    return folder


def finished(folder: Path, save: Callable[[], T]) -> T:
    """What `save` gives, in every process: the first one writes, and then the checkpoints in `folder` are not needed."""

    def saved() -> T:
        made = save()
        discard(folder)
        return made

    return from_main(saved)


def claim(folder: Path, settings: dict[str, object]) -> None:
    """Note which run the folder belongs to.

    Raises:
        BadInput: checkpoints of a run with other settings or other data are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = digest(settings)
    note = folder / _RUN
    if note.exists() and _checkpoints(folder):
        try:
            theirs = json.loads(note.read_text(encoding="utf-8"))["run"]
        except (OSError, ValueError, KeyError, TypeError):
            theirs = None
        if theirs != ours:
            raise BadInput(
                f"{folder} holds checkpoints of another run.",
                cause="The recipe or its data has changed since.",
                next_step="Go on with the old recipe, give another --output, or start anew with --restart.",
            )
    temporary = note.with_suffix(".tmp")
    temporary.write_text(json.dumps({"run": ours, "settings": settings}, default=str, indent=2), encoding="utf-8")
    temporary.replace(note)


def digest(settings: object) -> str:
    """What stands for `settings`: equal ones have equal digests, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def discard(folder: Path) -> None:
    """Delete the checkpoints of a run that is done, or is to start anew."""
    shutil.rmtree(folder, ignore_errors=True)


def newest_whole(folder: Path, report: Report) -> Path | None:
    """The newest checkpoint that can be read; a damaged one is set aside and named. None when there is none."""
    for path in _checkpoints(folder):
        fault = _fault(path)
        if fault is None:
            return path
        path.rename(path.with_name(f"damaged-{path.name}"))
        report(0, 0, f"{path.name} is damaged ({fault}); going on from the one before")
    return None


def _checkpoints(folder: Path) -> list[Path]:
    found = [(int(m[1]), p) for p in folder.glob("checkpoint-*") if (m := _NAME.fullmatch(p.name))]
    return [path for _, path in sorted(found, reverse=True)]


def _fault(path: Path) -> str | None:
    """Why a checkpoint cannot be gone on from; None when it can."""
    try:
        json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        with safe_open(path / "model.safetensors", "pt") as weights:
            list(weights.keys())
        for name in ("optimizer.pt", "scheduler.pt"):
            torch.load(path / name, weights_only=True, map_location="cpu")
    except (OSError, ValueError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        return str(error).split("\n")[0][:200] or type(error).__name__
    return None
