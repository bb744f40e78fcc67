"""A call as a Pipecat pipeline: transport in ─▶ the call ─▶ transport out, whatever the transport is.

Pipecat brings the transports (WebSocket, WebRTC, telephony) and their pacing; the call brings everything else. Messages for
the customer's side travel as transport messages, sound as audio frames. Imports Pipecat, and so is imported only once a call
comes in. Knows nothing about HTTP, tokens or the bank.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import numpy as np
from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    EndWorkerFrame,
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.base_transport import BaseTransport
from pipecat.workers.runner import WorkerRunner

from openteller.core.text import normalise
from openteller.runtime.protocols import Floats
from openteller.voice.call import Call
from openteller.voice.detectors import RATE
from openteller.voice.records import Message

_CHUNK = 0.04  # seconds of sound sent at a time
_AHEAD = 0.08  # seconds that may be sent before they are due: what an interruption cannot call back
_STALLED = 0.25  # seconds without sound from the customer after which silence is heard in its place
_LONGEST_TYPED, _LONGEST_NAME = 4_000, 64
_LONGEST_CALL = 3_600.0


class CallProcessor(FrameProcessor):
    """Joins a call to a transport.

    Args:
        make_call: makes the call, given what to tell its messages to, and what has it recorded.
        rate: samples a second of what is said.
        opened: messages to send before anything else.
        record: called when the caller agrees to be recorded (True) or no longer does.
        has_screen: whether the customer's side takes messages; a telephone takes sound only.
    """

    def __init__(
        self,
        make_call: Callable[[Callable[[Message], None], Callable[[], None]], Call],
        *,
        rate: int,
        opened: list[Message],
        record: Callable[[Call, bool], Coroutine[Any, Any, None]],
        has_screen: bool = True,
    ) -> None:
        super().__init__()
        self._call = make_call(self._tell, lambda: self._agreed(is_on=True))
        self._rate, self._opened, self._has_screen, self._record = rate, opened, has_screen, record
        self._resampler = create_stream_resampler()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_sound = self._began = time.monotonic()
        self._button = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take what the transport brings; pass on what is not for us."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            await self._hear(frame)
        elif isinstance(frame, InputTransportMessageFrame):
            if direction is FrameDirection.DOWNSTREAM:
                self._take(frame.message)
        else:
            await self.push_frame(frame, direction)
            if isinstance(frame, StartFrame):
                self._begin()
            elif isinstance(frame, EndFrame | CancelFrame):
                self._call.end("bye")
                await self._stop()

    async def cleanup(self) -> None:
        """Stop playing."""
        await super().cleanup()  # type: ignore[no-untyped-call]
        await self._stop()

    def _begin(self) -> None:
        for message in self._opened:
            self._tell(message)
        self._tasks = [self.create_task(self._play()), self.create_task(self._send())]
        self._call.start()

    async def _stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            if task is not asyncio.current_task():
                await self.cancel_task(task)

    async def _hear(self, frame: InputAudioRawFrame) -> None:
        audio = frame.audio
        if frame.sample_rate != RATE:
            audio = await self._resampler.resample(audio, frame.sample_rate, RATE)
        samples = np.frombuffer(audio[: len(audio) // 2 * 2], "<i2").astype(np.float32) / np.float32(32_768)
        self._last_sound = time.monotonic()
        self._call.hear(samples)

    def _take(self, message: Any) -> None:
        """What the customer's side says in words; what is not understood is left alone."""
        said = message if isinstance(message, Mapping) else {}
        match said.get("type"):
            case "talk":
                self._button = bool(said.get("on"))
                (self._call.push if self._button else self._call.release)()
            case "text":
                text = normalise(str(said.get("text", ""))[:_LONGEST_TYPED])
                if text:
                    self._call.type(text, str(said.get("turn", ""))[:_LONGEST_NAME])
            case "hush":
                self._call.hush()
            case "record":
                self._agreed(is_on=bool(said.get("on")))
            case "bye":
                self._call.end("bye")

    def _agreed(self, *, is_on: bool) -> None:
        self.create_task(self._record(self._call, is_on))

    def _tell(self, message: Message) -> None:
        self._outbox.put_nowait(message)

    async def _send(self) -> None:
        """Messages out, in order; an interruption also clears what the transport has in hand."""
        while True:
            message = await self._outbox.get()
            if message.type == "interrupted":
                await self.push_frame(InterruptionFrame())
            if self._has_screen:
                await self.push_frame(OutputTransportMessageUrgentFrame(message={"type": message.type, **message.data}))
            if message.type == "closed":
                await self.push_frame(EndWorkerFrame(), FrameDirection.UPSTREAM)

    async def _play(self) -> None:
        """Sound out at the pace of real time; and the call's clock goes on when the microphone's has stopped."""
        count = round(_CHUNK * self._rate)
        due = time.monotonic()
        while True:
            now = time.monotonic()
            self._keep_time(now)
            if due - now > _AHEAD:
                await asyncio.sleep(due - now - _AHEAD)
                continue
            samples = self._call.pull(count)
            if samples is None:
                await asyncio.sleep(_CHUNK / 2)
                due = max(due, time.monotonic())
                continue
            due = max(due, now) + _CHUNK
            await self.push_frame(TTSAudioRawFrame(audio=pcm(samples), sample_rate=self._rate, num_channels=1))

    def _keep_time(self, now: float) -> None:
        if now - self._began > _LONGEST_CALL:
            self._call.end("timeout")
        if now - self._last_sound > _STALLED and not self._button:
            self._last_sound += _CHUNK
            self._call.hear(np.zeros(round(_CHUNK * RATE), np.float32))


class MessageSerializer(FrameSerializer):
    """Our own wire: JSON texts both ways, and 16-bit PCM as binary messages (docs/guide/voice.md)."""

    def __init__(self, to_json: Callable[[Any], bytes | str]) -> None:
        super().__init__()
        self._to_json = to_json

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """A frame as it goes out; None for what has no place on this wire."""
        if isinstance(frame, OutputTransportMessageUrgentFrame):
            found = self._to_json(frame.message)
            return found if isinstance(found, str) else found.decode()
        return frame.audio if isinstance(frame, TTSAudioRawFrame) or hasattr(frame, "audio") else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """A message that came in; None for what cannot be read."""
        if isinstance(data, bytes):
            return InputAudioRawFrame(audio=data, sample_rate=RATE, num_channels=1)
        try:
            return InputTransportMessageFrame(message=json.loads(data))
        except ValueError:
            return None


def pcm(samples: Floats) -> bytes:
    """(n,) float32 as 16-bit little-endian PCM."""
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


async def run(transport: BaseTransport, processor: CallProcessor, *, rate: int) -> None:
    """Carry a call from its beginning to its end."""
    pipeline = Pipeline([transport.input(), processor, transport.output()])
    params = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=rate)
    worker = PipelineWorker(pipeline, params=params, cancel_on_idle_timeout=False, enable_rtvi=False)

    async def hang_up(*_: object) -> None:
        await worker.cancel()

    transport.add_event_handler("on_client_disconnected", hang_up)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
