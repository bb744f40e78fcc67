"""The life of a model's versions in one slot, as the list of changes that led to where they stand.

    registered ─▶ candidate ─ promoted ─▶ champion ─ displaced, rolled back from, retired ─▶ retired
                     │  ▲                    ▲                                                 │
                     │  └──── registered ────┴──────────────── rolled back to ─────────────────┤
                     └─────────────────────────── retired ────────────────────────────────────▶┘

Only the changes are kept; what stands now is computed from them. So there is never more than one champion, and nothing
is forgotten. Knows nothing about disks or models.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import Field, model_validator

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotFound
from openteller.core.records import Record
from openteller.registry.gates import Verdict

NAME = r"^[a-z0-9][a-z0-9._-]*$"


class Stage(StrEnum):
    """Where a version stands."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    RETIRED = "retired"


class Action(StrEnum):
    """What is done to a version."""

    REGISTERED = "registered"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    RETIRED = "retired"


class Change(Record):
    """One step: who did what to which version, when and why, and which champion it put an end to.

    `verdicts`: what the gates found; `forced`: they did not all pass, or there was none.
    """

    number: int = Field(ge=1)
    action: Action
    version: str
    at: datetime
    actor: str = Field(min_length=1)
    reason: str = ""
    displaced: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    forced: bool = False


class Version(Record):
    """One version as it stands: since when, by whom and why, and when it was first registered."""

    name: str
    task: str
    version: str
    stage: Stage
    registered_at: datetime
    since: datetime
    actor: str
    reason: str
    forced: bool


@dataclass
class _Standing:
    """What the changes so far come to. `former`: the champions before this one, the latest last."""

    stages: dict[str, Stage] = field(default_factory=dict)
    last: dict[str, Change] = field(default_factory=dict)
    champion: str | None = None
    former: list[str] = field(default_factory=list)

    def apply(self, change: Change) -> None:
        """Go one change further. Raises ValueError when it cannot follow the ones before."""
        version, stage = change.version, self.stages.get(change.version)
        match change.action:
            case Action.REGISTERED:
                self._require(stage in (None, Stage.RETIRED), change)
                self.stages[version] = Stage.CANDIDATE
            case Action.PROMOTED:
                self._require(stage is Stage.CANDIDATE and change.displaced == self.champion, change)
                if version in self.former:
                    self.former.remove(version)
                if self.champion:
                    self.former.append(self.champion)
                self._crown(change)
            case Action.ROLLED_BACK:
                self._require(bool(self.former) and version == self.former[-1], change)
                self._require(self.champion is not None and change.displaced == self.champion, change)
                self.former.pop()
                self._crown(change)
            case Action.RETIRED:
                self._require(stage in (Stage.CANDIDATE, Stage.CHAMPION), change)
                self.stages[version] = Stage.RETIRED
                self.champion = None if version == self.champion else self.champion
                self.former = [v for v in self.former if v != version]
        self.last[version] = change

    def _crown(self, change: Change) -> None:
        if self.champion:
            self.stages[self.champion] = Stage.RETIRED
            self.last[self.champion] = change
        self.champion = change.version
        self.stages[change.version] = Stage.CHAMPION

    def _require(self, holds: bool, change: Change) -> None:
        if not holds:
            raise ValueError(
                f"change {change.number}, {change.action} {change.version}, does not follow from the others"
            )


