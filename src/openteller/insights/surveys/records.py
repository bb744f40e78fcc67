"""The records of surveys: what is asked, and what was answered. Knows nothing about how they are stored."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from openteller.core.records import LocalText, Record

MAX_TEXT_CHARACTERS = 2_000
_NAME = r"^[a-z][a-z0-9_-]{0,63}$"
_ID = r"^[a-z][a-z0-9_]{0,31}$"
Value = int | str | tuple[str, ...]


class Kind(StrEnum):
    """What kind of answer a question takes.

    nps: how likely to recommend, 0–10 (Reichheld 2003). csat: how satisfied, 1–5. ces: how easy it was, 1–7 (Dixon et al.
    2010, in its later wording, where 7 is easy). scale: a whole number between two ends. choice, choices: one or several
    of the options. text: in one's own words.
    """

    NPS = "nps"
    CSAT = "csat"
    CES = "ces"
    SCALE = "scale"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"


ENDS: dict[Kind, tuple[int, int]] = {Kind.NPS: (0, 10), Kind.CSAT: (1, 5), Kind.CES: (1, 7)}
"""The ends of those scales that have fixed ones."""
SCORED = (Kind.NPS, Kind.CSAT, Kind.CES)
RATED = (*SCORED, Kind.SCALE)


class Option(Record):
    """One answer of a choice."""

    id: str = Field(pattern=_ID)
    text: LocalText


class Question(Record):
    """One question. `low` and `high` are of scales alone; where an end has a name, it stands in `low_text`, `high_text`."""

    id: str = Field(pattern=_ID)
    kind: Kind
    text: LocalText
    required: bool = False
    options: tuple[Option, ...] = ()
    low: int | None = Field(None, ge=-100, le=100)
    high: int | None = Field(None, ge=-100, le=100)
    low_text: LocalText | None = None
    high_text: LocalText | None = None

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest number that may be answered; of rated kinds."""
        return ENDS.get(self.kind) or (self.low or 0, self.high or 0)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind in (Kind.CHOICE, Kind.CHOICES)) != bool(self.options):
            raise ValueError(
                f"the question {self.id} is of kind {self.kind}: options belong to choices, and only there"
            )
        if len({option.id for option in self.options}) != len(self.options):
            raise ValueError(f"the question {self.id} has an option twice")
        if self.kind is Kind.SCALE:
            if self.low is None or self.high is None or self.high <= self.low or self.high - self.low > 20:
                raise ValueError(f"the scale {self.id} needs low and high, at most 20 apart")
        elif self.low is not None or self.high is not None:
            raise ValueError(f"low and high belong to scales; {self.id} is of kind {self.kind}")
        return self


class Group(Record):
    """Something that answers come with and are compared by, such as the branch."""

    id: str = Field(pattern=_ID)
    text: LocalText


class Survey(Record):
    """What is asked, in both languages. A changed one of the same name is a new version; answers keep theirs."""

    name: str = Field(pattern=_NAME)
    title: LocalText
    intro: LocalText | None = None
    thanks: LocalText | None = None
    questions: tuple[Question, ...] = Field(min_length=1, max_length=40)
    groups: tuple[Group, ...] = Field((), max_length=8)
    hand_off_at: int | None = Field(
        None, description="an answer after a conversation with this score or less asks for a person of the bank"
    )
    after_conversation: bool = Field(False, description="whether it is what to ask when a conversation is over")

    @property
    def outcome(self) -> Question | None:
        """What the survey is about: its first question that is scored; None where none is."""
        return next((question for question in self.questions if question.kind in SCORED), None)

    @property
    def drivers(self) -> tuple[Question, ...]:
        """The other questions that are answered by a number: what may explain the outcome."""
        return tuple(question for question in self.questions if question.kind in RATED and question != self.outcome)

    def question(self, question_id: str) -> Question | None:
        """The question of this id."""
        return next((question for question in self.questions if question.id == question_id), None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [question.id for question in self.questions] + [group.id for group in self.groups]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"these ids stand twice: {', '.join(sorted(twice))}")
        if self.hand_off_at is not None and self.outcome is None:
            raise ValueError("hand_off_at needs a question of kind nps, csat or ces")
        return self


class StoredSurvey(Record):
    """A version of a survey as it is kept."""

    survey: Survey
    version: int = Field(ge=1)
    open: bool = Field(description="whether it takes answers")
    created_by: str
    created_at: datetime


Channel = Literal["link", "widget", "import", "staff"]


class Given(Record):
    """An answer that has been checked. `values`: question id → number, option, options or text (masked)."""

    values: dict[str, Value] = Field(min_length=1)
    groups: dict[str, str] = Field(default_factory=dict)
    key: str = Field(
        min_length=1, max_length=128, description="of two answers of a survey with one key, the first stays"
    )
    channel: Channel
    language: str = Field(pattern="^(zh|en|mixed)$")
    answered_at: datetime
    customer_id: str | None = None
    trace_id: UUID | None = Field(None, description="the turn after which it was asked")
    contact: bool = Field(False, description="whether the bank may call back about it")


class Answer(Given):
    """One that is stored."""

    id: UUID
    survey: str
    version: int

    def score(self, question: Question) -> int | None:
        """The number that was answered; None where none was."""
        value = self.values.get(question.id)
        return value if isinstance(value, int) else None
