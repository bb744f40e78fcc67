"""Recordings: what comes back is what was said, nothing lies about in clear, and the audit log knows of everything."""

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import select

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, ConfigurationError, Conflict, NotFound, Unavailable, UnreadableFile
from openteller.core.records import Principal
from openteller.runtime.protocols import Floats
from openteller.settings import Settings
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from openteller.voice.recorder import Recorder, decoded
from openteller.voice.recordings import Recordings, State
from openteller.voice.sealed import SealedFile, key_id, pieces
from tests.store.people import AGENT, ANN, VISITOR

RATE, OUT = 16_000, 24_000
KEY, OTHER = bytes(range(32)), bytes(32)
STEP = 0.04


def no_fault(error: Exception) -> None:
    raise error


def tone(hertz: float, seconds: float, rate: int) -> Floats:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def pitch(samples: NDArray[Any]) -> float:
    """The strongest frequency of a second of samples."""
    return float(np.argmax(np.abs(np.fft.rfft(samples[:RATE].astype(float)))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def recordings(clean: Database, folder: Path) -> Recordings:
    return made(clean, folder)


def made(database: Database, folder: Path, *keys: bytes, is_on: bool = True) -> Recordings:
    return Recordings(folder, database, is_on=is_on, days=90, keys=lambda: keys or (KEY,))


def opened(recordings: Recordings, principal: Principal = ANN) -> tuple[str, Recorder]:
    call_id = str(uuid4())
    recorder = recordings.open(call_id, principal, OUT, consent=True, fault=no_fault)
    assert recorder
    return call_id, recorder


def talk(recorder: Recorder, seconds: float, *, speaks: tuple[float, float] = (0, 0)) -> None:
    """440 Hz from the customer, and between two moments 1000 Hz from the assistant, as a call brings them."""
    left, right = tone(440, seconds, RATE), tone(1_000, seconds, OUT)
    for step in range(round(seconds / STEP)):
        recorder.heard(left[round(step * STEP * RATE) : round((step + 1) * STEP * RATE)])
        if speaks[0] <= step * STEP < speaks[1]:
            recorder.played(right[round(step * STEP * OUT) : round((step + 1) * STEP * OUT)])


def recorded(recordings: Recordings, principal: Principal = ANN, seconds: float = 1.0) -> str:
    call_id, recorder = opened(recordings, principal)
    talk(recorder, seconds)
    recorder.finish().result()
    return call_id


def the_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.rec")
    return found


def rows(database: Database) -> list[tuple[str, str, str, dict[str, Any]]]:
    with database.session(AGENT) as session:
        assert audit.verify(session).intact
        found = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.actor, row.action, row.subject, row.detail) for row in found]


def test_both_sides_come_back_where_they_were(recordings: Recordings, folder: Path, tmp_path: Path) -> None:
    call_id, recorder = opened(recordings)
    talk(recorder, 23.0, speaks=(8.0, 14.0))
    recorder.finish().result()
    recorder.finish().result()
    assert len([*pieces(the_file(folder), call_id, (KEY,))]) == 5  # facts, three segments, the end
    for name in ("call.wav", "call.flac"):
        found = recordings.export(call_id, tmp_path / name, "cli:li")
        samples, rate = soundfile.read(tmp_path / name, dtype="int16")
        assert (rate, samples.shape) == (RATE, (23 * RATE, 2))
        assert (found.seconds, found.is_whole, found.state) == (23.0, True, State.INTACT)
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600
    expected = (tone(440, 23.0, RATE) * 32_767).astype(np.int16)
    assert np.array_equal(samples[:, 0], expected)
    right = samples[:, 1]
    assert pitch(right[9 * RATE :]) == pitch(right[12 * RATE :]) == 1_000
    loud = np.flatnonzero(np.abs(right) > 1_000) / RATE
    # The customer's clock stands one step further when the first sound of ours is pulled.
    assert (loud[0], loud[-1]) == pytest.approx((8.0 + STEP, 14.0 + STEP), abs=0.01)
    middle = right[9 * RATE : 13 * RATE].astype(float)
    assert np.abs(np.abs(np.fft.rfft(middle))[5_000:]).max() < 1e-3 * np.abs(np.fft.rfft(middle)).max()  # no clicks


