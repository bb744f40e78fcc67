"""The record of an alert. Knows nothing about how it is stored or sent."""

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
