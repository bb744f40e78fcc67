"""Calls in hand: how many there may be, the threads and models they share, and how one is carried from beginning to end.

Knows nothing about transports but that Pipecat has them; nothing about what is asked or answered.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from openteller.core.errors import OpenTellerError, TooManyRequests
from openteller.core.records import Principal, Record
from openteller.serving.contract import Application
from openteller.serving.deps import Serving
from openteller.serving.observation import log, log_fault
from openteller.serving.voice_mind import DialogueMind
from openteller.store.turns import TurnRepository
from openteller.voice.call import Call
from openteller.voice.detectors import SileroDetector, SmartTurn
from openteller.voice.measures import STAGES
from openteller.voice.recorder import Recorder
from openteller.voice.recordings import Recordings
from openteller.voice.records import Message
from openteller.voice.wording import Line, line
from openteller.voice.work import LoopWork, Workshop

if TYPE_CHECKING:
    from pipecat.transports.base_transport import BaseTransport


class CallStart(Record):
    """What the customer's side says first. has_screen: whether it takes messages, not only sound; else what a screen would ask
    is asked aloud.
    """

    language: str | None = None
    hands_free: bool = True
    has_screen: bool = True
    conversation_id: UUID | None = None
    record: bool = False


class CallDesk:
    """The calls of this process.

    Args:
        most: calls at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._kept: set[asyncio.Future[None]] = set()

    @cached_property
    def _workshop(self) -> Workshop:
        return Workshop(fault=lambda error: log_fault(error, "voice"))

    @cached_property
    def _smart_turn(self) -> SmartTurn:
        return SmartTurn()

    @property
    def open(self) -> int:
        """How many calls are open."""
        return self._open

    def warm(self, application: Application) -> None:
        """Load what a first caller would wait for; where voice cannot be had, nothing."""
        with suppress(OpenTellerError):
            _ = SileroDetector(), self._smart_turn
            application.hearing.learn()
            application.speech.say("您好", "zh")
            application.speech.say("hello", "en")

    def check(self) -> None:
        """Raises TooManyRequests when as many calls as may be are open."""
        if self._open >= self._most:
            raise TooManyRequests(
                "All lines are taken.",
                cause=f"{self._most} calls are open.",
                next_step="Try again in a minute, or type.",
            )

    def keep(self, call: Coroutine[Any, Any, None]) -> None:
        """Carry a call beside the request that opened it."""
        task = asyncio.ensure_future(call)
        self._kept.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._kept.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            log_fault(error, "voice")

    async def carry(
        self,
        serving: Serving,
        principal: Principal,
        start: CallStart,
        transport: "BaseTransport",
        opened: dict[str, Any],
    ) -> None:
        """Carry one call to its end.

        Args:
            serving: the application, the metrics.
            principal: who calls.
            start: how they want it.
            transport: a Pipecat transport whose serializer, if it has one, takes our messages.
            opened: what `ready` tells beside the call's own facts.

        Raises:
            TooManyRequests: as many calls as may be are open.
            MissingDependency: the packages for voice are not installed.
            ModelUnavailable: a speech model cannot be loaded.
        """
        self.check()
        self._open += 1
        serving.metrics.calls_open.set(self._open)
        began, call_id = time.monotonic(), str(uuid4())
        reason = "error"
        try:
            reason = await self._carry(serving, principal, start, transport, opened | {"call_id": call_id})
        finally:
            self._open -= 1
            serving.metrics.calls_open.set(self._open)
            serving.metrics.calls.labels(reason).inc()
            log("call", call_id=call_id, seconds=round(time.monotonic() - began, 1), reason=reason)

    async def _carry(
        self,
        serving: Serving,
        principal: Principal,
        start: CallStart,
        transport: "BaseTransport",
        opened: dict[str, Any],
    ) -> str:
        from openteller.voice.pipeline import CallProcessor, run

        application, loop = serving.application, asyncio.get_running_loop()
        hearing, speech = await asyncio.to_thread(lambda: (application.hearing, application.speech))
        finished = await asyncio.to_thread(lambda: self._smart_turn)
        tape = Taping(application.recordings, opened["call_id"], principal, speech.rate)
        await tape.agree(start.record)
        conversation_id = start.conversation_id or uuid4()
        bank = {"zh": application.settings.bank_name_zh, "en": application.settings.bank_name_en}
        made: list[Call] = []

        def make(tell: Callable[[Message], None], consent: Callable[[], None]) -> Call:
            call = Call(
                ears=hearing,
                mind=DialogueMind(serving, principal, conversation_id),
                voice=speech,
                work=LoopWork(self._workshop, loop),
                speaks=SileroDetector(),
                finished=finished,
                tell=_measured(serving, principal, tell),
                bank=bank,
                language=start.language,
                hands_free=start.hands_free,
                tape=tape.recorder,
                # A telephone's call flow goes on where the stream ends: to the bank's people.
                transfers=not start.has_screen,
                consent=None if start.has_screen or not application.recordings.is_on else consent,
            )
            made.append(call)
            return call

        greets = start.language or "zh"
        notice = line(Line.NOTICE, greets, bank=bank[greets])
        ready = opened | {
            "conversation_id": str(conversation_id),
            "rate": speech.rate,
            "notice": notice,
            "recording": tape.recorder is not None,
            "recordable": application.recordings.is_on,
        }
        opening = [Message("ready", ready)]
        try:
            processor = CallProcessor(
                make, rate=speech.rate, opened=opening, record=tape.change, has_screen=start.has_screen
            )
            await run(transport, processor, rate=speech.rate)
        finally:
            await tape.finish()
        return made[0].closed or "bye"

    def close(self) -> None:
        """Begin no more work."""
        if "_workshop" in self.__dict__:
            self._workshop.close()


