"""Calls whose speech engines die: a server of their own for both, killed with a request in its hands."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from openteller.cli import calling
from openteller.runtime.openai_hearing_backend import OpenAITranscriber
from openteller.runtime.openai_speech_backend import OpenAISynthesizer
from openteller.store.database import Database
from openteller.voice.audio_files import read_audio
from openteller.voice.hearing import Hearing
from openteller.voice.speech import Speech
from tests.serving.calling_house import CallingHouse, serving
from tests.voice.sounds import ZH_FILE

SPEECH = read_audio(ZH_FILE).samples[: 3 * 16_000]

_ENGINE = """
import io, json, pathlib, sys, time, wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

stuck = pathlib.Path(sys.argv[1])

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if stuck.exists():
            stuck.with_suffix(".waiting").touch()
            time.sleep(60)
        if self.path.endswith("transcriptions"):
            body, kind = json.dumps({"text": "一年期利率", "language": "chinese"}).encode(), "application/json"
        else:
            target = io.BytesIO()
            with wave.open(target, "wb") as file:
                file.setparams((1, 2, 24000, 0, "NONE", ""))
                file.writeframes(b"\\x00\\x20" * 8000)
            body, kind = target.getvalue(), "audio/wav"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass
class Engine:
    """A process that hears and speaks."""

    process: subprocess.Popen[str]
    stuck: Path
    url: str

    async def die(self) -> None:
        """Be killed once it has a request that it does not answer."""
        end = time.monotonic() + 15
        while not self.stuck.with_suffix(".waiting").exists():
            assert time.monotonic() < end, "nothing was asked"
            await asyncio.sleep(0.01)
        self.process.kill()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    command = [sys.executable, "-c", _ENGINE, str(tmp_path / "stuck")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Engine(process, tmp_path / "stuck", f"http://127.0.0.1:{process.stdout.readline().strip()}")
        process.kill()


async def talk(line: calling.Line) -> None:
    """Ask by the button, and be answered whatever with."""
    await line.until(lambda: line.state == "listening", 10)
    await line.send('{"type": "talk", "on": true}')
    await line.say(SPEECH)
    await line.send('{"type": "talk", "on": false}')


async def lose(engine: Engine, line: calling.Line) -> list[str]:
    """Ask, lose the engine over it and be told, then ask in writing; the names of that answer's events."""
    engine.stuck.touch()
    await talk(line)
    await engine.die()
    await line.until(lambda: bool(line.of("notice")), 10)
    return await type_in(line, "typed-1")


async def type_in(line: calling.Line, turn: str) -> list[str]:
    """Ask in writing; the names of the answer's events."""
    await line.send(f'{{"type": "text", "text": "利率", "turn": "{turn}"}}')

    def names() -> list[str]:
        return [m["name"] for m in line.of("event") if m["turn"] == turn]

    await line.until(lambda: "done" in names(), 10)
    return names()


ANSWERED = ["understanding", "delta", "answer", "offers", "done"]


def test_a_recogniser_killed_in_the_middle_leaves_writing_and_the_voice(clean: Database, engine: Engine) -> None:
    house = CallingHouse(clean)
    house.hearing = Hearing(OpenAITranscriber(engine.url, "m"))

    async def call() -> tuple[calling.Line, list[str]]:
        async with calling.call(url, {"mode": "push-to-talk"}) as line:
            await talk(line)
            await line.until(lambda: len(line.of("event")) == 5, 10)
            return line, await lose(engine, line)

    with serving(house) as url:
        line, names = asyncio.run(call())
    assert [m["text"] for m in line.of("heard")] == ["1年期利率"]
    assert [m["code"] for m in line.of("notice")] == ["text_only"]
    assert names == ANSWERED
    assert line.of("say")[-1]["text"] == "一年期定期存款利率为 1.25%。"
    assert line.of("closed") == [{"type": "closed", "reason": "bye"}]


def test_a_voice_killed_in_the_middle_leaves_the_answers_in_writing(clean: Database, engine: Engine) -> None:
    house = CallingHouse(clean)
    house.speech = Speech(OpenAISynthesizer(engine.url, "m", {"zh": ("mei",), "en": ("al",)}), "m")

    async def call() -> tuple[calling.Line, list[str]]:
        async with calling.call(url, {"mode": "push-to-talk"}) as line:
            await line.until(lambda: bool(line.played), 10)  # the greeting
            return line, await lose(engine, line)

    with serving(house) as url:
        line, names = asyncio.run(call())
    assert {m["code"] for m in line.of("notice")} == {"text_only"}
    assert [m["name"] for m in line.of("event") if m["turn"] == "heard-1"] == ANSWERED
    assert names == ANSWERED
    assert line.of("closed") == [{"type": "closed", "reason": "bye"}]
