"""The recordings of calls: begun with consent, kept encrypted, hashed into the audit log, deleted when their time is over.

    <folder>/YYYY-MM-DD/<call id>.rec        the UTC day on which the call began

The bank's switch and the caller's consent are both needed; without either nothing is written. When a call ends, a row
`call.recorded` of the audit log holds the SHA-256 of its file; what a killed process left without a row gets it at the next
start. Every export and deletion is a row too, written in one transaction with it. The deletion of a file leaves its rows: they
name the caller, and hold none of what was said.

What is not covered: copies that were exported, and backups; they are the bank's to delete.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property, partial
from hashlib import file_digest
from pathlib import Path
from typing import Any
from uuid import UUID

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotFound, OpenTellerError
from openteller.core.records import Principal, Record, Role
from openteller.store import audit
from openteller.store.database import Database
from openteller.voice.detectors import RATE
from openteller.voice.recorder import Recorder, decoded, is_end, sound_file
from openteller.voice.sealed import SealedFile, alone, pieces

_RECORDED, _DELETED, _EXPORTED = "call.recorded", "call.recording_deleted", "call.recording_exported"
_SERVICE = Principal(subject="recordings", role=Role.SERVICE)
_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_RETENTION = "its time is over"


class State(StrEnum):
    """How a recording stands, file against audit log."""

    RECORDING = "recording"  # the call goes on
    KEPT = "kept"  # as long as the audit log says; its content was not looked at
    INTACT = "intact"  # byte for byte what the audit log has the hash of
    CHANGED = "changed"
    MISSING = "missing"  # in the audit log, neither on the disk nor deleted
    UNLISTED = "unlisted"  # on the disk, not in the audit log

    @property
    def is_well(self) -> bool:
        """Whether nobody need look into it."""
        return self in (State.RECORDING, State.KEPT, State.INTACT)


class Recording(Record):
    """One recording. What only the audit log says is empty or None without a row; day: UTC."""

    call_id: str
    state: State
    day: date
    caller: str = ""
    began: datetime | None = None
    seconds: float | None = None
    is_whole: bool | None = None
    size: int = 0
    sha256: str = ""


class Recordings:
    """All recordings of one installation.

    Args:
        folder: where they lie.
        database: holds the audit log.
        is_on: the bank's switch.
        days: how long they are kept.
        keys: the keys, 32 bytes each: the one that encrypts, then former ones. May raise ConfigurationError.
    """

    def __init__(
        self, folder: Path, database: Database, *, is_on: bool, days: int, keys: Callable[[], Sequence[bytes]]
    ) -> None:
        self._folder, self._database, self._is_on, self._days, self._keys = folder, database, is_on, days, keys

    @cached_property
    def _scribe(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "recordings")

    def close(self) -> None:
        """Wait until what was recorded is written and has its row."""
        if "_scribe" in self.__dict__:
            self._scribe.shutdown()

    def check(self) -> None:
        """Raises ConfigurationError or MissingDependency where recording is switched on and cannot be done."""
        if self._is_on:
            self._keys()
            sound_file()

    @property
    def is_on(self) -> bool:
        """Whether the bank records callers who agree."""
        return self._is_on

    def open(
        self, call_id: str, principal: Principal, rate: int, *, consent: bool, fault: Callable[[Exception], None]
    ) -> Recorder | None:
        """Begin to record a call.

        Args:
            call_id: a UUID.
            principal: who calls.
            rate: samples a second of what is played.
            consent: the caller's, given now.
            fault: told what stops the recording, now or later.

        Returns:
            None without the bank's switch, without consent, and where the disk refuses.
        """
        if not (self._is_on and consent):
            return None
        now = utc_now()
        facts = {"caller": principal.subject, "customer_id": principal.customer_id, "consented_at": now.isoformat()}
        try:
            file = SealedFile(self._folder / f"{now:%Y-%m-%d}" / f"{call_id}.rec", call_id, self._keys()[0])
            file.add(json.dumps(facts).encode())
        except (OSError, OpenTellerError) as error:
            fault(error)
            return None
        return Recorder(file, rate, self._scribe, partial(self._enter, file.path, facts), fault)

    def _enter(self, path: Path, facts: dict[str, Any], seconds: float | None, is_whole: bool) -> None:
        """Write the row of a file that is held."""
        caller = facts.get("caller") or _SERVICE.subject
        known = {name: facts.get(name) for name in ("customer_id", "consented_at")}
        length = None if seconds is None else round(seconds, 2)
        detail = known | {"seconds": length, "is_whole": is_whole} | _print_of(path)
        with self._database.session(_SERVICE) as session:
            audit.record(session, caller, _RECORDED, path.stem, detail)

    def adopt(self) -> list[str]:
        """Give every file without a row its row; the ids of those calls. For those that a killed process left."""
        listed, deleted = self._rows()
        unlisted = [path for path in self._files() if path.stem not in listed | deleted and path.stat().st_size]
        adopted = []
        for path in unlisted:
            with suppress(NotFound, Conflict), alone(path):
                if not self._rows(path.stem)[0]:  # its call may have ended meanwhile
                    self._enter(path, *self._facts(path))
                    adopted.append(path.stem)
        return adopted

    def _facts(self, path: Path) -> tuple[dict[str, Any], float | None, bool]:
        """What the file says of itself; little where its key is not known or it is damaged."""
        facts: dict[str, Any] = {}
        seconds, is_whole = 0.0, False
        try:
            for number, piece in enumerate(pieces(path, path.stem, self._keys())):
                if number == 0:
                    facts = json.loads(piece)
                is_whole = is_end(piece)
                seconds += sum(len(segment) for segment in decoded([piece])) / RATE
        except OpenTellerError:
            return facts, None, False
        return facts, seconds, is_whole

    def all(self, *, caller: str | None = None) -> list[Recording]:
        """Every recording, the newest first, of one caller or of all; contents are not looked at."""
        listed, _ = self._rows()
        files = {path.stem: path for path in self._files()}
        found = [_standing(call_id, files.get(call_id), listed.get(call_id)) for call_id in listed | files]
        found = [each for each in found if caller is None or each.caller == caller]
        return sorted(found, key=lambda each: (each.began or _midnight(each.day), each.call_id), reverse=True)

    def verify(self, call_id: str | None = None) -> list[Recording]:
        """One recording or all, each file hashed and held against the audit log.

        The log's own chain is for `store.audit.verify`.

        Raises:
            BadInput: `call_id` is none.
            NotFound: there is no such recording, or it was deleted.
        """
        asked = None if call_id is None else self._named(call_id)
        return [self._compared(each) for each in self.all() if asked in (None, each.call_id)]

    def _compared(self, found: Recording) -> Recording:
        if found.state is not State.KEPT:
            return found
        path = self._path(found.call_id)
        is_same = path is not None and _print_of(path)["sha256"] == found.sha256
        return found.model_copy(update={"state": State.INTACT if is_same else State.CHANGED})

    def export(self, call_id: str, output: Path, actor: str) -> Recording:
        """Write a recording in clear: two channels at 16 kHz, the customer left; readable by its owner only.

        Raises:
            BadInput: a name that is neither .wav nor .flac, or `call_id` is none.
            NotFound: there is no such recording.
            Conflict: the call goes on, or there is such a file already.
            UnreadableFile: the recording was changed.
            ConfigurationError: its key is not known.
        """
        if output.suffix.lower() not in _FORMATS or not output.parent.is_dir():
            raise BadInput(
                f"{output} cannot be written.", next_step="Name a .wav or .flac file in a folder that exists."
            )
        if output.exists():
            raise Conflict(f"{output} exists.", next_step="Name another file, or remove it.")
        temporary = output.with_name(f".{output.name}.{os.getpid()}")
        with self._held(call_id) as path:
            try:
                self._write_clear(path, temporary, _FORMATS[output.suffix.lower()])
                with self._database.session(_SERVICE) as session:
                    audit.record(session, actor, _EXPORTED, path.stem, _print_of(path))
                    temporary.rename(output)
            finally:
                temporary.unlink(missing_ok=True)
            return self.verify(path.stem)[0]

    def _write_clear(self, path: Path, output: Path, kind: str) -> None:
        files, descriptor = sound_file(), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        with files.SoundFile(output, "w", RATE, 2, "PCM_16", format=kind) as file:
            file.comment = "Recording of a call. Left: the caller. Right: speech generated by an AI."
            for segment in decoded(pieces(path, path.stem, self._keys())):
                file.write(segment)

    def delete(self, call_id: str, reason: str, actor: str) -> None:
        """Delete a recording, as a customer may ask. Raises BadInput, NotFound, or Conflict while the call goes on."""
        if not reason.strip():
            raise BadInput("A deletion needs a reason.")
        with self._held(call_id) as path:
            self._remove(path, reason, actor)

    def expired(self, now: datetime) -> list[str]:
        """The calls whose recordings have been kept for so many whole days."""
        return [path.stem for path in self._expired(now)]

    def purge(self, now: datetime, actor: str = _SERVICE.subject) -> list[str]:
        """Delete what is expired; the ids of those calls."""
        purged = []
        for path in self._expired(now):
            with suppress(NotFound, Conflict), alone(path):
                self._remove(path, _RETENTION, actor)
                purged.append(path.stem)
        return purged

    def tend(self, now: datetime) -> None:
        """What a server does when it starts and once a day: adopt, then purge. Without recordings the store is left alone."""
        if any(self._files()):
            self.adopt()
            self.purge(now)

    def _remove(self, path: Path, reason: str, actor: str) -> None:
        with self._database.session(_SERVICE) as session:
            audit.record(session, actor, _DELETED, path.stem, {"reason": reason} | _print_of(path))
            path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()

    def _expired(self, now: datetime) -> list[Path]:
        oldest = now.astimezone(UTC).date() - timedelta(days=self._days)
        return [path for path in self._files() if _day(path) < oldest]

    def _files(self) -> Iterator[Path]:
        for path in sorted(self._folder.glob("*-*-*/*.rec")):
            if _is_ours(path):
                yield path

    def _path(self, call_id: str) -> Path | None:
        return next((path for path in self._folder.glob(f"*-*-*/{call_id}.rec") if _is_ours(path)), None)

    def _named(self, call_id: str) -> str:
        """The id as it is written. Raises BadInput, or NotFound where neither disk nor audit log has such a recording."""
        try:
            name = str(UUID(call_id))
        except ValueError as error:
            raise BadInput(f"{call_id!r} is no call.", next_step="`teller recordings list` has their ids.") from error
        listed, deleted = self._rows(name)
        if name not in listed and self._path(name) is None:
            row = deleted.get(name)
            cause = f"It was deleted on {row.at:%Y-%m-%d}: {row.detail['reason']}." if row else ""
            raise NotFound(f"There is no recording of the call {name}.", cause=cause)
        return name

    @contextmanager
    def _held(self, call_id: str) -> Iterator[Path]:
        name = self._named(call_id)
        path = self._path(name)
        if path is None:
            raise NotFound(
                f"The recording of the call {name} is missing.",
                cause="The audit log has it, the disk has not, and nobody deleted it here.",
                next_step="Restore it from a backup.",
            )
        with alone(path):
            yield path

    def _rows(self, call_id: str | None = None) -> tuple[dict[str, audit.AuditEntry], dict[str, audit.AuditEntry]]:
        """Call → its row, of those recorded and not deleted, and of those deleted."""
        with self._database.session(_SERVICE) as session:
            rows = audit.entries(session, (_RECORDED, _DELETED), call_id)
        recorded, deleted = ({row.subject: row for row in rows if row.action == a} for a in (_RECORDED, _DELETED))
        return {call_id: row for call_id, row in recorded.items() if call_id not in deleted}, deleted


def _standing(call_id: str, path: Path | None, row: audit.AuditEntry | None) -> Recording:
    size = path.stat().st_size if path else 0
    if row is None:
        assert path is not None
        state = State.RECORDING if _is_in_use(path) else State.UNLISTED
        return Recording(call_id=call_id, state=state, day=_day(path), size=size)
    detail = row.detail
    began = datetime.fromisoformat(detail["consented_at"]) if detail["consented_at"] else None
    state = State.MISSING if path is None else State.KEPT if size == detail["bytes"] else State.CHANGED
    return Recording(
        call_id=call_id,
        state=state,
        day=_day(path) if path else (began or row.at).date(),
        caller=row.actor,
        began=began,
        seconds=detail["seconds"],
        is_whole=detail["is_whole"],
        size=size,
        sha256=detail["sha256"],
    )


def _is_in_use(path: Path) -> bool:
    try:
        with alone(path):
            return False
    except (NotFound, Conflict):
        return True


def _print_of(path: Path) -> dict[str, Any]:
    """The hash and size of a file, as the audit log has them."""
    with path.open("rb") as file:
        return {"sha256": file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _day(path: Path) -> date:
    return date.fromisoformat(path.parent.name)


def _is_ours(path: Path) -> bool:
    try:
        return str(UUID(path.stem)) == path.stem and bool(_day(path))
    except ValueError:
        return False


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