@given(
    heard=st.lists(st.integers(1, 40_000), max_size=12),
    played=st.lists(st.integers(0, 30_000), max_size=12),
    rate=st.sampled_from([8_000, 16_000, 22_050, 24_000]),
)
def test_no_sound_is_lost_or_laid_over_another(heard: list[int], played: list[int], rate: int) -> None:
    kept: list[bytes] = []

    class Kept:
        def add(self, piece: bytes) -> None:
            kept.append(piece)

        def close(self) -> None:
            pass

    class Here:
        def submit(self, job: Any, *arguments: Any) -> Any:
            job(*arguments)
            return self

        def result(self) -> None:
            pass

    told: list[tuple[float, bool]] = []
    recorder = Recorder(Kept(), rate, Here(), lambda *end: told.append(end), no_fault)  # type: ignore[arg-type]
    for place in range(max(len(heard), len(played))):
        for counts, take in ((heard, recorder.heard), (played, recorder.played)):
            if place < len(counts) and counts[place]:
                take(np.full(counts[place], 0.5, np.float32))
    recorder.finish().result()
    samples = np.concatenate([*decoded(kept), np.zeros((0, 2), np.int16)])
    assert told == [(len(samples) / RATE, True)]
    assert np.count_nonzero(samples[:, 0]) == sum(heard)
    spoken = samples[:, 1].astype(float).sum() / 16_383 / RATE
    assert spoken == pytest.approx(sum(played) / rate, abs=0.02)


def test_nothing_lies_about_in_clear(recordings: Recordings, folder: Path) -> None:
    recorded(recordings)
    path = the_file(folder)
    raw = path.read_bytes()
    assert raw[6:14].decode() == key_id(KEY)
    pcm = (tone(440, 1.0, RATE) * 32_767).astype("<i2").tobytes()
    assert not any(part in raw for part in (b"fLaC", ANN.subject.encode(), b"consented", pcm[:16], pcm[-16:]))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each for each in folder.rglob("*") if each.is_file()] == [path]
    raw_again = the_file(folder).parent / "again"
    SealedFile(raw_again, path.stem, KEY).close()
    assert raw_again.read_bytes() == raw[:14]


@pytest.mark.parametrize(("is_on", "consent"), [(False, True), (True, False), (False, False)])
def test_without_switch_or_consent_nothing_is_written(
    clean: Database, folder: Path, is_on: bool, consent: bool
) -> None:
    recordings = made(clean, folder, is_on=is_on)
    assert recordings.open(str(uuid4()), ANN, OUT, consent=consent, fault=no_fault) is None
    recordings.tend(utc_now())
    assert not folder.exists()
    assert rows(clean) == []


def test_the_audit_log_knows_who_agreed_and_what_was_kept(
    clean: Database, recordings: Recordings, folder: Path
) -> None:
    before = utc_now()
    call_id = recorded(recordings, seconds=1.2)
    ((actor, action, subject, detail),) = rows(clean)
    assert (actor, action, subject) == (ANN.subject, "call.recorded", call_id)
    assert (detail["customer_id"], detail["seconds"], detail["is_whole"]) == (ANN.customer_id, 1.2, True)
    assert before.isoformat() <= detail["consented_at"] <= utc_now().isoformat()
    assert re.fullmatch("[0-9a-f]{64}", detail["sha256"])
    (found,) = recordings.verify(call_id)
    assert (found.state, found.caller, found.sha256) == (State.INTACT, ANN.subject, detail["sha256"])
    visit = recorded(recordings, VISITOR)
    assert [each.call_id for each in recordings.all(caller=VISITOR.subject)] == [visit]
    assert [each.call_id for each in recordings.all()] == [visit, call_id]


def test_another_key_is_named(clean: Database, recordings: Recordings, folder: Path, tmp_path: Path) -> None:
    call_id = recorded(recordings)
    with pytest.raises(ConfigurationError) as raised:
        made(clean, folder, OTHER).export(call_id, tmp_path / "a.wav", "cli:li")
    assert key_id(KEY) in raised.value.cause
    assert key_id(OTHER) in raised.value.cause
    assert "OPENTELLER_RECORDING_KEYS_OLD" in raised.value.next_step
    assert list(tmp_path.glob("*.wav*")) == []
    made(clean, folder, OTHER, KEY).export(call_id, tmp_path / "a.wav", "cli:li")
    assert soundfile.info(tmp_path / "a.wav").frames == RATE


