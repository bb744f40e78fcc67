"""Trains a model again on its original data and on what staff corrected, up to a judged candidate in the registry.

    accepted corrections ─▶ corrections.jsonl ─▶ training ─▶ candidate ─▶ gates ─▶ champion, if that was asked for

A run has a folder, which one process holds at a time:

    <folder>/corrections.jsonl   what it trains on besides the recipe's data
    <folder>/run.json            that a run has begun, and with which recipe; gone when the run is done
    <folder>/model/              the artefact, with its checkpoints until it is whole

A run that was cut off goes on with the same corrections, unless the recipe has changed since or a correction was erased
with its customer: then it begins anew. Every run begins at the recipe's start with all corrections so far, so nothing adds
up from run to run. What is not covered: the understanding has no checkpoints and is trained from its start again.
Knows nothing about the command line or who asks.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from openteller.core.errors import ModelUnavailable, NotFound, UnreadableFile
from openteller.feedback import curated
from openteller.feedback.records import Correction, Curated
from openteller.registry.durable import locked, replace_file
from openteller.registry.evidence import Figures, figures_of
from openteller.registry.gates import Gate, Verdict, judge
from openteller.registry.manifest import Manifest, read_manifest, sha256
from openteller.registry.registry import FigurePair, ModelRegistry, paired
from openteller.registry.stages import Stage, Version
from openteller.training.corrections import NOTED, Corrected
from openteller.training.optimisation import Report
from openteller.training.trainers import Trainer

_RUN = "run.json"


@dataclass(frozen=True)
class Order:
    """What is asked of a retraining.

    gates: what the candidate must pass; incumbent: figures of what serves while the slot has no champion.
    try_out: loads an artefact as it would serve, and raises when it would not.
    """

    actor: str
    gates: Sequence[Gate] = ()
    incumbent: Figures | None = None
    at_least: int = 1
    promote: bool = False
    dry_run: bool = False
    restart: bool = False
    try_out: Callable[[Path], None] = lambda folder: None


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    new: corrections accepted since the last retraining, which was trained on those up to `since`.
    corrected: what became of the corrections; None when they were not looked at, being too few.
    version: the candidate; None when nothing was trained. figures: a, what serves; b, the candidate.
    refused: promotion was asked for, and a gate did not pass or there was none.
    """

    name: str
    new: int
    since: datetime | None
    nothing_done: str = ""
    corrected: Corrected | None = None
    went_on: bool = False
    version: Version | None = None
    figures: tuple[FigurePair, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    promoted: bool = False
    refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return {
            "name": self.name,
            "new": self.new,
            "since": self.since.isoformat() if self.since else None,
            "nothing_done": self.nothing_done,
            "corrections": self.corrected.noted() if self.corrected else None,
            "went_on": self.went_on,
            "version": self.version.model_dump(mode="json") if self.version else None,
            "figures": [pair.as_dict() for pair in self.figures],
            "verdicts": [verdict.model_dump() for verdict in self.verdicts],
            "promoted": self.promoted,
            "refused": self.refused,
        }


class RunFolder:
    """The folder of a run, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path, self.corrections, self.model = path, path / "corrections.jsonl", path / "model"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it alone. Raises Conflict when another run has it."""
        with locked(self.path / "lock", seconds=0):
            yield

    def stands_open(self, recipe: str) -> bool:
        """Whether a run of this very recipe was cut off, whose corrections are as they were."""
        try:
            begun: object = json.loads((self.path / _RUN).read_text(encoding="utf-8"))
            return begun == {"recipe": recipe, "corrections": sha256(self.corrections)}
        except (OSError, ValueError):
            return False

    def begin(self, recipe: str, rows: Sequence[Curated]) -> None:
        """Begin a run; what is left of another is deleted."""
        (self.path / _RUN).unlink(missing_ok=True)
        shutil.rmtree(self.model, ignore_errors=True)
        curated.write(self.corrections, rows)
        note = {"recipe": recipe, "corrections": sha256(self.corrections)}
        replace_file(self.path / _RUN, json.dumps(note, indent=1) + "\n")

    def trained(self) -> Manifest | None:
        """The artefact when it is whole and of these corrections."""
        with suppress(ModelUnavailable):
            manifest = read_manifest(self.model)
            if manifest.settings.get(NOTED, {}).get("sha256") == sha256(self.corrections):
                return manifest
        return None

    def end(self) -> None:
        """The run is done: the next one begins anew."""
        (self.path / _RUN).unlink(missing_ok=True)

    def forget_erased(self, alive: set[UUID]) -> None:
        """Take corrections that are no longer in the store out of the file; a run that was cut off then begins anew."""
        if not self.corrections.exists():
            return
        try:
            rows = curated.read(self.corrections)
        except UnreadableFile:  # nobody trains on it; the next run writes another
            return
        left = [row for row in rows if row.id in alive]
        if len(left) < len(rows):
            curated.write(self.corrections, left)


def retrain(
    trainer: Trainer,
    folder: RunFolder,
    registry: ModelRegistry,
    accepted: Sequence[Correction],
    order: Order,
    report: Report,
) -> Outcome:
    """Train again if there is reason to, register what came of it, and judge it.

    Args:
        trainer: what is trained, and how.
        folder: where the run stands.
        registry: takes the candidate.
        accepted: every accepted correction of the trainer's heads.
        order: what is asked.
        report: told (step, steps, text) as it goes.

    Raises:
        Conflict: another run has the folder.
        BadInput: the recipe or its data cannot be used.
        FloatingPointError: the loss is not finite.
    """
    since = trained_up_to(registry, trainer.name)
    new = sum(since is None or (c.reviewed_at or c.created_at) > since for c in accepted)
    outcome = Outcome(trainer.name, new, since)
    with folder.held():
        folder.forget_erased({correction.id for correction in accepted})
        if not order.restart and folder.stands_open(trainer.digest):
            outcome = replace(outcome, went_on=True)
        else:
            outcome = _begun(trainer, folder, accepted, outcome, order)
        if order.dry_run and not outcome.nothing_done:
            said = "a run that was cut off would go on" if outcome.went_on else "the model would be trained"
            outcome = replace(outcome, nothing_done=f"Dry run: {said}.")
        if outcome.nothing_done:
            return outcome
        if folder.trained() is None:
            trainer.train(folder.corrections, folder.model, report)
        corrected = outcome.corrected or trainer.sort_out(folder.corrections)  # known unless the run was cut off
        done = _judged(folder, registry, replace(outcome, corrected=corrected), order)
        folder.end()
        return done


def _begun(
    trainer: Trainer, folder: RunFolder, accepted: Sequence[Correction], outcome: Outcome, order: Order
) -> Outcome:
    """Begin a run if there is reason to; else the outcome says why not. A dry run looks and begins nothing."""
    if outcome.new < order.at_least:
        return replace(outcome, nothing_done=_too_few(outcome.new, order.at_least, outcome.since))
    rows = curated.newest(accepted)
    corrected = _looked_at(trainer, folder, rows)
    outcome = replace(outcome, corrected=corrected)
    if not corrected.used:
        return replace(outcome, nothing_done="No correction changes what is trained on.")
    if not order.dry_run:
        folder.begin(trainer.digest, rows)
    return outcome


def trained_up_to(registry: ModelRegistry, name: str) -> datetime | None:
    """The moment of the latest decision that any version of `name` was trained on; None when none was on any."""
    found = []
    with suppress(NotFound):
        for version in registry.slot(name).versions():
            settings = read_manifest(registry.folder(name, version.version), verify=False).settings
            up_to = settings.get(NOTED, {}).get("up_to")
            found += [datetime.fromisoformat(up_to)] if up_to else []
    return max(found, default=None)


def _too_few(new: int, at_least: int, since: datetime | None) -> str:
    when = f" since {since:%Y-%m-%d %H:%M} UTC" if since else ""
    return f"{new} new accepted corrections{when}; at least {at_least} are asked for."


def _looked_at(trainer: Trainer, folder: RunFolder, rows: Sequence[Curated]) -> Corrected:
    """What would become of `rows`, before anything is begun."""
    looked_at = folder.path / ".corrections.jsonl"
    try:
        curated.write(looked_at, rows)
        return trainer.sort_out(looked_at)
    finally:
        looked_at.unlink(missing_ok=True)


def _judged(folder: RunFolder, registry: ModelRegistry, outcome: Outcome, order: Order) -> Outcome:
    """Register the artefact, hold it against what serves, and promote it when that is asked for and every gate passes."""
    assert outcome.corrected is not None
    reason = f"trained again with {outcome.corrected.attribution()}"
    version = registry.register(folder.model, actor=order.actor, reason=reason, name=outcome.name)
    candidate = figures_of(registry.folder(version.name, version.version))
    before = registry.serving(version.name, order.incumbent)
    verdicts = judge(order.gates, candidate, before)
    passed = bool(verdicts) and all(verdict.passed for verdict in verdicts)
    promotes = order.promote and passed and version.stage is Stage.CANDIDATE
    if promotes:
        order.try_out(registry.artefact(version.name, version.version)[0])
        version = registry.promote(
            version.name, version.version, order.gates, actor=order.actor, reason=reason, incumbent=order.incumbent
        )
    return replace(
        outcome,
        version=version,
        figures=paired(before or Figures(values={}), candidate),
        verdicts=verdicts,
        promoted=version.stage is Stage.CHAMPION,
        refused=order.promote and not passed,
    )
