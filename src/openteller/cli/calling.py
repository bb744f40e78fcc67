"""The caller's side of a call over a WebSocket, for the terminal and for benchmarks: sound and messages both ways in real time.

Knows the wire (docs/guide/voice.md) and nothing else: no microphone, no file, no models.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from openteller.core.errors import BadInput, Unavailable
from openteller.runtime.protocols import Audio, Floats

RATE = 16_000
PIECE = 640  # samples sent at a time: 40 ms
_OPEN_WITHIN = 60.0  # seconds; the first call of a server loads its models

Send = Callable[[bytes | str], Awaitable[None]]


@dataclass
class Line:
    """An open call.

    Attributes:
        ready: the server's first message.
        messages: every message so far with the second at which it came, by the caller's clock.
        played: for each piece of sound the second at which it came, and its samples.
        began: the clock's zero.
    """

    send: Send
    ready: dict[str, Any]
    began: float
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    played: list[tuple[float, Floats]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self.began

    @property
    def rate(self) -> int:
        """Samples a second of what is played."""
        return int(self.ready["rate"])

    @property
    def state(self) -> str:
        """The state told last."""
        return next((m["state"] for _, m in reversed(self.messages) if m["type"] == "state"), "")

    @property
    def closed(self) -> bool:
        """Whether the server has ended the call."""
        return any(m["type"] == "closed" for _, m in self.messages)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for _, message in self.messages if message["type"] == kind]

    async def say(self, samples: Floats) -> None:
        """Send (n,) float32 samples at 16 kHz at the pace at which they were spoken."""
        due = time.monotonic()
        for start in range(0, len(samples), PIECE):
            piece = samples[start : start + PIECE]
            await self.send((np.clip(piece, -1, 1) * 32_767).astype("<i2").tobytes())
            due += len(piece) / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def be_silent(self, seconds: float) -> None:
        """Send so much silence."""
        await self.say(np.zeros(round(seconds * RATE), np.float32))

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Send silence until `done`, or for so many seconds at the most; whether it is done."""
        end = time.monotonic() + seconds
        while not done() and not self.closed and time.monotonic() < end:
            await self.be_silent(PIECE / RATE)
        return done()

    def reply(self) -> Audio:
        """All that was played, without the pauses between."""
        pieces = [samples for _, samples in self.played]
        return Audio(np.concatenate([*pieces, np.zeros(0, np.float32)]).astype(np.float32), self.rate)


@asynccontextmanager
async def call(
    url: str, start: dict[str, Any], notice: Callable[[dict[str, Any]], None] = lambda _: None
) -> AsyncIterator[Line]:
    """Open a call to the server at `url`, and end it when the block is left.

    Args:
        url: such as http://localhost:8000.
        start: fields of the first message.
        notice: told every message as it comes.

    Raises:
        BadInput: the server refused, with its own words.
        Unavailable: it does not answer.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    parts = urlsplit(url)
    address = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/v1/voice"
    try:
        async with connect(address, max_size=None, ping_timeout=None) as socket:
            await socket.send(json.dumps({"type": "start"} | start))
            ready = json.loads(await asyncio.wait_for(socket.recv(), _OPEN_WITHIN))
            if ready["type"] != "ready":
                raise BadInput(
                    ready.get("what", "The call was refused."),
                    cause=ready.get("cause", ""),
                    next_step=ready.get("next_step", ""),
                )
            notice(ready)
            line = Line(socket.send, ready, time.monotonic())
            listening = asyncio.create_task(_listen(socket, line, notice))
            try:
                yield line
            finally:
                await _hang_up(socket, listening)
    except (OSError, TimeoutError, WebSocketException) as error:
        raise Unavailable(
            f"The server at {url} takes no calls.", cause=str(error), next_step="Restart it with `teller serve`."
        ) from error


async def _listen(socket: Any, line: Line, notice: Callable[[dict[str, Any]], None]) -> None:
    async for message in socket:
        if isinstance(message, bytes):
            samples = np.frombuffer(message, "<i2").astype(np.float32) / np.float32(32_768)
            line.played.append((line.now, samples))
        else:
            said = json.loads(message)
            line.messages.append((line.now, said))
            notice(said)


async def _hang_up(socket: Any, listening: "asyncio.Task[None]") -> None:
    from websockets.exceptions import WebSocketException

    try:
        await socket.send('{"type": "bye"}')
        await asyncio.wait_for(listening, 3)
    except (TimeoutError, OSError, WebSocketException):
        listening.cancel()
