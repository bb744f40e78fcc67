"""Trends of mood and need for staff, and a customer's own. Knows nothing about how a figure comes about."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from openteller.insights.trends.records import CustomerMood, Every, Funnel, Overview, Span
from openteller.insights.trends.topics import TOPICS
from openteller.serving import errors
from openteller.serving.deps import Owner, Served, Staff, on_behalf
from openteller.serving.wire import CustomerId, Label, NeedTrends, TopicTrends

router = APIRouter(prefix="/v1/trends", tags=["trends"])

_READING = errors.responses(401, 403, 404, 422, 429, 503)


def _span(
    serving: Served,
    days: Annotated[int, Query(ge=1, le=730, description="back from today, today included")] = 90,
    every: Annotated[Every | None, Query(description="none: by day up to 31 days, else by week")] = None,
    topic: Annotated[Label | None, Query(description=f"one of {', '.join(TOPICS)}")] = None,
    language: Annotated[
        Literal["zh-Hans", "zh-Hant", "en", "mixed"] | None, Query(description="of the questions; none: all")
    ] = None,
) -> Span:
    return serving.application.trends.span(days, every=every, topic=topic, language=language)


_Span = Annotated[Span, Depends(_span)]


@router.get("", summary="Overview", responses=_READING)
def overview(span: _Span, staff: Staff, serving: Served) -> Overview:
    """Mood of the bank and of topics, needs, the funnel and recoveries over one span."""
    return serving.application.trends.overview(staff, span)


@router.get("/topics", summary="Mood by topic", responses=_READING)
def topics(span: _Span, staff: Staff, serving: Served) -> TopicTrends:
    """The worst first. Small counts are drawn towards the bank's mean."""
    return TopicTrends(topics=serving.application.trends.topics(staff, span))


@router.get("/needs", summary="Needs over time", responses=_READING)
def needs(span: _Span, staff: Staff, serving: Served) -> NeedTrends:
    """How many of each period's conversations named a need."""
    return NeedTrends(needs=serving.application.trends.needs(staff, span))


@router.get("/funnel", summary="From inquiry to feedback", responses=_READING)
def funnel(span: _Span, staff: Staff, serving: Served) -> Funnel:
    """Inquiry, classified, need, offer, feedback: how many conversations came there, and of how many."""
    return serving.application.trends.funnel(staff, span)


@router.get("/me", summary="My mood", responses=_READING)
def mine(owner: Owner, serving: Served) -> CustomerMood:
    """What the bank makes of how you felt; empty unless you agreed to personalisation."""
    return serving.application.trends.customer(owner)


@router.get("/customers/{customer_id}", summary="A customer's mood", responses=_READING)
def customer(customer_id: Annotated[CustomerId, Path()], staff: Staff, serving: Served) -> CustomerMood:
    """For agents, administrators and services; empty unless the customer agreed to personalisation. The look is audited."""
    return serving.application.trends.customer(on_behalf(serving, staff, customer_id))