@pytest.mark.parametrize("at", [0, 16, 20, 60, -200, -1])
def test_one_changed_byte_is_noticed(
    clean: Database, recordings: Recordings, folder: Path, tmp_path: Path, at: int
) -> None:
    call_id = recorded(recordings)
    raw = bytearray(the_file(folder).read_bytes())
    raw[at] ^= 1
    the_file(folder).write_bytes(raw)
    assert recordings.verify(call_id)[0].state is State.CHANGED
    with pytest.raises(UnreadableFile):
        recordings.export(call_id, tmp_path / "a.wav", "cli:li")
    assert [each.name for each in tmp_path.iterdir()] == ["recordings"]
    assert [action for _, action, *_ in rows(clean)] == ["call.recorded"]


def test_segments_cannot_be_exchanged(recordings: Recordings, folder: Path, tmp_path: Path) -> None:
    call_id, recorder = opened(recordings)
    talk(recorder, 21.0)
    recorder.finish().result()
    path = the_file(folder)
    raw, starts, at = path.read_bytes(), [14], 14
    while at < len(raw):
        at += 4 + int.from_bytes(raw[at : at + 4], "big")
        starts.append(at)
    facts, one, two, *rest = [raw[a:b] for a, b in pairwise(starts)]
    path.write_bytes(b"".join([raw[:14], facts, two, one, *rest]))
    with pytest.raises(UnreadableFile):
        recordings.export(call_id, tmp_path / "a.wav", "cli:li")
    path.write_bytes(raw)
    other = path.with_stem(str(uuid4()))
    path.rename(other)
    with pytest.raises(UnreadableFile):
        recordings.export(other.stem, tmp_path / "a.wav", "cli:li")
    assert {each.call_id: each.state for each in recordings.verify()} == {
        call_id: State.MISSING,
        other.stem: State.UNLISTED,
    }


@pytest.mark.parametrize("lost", [1, 100, 4_000])
def test_a_truncated_file_gives_what_is_left_of_it(
    recordings: Recordings, folder: Path, tmp_path: Path, lost: int
) -> None:
    call_id, recorder = opened(recordings)
    talk(recorder, 21.0)
    recorder.finish().result()
    path = the_file(folder)
    os.truncate(path, path.stat().st_size - lost)
    assert [each.state for each in recordings.all()] == [State.CHANGED]
    assert recordings.export(call_id, tmp_path / "a.wav", "cli:li").state is State.CHANGED
    frames = soundfile.info(tmp_path / "a.wav").frames
    assert frames == 21 * RATE if lost < 100 else 19 * RATE < frames < 21 * RATE


