"""`teller recordings` as a person meets it."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from openteller.cli.main import run
from openteller.cli.registered import actor
from openteller.core.clock import utc_now
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from openteller.voice.recordings import Recordings
from tests.store.people import AGENT, ANN, VISITOR

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def installation(data_dir: Path, clean: Database, monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """A data directory of its own, over the run's database; the recordings in it."""
    monkeypatch.setenv("OPENTELLER_RECORDING_KEY", base64.b64encode(KEY).decode())
    return Recordings(data_dir / "voice" / "recordings", clean, is_on=True, days=90, keys=lambda: (KEY,))


def recorded(recordings: Recordings, principal: object = ANN) -> str:
    call_id = str(uuid4())
    recorder = recordings.open(call_id, principal, 24_000, consent=True, fault=print)  # type: ignore[arg-type]
    assert recorder
    recorder.heard(np.full(32_000, 0.5, np.float32))
    recorder.finish()
    return call_id


def teller(*arguments: str) -> int:
    return run(["recordings", *arguments])


def told(database: Database) -> list[tuple[str, str, str]]:
    with database.session(AGENT) as session:
        assert audit.verify(session).intact
        found = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.actor, row.action, row.subject) for row in found]


def test_from_the_list_to_a_file_to_nothing(
    installation: Recordings, clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teller("list") == 0
    assert "No call is recorded." in capsys.readouterr().out
    assert teller("verify") == 0
    assert "0 recordings, 0 of them need care." in capsys.readouterr().out
    ann, visitor = recorded(installation), recorded(installation, VISITOR)
    assert teller("list") == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in (ann, visitor, ANN.subject, "kept", " 2 "))
    assert teller("list", "--caller", ANN.subject, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["call_id"], found["seconds"], found["state"]) == (ann, 2.0, "kept")
    assert teller("export", ann, "--output", str(tmp_path / "ann.wav")) == 0
    assert "delete it when" in capsys.readouterr().out
    assert soundfile.info(tmp_path / "ann.wav").channels == 2
    assert teller("export", ann, "--output", str(tmp_path / "ann.wav")) == 1
    assert "exists" in capsys.readouterr().err
    assert teller("export", ann, "--output", str(tmp_path / "ann.flac"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "intact"
    assert teller("delete", ann, "--reason", "she asked") == 0
    assert f"{ann}: deleted" in capsys.readouterr().out
    assert teller("delete", ann, "--reason", "twice") == 1
    assert "she asked" in capsys.readouterr().err
    me, by_me = actor(), "call.recording_exported"
    assert told(clean) == [
        (ANN.subject, "call.recorded", ann),
        (VISITOR.subject, "call.recorded", visitor),
        (me, by_me, ann),
        (me, by_me, ann),
        (me, "call.recording_deleted", ann),
    ]


def test_verify_says_which_needs_care(
    installation: Recordings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = recorded(installation), recorded(installation)
    assert teller("verify") == 0
    shown = capsys.readouterr().out
    assert "2 recordings, 0 of them need care." in shown
    assert "2 rows, intact" in shown
    (path,) = tmp_path.rglob(f"{bad}.rec")
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert teller("verify", "--json") == 1
    states = {each["call_id"]: each["state"] for each in json.loads(capsys.readouterr().out)["recordings"]}
    assert states == {good: "intact", bad: "changed"}
    assert teller("verify", good) == 0
    assert teller("verify", bad) == 1
    assert "1 of them need care" in capsys.readouterr().out


def test_purge_says_first_what_it_would_do(
    installation: Recordings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = recorded(installation), recorded(installation)
    (path,) = tmp_path.rglob(f"{old}.rec")
    aged = path.parent.with_name(f"{utc_now() - timedelta(days=8):%Y-%m-%d}")
    aged.mkdir()
    path = path.rename(aged / path.name)
    assert teller("purge") == 0
    assert "No recording's time is over." in capsys.readouterr().out
    monkeypatch.setenv("OPENTELLER_RECORDING_DAYS", "7")
    assert teller("purge", "--dry-run") == 0
    assert capsys.readouterr().out == f"{old}: would be deleted\n"
    assert path.exists()
    assert teller("purge", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"call_id": old, "what": "deleted"}]
    assert [each.call_id for each in installation.all()] == [new]


def test_errors_say_what_to_do(
    installation: Recordings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = recorded(installation)
    assert teller("verify", "yesterday's") == 1
    assert "teller recordings list" in capsys.readouterr().err
    monkeypatch.setenv("OPENTELLER_RECORDING_KEY", base64.b64encode(bytes(32)).decode())
    assert teller("export", call_id, "--output", str(tmp_path / "a.wav")) == 1
    assert "OPENTELLER_RECORDING_KEYS_OLD" in capsys.readouterr().err
    monkeypatch.setenv("OPENTELLER_RECORDING_KEYS_OLD", json.dumps([base64.b64encode(KEY).decode()]))
    assert teller("export", call_id, "--output", str(tmp_path / "a.wav")) == 0
    monkeypatch.delenv("OPENTELLER_RECORDING_KEY")
    assert teller("export", call_id, "--output", str(tmp_path / "b.wav")) == 1
    assert "openssl rand -base64 32" in capsys.readouterr().err
    assert teller("list") == 0
