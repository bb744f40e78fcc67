"""The far end of a browser's WebRTC connection, over Pipecat's small transport. Imports it, so is imported once a call comes in.

Knows nothing about HTTP or who calls.
"""

import asyncio

from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from openteller.core.errors import BadInput

_CONNECTED_WITHIN = 20  # seconds after the answer: a line is held for nobody


class Peer(SmallWebRTCConnection):
    """A connection that is closed to its end.

    Pipecat closes it in a task of the pipeline, which is cancelled when the other side goes in the same moment; aiortc then
    neither closes its sockets nor ever again returns from closing.
    """

    def __init__(self) -> None:
        super().__init__(connection_timeout_secs=_CONNECTED_WITHIN)
        self._closing: asyncio.Task[None] | None = None

    async def answer(self, sdp: str) -> dict[str, str]:
        """The answer to an offer: `sdp` and `pc_id`. Raises BadInput for an offer that cannot be used."""
        try:
            await self.initialize(sdp=sdp, type="offer")
        except Exception as error:  # aiortc raises what its parser happens to stumble over
            await self.disconnect()
            raise BadInput(
                "The offer cannot be used.", cause="Its SDP cannot be read.", next_step="Send the browser's own."
            ) from error
        answer: dict[str, str] = self.get_answer()  # type: ignore[no-untyped-call]
        return answer

    async def disconnect(self) -> None:
        """Close the connection and its sockets, however often and by whomever it is asked for."""
        self._closing = self._closing or asyncio.ensure_future(super().disconnect())  # type: ignore[no-untyped-call]
        await asyncio.shield(self._closing)

    def transport(self) -> SmallWebRTCTransport:
        """Sound both ways, messages over the data channel."""
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True, audio_out_end_silence_secs=0)
        return SmallWebRTCTransport(self, params)
