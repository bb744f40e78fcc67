"""The records of trends. Shares are in 0–1, moods in −1 (bad) to 1 (good); a period begins on a day of the bank's calendar.

Knows nothing about how they are computed. Figures that rest on too few people are None.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from openteller.core.records import LocalText, Record
from openteller.insights.trends.intervals import Estimate


class Every(StrEnum):
    """How long a period is. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"


class Span(Record):
    """What is looked at: whole days from `since` to before `until`, in periods, of one topic or language or all."""

    since: date
    until: date
    every: Every = Every.DAY
    topic: str | None = None
    language: str | None = Field(None, description="BCP 47 tag of what was understood; None: all")


class Cell(Record):
    """What was counted in one period of one topic. A conversation counts once, each figure as the mean of its messages.

    Sums are over conversations: of the share of negative messages, of the mood on 0–1, of the intent's probability, and
    of the share of messages out of scope.
    """

    begins: date
    topic: str | None
    conversations: int
    messages: int
    people: int
    negative: float
    mood: float
    confidence: float
    out_of_scope: float


class MoodPoint(Record):
    """The mood of one period."""

    begins: date
    conversations: int | None = Field(description="None as the figures are: too few people")
    negative: Estimate | None = Field(description="share of negative messages, drawn towards the bank's mean")
    mood: Estimate | None = Field(description="mean score, −1 to 1, drawn towards the bank's mean")


class MoodTrend(Record):
    """The mood of a topic, or of the whole bank, over periods; those in which nobody asked are left out."""

    topic: str | None
    name: LocalText
    points: tuple[MoodPoint, ...]
    whole: MoodPoint | None = Field(description="over all periods together; None when nobody asked")


class NeedShare(Record):
    """How many of a period's conversations named a need; None for too few people."""

    need: str
    begins: date
    conversations: int | None
    share: Estimate | None


class Stage(StrEnum):
    """The stations of the road that closes the loop."""

    INQUIRY = "inquiry"
    CLASSIFIED = "classified"
    NEED = "need"
    OFFER = "offer"
    FEEDBACK = "feedback"


STAGE_NAMES: dict[Stage, LocalText] = {
    Stage.INQUIRY: LocalText(zh="咨询", en="inquiry"),
    Stage.CLASSIFIED: LocalText(zh="分类", en="classified"),
    Stage.NEED: LocalText(zh="需求", en="need"),
    Stage.OFFER: LocalText(zh="推荐", en="offer"),
    Stage.FEEDBACK: LocalText(zh="反馈", en="feedback"),
}


class FunnelStage(Record):
    """One station: how many conversations came there at all, and how many by way of every station before."""

    stage: Stage
    name: LocalText
    reached: int
    through: int
    rate: Estimate = Field(description="of those through the station before, who came through this one (Wilson)")


class Funnel(Record):
    """From inquiry to feedback, over conversations. `stages` is None for too few people."""

    people_enough: bool
    stages: tuple[FunnelStage, ...] | None
    rated: int | None = Field(description="conversations with a rating")
    rating: float | None = Field(description="mean rating, 1 to 5")
    opened: int | None = Field(description="conversations with an offer opened")
    dismissed: int | None = Field(description="conversations with an offer dismissed and none opened")


class ConversationScores(Record):
    """The messages of one conversation: their scores, −1 to 1, in order."""

    conversation_id: UUID
    at: datetime = Field(description="of the first message, UTC")
    intent: str = Field(description="of the first message")
    scores: tuple[float, ...] = Field(min_length=1)


class ConversationMood(Record):
    """How the mood went in one conversation."""

    conversation_id: UUID
    at: datetime
    topic: str
    messages: int
    mean: float
    first: float
    last: float
    slope: float = Field(description="least squares, per message; 0 for one message")
    worst: float
    recovery: float = Field(description="from the worst message to the last, 0 to 2")


class CustomerPoint(Record):
    """A customer's mood as known at the end of a day."""

    on: date
    mood: Estimate


class CustomerMood(Record):
    """A customer's mood: newer conversations count more. Empty without consent to personalisation."""

    customer_id: str
    personalised: bool
    mood: Estimate | None = None
    points: tuple[CustomerPoint, ...] = ()
    conversations: tuple[ConversationMood, ...] = Field((), description="the newest first")


class Recovery(Record):
    """Of the conversations with a negative message, how many did not end with one."""

    turned_bad: int | None
    recovered: Estimate | None


class Overview(Record):
    """All there is on one span."""

    span: Span
    bank: MoodTrend
    topics: tuple[MoodTrend, ...] = Field(description="the worst first; topics of too few people are left out")
    needs: tuple[NeedShare, ...]
    funnel: Funnel
    recovery: Recovery
