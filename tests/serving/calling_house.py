"""A house that takes calls, with ears and a voice that say what a test wants, served on a real socket."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import uvicorn

from openteller.cli import calling
from openteller.core.errors import OpenTellerError
from openteller.core.records import Role
from openteller.runtime.protocols import Audio
from openteller.serving.app import create_app
from openteller.serving.security import Tokens
from openteller.store.database import Database
from openteller.voice.hearing import Heard
from tests.serving.api.house import House, bearer, settings, staff

TONE = (0.3 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype(np.float32)
OUT = 24_000


@dataclass
class Ears:
    """Hears the same whatever is said; the length of what it was given is kept."""

    text: str = "一年期利率"
    seconds: list[float] = field(default_factory=list)
    error: OpenTellerError | None = None

    def learn(self) -> None:
        pass

    def hear(self, audio: Audio, language: str | None = None) -> Heard:
        self.seconds.append(audio.seconds)
        if self.error:
            raise self.error
        return Heard(
            text=self.text, raw=self.text, language="zh", probability=0.9, seconds=audio.seconds, verdict="clear"
        )


@dataclass
class Voice:
    """A tone of a third of a second for every sentence."""

    rate: int = OUT
    said: list[str] = field(default_factory=list)

    def say(self, spoken: str, language: str, *, speed: float = 1.0, keep: bool = False) -> Audio:
        self.said.append(spoken)
        return Audio((0.3 * np.sin(np.arange(OUT // 3) * 2 * np.pi * 880 / OUT)).astype(np.float32), OUT)


class CallingHouse(House):
    """A house that takes calls."""

    def __init__(self, database: Database, **changes: Any) -> None:
        super().__init__(database, settings(voice_ahead=False, **changes))
        self.hearing, self.speech = Ears(), Voice()


@contextmanager
def serving(house: CallingHouse) -> Iterator[str]:
    """The URL of a server over the house."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(house), port=0, log_level="error", access_log=False, ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def metrics(url: str) -> str:
    """What Prometheus reads."""
    return httpx.get(f"{url}/metrics", headers=bearer(Tokens(settings()).issue(staff(Role.SERVICE)))).text


async def free(url: str) -> None:
    """Wait until the server knows that every caller is gone."""
    end = time.monotonic() + 15
    while "openteller_calls_open 0.0" not in metrics(url):
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def push(line: calling.Line) -> None:
    """Press the button, speak, let go, and hear the answer out."""
    await line.until(lambda: line.state == "listening", 10)
    await line.send('{"type": "talk", "on": true}')
    await line.say(TONE)
    await line.send('{"type": "talk", "on": false}')
    await line.until(lambda: len(line.of("event")) >= 4, 10)
    await line.until(lambda: line.state == "listening", 10)
