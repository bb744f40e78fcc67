"""The records of complaints: a complaint, and what was done about it. Knows nothing about how they are stored."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from openteller.core.records import Record


class Origin(StrEnum):
    """Where a complaint was heard."""

    CONVERSATION = "conversation"
    SURVEY = "survey"
    STAFF = "staff"


class Status(StrEnum):
    """open ─▶ assigned ─▶ closed; an open one may be closed at once, nothing that is closed changes."""

    OPEN = "open"
    ASSIGNED = "assigned"
    CLOSED = "closed"


class Step(StrEnum):
    """What was done about a complaint."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    EXTENDED = "extended"
    NOTED = "noted"
    CLOSED = "closed"


class NewComplaint(Record):
    """What is about to be opened. `text` is masked; of two from one origin's `source_id`, the first stays."""

    source: Origin
    source_id: str | None = Field(None, description="the turn's trace id or the answer's id; None: none")
    customer_id: str | None = None
    language: str = Field(pattern="^(zh|en)$")
    text: str = Field(min_length=1)
    received_on: date = Field(description="the day of receipt, in the bank's time zone: the clock runs from it")


class Complaint(NewComplaint):
    """One that was opened."""

    number: int
    status: Status
    owner: str | None
    due_on: date = Field(description="the last day on which the decision may be told")
    extensions: int = Field(ge=0, le=2)
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    decision: str

    def days_left(self, today: date) -> int:
        """Days until the last one; negative when it has passed."""
        return (self.due_on - today).days


class Event(Record):
    """A step, by whom and when."""

    kind: Step
    actor: str
    note: str
    detail: dict[str, Any]
    at: datetime