class Slot(Record):
    """The versions of one model. `told`: how many of the changes are known to stand in the audit log."""

    name: str = Field(pattern=NAME)
    task: str
    changes: tuple[Change, ...] = ()
    told: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _is_possible(self) -> "Slot":
        if [c.number for c in self.changes] != list(range(1, len(self.changes) + 1)) or self.told > len(self.changes):
            raise ValueError("changes are missing")
        self._standing()
        return self

    def _standing(self) -> _Standing:
        standing = _Standing()
        for change in self.changes:
            standing.apply(change)
        return standing

    @property
    def champion(self) -> str | None:
        """The version that serves; None when none does."""
        return self._standing().champion

    @property
    def previous(self) -> str | None:
        """The champion that a rollback brings back; None when there is none."""
        former = self._standing().former
        return former[-1] if former else None

    def versions(self) -> tuple[Version, ...]:
        """Every version ever registered, in the order in which they first came."""
        standing = self._standing()
        return tuple(self._view(standing, version) for version in standing.stages)

    def version(self, version: str) -> Version:
        """One of them. Raises NotFound."""
        standing = self._standing()
        if version not in standing.stages:
            raise NotFound(f"{self.name} has no version {version}.", next_step=f"teller models show {self.name}")
        return self._view(standing, version)

    def find(self, text: str) -> str:
        """The version that `text` stands for: the word champion, the word candidate (the newest), or how one begins.

        Raises:
            NotFound: none does.
            BadInput: several do.
        """
        stages = self._standing().stages
        if text in (Stage.CHAMPION, Stage.CANDIDATE):
            found = [c.version for c in self.changes if stages[c.version] == text][-1:]
        else:
            found = [version for version in stages if text and version.startswith(text)]
        if not found:
            raise NotFound(f"{self.name} has no {text or 'version'}.", next_step=f"teller models show {self.name}")
        if len(found) > 1:
            raise BadInput(f"{self.name}@{text} may be {' or '.join(found)}.", next_step="Write more of it.")
        return found[0]

    def registered(self, version: str, *, actor: str, reason: str = "") -> "Slot":
        """With `version` as a candidate, also when it was retired; unchanged when it is candidate or champion."""
        if self._standing().stages.get(version) in (Stage.CANDIDATE, Stage.CHAMPION):
            return self
        return self._with(Action.REGISTERED, version, actor, reason)

    def promoted(
        self, version: str, *, actor: str, reason: str, verdicts: tuple[Verdict, ...] = (), forced: bool = False
    ) -> "Slot":
        """With the candidate `version` as champion. Raises Conflict when it is none, NotFound for an unknown one."""
        stage = self.version(version).stage
        if stage is not Stage.CANDIDATE:
            again = f"Register it again first, or roll back to it: teller models rollback {self.name}"
            raise Conflict(
                f"{self.name}@{version} cannot be promoted: it is {stage}.",
                cause="Only a candidate can become the champion.",
                next_step=again if stage is Stage.RETIRED else "",
            )
        return self._with(
            Action.PROMOTED, version, actor, _given(reason), displaced=self.champion, verdicts=verdicts, forced=forced
        )

    def rolled_back(self, *, actor: str, reason: str) -> "Slot":
        """With the champion before this one as champion again. Raises Conflict when there is none."""
        champion, previous = self.champion, self.previous
        if champion is None or previous is None:
            raise Conflict(
                f"{self.name} cannot be rolled back: it has no {'earlier ' if champion else ''}champion.",
                next_step=f"To serve no champion at all: teller models retire {self.name}@champion"
                if champion
                else f"teller models promote {self.name}@candidate",
            )
        return self._with(Action.ROLLED_BACK, previous, actor, _given(reason), displaced=champion)

    def retired(self, version: str, *, actor: str, reason: str) -> "Slot":
        """Without `version` in service or in line. Raises Conflict when it is retired, NotFound for an unknown one."""
        if self.version(version).stage is Stage.RETIRED:
            raise Conflict(f"{self.name}@{version} is retired already.")
        return self._with(Action.RETIRED, version, actor, _given(reason))

    def _with(
        self,
        action: Action,
        version: str,
        actor: str,
        reason: str,
        displaced: str | None = None,
        verdicts: tuple[Verdict, ...] = (),
        forced: bool = False,
    ) -> "Slot":
        change = Change(
            number=len(self.changes) + 1, action=action, version=version, at=utc_now(), actor=actor, reason=reason,
            displaced=displaced, verdicts=verdicts, forced=forced,
        )  # fmt: skip
        return Slot(name=self.name, task=self.task, changes=(*self.changes, change), told=self.told)

    def _view(self, standing: _Standing, version: str) -> Version:
        first = next(change for change in self.changes if change.version == version)
        last = standing.last[version]
        return Version(
            name=self.name, task=self.task, version=version, stage=standing.stages[version], registered_at=first.at,
            since=last.at, actor=last.actor, reason=last.reason, forced=last.forced and last.version == version,
        )  # fmt: skip


def _given(reason: str) -> str:
    if not reason.strip():
        raise BadInput("A change of what serves needs a reason.", next_step='For example: --reason "better on X"')
    return reason
