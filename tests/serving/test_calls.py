"""Calls over real sockets: the wire, who may call, how many, telephones, and what an unfriendly caller can do."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soxr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openteller.cli import calling
from openteller.core.errors import BadInput, Unavailable
from openteller.core.records import Role
from openteller.runtime.protocols import Floats
from openteller.serving.security import Tokens
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from openteller.voice.audio_files import read_audio
from openteller.voice.detectors import RATE
from openteller.voice.measures import STAGES
from openteller.voice.recordings import State
from tests.serving.api.house import staff
from tests.serving.api.test_recorded_calls import KEY
from tests.serving.calling_house import OUT, TONE, CallingHouse, free, metrics, push, serving
from tests.store.people import ANN, customer
from tests.voice.sounds import ZH_FILE


@pytest.fixture
def house(clean: Database) -> CallingHouse:
    with clean.owner_session() as session:
        for row in customer(ANN):
            session.add(row)
            session.flush()
    return CallingHouse(clean, telephony_secret="ring-ring", voice_calls=2)


@pytest.fixture
def url(house: CallingHouse) -> Iterator[str]:
    with serving(house) as url:
        yield url


def test_a_question_by_button_is_answered_in_speech(house: CallingHouse, url: str) -> None:
    async def talk() -> calling.Line:
        async with calling.call(url, {"mode": "push-to-talk"}) as line:
            await push(line)
        return line

    line = asyncio.run(talk())
    assert line.ready["rate"] == OUT
    assert line.ready["visitor"]
    assert "人工智能" in line.ready["notice"]
    assert [m["text"] for m in line.of("heard")] == ["一年期利率"]
    assert [m["name"] for m in line.of("event")] == ["understanding", "delta", "answer", "offers", "done"]
    assert line.of("say")[-1]["text"] == "一年期定期存款利率为 1.25%。"
    assert "百分之一点二五" in house.speech.said[-1]
    assert house.hearing.seconds == [pytest.approx(1.0, abs=0.3)]
    inquiry, principal = house.dialogue.asked[-1]
    assert inquiry.channel == "voice"
    assert principal.customer_id is None
    played = line.reply().samples
    spectrum = np.abs(np.fft.rfft(played))
    assert abs(np.argmax(spectrum) * line.rate / len(played) - 880) < 5
    assert line.of("closed") == [{"type": "closed", "reason": "bye"}]
    (timing,) = line.of("timing")
    assert timing["trace_id"] == line.of("event")[-1]["data"]["trace_id"]
    assert timing["first_audio"] >= timing["answer"]
    assert stored_timing(house, timing["trace_id"]) == {stage: timing[stage] for stage in STAGES}


def stored_timing(house: CallingHouse, trace_id: str) -> dict[str, float]:
    """What is stored of a turn's times; it is written beside the call."""
    end = time.monotonic() + 10
    while True:
        with house.database.session(staff(Role.AGENT)) as session:
            if found := TurnRepository().timing(session, UUID(trace_id)):
                return found
        assert time.monotonic() < end
        time.sleep(0.05)


def test_sound_comes_at_the_pace_of_real_time(url: str) -> None:
    async def talk() -> calling.Line:
        async with calling.call(url, {}) as line:
            await line.until(lambda: line.state == "listening", 10)
        return line

    played = asyncio.run(talk()).played
    first, last = played[0][0], played[-1][0]
    sounded = sum(len(samples) for _, samples in played) / OUT
    assert sounded - 0.2 < last - first + 0.04 < sounded + 0.6


def test_a_customer_calls_with_a_token(house: CallingHouse, url: str) -> None:
    token = Tokens(house.settings).issue(ANN)

    async def talk() -> None:
        async with calling.call(url, {"token": token, "mode": "push-to-talk"}) as line:
            await push(line)

    asyncio.run(talk())
    assert house.dialogue.asked[-1][1] == ANN


def test_a_bad_token_is_refused(url: str) -> None:
    async def talk() -> None:
        async with calling.call(url, {"token": "forged"}):
            raise AssertionError("the call was opened")

    with pytest.raises(BadInput, match="access token"):
        asyncio.run(talk())


