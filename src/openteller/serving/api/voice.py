"""Calls: a WebSocket of PCM and JSON, and WebRTC. The wire is described in docs/guide/voice.md.

Knows nothing about speech.
"""

import asyncio
import json
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from pydantic import Field, ValidationError
from pydantic_core import to_json
from starlette.requests import HTTPConnection

from openteller.core.errors import BadInput, NotAllowed, OpenTellerError
from openteller.core.records import Principal, Record
from openteller.serving import errors
from openteller.serving.calls import CallStart, refusal
from openteller.serving.deps import NAMELESS, VISITOR_COOKIE, Serving, failures_counted, on_behalf, visitor_of
from openteller.serving.observation import log_fault
from openteller.serving.wire import CustomerId
from openteller.voice.detectors import missing_voice, quiet_pipecat

router = APIRouter(tags=["voice"])

_START_WITHIN = 10.0  # seconds in which a new socket has to say who it is
_CLOSE = {401: 4401, 403: 4403, 429: 4429}


class StartBody(Record):
    """The first message of a call."""

    type: Literal["start"] = "start"
    token: str | None = Field(None, max_length=8_192, repr=False)
    visitor: str | None = Field(None, max_length=8_192, repr=False)
    customer_id: CustomerId | None = Field(None, description="for staff: the customer they serve")
    language: Literal["zh", "en"] | None = None
    mode: Literal["hands-free", "push-to-talk"] = "hands-free"
    conversation_id: UUID | None = None
    rate: Literal[16_000] = 16_000
    record: bool = False

    def start(self) -> CallStart:
        """The same without what only the door needs."""
        return CallStart(
            language=self.language,
            hands_free=self.mode == "hands-free",
            conversation_id=self.conversation_id,
            record=self.record,
        )


class OfferBodyWebRtc(Record):
    """A browser's offer of a WebRTC connection, with candidates gathered, and the first message of the call."""

    sdp: str = Field(min_length=1, max_length=100_000)
    type: Literal["offer"] = "offer"
    start: StartBody = StartBody()


class AnswerWebRtc(Record):
    """What the browser sets as its remote description."""

    sdp: str
    type: Literal["answer"] = "answer"
    pc_id: str


@router.post(
    "/v1/voice/offer", summary="Call over WebRTC", responses=errors.responses(400, 401, 403, 404, 413, 422, 429, 503)
)
async def offer(body: OfferBodyWebRtc, request: Request) -> AnswerWebRtc:
    """Open a call over WebRTC: sound as Opus tracks, messages over the data channel the browser opens."""
    serving: Serving = request.app.state.serving
    _same_site(request, serving)
    principal, visitor = _who(request, serving, body.start)
    serving.calls.check()
    quiet_pipecat()
    try:
        from openteller.voice.webrtc import Peer
    except ImportError as error:
        raise missing_voice() from error
    peer = Peer()
    answer = await peer.answer(body.sdp)
    serving.calls.keep(_answered(serving, principal, body.start.start(), peer, visitor))
    return AnswerWebRtc(sdp=answer["sdp"], pc_id=answer["pc_id"])


@router.websocket("/v1/voice")
async def call(socket: WebSocket) -> None:
    """A call over a WebSocket."""
    serving: Serving = socket.app.state.serving
    await socket.accept()
    try:
        _same_site(socket, serving)
        body = await _first_message(socket)
        principal, visitor = _who(socket, serving, body)
        await serving.calls.carry(serving, principal, body.start(), _transport(socket), {"visitor": visitor})
    except WebSocketDisconnect:
        return
    except OpenTellerError as error:
        await _refuse(socket, error)
    except Exception as error:
        log_fault(error, "voice")
        await _close(socket, 1011)


def _transport(socket: WebSocket) -> Any:
    quiet_pipecat()
    try:
        from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport

        from openteller.voice.pipeline import MessageSerializer
    except ImportError as error:
        raise missing_voice() from error

    params = FastAPIWebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_end_silence_secs=0,
        serializer=MessageSerializer(to_json),
        allowed_origins=[],
    )
    return FastAPIWebsocketTransport(socket, params)


async def _answered(serving: Serving, principal: Principal, start: CallStart, peer: Any, visitor: str | None) -> None:
    """The call that an answered offer opens, until both its talk and its connection are over."""
    try:
        await serving.calls.carry(serving, principal, start, peer.transport(), {"visitor": visitor})
    finally:
        await peer.disconnect()


async def _first_message(socket: WebSocket) -> StartBody:
    """Who calls. Raises BadInput when nothing of the kind comes in time."""
    try:
        raw = await asyncio.wait_for(socket.receive_text(), _START_WITHIN)
        return StartBody.model_validate(json.loads(raw))
    except (TimeoutError, KeyError, ValueError, ValidationError) as error:
        raise BadInput(
            "The call did not begin with a start message.",
            cause=f"Within {_START_WITHIN:.0f} s one JSON text is expected before any audio.",
            next_step='Send {"type": "start", "language": null, "mode": "hands-free"}; see docs/guide/voice.md.',
        ) from error


def _who(socket: HTTPConnection, serving: Serving, body: StartBody) -> tuple[Principal, str | None]:
    """Who calls, and for a visitor the token that keeps the conversation.

    Raises:
        NotAuthenticated: a token that is not valid.
        TooManyRequests: too many calls, or bad tokens, from there.
    """
    if body.token:
        with failures_counted(socket, serving):
            principal = serving.tokens.verify(body.token)
        return on_behalf(serving, principal, body.customer_id), None
    principal = visitor_of(serving, body.visitor, socket.cookies.get(VISITOR_COOKIE))
    return serving.tokens.visitor(None if principal == NAMELESS else principal)


def _same_site(socket: HTTPConnection, serving: Serving) -> None:
    """A browser's page must be ours or an allowed one: cookies travel with any page's socket (CWE-1385)."""
    origin = socket.headers.get("origin")
    if origin is None or origin in serving.application.settings.cors_origins:
        return
    if urlsplit(origin).netloc != socket.headers.get("host"):
        raise NotAllowed(
            "Calls from this page are not allowed.",
            cause="Its origin is neither the server's own nor one of OPENTELLER_CORS_ORIGINS.",
            next_step="Add the page's origin to the settings.",
        )


async def _refuse(socket: WebSocket, error: OpenTellerError) -> None:
    status = errors.status_and_code(error)[0]
    try:
        await socket.send_text(to_json(refusal(error, status)).decode())
    except (RuntimeError, WebSocketDisconnect):
        return
    await _close(socket, _CLOSE.get(status, 1000))


async def _close(socket: WebSocket, code: int) -> None:
    try:
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        return
