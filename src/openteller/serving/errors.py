"""Errors on the wire, in one shape: ``{"error": {code, message, cause, next_step, trace_id?}}``.

What the caller sent is never repeated: neither in the answer nor in a log. Knows nothing about routes.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from openteller.core import errors
from openteller.core.errors import OpenTellerError
from openteller.core.records import Record

TOO_LARGE = "too_large"
"""The type of a pydantic error that becomes a 413 rather than a 422."""

_FAULTS_SHOWN = 5

_WIRE: Mapping[type[OpenTellerError], tuple[int, str]] = {
    errors.TooLarge: (413, TOO_LARGE),
    errors.UnreadableFile: (422, "unreadable_file"),
    errors.BadInput: (422, "bad_input"),
    errors.NotFound: (404, "not_found"),
    errors.Conflict: (409, "conflict"),
    errors.NotAuthenticated: (401, "not_authenticated"),
    errors.NotAllowed: (403, "not_allowed"),
    errors.TooManyRequests: (429, "too_many_requests"),
    errors.ModelUnavailable: (503, "model_unavailable"),
    errors.Unavailable: (503, "unavailable"),
    errors.MissingDependency: (503, "missing_dependency"),
    errors.ConfigurationError: (500, "configuration_error"),
    OpenTellerError: (500, "failed"),
}

_HTTP_STEPS = {
    400: "Send a JSON object in UTF-8 with Content-Type: application/json; /docs shows examples.",
    404: "Look the address up in /docs.",
    405: "Look the method up in /docs.",
    413: "Send less at a time.",
}

_MEANINGS = {
    400: "The body is not JSON.",
    401: "No login, or one that has expired.",
    403: "The login lacks the right.",
    404: "No such thing for this caller.",
    409: "It exists already or has changed.",
    413: "Over a limit: 4,000 characters of text, 1 MB of JSON, 25 MB of file.",
    422: "The input cannot be used.",
    429: "Over the limit per caller; Retry-After says how long to wait.",
    503: "A part that the server depends on does not answer.",
}


class ErrorDetail(Record):
    """What happened, the likely cause and the next step."""

    code: str = Field(examples=["not_found"])
    message: str = Field(examples=["There is no such document."])
    cause: str = Field("", examples=["It was withdrawn, or is not for you to read."])
    next_step: str = Field("", examples=["Search for another."])
    trace_id: str | None = Field(None, description="of the inquiry, or of the request when the fault is the server's")


class ErrorBody(Record):
    """The body of every answer with a status of 400 or above."""

    error: ErrorDetail


Responses = dict[int | str, dict[str, Any]]
"""What a route may answer, for OpenAPI."""


def responses(*statuses: int) -> Responses:
    """The error answers of a route, for OpenAPI."""
    return {status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in statuses}


def status_and_code(error: OpenTellerError) -> tuple[int, str]:
    """The HTTP status and the wire's code of an error, by its nearest class in the table."""
    return next(_WIRE[kind] for kind in type(error).__mro__ if kind in _WIRE)


def body(error: OpenTellerError, trace_id: str | None = None) -> dict[str, Any]:
    """The error as it stands on the wire."""
    detail = ErrorDetail(
        code=status_and_code(error)[1],
        message=error.message,
        cause=error.cause,
        next_step=error.next_step,
        trace_id=trace_id,
    )
    return ErrorBody(error=detail).model_dump(mode="json", exclude_none=True)


def unexpected(trace_id: str) -> dict[str, Any]:
    """What a caller learns of a fault of ours: nothing but where to find it in the log."""
    detail = ErrorDetail(
        code="internal",
        message="Something failed on the server's side.",
        next_step="Try again; if it fails again, give the trace id to the bank's support.",
        trace_id=trace_id,
    )
    return ErrorBody(error=detail).model_dump(mode="json")


def response(error: OpenTellerError, *, trace_id: str | None = None, retry_after: int | None = None) -> JSONResponse:
    """The error as an HTTP answer."""
    status = status_and_code(error)[0]
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return JSONResponse(body(error, trace_id), status, headers)


def install(app: FastAPI) -> None:
    """Make the app answer every error in the one shape."""
    app.add_exception_handler(OpenTellerError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def _on_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OpenTellerError)
    state = request.state
    return response(
        error,
        trace_id=getattr(state, "trace_id", None),
        retry_after=getattr(state, "retry_after", None) if isinstance(error, errors.TooManyRequests) else None,
    )


def _on_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if faults and faults[0]["type"] == "json_invalid":
        return _plain(400, "bad_json", "The body is not valid JSON.", _HTTP_STEPS[400])
    large = next((fault for fault in faults if fault["type"] == TOO_LARGE), None)
    if large:
        return response(errors.TooLarge(large["msg"], next_step="Shorten it."))
    return response(
        errors.BadInput(
            "The request cannot be used as it is.",
            cause=_faults_text(faults),
            next_step="Correct what is named; /docs shows examples.",
        )
    )


def _on_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    code = {400: "bad_json", 413: TOO_LARGE}.get(status) or HTTPStatus(status).name.lower()
    answer = _plain(status, code, str(error.detail), _HTTP_STEPS.get(status, ""))
    answer.headers.update(error.headers or {})
    return answer


def _plain(status: int, code: str, message: str, next_step: str) -> JSONResponse:
    detail = ErrorDetail(code=code, message=message, next_step=next_step)
    return JSONResponse(ErrorBody(error=detail).model_dump(mode="json", exclude_none=True), status)


def _faults_text(faults: Sequence[Mapping[str, Any]]) -> str:
    """Where and what, without the values; names of fields may come from the caller, so they are cut."""
    lines = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults[:_FAULTS_SHOWN]]
    rest = len(faults) - _FAULTS_SHOWN
    return "; ".join([*lines, f"and {rest} more"] if rest > 0 else lines)


def _place(location: Sequence[int | str]) -> str:
    named = ".".join(str(part) for part in location if part != "body") or "body"
    return named.encode("utf-8", "replace").decode()[:80]
