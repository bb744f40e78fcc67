"""The records of hand-offs. Texts are masked as they were stored; moments are in UTC. Knows nothing about the store."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from openteller.core.records import Outcome, Record, Turn

SILENCE = timedelta(minutes=15)
"""After so long without a word of either side a taken conversation goes back to the assistant."""

WITH_A_PERSON = "person"
"""The skill of an answer that was left to a person."""


class LedBy(StrEnum):
    """Who answers in a conversation."""

    ASSISTANT = "assistant"
    WAITING = "waiting"
    PERSON = "person"


class Conversation(Record):
    """A conversation as a list shows it: its last turn, and who leads it.

    `hand_off`: the one that is open or taken, the taken one first; None where the assistant leads and nobody waits.
    """

    conversation_id: UUID
    customer_id: str | None
    channel: str
    started_at: datetime
    last_at: datetime
    turns: int
    text: str = Field(description="the customer's last words")
    language: str
    intent: str
    sentiment: str
    outcome: Outcome
    hand_off: UUID | None = None
    standing: LedBy = LedBy.ASSISTANT
    reason: str = ""
    waiting_since: datetime | None = None
    taken_by: str | None = None


class StaffMessage(Record):
    """What a member of staff wrote. `id` grows with time."""

    id: int
    author: str
    text: str
    at: datetime


class Context(Record):
    """A conversation with all that was said in it, the oldest first."""

    conversation: Conversation
    turns: tuple[Turn, ...]
    messages: tuple[StaffMessage, ...]
