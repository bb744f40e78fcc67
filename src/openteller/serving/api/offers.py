"""Offers outside of a turn, why a product is not among them, and what became of them. Knows nothing about ranking."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from openteller.recommendation.records import WhyNot
from openteller.serving import errors
from openteller.serving.deps import Member, Served, on_behalf
from openteller.serving.wire import Clean, CustomerId, OfferBody, OfferList

router = APIRouter(prefix="/v1/offers", tags=["offers"])

_Customer = Annotated[CustomerId | None, Query(description="your own; for staff, the customer they serve")]
_Language = Annotated[Literal["zh", "en"], Query(description="of names and reasons")]
_READING = errors.responses(401, 403, 404, 422, 429, 503)


@router.get("", summary="Offers", responses=_READING)
def offers(
    member: Member,
    serving: Served,
    customer_id: _Customer = None,
    language: _Language = "zh",
    limit: Annotated[int, Query(ge=1, le=20)] = 3,
) -> OfferList:
    """What suits the customer now, each with its reason. A customer's own look counts as shown, that of staff does not."""
    principal = on_behalf(serving, member, customer_id)
    return OfferList(offers=serving.application.offers.unasked(principal, language, serving.today, limit))


@router.get("/{product_id}/why-not", summary="Why a product is not offered", responses=_READING)
def why_not(
    product_id: Clean,
    member: Member,
    serving: Served,
    customer_id: _Customer = None,
    language: _Language = "zh",
) -> WhyNot:
    """The rule that keeps the product back, what suits better, or that it is offered."""
    principal = on_behalf(serving, member, customer_id)
    return serving.application.offers.why_not(principal, product_id, language, serving.today)


@router.post(
    "/{product_id}",
    summary="Say what became of an offer that was made in no turn",
    status_code=204,
    responses=errors.responses(400, 401, 403, 404, 413, 422, 429, 503),
)
def offer(product_id: Clean, body: OfferBody, member: Member, serving: Served, customer_id: _Customer = None) -> None:
    """The offer was opened, or dismissed as not interesting: then it rests for 90 days."""
    principal = on_behalf(serving, member, customer_id)
    serving.application.offers.note(principal, product_id, body.action)
    serving.metrics.offers.labels(body.action).inc()
