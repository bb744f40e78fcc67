"""The demo page, the widget's files and the API on loopback, with recorded answers.

Speaks the wire as serving does, byte by byte where a test wants it; knows nothing about how an answer comes about.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import openteller.serving

WIDGET = Path(openteller.serving.__file__).parent / "widget"
RECORDINGS = Path(__file__).with_name("recordings.json")
CSP = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
)
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_VISITOR = "X-OpenTeller-Visitor"

Json = dict[str, Any]


@dataclass
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json


@dataclass
class RecordedApi:
    """Where it is, what it was asked, and what it shall do next.

    `faults` are used up one an inquiry: a status (refusal in the API's shape), ``drop`` (the connection closes before
    an answer), ``cut`` (it closes within the answer), ``error`` (the stream's own error event).
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    refused_paths: set[str] = field(default_factory=set)
    pause: float = 0.0
    piece: int = 0
    recordings: Json = field(default_factory=lambda: json.loads(RECORDINGS.read_text(encoding="utf-8")))
    turns: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def bodies(self, ending: str) -> list[Json]:
        """The bodies of the requests whose path ends so, in order."""
        return [asked.body for asked in self.asked if asked.path.endswith(ending)]

    def turn(self, text: str, conversation_id: str) -> Json:
        """The recorded turn whose key stands in the question, under a new trace id."""
        turns = self.recordings["turns"]
        recorded = next((turn for key, turn in turns.items() if key in text), turns["default"])
        turn = {**recorded, "trace_id": str(uuid4()), "conversation_id": conversation_id, "inquiry": {"text": text}}
        self.turns[turn["trace_id"]] = turn
        return turn


@contextmanager
def serve_recorded() -> Iterator[RecordedApi]:
    """Serve on a free port of loopback."""
    api = RecordedApi()
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    api: RecordedApi

    def do_GET(self) -> None:
        path = self._note({})
        if path == "/" or path.startswith("/widget/"):
            self._file("index.html" if path == "/" else path.removeprefix("/widget/"))
        elif path == "/v1/demo/logins":
            self._found(self.api.recordings["logins"], path)
        elif path.startswith("/v1/documents/"):
            self._found(self.api.recordings["documents"].get(path.removeprefix("/v1/documents/")), path)
        elif path.startswith("/v1/inquiries/"):
            self._found(self.api.turns.get(path.rpartition("/")[2]), path)
        else:
            self._refuse(404, "not_found", "There is no such page.")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        path = self._note(body)
        if path in self.api.refused_paths or any(part in self.api.refused_paths for part in path.split("/")):
            self._refuse(503, "unavailable", "The database does not answer.")
        elif path == "/v1/auth/login":
            self._json(200, self.api.recordings["tokens"][body["username"]])
        elif path == "/v1/inquiries/stream":
            self._inquire(body)
        else:
            self.send_response(204)
            self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""

    def _note(self, body: Json) -> str:
        path = unquote(urlsplit(self.path).path)
        self.api.asked.append(Asked(self.command, path, dict(self.headers), body))
        return path

    def _inquire(self, body: Json) -> None:
        fault = self.api.faults.pop(0) if self.api.faults else None
        owner = self.headers.get("Authorization", "visitor")
        if self.api.owners.setdefault(body["conversation_id"], owner) != owner:
            self._refuse(404, "not_found", "There is no conversation of yours.")
        elif fault == "drop":
            self.close_connection = True
        elif isinstance(fault, int):
            self._refuse(fault, "failed", self.api.recordings["refusals"][str(fault)])
        else:
            self._stream(self.api.turn(body["text"], body["conversation_id"]), fault)

    def _stream(self, turn: Json, fault: str | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header(_VISITOR, "visitor-token")
        self.end_headers()
        self._send("understanding", turn["understanding"])
        for piece in turn["deltas"]:
            self._send("delta", {"text": piece})
            if fault == "cut":
                return
            time.sleep(self.api.pause)
        if fault == "error":
            error = {"code": "unavailable", "message": "The database does not answer.", "trace_id": turn["trace_id"]}
            self._send("error", {"status": 503, "error": error})
            return
        self._send("answer", turn["answer"])
        self._send("offers", {"offers": turn["offers"]})
        self._send("done", {"trace_id": turn["trace_id"]})

    def _send(self, event: str, data: Json) -> None:
        frame = f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        size = self.api.piece or len(frame)
        for start in range(0, len(frame), size):
            try:
                self.wfile.write(frame[start : start + size])
                self.wfile.flush()
            except OSError:  # The reader stopped: browsers just close.
                return

    def _found(self, value: Json | None, path: str) -> None:
        if value is None or path in self.api.refused_paths:
            self._refuse(404, "not_found", "There is no such thing.")
        else:
            self._json(200, value)

    def _file(self, name: str) -> None:
        path = WIDGET / name
        if path.suffix not in _TYPES or not path.resolve().is_relative_to(WIDGET) or not path.is_file():
            self._refuse(404, "not_found", "There is no such file.")
            return
        self._answer(200, path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8")

    def _refuse(self, status: int, code: str, message: str) -> None:
        error = {"code": code, "message": message, "cause": "", "next_step": "Try again in a minute."}
        self._json(status, {"error": error})

    def _json(self, status: int, value: Json) -> None:
        self._answer(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CSP)
        self.end_headers()
        self.wfile.write(body)