def test_typed_text_is_answered_and_hush_silences(house: CallingHouse, url: str) -> None:
    async def talk() -> calling.Line:
        async with calling.call(url, {}) as line:
            await line.until(lambda: line.state == "speaking", 10)
            await line.send('{"type": "hush"}')
            await line.until(lambda: line.state == "listening", 3)
            await line.send(json.dumps({"type": "text", "text": "一年期\u0000利率"}))
            await line.until(lambda: bool(line.of("say")[1:]), 5)
        return line

    line = asyncio.run(talk())
    assert line.of("interrupted")
    assert house.dialogue.asked[-1][0].text == "一年期利率"


def test_there_are_only_so_many_lines(url: str) -> None:
    async def talk() -> None:
        async with calling.call(url, {}), calling.call(url, {}):
            with pytest.raises(BadInput, match="lines are taken"):
                async with calling.call(url, {}):
                    pass
        # Both hung up: there is room again, once the server has seen it.
        await free(url)
        async with calling.call(url, {}) as line:
            assert line.ready["type"] == "ready"

    asyncio.run(talk())


def test_when_nothing_can_be_heard_the_keyboard_is_left(house: CallingHouse, url: str) -> None:
    house.hearing.error = Unavailable("gone")

    async def talk() -> calling.Line:
        async with calling.call(url, {"mode": "push-to-talk"}) as line:
            await line.until(lambda: line.state == "listening", 10)
            await line.send('{"type": "talk", "on": true}')
            await line.say(TONE)
            await line.send('{"type": "talk", "on": false}')
            await line.until(lambda: bool(line.of("notice")), 5)
            await line.send('{"type": "text", "text": "利率"}')
            await line.until(lambda: len(line.of("event")) >= 5, 5)
        return line

    line = asyncio.run(talk())
    assert line.of("notice")[0]["code"] == "text_only"
    assert line.of("event")[-1]["name"] == "done"


@pytest.mark.parametrize(
    "first",
    [
        "",
        "[]",
        "not json",
        '{"type": "hello"}',
        '{"type": "start", "rate": 8000}',
        b"\x00\x01",
        '{"type": "start", "x": 1}',
    ],
)
def test_a_call_that_begins_otherwise_is_refused(url: str, first: str | bytes) -> None:
    async def talk() -> dict[str, Any]:
        async with connect(url.replace("http", "ws") + "/v1/voice") as socket:
            await socket.send(first)
            said: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 10))
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            return said

    said = asyncio.run(talk())
    assert said["type"] == "error"
    assert said["status"] == 422
    assert said["next_step"]


def test_nonsense_in_the_middle_of_a_call_is_left_alone(house: CallingHouse, url: str) -> None:
    async def talk() -> calling.Line:
        async with calling.call(url, {"mode": "push-to-talk"}) as line:
            for nonsense in (
                "{",
                "[1]",
                '{"type": 7}',
                '{"type": "talk"}',
                '"x"',
                '{"type": "text", "text": ""}',
                b"\x01",
            ):
                await line.send(nonsense)
            await push(line)
        return line

    assert asyncio.run(talk()).of("heard")


def test_a_page_of_another_site_may_not_call(url: str) -> None:
    async def talk() -> dict[str, Any]:
        async with connect(url.replace("http", "ws") + "/v1/voice", origin="https://evil.example") as socket:  # type: ignore[arg-type]
            # Refused before anything is said; a message of ours might meet a closed door.
            said: dict[str, Any] = json.loads(await socket.recv())
            return said

    assert asyncio.run(talk())["status"] == 403


