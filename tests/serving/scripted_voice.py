"""The other end of a call on loopback: the widget's own files, and a WebSocket whose messages the test writes.

Speaks the wire of docs/guide/voice.md; knows nothing about speech.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from openteller.serving import pages

if TYPE_CHECKING:
    from aiortc import RTCDataChannel, RTCPeerConnection

RATE_IN, RATE_OUT = 16_000, 24_000
NOTICE = "您好，这里是松湾银行，我是智能语音助手，由人工智能与您对话。"
READY = {
    "type": "ready",
    "call_id": "call-1",
    "conversation_id": "00000000-0000-4000-8000-000000000001",
    "rate": RATE_OUT,
    "notice": NOTICE,
    "visitor": "visitor-token",
    "recording": False,
}
_PATIENCE = 15.0

Json = dict[str, Any]


@dataclass
class ScriptedVoice:
    """Where it is, what came in, and what it does on a call: greet with `opening`, or close with `refusal`."""

    url: str = ""
    opening: tuple[Json, ...] = (READY,)
    refusal: int | None = None
    said: list[Json] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    sizes: set[int] = field(default_factory=set)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closed: int = 0
    calls: int = 0
    turns: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _socket: WebSocket | None = None
    _server: uvicorn.Server | None = None
    _channel: RTCDataChannel | None = None
    _peer: RTCPeerConnection | None = None

    def tell(self, **message: Any) -> None:
        """Send one message."""
        if self._channel is not None:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._channel.send, json.dumps(message, ensure_ascii=False))
            return
        self._send(lambda socket: socket.send_text(json.dumps(message, ensure_ascii=False)))

    def hear(self, text: str, probability: float = 0.93) -> str:
        """Tell that this was heard; what the turn is called."""
        self.turns += 1
        turn = f"heard-{self.turns}"
        self.tell(type="heard", turn=turn, text=text, language="zh", probability=probability)
        return turn

    def answer(self, turn: str, answered: Json) -> None:
        """Send a recorded turn's events as those of the turn of this name."""
        events = [
            ("understanding", answered["understanding"]),
            *(("delta", {"text": piece}) for piece in answered["deltas"]),
            ("answer", answered["answer"]),
            ("offers", {"offers": answered["offers"]}),
            ("done", {"trace_id": answered["trace_id"]}),
        ]
        for name, data in events:
            self.tell(type="event", turn=turn, name=name, data=data)

    def play(self, samples: NDArray[np.float64], *, piece: float = 0.04) -> None:
        """Send sound, (n,) floats at RATE_OUT, all at once, in pieces of `piece` seconds."""
        pcm = (samples * 32_767).astype("<i2").tobytes()
        size = 2 * round(piece * RATE_OUT)
        for start in range(0, len(pcm), size):
            part = pcm[start : start + size]
            self._send(lambda socket, part=part: socket.send_bytes(part))

    def close(self, code: int) -> None:
        """Close the socket."""
        self._send(lambda socket: socket.close(code))

    def cut(self) -> None:
        """Let the connections die without a word."""
        assert self._loop is not None
        assert self._server is not None
        for connection in list(self._server.server_state.connections):
            transport: asyncio.Transport = connection.transport  # type: ignore[union-attr, assignment]
            self._loop.call_soon_threadsafe(transport.abort)

    def wait(self, reached: Callable[[ScriptedVoice], bool]) -> None:
        """Wait until something has come in; raises when nothing of the kind does."""
        end = time.monotonic() + _PATIENCE
        while not reached(self):
            if time.monotonic() > end:
                raise AssertionError(f"it did not come; so far: {self.said}, {len(self.heard)} bytes of sound")
            time.sleep(0.02)

    def messages(self, kind: str) -> list[Json]:
        """What came in of one type."""
        return [message for message in self.said if message["type"] == kind]

    @property
    def samples(self) -> NDArray[np.float64]:
        """The sound that came in, at RATE_IN, -1 to 1."""
        return np.frombuffer(bytes(self.heard), "<i2").astype(np.float64) / 32_768

    def _send(self, send: Callable[[WebSocket], Any]) -> None:
        assert self._loop is not None
        assert self._socket is not None
        asyncio.run_coroutine_threadsafe(send(self._socket), self._loop).result(_PATIENCE)

    async def call(self, socket: WebSocket) -> None:
        """One call."""
        self._loop, self._socket = asyncio.get_running_loop(), socket
        self.calls += 1
        await socket.accept()
        self.said.append(json.loads(await socket.receive_text()))
        for message in self.opening:
            await socket.send_text(json.dumps(message, ensure_ascii=False))
        if self.refusal is not None:
            await socket.close(self.refusal)
            return
        try:
            while True:
                self._take(await socket.receive())
        except (WebSocketDisconnect, RuntimeError):
            self.closed += 1

    def _take(self, message: Any) -> None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if message.get("bytes"):
            self.heard += message["bytes"]
            self.sizes.add(len(message["bytes"]))
        elif message.get("text"):
            self.said.append(json.loads(message["text"]))

    async def offer(self, request: Request) -> Response:
        """One call over WebRTC: a steady tone of 660 Hz out; what comes in is counted as it is, 48 kHz in stereo."""
        from aiortc import RTCPeerConnection, RTCSessionDescription

        body = await request.json()
        self._loop, self._peer = asyncio.get_running_loop(), RTCPeerConnection()
        self.calls += 1
        self.said.append(body["start"])
        self._peer.on("datachannel", self._opened)
        self._peer.on("track", lambda track: asyncio.ensure_future(self._listen(track)))
        self._peer.addTrack(_tone_track())
        await self._peer.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        local = self._peer.localDescription
        return JSONResponse({"sdp": local.sdp, "type": local.type, "pc_id": "1"})

    def _opened(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", lambda text: text == "ping" or self.said.append(json.loads(text)))
        for message in self.opening:
            channel.send(json.dumps(message, ensure_ascii=False))

    async def _listen(self, track: Any) -> None:
        from aiortc.mediastreams import MediaStreamError

        try:
            while True:
                self.heard += (await track.recv()).to_ndarray().tobytes()
        except MediaStreamError:
            self.closed += 1

    async def end(self) -> None:
        """Close what WebRTC holds."""
        if self._peer is not None:
            await self._peer.close()

    async def other(self, request: Request) -> Response:
        """Ratings and the like: noted, and accepted."""
        self.requests.append((request.url.path, dict(request.headers)))
        return Response(status_code=204) if request.method == "POST" else JSONResponse({"error": {}}, 404)


def _tone_track() -> Any:
    from aiortc import AudioStreamTrack
    from av import AudioFrame

    class Tone(AudioStreamTrack):  # type: ignore[misc]
        async def recv(self) -> AudioFrame:
            frame = await super().recv()
            moments = (frame.pts + np.arange(frame.samples)) / frame.sample_rate
            samples = (8_000 * np.sin(2 * np.pi * 660 * moments)).astype(np.int16)
            frame.planes[0].update(samples.tobytes())
            return frame

    return Tone()


async def _page(request: Request) -> Response:
    return await pages.widget.get_response("index.html", request.scope)


@contextmanager
def serve_scripted() -> Iterator[ScriptedVoice]:
    """Serve on a free port of loopback."""
    voice = ScriptedVoice()
    app = Starlette(
        routes=[
            Route("/", _page),
            Mount("/widget", pages.widget),
            WebSocketRoute("/v1/voice", voice.call),
            Route("/v1/voice/offer", voice.offer, methods=["POST"]),
            Route("/v1/{rest:path}", voice.other, methods=["GET", "POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    voice._server = server
    voice.url = f"http://127.0.0.1:{port}"
    try:
        yield voice
    finally:
        if voice._loop is not None:
            asyncio.run_coroutine_threadsafe(voice.end(), voice._loop).result(_PATIENCE)
        server.should_exit = True
        thread.join()
