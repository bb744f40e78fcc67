"""What tests of recognition stand on: Whisper, loaded once, and a server on loopback that speaks the OpenAI API of transcription."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openteller.core.text import fold
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.whisper_backend import WhisperTranscriber
from openteller.runtime.whisper_layout import WHISPER_BASE, whisper_folder
from openteller.voice.audio_files import read_audio
from tests.runtime.speakers import data_dir

KEY = "a-key"


@cache
def whisper() -> WhisperTranscriber:
    """Whisper-base as it serves."""
    return WhisperTranscriber(whisper_folder(WHISPER_BASE, Catalogue(data_dir()), data_dir()))


def edits(said: str, heard: str) -> float:
    """Words, or Han characters, that are wrong, over those that were said."""
    ours, theirs = (re.findall(r"[a-z']+|[㐀-鿿]", fold(text)) for text in (said, heard))
    row = list(range(len(theirs) + 1))
    for i, one in enumerate(ours, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(theirs, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1] / len(ours)


class Heard:
    """A transcription server: where it is, what it was asked, and what it will answer instead of recognising."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: tuple[int, bytes] | None = None


@contextmanager
def transcription_server() -> Iterator[Heard]:
    """A server that recognises what it is sent with Whisper, as vLLM and others do."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fields = _fields(self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"])))
            heard.asked.append(fields | {"path": self.path})
            heard.headers.append(dict(self.headers))
            status, body = heard.answer or (200, json.dumps(_transcript(fields)).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _fields(content_type: str, body: bytes) -> dict[str, Any]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found: dict[str, Any] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        found[name] = content if name == "file" else content.decode()
    return found


def _transcript(fields: dict[str, Any]) -> dict[str, Any]:
    audio = read_audio(fields["file"])
    found = whisper().transcribe(audio, language=fields.get("language"))
    names = {"zh": "chinese", "en": "english"}
    segment = {"text": found.text, "avg_logprob": -0.3, "no_speech_prob": found.no_speech}
    return {"text": found.text, "language": names[found.language], "segments": [segment] if found.text else []}
