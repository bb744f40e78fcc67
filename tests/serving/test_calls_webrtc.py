"""A call over WebRTC with both ends real: what a browser sends, sent by aiortc to the server's own offer route."""

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest

from openteller.store.database import Database
from tests.serving.calling_house import OUT, CallingHouse, free, metrics, serving

pytest.importorskip("aiortc", reason="no WebRTC: pip install openteller[voice]")

from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

RATE = 48_000  # of Opus tracks


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    gc.collect()  # what was not closed is told here, not in a later test


class Microphone(AudioStreamTrack):  # type: ignore[misc]
    """A tone of 440 Hz while it is `on`, silence else."""

    on = False

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        moments = (frame.pts + np.arange(frame.samples)) / frame.sample_rate
        samples = self.on * 10_000 * np.sin(2 * np.pi * 440 * moments)
        frame.planes[0].update(samples.astype(np.int16).tobytes())
        return frame


@dataclass
class Browser:
    """The caller's end."""

    peer: RTCPeerConnection
    channel: Any
    microphone: Microphone
    messages: list[dict[str, Any]] = field(default_factory=list)
    played: list[Any] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def send(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    async def until(self, done: Callable[[], bool], seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.messages
            await asyncio.sleep(0.02)

    async def listen(self, track: Any) -> None:
        try:
            while True:
                self.played.append((await track.recv()).to_ndarray()[0, ::2])  # stereo, interleaved
        except MediaStreamError:
            return


@asynccontextmanager
async def browser(url: str, **start: Any) -> AsyncIterator[Browser]:
    """A call that has been answered."""
    peer = RTCPeerConnection()
    caller = Browser(peer, peer.createDataChannel("teller"), Microphone())
    caller.channel.on("message", lambda text: caller.messages.append(json.loads(text)))
    peer.on("track", lambda track: asyncio.ensure_future(caller.listen(track)))
    peer.addTrack(caller.microphone)
    await peer.setLocalDescription(await peer.createOffer())
    offered = {"sdp": peer.localDescription.sdp, "type": peer.localDescription.type, "start": start}
    async with httpx.AsyncClient(timeout=20) as client:
        answered = await client.post(f"{url}/v1/voice/offer", json=offered)
    assert answered.status_code == 200, answered.text
    await peer.setRemoteDescription(RTCSessionDescription(answered.json()["sdp"], "answer"))
    try:
        await caller.until(lambda: bool(caller.of("ready")))
        yield caller
    finally:
        await peer.close()


@pytest.fixture
def house(clean: Database) -> CallingHouse:
    return CallingHouse(clean, voice_calls=2)


def test_a_question_over_webrtc_is_heard_answered_and_sounds(house: CallingHouse) -> None:
    async def talk() -> Browser:
        async with browser(url, mode="push-to-talk") as caller:
            await caller.until(lambda: any(message["state"] == "listening" for message in caller.of("state")))
            caller.send(type="talk", on=True)
            caller.microphone.on = True
            await asyncio.sleep(1)
            caller.microphone.on = False
            caller.send(type="talk", on=False)
            await caller.until(lambda: any(message["name"] == "done" for message in caller.of("event")))
            caller.played.clear()
            await caller.until(lambda: len(caller.played) > 15)
            caller.send(type="bye")
            await caller.until(lambda: bool(caller.of("closed")))
        await free(url)
        return caller

    with serving(house) as url:
        caller = asyncio.run(talk())
    assert caller.of("ready")[0]["rate"] == OUT
    assert [message["text"] for message in caller.of("heard")] == ["一年期利率"]
    turns = {message["turn"] for message in caller.of("event")}
    assert turns == {caller.of("heard")[0]["turn"]}
    assert house.hearing.seconds == [pytest.approx(1.0, abs=0.4)]
    assert caller.of("say")[-1]["text"] == "一年期定期存款利率为 1.25%。"
    sound = np.concatenate(caller.played).astype(np.float64)
    loudest = np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound)
    assert loudest == pytest.approx(880, abs=10)


def test_a_browser_that_is_gone_without_a_word_frees_the_line(house: CallingHouse) -> None:
    async def vanish() -> None:
        async with browser(url) as caller:
            caller.send(type="text", text="利率", turn="typed-1")
            await caller.until(lambda: any(message["name"] == "done" for message in caller.of("event")))
            assert {message["turn"] for message in caller.of("event")} == {"typed-1"}
        await free(url)

    with serving(house) as url:
        asyncio.run(vanish())


def test_an_offer_that_cannot_be_read_is_refused(house: CallingHouse) -> None:
    with serving(house) as url:
        refused = httpx.post(f"{url}/v1/voice/offer", json={"sdp": "v=0 nonsense", "type": "offer"}, timeout=20)
        assert refused.status_code == 422
        assert refused.json()["error"]["next_step"]
        assert "openteller_calls_open 0.0" in metrics(url)
