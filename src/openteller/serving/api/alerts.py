"""Alerts for staff, and what became of their deliveries. Who may see them is the desk's to say; knows nothing about senders."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from openteller.insights.alerts.records import Alert, DeliveryStatus
from openteller.serving import errors
from openteller.serving.deps import Served, Staff
from openteller.serving.wire import AlertList, DeliveryList

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_READING = errors.responses(401, 403, 422, 429, 503)


@router.get("", summary="Alerts", responses=_READING)
def alerts(
    staff: Staff,
    serving: Served,
    open_only: Annotated[bool, Query(description="those that nobody has acknowledged")] = False,
    limit: _Limit = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> AlertList:
    """The newest first, each with its figures and the page that shows them."""
    return AlertList(alerts=serving.application.alerts.list(staff, open_only=open_only, limit=limit, offset=offset))


@router.post("/{alert_id}/acknowledge", summary="Acknowledge", responses=_READING | errors.responses(404))
def acknowledge(alert_id: UUID, staff: Staff, serving: Served) -> Alert:
    """Note that you have seen it; whoever was first stays noted."""
    return serving.application.alerts.acknowledge(staff, alert_id)


@router.get("/deliveries", summary="Deliveries", responses=_READING)
def deliveries(
    staff: Staff,
    serving: Served,
    status: Annotated[DeliveryStatus | None, Query(description="none: all")] = None,
    limit: _Limit = 50,
) -> DeliveryList:
    """What was and will be sent by e-mail and webhook, with the last error of each."""
    return DeliveryList(deliveries=serving.application.alerts.deliveries(staff, status=status, limit=limit))
