"""Complaints and their clock. Who may do what is the desk's to say; knows nothing about the rule."""

from typing import Annotated

from fastapi import APIRouter, Query

from openteller.core.errors import BadInput
from openteller.insights.complaints.desk import RUNNING
from openteller.insights.complaints.records import Complaint, Origin, Status
from openteller.serving import errors
from openteller.serving.deps import Served, Staff
from openteller.serving.survey_wire import (
    ComplaintBody,
    ComplaintHistory,
    ComplaintList,
    ComplaintNoteBody,
    DecisionBody,
    ExtensionBody,
    OwnerBody,
)

router = APIRouter(prefix="/v1/complaints", tags=["complaints"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000)]
_READING = errors.responses(401, 403, 404, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 409, 413, 422, 429, 503)


@router.get("", summary="List complaints", responses=_READING)
def complaints(
    staff: Staff,
    serving: Served,
    status: Annotated[list[Status] | None, Query(description="none: those that are not closed")] = None,
    owner: Annotated[str | None, Query(max_length=200)] = None,
    limit: _Limit = 50,
    offset: _Offset = 0,
) -> ComplaintList:
    """Complaints, those due first come first."""
    found = serving.application.complaints.list(
        staff, statuses=tuple(status or RUNNING), owner=owner, limit=limit, offset=offset
    )
    return ComplaintList(complaints=found)


@router.post("", summary="Open a complaint", status_code=201, responses=_WRITING)
def open_complaint(body: ComplaintBody, staff: Staff, serving: Served) -> Complaint:
    """From words, a turn or an answer to a survey; of one turn or answer there is one complaint."""
    desk = serving.application.complaints
    if body.trace_id:
        return desk.open_from_turn(staff, body.trace_id)
    if body.answer_id:
        answer, text = serving.application.surveys.answer(staff, body.answer_id)
        if not text:
            raise BadInput("This answer has no words.", next_step="Send the complaint as text.")
        return desk.open(staff, text, customer_id=answer.customer_id, source=Origin.SURVEY, source_id=str(answer.id))
    return desk.open(staff, body.text or "", customer_id=body.customer_id, received_on=body.received_on)


@router.get("/{number}", summary="A complaint", responses=_READING)
def complaint(number: int, staff: Staff, serving: Served) -> ComplaintHistory:
    """A complaint and what was done about it."""
    found, events = serving.application.complaints.get(staff, number)
    return ComplaintHistory(complaint=found, events=events)


@router.post("/{number}/assign", summary="Assign", responses=_WRITING)
def assign(number: int, body: OwnerBody, staff: Staff, serving: Served) -> Complaint:
    """Give it to somebody; an agent may take it for themselves."""
    return serving.application.complaints.assign(staff, number, body.owner)


@router.post("/{number}/notes", summary="Add a note", status_code=201, responses=_WRITING)
def note(number: int, body: ComplaintNoteBody, staff: Staff, serving: Served) -> Complaint:
    """What was done or said."""
    return serving.application.complaints.note(staff, number, body.note)


@router.post("/{number}/extend", summary="Extend", responses=_WRITING)
def extend(number: int, body: ExtensionBody, staff: Staff, serving: Served) -> Complaint:
    """To 30 days from receipt; then to 60: an analyst or administrator sends that for the one who asked."""
    desk = serving.application.complaints
    return desk.extend(staff, number, body.reason, asked_by=body.asked_by, informed=body.informed)


@router.post("/{number}/close", summary="Close", responses=_WRITING)
def close(number: int, body: DecisionBody, staff: Staff, serving: Served) -> Complaint:
    """With what was decided, once the complainant was told."""
    return serving.application.complaints.close(staff, number, body.decision, informed=body.informed)
