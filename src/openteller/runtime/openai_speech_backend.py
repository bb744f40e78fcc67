"""Speech by a server that speaks the OpenAI API (`POST {base}/audio/speech`): vLLM-Omni, Speaches, LocalAI, or a hosted one.

WAV is asked for, and read whatever its rate says; a server that sends bare PCM is taken at the rate that it should have.
Knows nothing about the voices that a server has: the bank names one a language.
"""

import io
import wave
from collections.abc import Mapping

import httpx
import numpy as np

from openteller.runtime.openai_endpoint import Endpoint
from openteller.runtime.protocols import Audio, Floats
from openteller.runtime.speech_limits import check, silence

_FULL_SCALE = 32_768
_LONGEST_SOUND = 64 << 20  # bytes: eleven minutes of it at 48 kHz, and no sentence lasts so long


class OpenAISynthesizer:
    """A Synthesizer over an OpenAI-compatible server. Safe to share between threads.

    Args:
        base_url: the API's root, such as ``http://localhost:8000/v1``.
        model: the model's name at that server.
        voices: zh and en → the names of the server's voices, the default first.
        api_key: sent as bearer token; None sends none.
        timeout: seconds to connect, and to wait for the next piece.
        rate: samples a second of what the server makes; sound of another rate is an error.
        sends: the format that the server can send.
        client: an httpx client of the caller's.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        voices: Mapping[str, tuple[str, ...]],
        api_key: str | None = None,
        timeout: float = 30.0,
        *,
        rate: int = 24_000,
        sends: str = "wav",
        client: httpx.Client | None = None,
    ) -> None:
        self.rate = rate
        self.voices: Mapping[str, tuple[str, ...]] = dict(voices)
        self._model, self._sends = model, sends
        self._endpoint = Endpoint(base_url, api_key, timeout, client, "OPENTELLER_TTS_URL")

    def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
        """`text` spoken. Raises BadInput; Unavailable when the server gives no sound that can be read."""
        chosen = check(self.voices, language, voice, speed)
        if not any(c.isalnum() for c in text):
            return Audio(silence(self.rate), self.rate)
        body = {"model": self._model, "input": text, "voice": chosen, "speed": speed, "response_format": self._sends}
        data = b""
        with self._endpoint.post("/audio/speech", json=body) as response:
            for block in response.iter_bytes():
                data += block
                if len(data) > _LONGEST_SOUND:
                    raise self._endpoint.malformed("a sound without end")
        return Audio(self._samples(data), self.rate)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def _samples(self, data: bytes) -> Floats:
        if data[:4] != b"RIFF":
            if self._sends != "pcm" or not data:
                raise self._endpoint.malformed("no WAV file")
            return _floats(data)
        try:
            with wave.open(io.BytesIO(data)) as sound:
                shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
                # A server that streams does not know the length and writes the largest into the header.
                frames = sound.readframes(min(sound.getnframes(), len(data)))
        except (wave.Error, EOFError) as error:
            raise self._endpoint.malformed(f"no WAV file: {error}") from error
        if shape != (1, 2, self.rate):
            raise self._endpoint.malformed(f"channels, bytes and rate are {shape} where {(1, 2, self.rate)} were due")
        return _floats(frames)


def _floats(data: bytes) -> Floats:
    """16-bit little-endian samples as floats; half a sample at the end is dropped."""
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
