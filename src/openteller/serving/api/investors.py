"""The investor questionnaire and a customer's class. Who may be assessed when is the desk's to say.

Customers act for themselves; agents, administrators and services for the customer whom they serve, named by customer_id.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from openteller.customers.assessment.records import Assessed, Standing
from openteller.serving import errors
from openteller.serving.deps import Member, Served, on_behalf
from openteller.serving.wire import AskedQuestionnaire, CustomerBody, CustomerId, QuestionnaireBody

router = APIRouter(prefix="/v1/investor", tags=["suitability"])

OfCustomer = Annotated[CustomerId | None, Query(description="for staff, the customer they serve")]
_READING = errors.responses(401, 403, 404, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 413, 422, 429, 503)


@router.get("/questionnaire", summary="The questionnaire", responses=errors.responses(401, 429, 503))
def asked(member: Member, serving: Served) -> AskedQuestionnaire:
    """Every question with its options, in Chinese and English. Points and caps are not shown."""
    return AskedQuestionnaire.of(serving.application.assessments.asked)


@router.post("/assessments", summary="Be assessed", responses=_WRITING)
def submit(body: QuestionnaireBody, member: Member, serving: Served) -> Assessed:
    """Answer the questionnaire. The class is in force at once, unless something has to be agreed to first.

    `to_confirm` holds contradictions between answers: correct them, or send the answers again with their codes in
    `agreed`. Where it holds `class_changed`, the class differs from the last one: agree with
    `POST /v1/investor/assessments/{id}/confirm` within a day; a lower class counts at once, a higher one from then on. At most two assessments a day and eight in twelve months.
    """
    principal = on_behalf(serving, member, body.customer_id)
    return serving.application.assessments.submit(principal, body.answers, body.agreed)


@router.post("/assessments/{assessment_id}/confirm", summary="Agree", responses=_WRITING | errors.responses(409))
def confirm(assessment_id: UUID, body: CustomerBody, member: Member, serving: Served) -> Assessed:
    """Agree to a class that differs from the last one; a higher one is in force from then on."""
    principal = on_behalf(serving, member, body.customer_id)
    return serving.application.assessments.confirm(principal, assessment_id)


@router.get("/standing", summary="My class", responses=_READING)
def standing(member: Member, serving: Served, customer_id: OfCustomer = None) -> Standing:
    """The customer's class with its expiry and reasons, and what waits for a yes."""
    return serving.application.assessments.standing(on_behalf(serving, member, customer_id))
