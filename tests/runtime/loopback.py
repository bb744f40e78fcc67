"""A small HTTP server on loopback that plays one answer: the recorded formats of model servers and of a hub."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Play = Callable[[BaseHTTPRequestHandler], None]


class Loopback:
    """Where the server is, and what it was asked: (path, headers, body)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, dict[str, str], dict[str, object]]] = []


@contextmanager
def serve(play: Play) -> Iterator[Loopback]:
    """A server whose every GET, HEAD and POST is answered by `play`."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.requests.append((self.path, dict(self.headers), json.loads(body) if body else {}))
            play(self)

        do_GET = do_HEAD = do_POST = _answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(status: int, body: bytes, content_type: str = "application/json") -> Play:
    """Answer with `status` and `body`."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return play


def stream(*lines: str) -> Play:
    """Answer with server-sent events."""
    return reply(200, "".join(line + "\n" for line in lines).encode(), "text/event-stream")
