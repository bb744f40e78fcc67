"""Retraining, with a trainer made by hand: when it runs, what it goes on with, what it registers, promotes and forgets."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from openteller.core.errors import Conflict, ModelUnavailable
from openteller.feedback import curated
from openteller.feedback.records import Correction, Head, Status
from openteller.registry.evidence import Figures
from openteller.registry.gates import parse
from openteller.registry.manifest import Manifest, read_manifest
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Stage
from openteller.training.corrections import NOTED, Corrected, apply
from openteller.training.optimisation import Report
from openteller.training.retrain import Order, Outcome, RunFolder, retrain, trained_up_to
from tests.registry.artefacts import make_artefact
from tests.training.test_finetune import quiet

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORDER = Order(actor="cli:li", gates=[parse("accuracy >= champion - 0.005"), parse("accuracy >= 0.5")])


class Killed(Exception):
    pass


@dataclass
class HandTrainer:
    """Trains nothing and writes an artefact of the accuracy that it is given."""

    name: str = "toy"
    heads: tuple[Head, ...] = (Head.INTENT,)
    digest: str = "recipe"
    accuracy: float = 0.9
    held: frozenset[str] = frozenset()
    dies: bool = False
    runs: list[list[str]] = field(default_factory=list)

    def sort_out(self, corrections: Path) -> Corrected:
        return apply(corrections, {}, self.held, {head: ("a", "b") for head in self.heads})

    def train(self, corrections: Path, output: Path, report: Report) -> Manifest:
        self.runs.append([row.text for row in curated.read(corrections)])
        report(1, 1, "training")
        if self.dies:
            (output / "checkpoints").mkdir(parents=True, exist_ok=True)
            raise Killed
        settings = {NOTED: self.sort_out(corrections).noted()}
        return read_manifest(make_artefact(output, self.accuracy, name=self.name, settings=settings))


def accepted(text: str, minutes: int = 0, label: str = "a") -> Correction:
    return Correction(
        id=uuid4(), text=text, head=Head.INTENT, labels=(label,), author="li", created_at=NOON, status=Status.ACCEPTED,
        reviewer="wang", reviewed_at=NOON + timedelta(minutes=minutes),
    )  # fmt: skip


@dataclass
class Place:
    folder: RunFolder
    registry: ModelRegistry

    def run(self, trainer: HandTrainer, rows: Sequence[Correction], order: Order = ORDER) -> Outcome:
        return retrain(trainer, self.folder, self.registry, rows, order, quiet)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(RunFolder(tmp_path / "run"), ModelRegistry(tmp_path / "data"))


def test_a_run_ends_in_a_judged_candidate(place: Place) -> None:
    trainer, rows = HandTrainer(), [accepted("one", 1), accepted("two", 2)]
    done = place.run(trainer, rows)
    assert done.version is not None
    assert (done.version.stage, done.promoted, done.refused, done.went_on) == (Stage.CANDIDATE, False, False, False)
    assert [v.passed for v in done.verdicts] == [True, True]
    assert {p.figure: (p.a, p.b) for p in done.figures}["accuracy"] == (None, 0.9)
    assert done.version.reason.startswith("trained again with 2 corrections")
    assert trained_up_to(place.registry, "toy") == rows[1].reviewed_at
    assert done.as_dict()["corrections"]["added"] == 2
    assert not (place.folder.path / "run.json").exists()


def test_with_too_few_new_corrections_nothing_happens(place: Place) -> None:
    trainer = HandTrainer()
    none = place.run(trainer, [])
    assert none.nothing_done == "0 new accepted corrections; at least 1 are asked for."
    assert "2 new" in place.run(trainer, [accepted("a"), accepted("b")], replace(ORDER, at_least=3)).nothing_done
    rows = [accepted("one", 1)]
    place.run(trainer, rows)
    again = place.run(trainer, rows)
    assert (again.version, again.new) == (None, 0)
    assert "since 2026-11-23 12:01 UTC" in again.nothing_done
    more = place.run(trainer, [*rows, accepted("two", 2)])
    assert (more.new, more.version is not None) == (1, True)
    assert trainer.runs == [["one"], ["one", "two"]]


def test_corrections_that_change_nothing_are_not_trained_on(place: Place) -> None:
    trainer = HandTrainer(held=frozenset({"one"}))
    done = place.run(trainer, [accepted("one"), accepted("two", label="zzz")])
    assert done.nothing_done == "No correction changes what is trained on."
    assert done.corrected is not None
    assert (done.corrected.counts["held_out"], done.corrected.counts["unknown"]) == (1, 1)
    assert (trainer.runs, place.registry.slots()) == ([], ())


def test_a_dry_run_says_what_would_be_and_leaves_nothing(place: Place) -> None:
    trainer = HandTrainer()
    done = place.run(trainer, [accepted("one")], replace(ORDER, dry_run=True))
    assert done.nothing_done == "Dry run: the model would be trained."
    assert done.corrected is not None
    assert len(done.corrected.added) == 1
    assert (trainer.runs, place.registry.slots()) == ([], ())
    assert [path.name for path in place.folder.path.iterdir()] == ["lock"]


def cut_off(place: Place, rows: Sequence[Correction]) -> None:
    with pytest.raises(Killed):
        place.run(HandTrainer(dies=True), rows)


def test_a_run_that_was_cut_off_goes_on_with_the_corrections_it_had(place: Place) -> None:
    rows = [accepted("one", 1)]
    cut_off(place, rows)
    trainer, more = HandTrainer(), [*rows, accepted("two", 2)]
    dry = place.run(trainer, more, replace(ORDER, dry_run=True))
    assert dry.nothing_done == "Dry run: a run that was cut off would go on."
    done = place.run(trainer, more, replace(ORDER, at_least=9))
    assert (trainer.runs, done.went_on) == ([["one"]], True)
    assert (place.folder.model / "checkpoints").exists(), "left to the trainer"
    assert place.run(trainer, more).went_on is False
    assert trainer.runs[-1] == ["one", "two"]


@pytest.mark.parametrize("why", ["recipe", "erased", "damaged", "asked"])
def test_a_run_begins_anew(place: Place, why: str) -> None:
    rows = [accepted("one", 1), accepted("two", 2)]
    cut_off(place, rows)
    trainer, order = HandTrainer(digest="other" if why == "recipe" else "recipe"), ORDER
    if why == "damaged":
        place.folder.corrections.write_text("{")
    done = place.run(trainer, rows[1:], order) if why == "erased" else place.run(
        trainer, [*rows, accepted("three", 3)], replace(order, restart=why == "asked")
    )  # fmt: skip
    assert done.went_on is False
    assert trainer.runs == [["two"] if why == "erased" else ["one", "two", "three"]]
    assert not (place.folder.model / "checkpoints").exists()


def test_what_was_trained_is_registered_without_training_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, rows = HandTrainer(), [accepted("one")]
    with monkeypatch.context() as broken:
        broken.setattr(ModelRegistry, "register", lambda *_, **__: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            place.run(trainer, rows)
    done = place.run(trainer, rows)
    assert (done.went_on, len(trainer.runs), done.version is not None) == (True, 1, True)


def test_only_when_it_is_asked_for_and_every_gate_passes_is_it_promoted(place: Place) -> None:
    promote, tried = replace(ORDER, promote=True), list[Path]()
    first = place.run(HandTrainer(), [accepted("one", 1)], replace(promote, try_out=tried.append))
    assert (first.promoted, first.refused) == (True, False)
    assert [path.parent.name for path in tried] == ["toy"]
    rows = [accepted("one", 1), accepted("two", 2)]
    worse = place.run(HandTrainer(accuracy=0.8), rows, promote)
    assert (worse.promoted, worse.refused) == (False, True)
    assert [v.passed for v in worse.verdicts] == [False, True]
    assert {p.figure: (p.a, p.b) for p in worse.figures}["accuracy"] == (0.9, 0.8)
    assert place.registry.slot("toy").champion == first.version.version  # type: ignore[union-attr]
    assert place.run(HandTrainer(accuracy=0.8), rows, promote).nothing_done, "what a gate refused is not tried again"
    ungated = place.run(HandTrainer(), [*rows, accepted("three", 3)], replace(promote, gates=[]))
    assert (ungated.promoted, ungated.refused, ungated.verdicts) == (False, True, ())


def test_without_a_champion_what_ships_is_what_it_is_held_against(place: Place) -> None:
    shipped = replace(ORDER, incumbent=Figures(values={"accuracy": 0.95}), promote=True)
    done = place.run(HandTrainer(), [accepted("one")], shipped)
    assert (done.refused, done.verdicts[0].wanted) == (True, 0.945)
    assert {p.figure: p.difference for p in done.figures}["accuracy"] == pytest.approx(-0.05)


def test_what_would_not_load_is_not_promoted(place: Place) -> None:
    def broken(folder: Path) -> None:
        raise ModelUnavailable("It would not load.")

    order, rows = replace(ORDER, promote=True, try_out=broken), [accepted("one")]
    with pytest.raises(ModelUnavailable):
        place.run(HandTrainer(), rows, order)
    trainer = HandTrainer()
    assert place.run(trainer, rows, replace(ORDER, promote=True)).promoted
    assert trainer.runs == []


def test_two_runs_of_one_folder_do_not_meet(place: Place) -> None:
    with place.folder.held(), pytest.raises(Conflict, match="somebody else"):
        place.run(HandTrainer(), [accepted("one")])


def test_what_was_erased_stays_in_no_file(place: Place) -> None:
    rows = [accepted("one", 1), accepted("two", 2)]
    cut_off(place, rows[:1])
    assert place.run(HandTrainer(), []).version is None
    assert curated.read(place.folder.corrections) == ()
    place.run(HandTrainer(), rows)
    assert len(curated.read(place.folder.corrections)) == 2
    assert place.run(HandTrainer(), rows[1:]).version is None
    assert [row.text for row in curated.read(place.folder.corrections)] == ["two"]
