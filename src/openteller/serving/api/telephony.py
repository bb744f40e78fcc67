"""Calls from the telephone network: media streams of the providers and exchanges whose wire Pipecat's serializers speak.

The provider opens a WebSocket to `/v1/voice/telephony/SECRET`; which provider it is shows in its first messages. There is no
screen: what would be shown is only said. Off until OPENTELLER_TELEPHONY_SECRET is set. Knows nothing about speech.

What is not covered: hanging up through a provider's REST interface (the stream is closed, and the provider's call flow goes on),
keys pressed during a call, and who the caller is: a telephone number is no login, so callers are visitors.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from openteller.core.errors import BadInput, OpenTellerError
from openteller.serving.calls import CallStart
from openteller.serving.deps import Serving
from openteller.serving.observation import log, log_fault
from openteller.voice.detectors import missing_voice, quiet_pipecat

router = APIRouter(tags=["voice"])

_START_WITHIN = 10.0


@router.websocket("/v1/voice/telephony/{secret}")
async def telephone(socket: WebSocket, secret: str) -> None:
    """A call from a telephone network."""
    serving: Serving = socket.app.state.serving
    wanted = serving.application.settings.telephony_secret
    if not wanted or not hmac.compare_digest(secret.encode(), wanted.encode()):
        await socket.close(4403)  # before it is accepted: the provider sees 403
        return
    await socket.accept()
    try:
        transport = await _transport(socket)
        principal, _ = serving.tokens.visitor(None)
        await serving.calls.carry(serving, principal, CallStart(has_screen=False), transport, {})
    except WebSocketDisconnect:
        return
    except OpenTellerError as error:
        log("call_refused", cause=type(error).__name__)
        await _hang_up(socket)
    except Exception as error:
        log_fault(error, "voice")
        await _hang_up(socket)


async def _hang_up(socket: WebSocket) -> None:
    try:
        await socket.close(1013)
    except (RuntimeError, WebSocketDisconnect):
        return


async def _transport(socket: WebSocket) -> Any:
    """The transport for whichever provider is on the line. Raises BadInput for one that we do not know."""
    quiet_pipecat()
    try:
        from pipecat.runner.utils import parse_telephony_websocket
        from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
    except ImportError as error:
        raise missing_voice() from error
    try:
        provider, call = await asyncio.wait_for(parse_telephony_websocket(socket), _START_WITHIN)
    except (TimeoutError, ValueError) as error:
        raise BadInput("The call did not begin as a media stream does.") from error
    make = _serializers().get(provider)
    if make is None:
        raise BadInput(
            "The media stream is of no known provider.", next_step=f"Known are {', '.join(sorted(_serializers()))}."
        )
    params = FastAPIWebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_end_silence_secs=0,
        add_wav_header=False,
        serializer=make(call),
        allowed_origins=[],
    )
    return FastAPIWebsocketTransport(socket, params)


def _serializers() -> dict[str, Callable[[Any], Any]]:
    """Provider → what makes its serializer for a call."""
    from pipecat.serializers.exotel import ExotelFrameSerializer
    from pipecat.serializers.plivo import PlivoFrameSerializer
    from pipecat.serializers.telnyx import TelnyxFrameSerializer
    from pipecat.serializers.twilio import TwilioFrameSerializer

    return {
        "twilio": lambda call: TwilioFrameSerializer(
            call["stream_id"], params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
        ),
        "telnyx": lambda call: TelnyxFrameSerializer(
            call["stream_id"],
            call["outbound_encoding"],
            call["outbound_encoding"],
            params=TelnyxFrameSerializer.InputParams(auto_hang_up=False),
        ),
        "plivo": lambda call: PlivoFrameSerializer(
            call["stream_id"], params=PlivoFrameSerializer.InputParams(auto_hang_up=False)
        ),
        "exotel": lambda call: ExotelFrameSerializer(call["stream_id"]),
    }
