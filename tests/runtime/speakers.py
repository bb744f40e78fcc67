"""Real and served synthesizers for tests, and a recogniser that listens to them."""

import atexit
import io
import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from openteller.runtime.catalogue import Catalogue
from openteller.runtime.kokoro_backend import MODEL, VOCABULARY, KokoroSynthesizer, open_kokoro
from openteller.runtime.protocols import Audio, Synthesizer
from openteller.runtime.whisper_backend import WhisperTranscriber
from openteller.runtime.whisper_layout import whisper_folder
from tests.runtime.engines import weights
from tests.runtime.loopback import Loopback, serve


@cache
def data_dir() -> Path:
    """A data directory with the weights of speech, for the whole run."""
    for name in (MODEL, VOCABULARY, "whisper-base"):
        weights(name)  # skips the test where they are not installed
    directory = TemporaryDirectory()
    atexit.register(directory.cleanup)
    return Path(directory.name)


@cache
def kokoro() -> KokoroSynthesizer:
    """Kokoro-82M as it serves."""
    return open_kokoro(Catalogue(data_dir()), data_dir())


@cache
def _recogniser() -> WhisperTranscriber:
    return WhisperTranscriber(whisper_folder("whisper-base", Catalogue(data_dir()), data_dir()))


def heard(audio: Audio, language: str) -> str:
    """What Whisper-base understands of `audio`."""
    import soxr

    samples = soxr.resample(audio.samples, audio.rate, _recogniser().rate).astype(np.float32)
    return _recogniser().transcribe(Audio(samples, _recogniser().rate), language=language).text


def wav(audio: Audio) -> bytes:
    """16-bit WAV."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, audio.rate, 0, "NONE", ""))
        file.writeframes((np.clip(audio.samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return target.getvalue()


@contextmanager
def serve_speech(synthesizer: Synthesizer) -> Iterator[str]:
    """The API root of a server that speaks with `synthesizer`."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        asked = seen[0].requests[-1][2]
        sound = synthesizer.synthesize(
            str(asked["input"]),
            language=_language(synthesizer, str(asked["voice"])),
            voice=str(asked["voice"]),
            speed=float(json.dumps(asked["speed"])),
        )
        body = wav(sound)
        handler.send_response(200)
        handler.send_header("Content-Type", "audio/wav")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    seen: list[Loopback] = []
    with serve(play) as server:
        seen.append(server)
        yield f"{server.url}/v1"


def _language(synthesizer: Synthesizer, voice: str) -> str:
    return next(language for language, names in synthesizer.voices.items() if voice in names)
