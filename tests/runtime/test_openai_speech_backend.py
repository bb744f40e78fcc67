"""Speech over the OpenAI API: the request, both formats, and servers that misbehave."""

import io
import socket
import time
import wave
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.runtime.openai_speech_backend import OpenAISynthesizer
from openteller.runtime.protocols import Audio
from tests.runtime.loopback import Play, reply, serve
from tests.runtime.speakers import wav

VOICES = {"zh": ("mei",), "en": ("alloy",)}
TONE = Audio(np.sin(np.arange(2_400) / 10).astype(np.float32) * 0.5, 24_000)


def _said(play: Play, sends: str = "wav", timeout: float = 5.0) -> Audio:
    with serve(play) as server:
        synthesizer = OpenAISynthesizer(f"{server.url}/v1", "m", VOICES, "secret-key", timeout, sends=sends)
        return synthesizer.synthesize("hello", language="en")


def _error(play: Play, timeout: float = 5.0) -> OpenTellerError:
    with pytest.raises(Unavailable) as caught:
        _said(play, timeout=timeout)
    assert caught.value.cause
    assert caught.value.next_step
    assert "secret-key" not in str(caught.value)
    return caught.value


def _wav(channels: int = 1, width: int = 2, rate: int = 24_000) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(b"\0" * channels * width * 100)
    return target.getvalue()


def test_the_request_is_as_the_api_wants_it() -> None:
    with serve(reply(200, wav(TONE), "audio/wav")) as server:
        OpenAISynthesizer(f"{server.url}/v1/", "m", VOICES, "k").synthesize("您好", language="zh", speed=1.25)
    ((path, headers, body),) = server.requests
    assert path == "/v1/audio/speech"
    assert headers["Authorization"] == "Bearer k"
    assert body == {"model": "m", "input": "您好", "voice": "mei", "speed": 1.25, "response_format": "wav"}


def test_wav_and_pcm_give_the_samples() -> None:
    pcm = (TONE.samples * 32_767).astype("<i2").tobytes()
    for said in (_said(reply(200, wav(TONE))), _said(reply(200, pcm), sends="pcm")):
        assert said.rate == 24_000
        assert np.allclose(said.samples, TONE.samples, atol=1e-3)


def test_a_header_without_the_length_is_that_of_a_stream() -> None:
    sound = bytearray(wav(TONE))
    sound[4:8] = sound[40:44] = b"\xff\xff\xff\xff"
    assert len(_said(reply(200, bytes(sound))).samples) == len(TONE.samples)


def test_half_a_sample_at_the_end_is_dropped() -> None:
    assert len(_said(reply(200, b"\x01\x02\x03"), sends="pcm").samples) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"RIFF", b"<html>", b'{"error": "no"}', _wav(channels=2), _wav(width=1), _wav(rate=16_000)],
    ids=["empty", "cut", "a page", "JSON", "stereo", "8 bit", "another rate"],
)
def test_what_is_no_such_sound_is_unavailable(body: bytes) -> None:
    assert "cannot be read" in _error(reply(200, body)).message


@pytest.mark.parametrize(("status", "part"), [(401, "refused us"), (429, "busy"), (500, "500"), (404, "404")])
def test_a_refusal_is_unavailable(status: int, part: str) -> None:
    assert part in str(_error(reply(status, b'{"error": {"message": "no"}}')))


def test_a_silent_server_is_unavailable() -> None:
    def sleep(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.0)

    assert "gave nothing" in _error(sleep, timeout=0.2).message


def test_nobody_there_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(Unavailable, match="OPENTELLER_TTS_URL"):
        OpenAISynthesizer(url, "m", VOICES).synthesize("hello", language="en")