class Taping:
    """One call's recording, which begins once the caller agrees, and ends for good when they no longer do."""

    def __init__(self, recordings: Recordings, call_id: str, principal: Principal, rate: int) -> None:
        self._recordings, self._call_id, self._principal, self._rate = recordings, call_id, principal, rate
        self._is_over = False
        self.recorder: Recorder | None = None

    async def agree(self, consent: bool) -> None:
        """Open the recording if the bank records and the caller agrees."""
        if self.recorder or self._is_over or not consent:
            return
        self.recorder = await asyncio.to_thread(
            self._recordings.open,
            self._call_id,
            self._principal,
            self._rate,
            consent=True,
            fault=lambda error: log_fault(error, "voice"),
        )

    async def change(self, call: Call, consent: bool) -> None:
        """The caller agrees in the middle of the call, or no longer does."""
        if consent:
            await self.agree(True)
            call.record(self.recorder)
        elif self.recorder:
            call.record(None)
            await self.finish()

    async def finish(self) -> None:
        """End the recording, if there is one."""
        recorder, self.recorder, self._is_over = self.recorder, None, True
        if recorder:
            # A cancelled call, of a caller who went or a server that ends, keeps its recording.
            await asyncio.shield(asyncio.wrap_future(recorder.finish()))


def _measured(serving: Serving, principal: Principal, tell: Callable[[Message], None]) -> Callable[[Message], None]:
    """`tell`, with the times of each turn's stages counted, and stored under its trace id."""
    loop = asyncio.get_running_loop()

    def told(message: Message) -> None:
        if message.type == "timing":
            seconds = {stage: message.data[stage] for stage in STAGES}
            for stage, took in seconds.items():
                serving.metrics.voice_seconds.labels(stage).observe(took)
            log("voice_turn", **message.data)
            loop.run_in_executor(None, _store, serving.application, principal, message.data["trace_id"], seconds)
        tell(message)

    return told


def _store(application: Application, principal: Principal, trace_id: str, seconds: dict[str, float]) -> None:
    """A call goes on whether or not its times can be stored."""
    try:
        with application.database.session(principal) as session:
            TurnRepository().time(session, principal, UUID(trace_id), seconds)
    except OpenTellerError as error:
        log_fault(error, "voice")


def refusal(error: OpenTellerError, status: int) -> dict[str, Any]:
    """An error as the message that goes out before the call is closed."""
    return {
        "type": "error",
        "status": status,
        "what": error.message,
        "cause": error.cause,
        "next_step": error.next_step,
    }
