"""Asking, streaming, rating, and what became of offers. Knows nothing about how an answer comes about."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from openteller.core.errors import NotFound, OpenTellerError
from openteller.core.records import Inquiry, Principal, Satisfaction
from openteller.serving import errors
from openteller.serving.api.spoken import FORM
from openteller.serving.deps import Caller, Known, Served, Serving, hand_token, on_behalf, serve_visitor
from openteller.serving.observation import log_fault
from openteller.serving.wire import InquiryBody, OfferBody, SatisfactionBody, SpokenTurnAnswer, StoredTurn, TurnAnswer
from openteller.store.turns import TurnRepository

router = APIRouter(prefix="/v1/inquiries", tags=["inquiries"])

_VISITOR: errors.Responses = {
    200: {
        "headers": {
            "X-OpenTeller-Visitor": {
                "description": "Visitors only: a signed token. Send it back to keep the conversation and to rate.",
                "schema": {"type": "string"},
            }
        }
    }
}
_ASKED: errors.Responses = {200: _VISITOR[200] | {"model": SpokenTurnAnswer | TurnAnswer}}
_STREAM: errors.Responses = {
    200: _VISITOR[200]
    | {
        "description": "Server-sent events: `understanding`, `delta` {text}, `replace` {text} (in place of every delta "
        "so far), `answer`, `offers` {offers}, `done` {trace_id, conversation_id}; or `error` {status, error}.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

_STOPS = frozenset({"understanding", "answer", "offers"})


@router.post(
    "",
    summary="Ask",
    responses=_ASKED | errors.responses(400, 401, 403, 404, 413, 422, 429, 503),
    openapi_extra={"requestBody": {"content": {"multipart/form-data": FORM}}},
)
def ask(body: InquiryBody, caller: Caller, serving: Served, request: Request, response: Response) -> TurnAnswer:
    """Ask a question and receive the whole turn. Without a login: as a visitor, over what is public.

    A form with a recording asks aloud.
    """
    inquiry, principal, token = _begin(body, caller, serving, request)
    with serving.metrics.stage("turn"):
        turn = serving.application.dialogue.walk(inquiry, principal)
    serving.metrics.turn(turn)
    hand_token(request, response, token)
    return TurnAnswer.of(turn)


@router.post(
    "/stream",
    summary="Ask, and receive the answer as it comes",
    response_class=StreamingResponse,
    responses=_STREAM | errors.responses(400, 401, 403, 404, 413, 422, 429, 503),
)
def ask_streaming(body: InquiryBody, caller: Caller, serving: Served, request: Request) -> StreamingResponse:
    """Ask a question and receive server-sent events; errors after the first byte come as the event `error`."""
    inquiry, principal, token = _begin(body, caller, serving, request)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    frames = _frames(serving, inquiry, principal)
    answer = StreamingResponse(frames, media_type="text/event-stream", headers=headers)
    hand_token(request, answer, token)
    return answer


@router.get("/{trace_id}", summary="A turn of yours", responses=errors.responses(401, 404, 422, 429))
def turn(trace_id: UUID, caller: Known, serving: Served) -> StoredTurn:
    """The turn with this trace id, when it is the caller's own; staff read every turn."""
    with serving.application.database.session(caller) as session:
        found, seconds = TurnRepository().get(session, trace_id), TurnRepository().timing(session, trace_id)
    if found is None:
        raise NotFound(f"There is no turn {trace_id} of yours.", next_step="Use the trace id of an answer of yours.")
    return StoredTurn.of(found).model_copy(update={"seconds": seconds})


@router.post(
    "/{trace_id}/satisfaction",
    summary="Rate an answer",
    status_code=204,
    responses=errors.responses(400, 401, 404, 413, 422, 429),
)
def rate(trace_id: UUID, body: SatisfactionBody, caller: Known, serving: Served) -> None:
    """Rate an answer, 1 (bad) to 5 (good), or change the rating given before."""
    satisfaction = Satisfaction(trace_id=trace_id, rating=body.rating, comment=body.comment)
    serving.application.dialogue.rate(caller, satisfaction)
    serving.metrics.ratings.labels(body.rating).inc()


@router.post(
    "/{trace_id}/offers/{product_id}",
    summary="Say what became of an offer",
    status_code=204,
    responses=errors.responses(400, 401, 404, 413, 422, 429),
)
def offer(trace_id: UUID, product_id: str, body: OfferBody, caller: Known, serving: Served) -> None:
    """An offer was opened, or dismissed as not interesting."""
    dialogue = serving.application.dialogue
    act = dialogue.open_offer if body.action == "opened" else dialogue.dismiss_offer
    act(caller, trace_id, product_id)
    serving.metrics.offers.labels(body.action).inc()


def _begin(
    body: InquiryBody, caller: Principal, serving: Serving, request: Request
) -> tuple[Inquiry, Principal, str | None]:
    """The inquiry, on whose behalf it is made, and the token to hand to a visitor."""
    principal = on_behalf(serving, caller, body.customer_id)
    principal, token = serve_visitor(request, serving, principal)
    inquiry = body.inquiry()
    request.state.trace_id = str(inquiry.trace_id)
    return inquiry, principal, token


def _frames(serving: Serving, inquiry: Inquiry, principal: Principal) -> Iterator[bytes]:
    trace_id = str(inquiry.trace_id)
    try:
        for name, data in _measured(serving, inquiry, principal):
            yield _frame(name, data)
    except OpenTellerError as error:
        yield _frame("error", {"status": errors.status_and_code(error)[0], **errors.body(error, trace_id)})
    except Exception as error:  # Headers are out: the stream itself has to say it.
        log_fault(error, trace_id)
        yield _frame("error", {"status": 500, **errors.unexpected(trace_id)})


def _measured(serving: Serving, inquiry: Inquiry, principal: Principal) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The events as they go on the wire, with the time each stop took and the turn counted when it is done."""
    seconds = serving.metrics.stage_seconds
    began = before = time.perf_counter()
    for event in serving.application.dialogue.stream(inquiry, principal):
        now = time.perf_counter()
        if event.name in _STOPS:
            seconds.labels(event.name).observe(now - before)
            before = now
        if event.name == "done":
            seconds.labels("turn").observe(now - began)
            serving.metrics.turn(event.data["turn"])
            yield event.name, {"trace_id": inquiry.trace_id, "conversation_id": inquiry.conversation_id}
        else:
            yield event.name, event.data


def _frame(name: str, data: Mapping[str, Any]) -> bytes:
    # JSON holds no bare line break, so one data line is enough.
    return b"event: %s\ndata: %s\n\n" % (name.encode(), to_json(data))
