"""Whether the server works, and its metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from openteller.core.errors import NotAllowed
from openteller.serving import errors
from openteller.serving.deps import Served, proven
from openteller.serving.wire import Health

router = APIRouter(tags=["operations"])
_UNWELL: errors.Responses = {503: {"model": Health, "description": "A part does not work."}}

_METRICS: errors.Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/health", summary="Health", responses=_UNWELL)
def health(serving: Served, response: Response) -> Health:
    """Whether the database and the models answer; 503 when the status is not ok."""
    found = Health.model_validate(dict(serving.application.health()))
    if found.status != "ok":
        response.status_code = 503
    return found


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=_METRICS | errors.responses(401, 403, 429),
)
def metrics(serving: Served, request: Request) -> Response:
    """Counters and histograms of this process. Outside dev mode for staff only: give Prometheus a service token."""
    if not (serving.application.settings.dev or proven(request, serving).role.is_staff):
        raise NotAllowed(
            "Metrics are for staff.", next_step="Send the bearer token of a service login with each scrape."
        )
    return Response(serving.metrics.text(), media_type=CONTENT_TYPE_LATEST)
