"""Calls over the socket: recorded where the bank and the caller want it, and the caller is told the truth about it."""

import asyncio
import base64
import json
import threading
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from sqlalchemy import select

from openteller.core.errors import ConfigurationError
from openteller.serving.app import create_app
from openteller.serving.calls import Taping
from openteller.serving.security import Tokens
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from openteller.voice.detectors import RATE
from openteller.voice.recordings import State
from tests.serving.api.house import House, settings
from tests.store.people import AGENT, ANN
from tests.voice.test_call import Ears, Voice, heard

KEY = base64.b64encode(bytes(range(32))).decode()


def house(database: Database, data_dir: Path, *, is_on: bool) -> House:
    made = House(database, settings(data_dir=data_dir, recording=is_on, recording_key=KEY if is_on else ""))
    made.hearing, made.speech = Ears([heard("")]), Voice()  # type: ignore[attr-defined]
    return made


def called(house: House, *, consent: bool) -> bool:
    """A call of Ann's of a second or so; what `ready` says of recording."""
    start = {"type": "start", "token": Tokens(house.settings).issue(ANN), "language": "zh", "record": consent}
    with TestClient(create_app(house)) as client, client.websocket_connect("/v1/voice") as socket:
        socket.send_text(json.dumps(start))
        ready = json.loads(socket.receive_text())
        for _ in range(25):
            socket.send_bytes((np.full(640, 0.25) * 32_767).astype("<i2").tobytes())
        said = ""
        while "智能语音助手" not in said:
            message = socket.receive()
            if message.get("text"):
                said += json.loads(message["text"]).get("text", "")
        assert ("本次通话将被录音" in said) == ready["recording"]
        socket.send_text('{"type": "bye"}')
        while socket.receive()["type"] != "websocket.close":
            pass
    house.recordings.close()  # the socket closes before the last segment is written
    return bool(ready["recording"])


@pytest.mark.parametrize(("is_on", "consent"), [(False, True), (True, False)])
def test_without_switch_or_consent_nothing_is_kept(clean: Database, tmp_path: Path, is_on: bool, consent: bool) -> None:
    bank = house(clean, tmp_path / "data", is_on=is_on)
    assert not called(bank, consent=consent)
    assert not (tmp_path / "data" / "voice").exists()


def test_with_both_the_call_is_kept_and_accounted_for(clean: Database, tmp_path: Path) -> None:
    bank = house(clean, tmp_path / "data", is_on=True)
    assert called(bank, consent=True)
    (found,) = bank.recordings.verify()
    assert (found.state, found.caller, found.is_whole) == (State.INTACT, ANN.subject, True)
    bank.recordings.export(found.call_id, tmp_path / "call.wav", "cli:li")
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    assert np.count_nonzero(samples[:, 0] > 8_000) >= 25 * 640
    assert np.abs(samples[:, 1]).max() > 10_000
    with clean.session(AGENT) as session:
        rows = session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()
    assert rows == ["call.recorded", "call.recording_exported"]


def test_consent_may_come_in_the_middle_of_the_call(clean: Database, tmp_path: Path) -> None:
    bank = house(clean, tmp_path / "data", is_on=True)
    start = {"type": "start", "token": Tokens(bank.settings).issue(ANN), "language": "zh"}
    with TestClient(create_app(bank)) as client, client.websocket_connect("/v1/voice") as socket:
        socket.send_text(json.dumps(start))
        ready = json.loads(socket.receive_text())
        assert (ready["recording"], ready["recordable"]) == (False, True)
        socket.send_text('{"type": "record", "on": true}')
        while json.loads(socket.receive().get("text") or "{}") != {"type": "recording", "on": True}:
            pass
        for _ in range(25):
            socket.send_bytes((np.full(640, 0.25) * 32_767).astype("<i2").tobytes())
        socket.send_text('{"type": "bye"}')
        while socket.receive()["type"] != "websocket.close":
            pass
    bank.recordings.close()
    (found,) = bank.recordings.verify()
    assert (found.state, found.is_whole) == (State.INTACT, True)


def test_a_call_that_is_cancelled_while_its_recording_ends_keeps_it(clean: Database, tmp_path: Path) -> None:
    bank = house(clean, tmp_path / "data", is_on=True)
    busy = threading.Event()
    bank.recordings._scribe.submit(busy.wait)

    async def cancelled() -> None:
        tape = Taping(bank.recordings, str(uuid4()), ANN, bank.speech.rate)
        await tape.agree(True)
        assert tape.recorder
        tape.recorder.heard(np.full(RATE, 0.25, np.float32))
        ending = asyncio.create_task(tape.finish())
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending

    asyncio.run(cancelled())
    busy.set()
    bank.recordings.close()
    (found,) = bank.recordings.verify()
    assert (found.state, found.is_whole) == (State.INTACT, True)


def test_a_server_that_should_record_does_not_start_without_a_key(clean: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="openssl rand"):
        create_app(House(clean, settings(data_dir=tmp_path, recording=True)))
