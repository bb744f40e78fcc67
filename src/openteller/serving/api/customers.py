"""A customer's profile for the staff who serve them; each look is in the audit log."""

from typing import Annotated

from fastapi import APIRouter, Path

from openteller.customers.profile.records import Profile
from openteller.serving import errors
from openteller.serving.deps import Served, Staff, on_behalf
from openteller.serving.wire import CustomerId

router = APIRouter(prefix="/v1/customers", tags=["profile"])


@router.get(
    "/{customer_id}/profile", summary="A customer's profile", responses=errors.responses(401, 403, 404, 422, 429, 503)
)
def profile(customer_id: Annotated[CustomerId, Path()], staff: Staff, serving: Served) -> Profile:
    """What the movements say, as far as the customer allows. For agents, administrators and services."""
    return serving.application.profiles.profile(on_behalf(serving, staff, customer_id))