def test_a_telephone_calls_in_mu_law(house: CallingHouse, url: str) -> None:
    heard: list[bytes] = []

    async def talk() -> None:
        async with connect(url.replace("http", "ws") + "/v1/voice/telephony/ring-ring") as socket:
            await socket.send(json.dumps({"event": "connected", "protocol": "Call"}))
            start = {"streamSid": "MZ1", "callSid": "CA1", "customParameters": {}}
            await socket.send(json.dumps({"event": "start", "start": start, "streamSid": "MZ1"}))
            payload = base64.b64encode(b"\xff" * 160).decode()
            end = time.monotonic() + 8
            while time.monotonic() < end and sum(map(len, heard)) < 2_400:
                await socket.send(json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": payload}}))
                try:
                    said = json.loads(await asyncio.wait_for(socket.recv(), 0.02))
                except TimeoutError:
                    continue
                assert said["event"] in ("media", "clear"), said
                if said["event"] == "media":
                    heard.append(base64.b64decode(said["media"]["payload"]))

    asyncio.run(talk())
    assert any("人工智能" in said for said in house.speech.said)
    loud = np.frombuffer(b"".join(heard), np.uint8)
    assert len(loud) >= 2_400
    assert np.mean(np.abs((loud & 0x7F).astype(int) - 0x7F)) > 20


def mu_law(samples: Floats) -> bytes:
    """(n,) samples as G.711 has them."""
    linear = (np.clip(samples, -1, 1) * 32_635).astype(int)
    magnitude = np.abs(linear) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int) - 7
    coded = np.where(linear < 0, 0x80, 0) | exponent << 4 | magnitude >> (exponent + 3) & 0x0F
    return (~coded & 0xFF).astype(np.uint8).tobytes()


def test_a_caller_by_telephone_is_recorded_once_they_say_yes(clean: Database, tmp_path: Path) -> None:
    house = CallingHouse(clean, telephony_secret="ring", recording=True, recording_key=KEY, data_dir=tmp_path)
    house.hearing.text = "可以"
    speech = mu_law(np.asarray(soxr.resample(read_audio(ZH_FILE).samples[:RATE], RATE, 8_000), np.float32))

    def said(words: str) -> bool:
        return any(words in one for one in house.speech.said)

    async def talk() -> None:
        async with connect(url.replace("http", "ws") + "/v1/voice/telephony/ring") as socket:

            async def send(sound: bytes) -> None:
                for start in range(0, len(sound), 160):
                    payload = base64.b64encode(sound[start : start + 160]).decode()
                    await socket.send(json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": payload}}))
                    await asyncio.sleep(0.02)

            async def be_silent_until(words: str) -> None:
                end = time.monotonic() + 15
                while not said(words):
                    assert time.monotonic() < end, house.speech.said
                    await send(b"\xff" * 160)
                await send(b"\xff" * 8_000)

            await socket.send(json.dumps({"event": "connected", "protocol": "Call"}))
            start = {"streamSid": "MZ1", "callSid": "CA1", "customParameters": {}}
            await socket.send(json.dumps({"event": "start", "start": start, "streamSid": "MZ1"}))
            await be_silent_until("可以录音吗")
            assert not (tmp_path / "voice").exists()
            await send(speech)
            await be_silent_until("将被录音")

    with serving(house) as url:
        asyncio.run(talk())
    house.recordings.close()
    (kept,) = house.recordings.verify()
    assert (kept.state, kept.is_whole) == (State.INTACT, True)
    assert house.dialogue.asked == []


def test_without_the_secret_no_telephone_is_answered(url: str) -> None:
    async def talk() -> None:
        async with connect(url.replace("http", "ws") + "/v1/voice/telephony/guess"):
            pass

    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(talk())


def test_a_caller_who_is_gone_frees_the_line_and_is_counted(url: str) -> None:
    async def talk() -> None:
        for _ in range(3):  # one more than there are lines
            async with connect(url.replace("http", "ws") + "/v1/voice") as socket:
                await socket.send('{"type": "start"}')
                assert json.loads(await socket.recv())["type"] == "ready"
                socket.transport.abort()
            await free(url)

    asyncio.run(talk())
    assert "openteller_calls_open 0.0" in metrics(url)
    assert 'openteller_calls_total{reason="bye"} 3.0' in metrics(url)
