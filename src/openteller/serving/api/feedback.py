"""Turns that went wrong, corrections and their review. Who may do what is the desk's to say; knows nothing about training."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from openteller.feedback.records import Correction, Status
from openteller.serving import errors
from openteller.serving.deps import Served, Staff
from openteller.serving.wire import (
    CorrectionBody,
    CorrectionList,
    KnownLabels,
    LabelQueue,
    ReviewBody,
)

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000)]
_READING = errors.responses(401, 403, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 413, 422, 429, 503)


@router.get("/queue", summary="Turns worth a look", responses=_READING)
def queue(staff: Staff, serving: Served, limit: _Limit = 50, offset: _Offset = 0) -> LabelQueue:
    """Turns that were rated 1 or 2, whose intent was a guess, or that ended without an answer, as long as nobody has
    corrected them. For analysts and administrators.
    """
    return LabelQueue(turns=serving.application.feedback.queue(staff, limit=limit, offset=offset))


@router.get("/labels", summary="Labels that there are", responses=_READING)
def labels(staff: Staff, serving: Served) -> KnownLabels:
    """What a correction may name: the labels of the model that serves."""
    return KnownLabels(labels=serving.application.feedback.labels(staff))


@router.post("/corrections", summary="Correct", status_code=201, responses=_WRITING)
def correct(body: CorrectionBody, staff: Staff, serving: Served) -> Correction:
    """Say what labels a turn should have had. It is trained on only after somebody else has accepted it."""
    desk = serving.application.feedback
    return desk.correct(staff, body.head, body.labels, trace_id=body.trace_id, text=body.text)


@router.get("/corrections", summary="List corrections", responses=_READING)
def corrections(
    staff: Staff,
    serving: Served,
    status: Annotated[Status | None, Query(description="none: all")] = None,
    limit: _Limit = 50,
    offset: _Offset = 0,
) -> CorrectionList:
    """Corrections, the newest first. Agents see their own."""
    found = serving.application.feedback.list(staff, status=status, limit=limit, offset=offset)
    return CorrectionList(corrections=found)


@router.post("/corrections/{correction_id}/review", summary="Review", responses=_WRITING | errors.responses(409))
def review(correction_id: UUID, body: ReviewBody, staff: Staff, serving: Served) -> Correction:
    """Accept or reject somebody else's correction. For analysts and administrators; of two at once, the first decides."""
    return serving.application.feedback.review(staff, correction_id, Status(body.decision), note=body.note)
