"""The registry of models on disk: which versions there are, which one serves, and how it came to that.

    <data_dir>/registry/<name>/lock                 held by whoever changes the slot; a dead process lets go of it
    <data_dir>/registry/<name>/index.json           every change of stage (stages.Slot), replaced in one step
    <data_dir>/registry/<name>/<version>/           an artefact as it was registered: the manifest and its files
    <data_dir>/registry/<name>/<version>/README.md  its card; report.json where it was evaluated

The name of a version proves its content (copies.py). This guards against damage and mistakes, not against somebody who may
write to the bank's disk.

Whatever must know of each change (the audit log) is a `Witness`. A change that a killed process made and may not have told
is told again, with its number, by the next one. What is not covered: a witness that fails although it has kept what it was
told has a row about a change that was taken back. Knows nothing about databases, training or what a model does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from re import ASCII, fullmatch

from pydantic import ValidationError

from openteller.core.errors import BadInput, Conflict, ModelUnavailable, NotFound, OpenTellerError, Unavailable
from openteller.core.records import Record
from openteller.registry.copies import bring_in, version_of
from openteller.registry.durable import locked, replace_file, settle
from openteller.registry.evidence import Figures, figures_of
from openteller.registry.gates import Gate, Verdict, judge
from openteller.registry.manifest import MANIFEST, Manifest, read_manifest
from openteller.registry.purposes import kind_of
from openteller.registry.stages import NAME, Change, Slot, Stage, Version

_INDEX = "index.json"

#: Told the slot's name and its new changes before they are made; raising on entering or leaving takes the last one back.
Witness = Callable[[str, Sequence[Change]], AbstractContextManager[None]]


class FigurePair(Record):
    """A figure of two versions; None where one was not measured."""

    figure: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        """B less a."""
        return None if self.a is None or self.b is None else self.b - self.a

    def as_dict(self) -> dict[str, object]:
        """The same as JSON can hold it, with the difference."""
        return self.model_dump() | {"difference": self.difference}


def paired(a: Figures, b: Figures) -> tuple[FigurePair, ...]:
    """The figures of two artefacts side by side."""
    one, two = a.values, b.values
    return tuple(FigurePair(figure=name, a=one.get(name), b=two.get(name)) for name in {**one, **two})


class ModelRegistry:
    """Versions of models with their stages. Safe between threads and processes of one machine; reading takes no lock.

    Args:
        data_dir: the registry stands below it.
        witness: hears of each change; without one, the changes wait to be told by a registry that has one.

    Raises:
        ModelUnavailable: (any method) an index cannot be read.
        Unavailable: (changes) the disk cannot be written.
        Conflict: (changes) somebody else is changing the slot for a minute.
    """

    def __init__(self, data_dir: Path, witness: Witness | None = None) -> None:
        self.root = data_dir / "registry"
        self._witness = witness

    # -- reading --

    def slots(self) -> tuple[Slot, ...]:
        """Every slot, by name."""
        found = (self._read(path.parent.name) for path in sorted(self.root.glob(f"*/{_INDEX}")))
        return tuple(slot for slot in found if slot)

    def slot(self, name: str) -> Slot:
        """The slot called `name`. Raises NotFound, BadInput for what is no name."""
        slot = self._read(_named(name))
        if slot is None:
            known = ", ".join(s.name for s in self.slots())
            raise NotFound(
                f"The registry has no model called {name}.",
                cause=f"It has {known or 'none at all'}.",
                next_step="Register one: teller models register FOLDER",
            )
        return slot

    def find(self, reference: str, otherwise: Stage | None = None) -> Version:
        """The version that ``NAME@VERSION`` stands for (see `Slot.find`); ``NAME`` alone means the one of that stage.

        Raises:
            NotFound: there is none.
            BadInput: it is no such reference, or several versions fit.
        """
        name, at, version = reference.partition("@")
        if not at and otherwise is None:
            raise BadInput(f"{reference} names no version.", next_step=f"Write {name}@candidate, for example.")
        slot = self.slot(name)
        return slot.version(slot.find(version if at else str(otherwise)))

    def folder(self, name: str, version: str) -> Path:
        """Where a version's artefact stands."""
        return self.root / name / version

    def artefact(self, name: str, version: str) -> tuple[Path, Manifest]:
        """A version's folder and manifest, every file verified.

        Raises:
            ModelUnavailable: it is missing or damaged.
        """
        folder = self.folder(name, version)
        try:
            manifest = read_manifest(folder)
            damage = "" if version_of(folder) == version else f"{MANIFEST} is not the one that was registered."
        except ModelUnavailable as error:
            damage = f"{error.message} {error.cause}"
        if damage:
            raise ModelUnavailable(
                f"{name}@{version} is damaged.",
                cause=damage,
                next_step="Register its original folder again, which restores it, or go back to the champion before:"
                f" teller models rollback {name}",
            )
        return folder, manifest

    def champion(self, name: str) -> Path | None:
        """The verified folder of the champion; None when there is none. Raises ModelUnavailable when it is damaged."""
        slot = self._read(name)
        return self.artefact(name, slot.champion)[0] if slot and slot.champion else None

    def compare(self, a: Version, b: Version) -> tuple[FigurePair, ...]:
        """The figures of two versions side by side, those of their manifests and of evaluations beside them."""
        one, two = (figures_of(self.folder(v.name, v.version)) for v in (a, b))
        return paired(one, two)

    def serving(self, name: str, otherwise: Figures | None = None) -> Figures | None:
        """The figures of the champion of `name`; `otherwise` when it has none."""
        slot = self._read(_named(name))
        return figures_of(self.folder(name, slot.champion)) if slot and slot.champion else otherwise

    # -- changing --

    def register(self, folder: Path, *, actor: str, reason: str = "", name: str | None = None) -> Version:
        """Copy an artefact into the registry, as a candidate in the slot `name` (default: the name in its manifest).

        One that is there already stays what it is, but is restored if its copy was damaged, and takes a new report.json
        that lies beside the original; a retired one becomes a candidate again.

        Raises:
            ModelUnavailable: `folder` holds no whole artefact.
            UnreadableFile: the report.json in it is damaged.
            BadInput: the name cannot be used.
            Conflict: the slot holds models of another task.
        """
        manifest, version = read_manifest(folder), version_of(folder)
        name = _named(name or manifest.name)
        with self._changing(name, manifest.task) as slot:
            if kind_of(manifest.task) != kind_of(slot.task):
                raise Conflict(
                    f"{name} holds models of the task {slot.task}, not {manifest.task}.",
                    next_step="Register it under another name: --name NAME",
                )
            bring_in(folder, manifest, self.folder(name, version))
            return self._commit(slot, slot.registered(version, actor=actor, reason=reason), version)

    def promote(
        self,
        name: str,
        version: str,
        gates: Sequence[Gate],
        *,
        actor: str,
        reason: str,
        force: bool = False,
        incumbent: Figures | None = None,
    ) -> Version:
        """Make a candidate the champion if it passes every gate; the champion of before retires.

        Args:
            name: the slot.
            version: a candidate in it.
            gates: judged while nobody else can change the slot; none at all is refused like one that fails.
            actor: who asks for it.
            reason: why.
            force: promote although gates fail, which is recorded.
            incumbent: what serves when there is no champion, for gates that are relative.

        Raises:
            Conflict: a gate fails, which the text names with its figures; or the version is no candidate.
            ModelUnavailable: its artefact is damaged.
            BadInput: there is no reason, or no gate.
        """
        with self._changing(name) as slot:
            slot.promoted(version, actor=actor, reason=reason)  # refused before anything is read
            folder, _ = self.artefact(name, version)
            if any(gate.relative for gate in gates):
                incumbent = self.serving(name, incumbent)
            verdicts = judge(gates, figures_of(folder), incumbent)
            passed = bool(verdicts) and all(verdict.passed for verdict in verdicts)
            if not passed and not force:
                raise _refused(f"{name}@{version}", verdicts)
            changed = slot.promoted(version, actor=actor, reason=reason, verdicts=verdicts, forced=not passed)
            return self._commit(slot, changed, version)

    def rollback(self, name: str, *, actor: str, reason: str) -> Version:
        """Make the champion before this one the champion again.

        Raises:
            Conflict: there is none.
            ModelUnavailable: its artefact is damaged.
            BadInput: there is no reason.
        """
        with self._changing(name) as slot:
            changed = slot.rolled_back(actor=actor, reason=reason)
            returned = changed.changes[-1].version
            self.artefact(name, returned)
            return self._commit(slot, changed, returned)

    def retire(self, name: str, version: str, *, actor: str, reason: str) -> Version:
        """Take a candidate out of line, or the champion out of service. Raises Conflict when it is retired already."""
        with self._changing(name) as slot:
            return self._commit(slot, slot.retired(version, actor=actor, reason=reason), version)

    # -- the disk --

    def _read(self, name: str) -> Slot | None:
        path = self.root / name / _INDEX
        try:
            slot = Slot.model_validate_json(path.read_bytes())
            cause = "" if slot.name == name else f"It is that of {slot.name}."
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            cause = str(error)
        if cause:
            raise ModelUnavailable(
                f"The registry's index of {name} cannot be read.",
                cause=cause,
                next_step=f"Restore {path} from a backup; the versions beside it are whole, and the audit log has its changes.",
            )
        return slot

    @contextmanager
    def _changing(self, name: str, new: str = "") -> Iterator[Slot]:
        """The slot, held alone; an empty one for the task `new` when it is not there yet."""
        if not new:
            self.slot(name)  # a name that is not there leaves no folder behind
        try:
            with locked(self.root / name / "lock"):
                yield self._read(name) or Slot(name=name, task=new)
        except OSError as error:
            raise Unavailable(
                "The registry of models cannot be written.",
                cause=str(error),
                next_step=f"Make room, or let OpenTeller write to {self.root}; `teller models show {name}` says what stands.",
            ) from error

    def _commit(self, before: Slot, after: Slot, version: str) -> Version:
        """Tell the witness and write the index, both or neither."""
        if after == before:
            return after.version(version)
        if self._witness is None:
            self._write(after)
            return after.version(version)
        written = False
        try:
            with self._witness(after.name, after.changes[after.told :]):
                self._write(after)
                written = True
        except BaseException:
            if written:
                self._restore(before)
            raise
        with suppress(OSError):  # then the change is told twice, which its number shows
            self._write(after.model_copy(update={"told": len(after.changes)}))
        return after.version(version)

    def _write(self, slot: Slot) -> None:
        replace_file(self.root / slot.name / _INDEX, slot.model_dump_json(indent=1) + "\n")

    def _restore(self, slot: Slot) -> None:
        if slot.changes:
            self._write(slot)
        else:
            (self.root / slot.name / _INDEX).unlink()
            settle(self.root / slot.name)


def _named(name: str) -> str:
    if not fullmatch(NAME, name, ASCII):
        raise BadInput(
            f"{name!r} is no name of a model.",
            cause="It begins with a letter or digit, and has small letters, digits, dots, dashes and underscores.",
            next_step="Give another one, e.g. --name banking77.",
        )
    return name


def _refused(reference: str, verdicts: Sequence[Verdict]) -> OpenTellerError:
    if not verdicts:
        return BadInput(
            f"{reference} is not promoted without a gate.",
            next_step='Give one (--gate "accuracy >= 0.92"), declare them in gates.yaml in the data directory, or --force.',
        )
    failed = [str(verdict) for verdict in verdicts if not verdict.passed]
    return Conflict(
        f"{reference} is not promoted: {len(failed)} of {len(verdicts)} gates failed.",
        cause="; ".join(failed) + ".",
        next_step="Train a better one, or promote it all the same with --force, which is recorded with your reason.",
    )
