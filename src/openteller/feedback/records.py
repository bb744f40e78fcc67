"""The records of feedback: a turn to look at, a correction, an example that was agreed on.

Knows nothing about how they are stored or trained on.
"""

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field

from openteller.core.records import Outcome, Record, Scored

#: The label that says that none of the head's labels fits, as in authored lines; of needs alone.
NONE = "-"


class Head(StrEnum):
    """What of the understanding can be corrected."""

    INTENT = "intent"
    SENTIMENT = "sentiment"
    NEEDS = "needs"


class Status(StrEnum):
    """Where a correction stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Correction(Record):
    """What labels a text should have had under one head, says its author; and what a second person says to that.

    `text` is masked, with secrets dropped; moments are in UTC.
    """

    id: UUID
    trace_id: UUID | None = Field(None, description="the turn; None: a text of no turn")
    text: str
    head: Head
    labels: tuple[str, ...] = Field(description='one; of needs one or more, or "-" for none')
    author: str
    created_at: datetime
    status: Status
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    note: str = Field("", description="the reviewer's, masked")


class QueuedTurn(Record):
    """A turn worth a look, with the reasons for it. `text` is masked as it was stored."""

    trace_id: UUID
    at: datetime
    text: str
    language: str
    intent: Scored
    sentiment: Scored
    needs: tuple[Scored, ...]
    outcome: Outcome
    rating: int | None = None
    comment: str = ""
    reasons: tuple[str, ...] = ()


class Curated(Record):
    """A labelled text that two people agreed on: one line of the file that training reads."""

    id: UUID
    text: str
    head: Head
    labels: tuple[str, ...]
    reviewed_at: datetime

    @classmethod
    def of(cls, correction: Correction) -> Self:
        """The example that an accepted correction is."""
        assert correction.reviewed_at is not None
        names = ("id", "text", "head", "labels", "reviewed_at")
        return cls(**{name: getattr(correction, name) for name in names})

    @property
    def gold(self) -> tuple[str, ...]:
        """The labels; () for none."""
        return () if self.labels == (NONE,) else self.labels
