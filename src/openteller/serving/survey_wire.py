"""The bodies of requests and answers about surveys and complaints. Text is normalised here, at the door."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from openteller.core.records import MAX_INQUIRY_CHARACTERS, Record
from openteller.insights.complaints.desk import MAX_NOTE_CHARACTERS
from openteller.insights.complaints.records import Complaint, Event
from openteller.insights.surveys.desk import MAX_LINK_DAYS, Overview
from openteller.insights.surveys.importing import Fault
from openteller.insights.surveys.records import Answer, StoredSurvey
from openteller.serving.wire import Clean, CustomerId, Label

_Note = Annotated[Clean, StringConstraints(min_length=1, max_length=MAX_NOTE_CHARACTERS)]
_Subject = Annotated[Clean, StringConstraints(min_length=1, max_length=200)]


class SurveyList(Record):
    """Surveys, by name."""

    surveys: tuple[Overview, ...]


class AskedSurvey(Record):
    """What is asked when a conversation is over; none: nothing is."""

    stored: StoredSurvey | None


class SurveyAnswers(Record):
    """Answers, the oldest first."""

    answers: tuple[Answer, ...]


class LinkBody(Record):
    """What kind of link."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 14, "single_use": True}]})

    days: int = Field(30, ge=1, le=MAX_LINK_DAYS)
    single_use: bool = True
    customer_id: CustomerId | None = None


class SurveyLink(Record):
    """Where the survey is asked, under the server's own address."""

    path: str


class AnswerBody(Record):
    """An answer after a conversation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "trace_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                    "values": {"recommend": 9, "words": "很方便"},
                    "contact": False,
                }
            ]
        }
    )

    trace_id: UUID = Field(description="the last turn of the conversation")
    values: dict[Label, Any] = Field(max_length=100, description="question id → number, option, options or text")
    contact: bool = Field(False, description="whether the bank may call back about it")


class SurveyStored(Record):
    """A survey as it is stored now, and whether that was new."""

    stored: StoredSurvey
    created: bool


class ImportAnswer(Record):
    """What an import came to."""

    added: int
    known: int
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]


class ComplaintBody(Record):
    """A complaint: in the complainant's words, or by the turn or the answer in which they were said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "收了我两次年费", "customer_id": "C000001"}]})

    text: Annotated[Clean, StringConstraints(max_length=MAX_INQUIRY_CHARACTERS)] | None = None
    trace_id: UUID | None = None
    answer_id: UUID | None = None
    customer_id: CustomerId | None = Field(None, description="with text")
    received_on: date | None = Field(None, description="with text; none: today")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.text, self.trace_id, self.answer_id)) != 1:
            raise ValueError("give one of text, trace_id and answer_id")
        return self


class OwnerBody(Record):
    """Who is to work on it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "agent.zhou"}]})

    owner: _Subject


class ComplaintNoteBody(Record):
    """What was done or said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "已联系客户核实"}]})

    note: _Note


class ExtensionBody(Record):
    """Why it takes longer. The second extension is approved by whoever sends it, for the one who asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "需核实流水"}, {"reason": "等待答复", "asked_by": "agent.zhou", "informed": True}]
        }
    )

    reason: _Note
    asked_by: Annotated[Clean, StringConstraints(max_length=200)] = Field(
        "", description="who asked, where the sender approves the second extension"
    )
    informed: bool = Field(False, description="the complainant was told that it takes longer")


class DecisionBody(Record):
    """What was decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "已退还年费", "informed": True}]})

    decision: _Note
    informed: bool = Field(description="the complainant was told")


class ComplaintList(Record):
    """Complaints, those due first come first."""

    complaints: tuple[Complaint, ...]


class ComplaintHistory(Record):
    """A complaint and what was done about it, the oldest first."""

    complaint: Complaint
    events: tuple[Event, ...]
