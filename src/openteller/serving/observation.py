"""What the bank sees of the server: Prometheus metrics and one JSON line a request.

Neither ever holds what somebody wrote: no text, no query string, no exception message; of a caller only the role and a
keyed pseudonym. Metrics count this process. Knows nothing about what a request means.
"""

import hashlib
import hmac
import json
import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openteller.core.records import Principal, Turn
from openteller.serving import errors

LOGGER = logging.getLogger("openteller.serving")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
_STRICT_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": _STRICT_CSP,
    "Cache-Control": "no-store",
}


class Metrics:
    """The server's counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("openteller_requests", "HTTP requests", labels, registry=self.registry)
        self.request_seconds = self._histogram("openteller_request_seconds", "Time to serve a request", "route")
        self.stage_seconds = self._histogram("openteller_stage_seconds", "Time of a stop on the road", "stage")
        self.voice_seconds = self._histogram(
            "openteller_voice_seconds",
            "Time of a stage of a spoken turn; first_audio: from their last sound to our first",
            "stage",
        )
        self.calls = Counter("openteller_calls", "Calls that ended", ("reason",), registry=self.registry)
        self.calls_open = Gauge("openteller_calls_open", "Calls in hand", registry=self.registry)
        self.turns = Counter("openteller_turns", "Turns", ("outcome", "language"), registry=self.registry)
        self.offers = Counter("openteller_offers", "Offers", ("action",), registry=self.registry)
        self.ratings = Counter("openteller_ratings", "Ratings, 1 to 5", ("rating",), registry=self.registry)
        self.logins = Counter("openteller_logins", "Logins", ("result",), registry=self.registry)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def turn(self, turn: Turn) -> None:
        """Count a turn by its outcome and language, and the offers it showed."""
        self.turns.labels(turn.answer.outcome.value, turn.understanding.language.label).inc()
        self.offers.labels("shown").inc(len(turn.offers))

    def turn_seconds(self) -> tuple[int, float]:
        """How many turns this process walked, and the seconds that they took together."""
        found = {s.name.rpartition("_")[2]: s.value for f in self.stage_seconds.collect() for s in f.samples
                 if s.labels.get("stage") == "turn" and "le" not in s.labels}  # fmt: skip
        return int(found.get("count", 0)), found.get("sum", 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stop on the road."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds.labels(name).observe(time.perf_counter() - began)

    def _histogram(self, name: str, text: str, label: str) -> Histogram:
        return Histogram(name, text, (label,), registry=self.registry, buckets=_SECONDS)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": moment, "level": record.levelname, "logger": record.name, "event": record.getMessage()}
        return json.dumps(line | getattr(record, "fields", {}), ensure_ascii=False, default=str)


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Write one structured line. `fields` hold identifiers and measures, never text that somebody wrote."""
    LOGGER.log(level, event, extra={"fields": fields})


def configure_logging(level: int = logging.INFO) -> None:
    """Send our lines to standard error as JSON, unless somebody has set up logging before.

    uvicorn's access log is silenced in any case: it writes query strings, and a query may be a customer's words.
    """
    logging.getLogger("uvicorn.access").disabled = True
    if not LOGGER.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(level)
        LOGGER.propagate = False


class Pseudonyms:
    """Keyed hashes of subjects: the same person has the same one, and nobody without the key can go back."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, principal: Principal) -> str:
        """12 hexadecimal digits."""
        return hmac.new(self._key, principal.subject.encode(), hashlib.sha256).hexdigest()[:12]


class Observation:
    """Outermost ASGI layer: request id, security headers, metrics, the log line, and the last word on faults."""

    def __init__(self, app: ASGIApp, metrics: Metrics, pseudonyms: Pseudonyms) -> None:
        self._app = app
        self._metrics = metrics
        self._pseudonyms = pseudonyms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid4())
        sent = _Sent(send, request_id, is_https=scope.get("scheme") == "https")
        began = time.perf_counter()
        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            sent.status = sent.status or 499
        except Exception as error:  # Whatever it is, its message may hold what a customer wrote.
            log_fault(error, request_id)
            if not sent.status:
                await JSONResponse(errors.unexpected(request_id), 500)(scope, receive, sent)
        self._account(scope, sent.status or 499, request_id, time.perf_counter() - began)

    def _account(self, scope: Scope, status: int, request_id: str, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = _route(scope)
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        state = scope.get("state", {})
        principal: Principal | None = state.get("principal")
        log(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1_000, 1),
            request_id=request_id,
            trace_id=state.get("trace_id"),
            role=principal.role.value if principal else None,
            caller=self._pseudonyms.of(principal) if principal else None,
        )


class _Sent:
    """`send` that adds the headers every answer bears, where the route has not set its own."""

    def __init__(self, send: Send, request_id: str, *, is_https: bool) -> None:
        self._send = send
        self._extra = _HEADERS | {"X-Request-ID": request_id}
        if is_https:
            self._extra["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._extra.items():
                headers.setdefault(name, value)
        await self._send(message)


def _route(scope: Scope) -> str:
    """The route's template, so that neither labels nor logs hold ids."""
    path = getattr(scope.get("route"), "path", None)
    # A mounted folder has no route; its place is the root path of what it serves.
    return path if isinstance(path, str) and path else str(scope.get("root_path") or "unmatched")


def log_fault(error: Exception, trace_id: str) -> None:
    """Write where an unforeseen error arose and of what classes it is; its message may hold what a customer wrote."""
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
    chain = [type(error).__name__]
    cause = error.__cause__
    while cause is not None and len(chain) < 5:
        chain.append(type(cause).__name__)
        cause = cause.__cause__
    log("fault", logging.ERROR, trace_id=trace_id, error=" from ".join(chain), frames=frames)
