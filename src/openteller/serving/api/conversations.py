"""Conversations that a person of the bank leads: the customer's side, and the desk's. Knows nothing about answering."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from openteller.assistant.hand_offs.records import Context
from openteller.serving import errors
from openteller.serving.deps import Known, Served, Staff
from openteller.serving.wire import ConversationNews, MessageBody, WaitingConversations, WrittenByStaff

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_READING = errors.responses(401, 403, 404, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 409, 413, 422, 429, 503)


@router.get("/waiting", summary="Who waits for a person", responses=_READING)
def waiting(staff: Staff, serving: Served, limit: _Limit = 50) -> WaitingConversations:
    """Conversations that were handed off and not taken, then those that somebody has taken. For those who serve
    customers.
    """
    return WaitingConversations(conversations=serving.application.hand_offs.waiting(staff, limit=limit))


@router.get("/{conversation_id}", summary="A conversation with its context", responses=_READING)
def context(conversation_id: UUID, staff: Staff, serving: Served) -> Context:
    """What was said in it, what was understood, and by whom it is led. For those who serve customers."""
    return serving.application.hand_offs.context(staff, conversation_id)


@router.post("/{conversation_id}/take", summary="Take over", status_code=204, responses=_WRITING)
def take(conversation_id: UUID, staff: Staff, serving: Served) -> None:
    """Lead the conversation: what the customer writes waits for you. Of two at once, one is let through."""
    serving.application.hand_offs.take(staff, conversation_id)


@router.post("/{conversation_id}/give-back", summary="Give back", status_code=204, responses=_WRITING)
def give_back(conversation_id: UUID, staff: Staff, serving: Served) -> None:
    """Let the assistant answer again."""
    serving.application.hand_offs.give_back(staff, conversation_id)


@router.post("/{conversation_id}/messages", summary="Write to the customer", status_code=201, responses=_WRITING)
def say(conversation_id: UUID, body: MessageBody, staff: Staff, serving: Served) -> WrittenByStaff:
    """Only whoever leads the conversation may."""
    said = serving.application.hand_offs.say(staff, conversation_id, body.text)
    return WrittenByStaff(**said.model_dump(exclude={"author"}))


@router.get(
    "/{conversation_id}/messages",
    summary="What a person wrote to you",
    responses=errors.responses(401, 404, 422, 429, 503),
)
def messages(
    conversation_id: UUID, caller: Known, serving: Served, after: Annotated[int, Query(ge=0, le=2**62)] = 0
) -> ConversationNews:
    """Who answers in your conversation now, and what staff wrote in it after the message `after`."""
    standing, written = serving.application.hand_offs.written(caller, conversation_id, after)
    shown = tuple(WrittenByStaff(**one.model_dump(exclude={"author"})) for one in written)
    return ConversationNews(standing=standing, messages=shown)
