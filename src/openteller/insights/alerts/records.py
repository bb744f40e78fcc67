"""The record of an alert. Knows nothing about how it is stored or sent."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from openteller.core.records import LocalText, Record


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def number(self) -> int:
        """0 to 2."""
        return list(Severity).index(self)


class Channel(StrEnum):
    """How an alert leaves the console."""

    EMAIL = "email"
    WEBHOOK = "webhook"


Routes = Mapping[Channel, Severity]
"""From which severity on a channel is used; alerts go nowhere else."""


class NewAlert(Record):
    """What is about to be raised.

    `key` keeps the same thing from being raised twice: of two alerts with one key, the second is dropped.
    """

    kind: str = Field(pattern=r"^[a-z]+(\.[a-z_]+)+$", description="what is watched, as ``opinion.burst``")
    key: str = Field(min_length=1, max_length=300)
    severity: Severity
    title: LocalText = Field(description="one line, no personal data")
    subject: str = Field("", description="identifier of what it is about")
    link: str = Field("", description="path of the page that shows it, as ``/console/opinion?topic=12``")
    detail: dict[str, Any] = Field(default_factory=dict, description="figures behind it; no personal data in clear")


class Alert(NewAlert):
    """One that was raised. Moments are in UTC."""

    id: UUID
    raised_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Delivery(Record):
    """An alert on its way over one channel. `id` is the same at every attempt, so that a receiver tells a repetition."""

    id: UUID
    alert: Alert
    channel: Channel
    status: DeliveryStatus
    attempts: int = Field(description="begun so far, with the present one")
    next_at: datetime
    last_error: str
    ended_at: datetime | None
