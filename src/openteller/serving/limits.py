"""How much and how often: the size of headers and bodies (pure ASGI), and token buckets per caller.

What is not covered: buckets are kept in this process; several workers each allow the whole rate. A bank that needs an
exact limit over all replicas sets it at its gateway. Knows nothing about who a caller is.
"""

import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openteller.serving.errors import TOO_LARGE, ErrorBody, ErrorDetail

MAX_JSON_BYTES = 1_000_000
MAX_IMPORT_BYTES = 25_000_000
MAX_AUDIO_BYTES = 25_000_000
MAX_HEADER_BYTES = 32_768
IMPORT_PATHS = re.compile(r"/v1/(?:documents|surveys/[^/]+)/import")
INQUIRY_PATH = "/v1/inquiries"

_MULTIPART_FRAME = 64_000
_BUCKETS_KEPT = 100_000


class SizeLimit:
    """Refuses a request over the limits before its body is read: 431 for headers, 413 for bodies.

    A body of unknown length is counted as it comes and refused at the first byte over the limit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        if sum(len(name) + len(value) + 4 for name, value in headers) > MAX_HEADER_BYTES:
            message = f"The headers are over {MAX_HEADER_BYTES:,} bytes."
            await _refuse(431, "headers_too_large", message, "Send fewer cookies or a shorter token.", scope, send)
            return
        limit = _limit(scope)
        stated = next((value for name, value in headers if name == b"content-length"), b"0")
        if stated.isdigit() and int(stated[:20]) > limit:
            await _refuse(413, TOO_LARGE, _over(limit), "Send less at a time.", scope, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def is_form(scope: Scope) -> bool:
    """Whether the body is a form with files, by its header."""
    return any(
        name == b"content-type" and value.lower().startswith(b"multipart/form-data") for name, value in scope["headers"]
    )


def _limit(scope: Scope) -> int:
    # A recording may come from anybody, as a question may.
    if scope["path"] == INQUIRY_PATH and is_form(scope):
        return MAX_AUDIO_BYTES + _MULTIPART_FRAME
    # A form is spooled to disk before anybody asks who sent it; those who show no token at all get no room for it.
    may_import = IMPORT_PATHS.fullmatch(scope["path"]) and any(name == b"authorization" for name, _ in scope["headers"])
    return MAX_IMPORT_BYTES + _MULTIPART_FRAME if may_import else MAX_JSON_BYTES


def _counted(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, _over(limit), {"Connection": "close"})
        return message

    return counting


def _over(limit: int) -> str:
    return f"The body is over {limit // 1_000_000} MB."


async def _refuse(status: int, code: str, message: str, next_step: str, scope: Scope, send: Send) -> None:
    content = ErrorBody(error=ErrorDetail(code=code, message=message, next_step=next_step))
    answer = JSONResponse(content.model_dump(mode="json", exclude_none=True), status, {"Connection": "close"})
    await answer(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class TokenBuckets:
    """Token buckets (RFC 2697's committed rate, with one minute's worth of burst), one for each key.

    The keys used longest ago are forgotten beyond 100,000, so that memory is bounded.

    Args:
        per_minute: tokens that flow in a minute, and the size of a bucket.
        clock: seconds, monotonic.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._rate = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, tokens: int = 1) -> int:
        """Take `tokens` from the bucket of `key`.

        Returns:
            0 when they were there; else the whole seconds until they will be, and nothing is taken.
        """
        now = self._clock()
        with self._lock:
            filled, at = self._buckets.pop(key, (self._size, now))
            filled = min(self._size, filled + (now - at) * self._rate)
            enough = filled >= tokens
            self._buckets[key] = (filled - tokens if enough else filled, now)
            if len(self._buckets) > _BUCKETS_KEPT:
                self._buckets.popitem(last=False)
        return 0 if enough else max(1, math.ceil((tokens - filled) / self._rate))

    def wait(self, key: str) -> int:
        """Whole seconds until a token is there; 0 when one is. Takes none."""
        with self._lock:
            filled, at = self._buckets.get(key, (self._size, self._clock()))
        filled += (self._clock() - at) * self._rate
        return 0 if filled >= 1 else max(1, math.ceil((1 - filled) / self._rate))


def network(host: str) -> str:
    """The key of a network address: the address itself, or the /64 of an IPv6 one, which is one household's."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else address.exploded[:19]
    return str(address)