_CALL = """
import sys, time
from pathlib import Path
import numpy as np
from openteller.core.records import Principal, Role
from openteller.store.database import Database
from openteller.voice.recordings import Recordings
folder, call_id, *urls = sys.argv[1:]
recordings = Recordings(Path(folder), Database(*urls), is_on=True, days=90, keys=lambda: (bytes(range(32)),))
ann = Principal(subject="C000001", role=Role.CUSTOMER, customer_id="C000001")
recorder = recordings.open(call_id, ann, 24_000, consent=True, fault=print)
for _ in range(25 * 25):
    recorder.heard(np.full(640, 0.25, np.float32))
recordings._scribe.submit(print, "written", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_all_but_the_open_segment(
    clean: Database, database_urls: tuple[str, str], recordings: Recordings, folder: Path, tmp_path: Path
) -> None:
    call_id = str(uuid4())
    command = [sys.executable, "-c", _CALL, str(folder), call_id, *database_urls]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "written\n"
            assert [each.state for each in recordings.verify()] == [State.RECORDING]
            recordings.tend(utc_now() + timedelta(days=100))
            with pytest.raises(Conflict):
                recordings.delete(call_id, "too early", "cli:li")
        finally:
            process.send_signal(signal.SIGKILL)
    assert rows(clean) == []
    with the_file(folder).open("ab") as file:
        file.write(b"\x00\x00\x01\x00half a pie")  # as if it had been killed while it wrote
    assert [each.state for each in recordings.verify()] == [State.UNLISTED]
    recordings.tend(utc_now())
    recordings.tend(utc_now())
    ((actor, action, subject, detail),) = rows(clean)
    assert (actor, action, subject) == (ANN.subject, "call.recorded", call_id)
    assert (detail["is_whole"], detail["customer_id"]) == (False, ANN.customer_id)
    assert 19 < detail["seconds"] <= 20
    found = recordings.export(call_id, tmp_path / "a.wav", "cli:li")
    assert (found.state, found.is_whole) == (State.INTACT, False)
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert len(samples) / RATE == pytest.approx(detail["seconds"], abs=0.01)
    assert (set(samples[:, 0]), set(samples[:, 1])) == ({8_191}, {0})


def test_what_is_kept_long_enough_goes(clean: Database, recordings: Recordings, folder: Path) -> None:
    old, new = recorded(recordings), recorded(recordings)
    day = the_file_of(folder, old).parent
    aged = day.with_name(f"{utc_now() - timedelta(days=91):%Y-%m-%d}")
    aged.mkdir()
    the_file_of(folder, old).rename(aged / f"{old}.rec")
    (folder / "notes").mkdir()
    (aged / "notes.rec").touch()
    assert recordings.expired(utc_now()) == [old]
    assert recordings.expired(utc_now() - timedelta(days=1)) == []
    sha256 = recordings.verify(old)[0].sha256
    (aged / "notes.rec").unlink()
    assert recordings.purge(utc_now(), "cli:li") == [old]
    assert recordings.purge(utc_now()) == []
    assert not aged.exists()
    assert [each.call_id for each in recordings.verify()] == [new]
    actor, action, subject, detail = rows(clean)[-1]
    assert (actor, action, subject) == ("cli:li", "call.recording_deleted", old)
    assert (detail["sha256"], detail["reason"]) == (sha256, "its time is over")


def the_file_of(folder: Path, call_id: str) -> Path:
    (found,) = folder.rglob(f"{call_id}.rec")
    return found


def test_a_customer_may_have_it_deleted(clean: Database, recordings: Recordings, folder: Path, tmp_path: Path) -> None:
    call_id = recorded(recordings)
    kept = the_file(folder).read_bytes()
    path = the_file(folder)
    recordings.delete(call_id.upper(), "the customer asked", "cli:li")
    assert recordings.all() == []
    for ask in (
        lambda: recordings.verify(call_id),
        lambda: recordings.delete(call_id, "again", "cli:li"),
        lambda: recordings.export(call_id, tmp_path / "a.wav", "cli:li"),
    ):
        with pytest.raises(NotFound) as raised:
            ask()
        assert "the customer asked" in raised.value.cause
    path.parent.mkdir(parents=True)
    path.write_bytes(kept)  # out of a backup
    assert [each.state for each in recordings.all()] == [State.UNLISTED]
    assert recordings.adopt() == []
    recordings.delete(call_id, "it came back", "cli:li")
    assert [action for _, action, *_ in rows(clean)] == ["call.recorded", *["call.recording_deleted"] * 2]


def test_what_cannot_be_asked_is_said(recordings: Recordings, folder: Path, tmp_path: Path) -> None:
    call_id = recorded(recordings)
    for output in ("a.mp3", "nowhere/a.wav"):
        with pytest.raises(BadInput):
            recordings.export(call_id, tmp_path / output, "cli:li")
    (tmp_path / "a.wav").write_text("mine")
    with pytest.raises(Conflict):
        recordings.export(call_id, tmp_path / "a.wav", "cli:li")
    assert (tmp_path / "a.wav").read_text() == "mine"
    with pytest.raises(BadInput):
        recordings.delete(call_id, " ", "cli:li")
    for call in ("../../x", "*"):
        with pytest.raises(BadInput):
            recordings.verify(call)
    with pytest.raises(NotFound):
        recordings.verify(str(uuid4()))
    the_file(folder).unlink()
    assert recordings.verify(call_id)[0].state is State.MISSING
    with pytest.raises(NotFound) as raised:
        recordings.export(call_id, tmp_path / "b.wav", "cli:li")
    assert "backup" in raised.value.next_step


class Broken:
    """A database that does not answer."""

    def session(self, principal: Principal) -> Any:
        raise Unavailable("The database does not answer.")


def test_a_store_that_is_away_at_the_end_is_made_up_for(clean: Database, folder: Path) -> None:
    faults: list[Exception] = []
    away = Recordings(folder, Broken(), is_on=True, days=90, keys=lambda: (KEY,))  # type: ignore[arg-type]
    recorder = away.open(call_id := str(uuid4()), ANN, OUT, consent=True, fault=faults.append)
    assert recorder
    talk(recorder, 1.0)
    recorder.finish().result()
    assert [type(error) for error in faults] == [Unavailable]
    with pytest.raises(Unavailable):
        away.delete(call_id, "x", "cli:li")
    made(clean, folder).tend(utc_now())
    assert [(subject, detail["is_whole"]) for _, _, subject, detail in rows(clean)] == [(call_id, True)]


def test_without_the_key_a_left_file_is_hashed_all_the_same(clean: Database, folder: Path) -> None:
    call_id = str(uuid4())
    file = SealedFile(folder / "2026-01-31" / f"{call_id}.rec", call_id, KEY)
    file.add(b"{}")
    assert made(clean, folder, OTHER).adopt() == []
    file.close()
    assert made(clean, folder, OTHER).adopt() == [call_id]
    ((actor, _, _, detail),) = rows(clean)
    assert (actor, detail["seconds"], detail["customer_id"]) == ("recordings", None, None)
    assert made(clean, folder).verify(call_id)[0].state is State.INTACT


def test_a_disk_that_is_full_stops_the_recording_and_not_the_call(
    clean: Database, recordings: Recordings, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    faults: list[Exception] = []
    recorder = recordings.open(call_id := str(uuid4()), ANN, OUT, consent=True, fault=faults.append)
    assert recorder
    talk(recorder, 11.0)
    recordings._scribe.submit(lambda: None).result()

    def full(descriptor: int, data: Sequence[int]) -> int:
        if len(data) > 100:
            return write(descriptor, data[:100])
        raise OSError(28, "No space left on device")

    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr("openteller.voice.sealed.os.write", full)
        talk(recorder, 11.0)
        recorder.finish().result()
        assert recordings.open(str(uuid4()), ANN, OUT, consent=True, fault=faults.append) is None
    assert [type(error) for error in faults] == [OSError, OSError]
    (row,) = rows(clean)
    assert (row[2], row[3]["is_whole"]) == (call_id, False)
    recordings.export(call_id, tmp_path / "a.wav", "cli:li")
    assert soundfile.info(tmp_path / "a.wav").frames == pytest.approx(9.7 * RATE, abs=0.1 * RATE)


def test_keys_come_from_the_settings(tmp_path: Path) -> None:
    written = base64.b64encode(KEY).decode()

    def keys(**changes: Any) -> tuple[bytes, ...]:
        return Settings(_env_file=None, data_dir=tmp_path, **changes).recording_keys()

    assert keys(recording_key=written) == (KEY,)
    assert keys(recording_key=written, recording_keys_old=(base64.b64encode(OTHER).decode(),)) == (KEY, OTHER)
    derived = keys(dev=True)
    assert len(derived[0]) == 32
    assert derived == keys(dev=True) != keys(dev=True, secret_key="another")
    assert keys(dev=True, recording_key=written) == (KEY,)
    for wrong in ("", "no base64", base64.b64encode(b"short").decode()):
        with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
            keys(recording_key=wrong)
    with pytest.raises(ConfigurationError):
        keys(recording_key=written, recording_keys_old=("short",))


def test_a_server_without_a_key_does_not_start(clean: Database, tmp_path: Path) -> None:
    def check(*, is_on: bool) -> None:
        keys = Settings(_env_file=None, data_dir=tmp_path).recording_keys
        Recordings(tmp_path, clean, is_on=is_on, days=1, keys=keys).check()

    check(is_on=False)
    with pytest.raises(ConfigurationError):
        check(is_on=True)
