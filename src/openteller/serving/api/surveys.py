"""Surveys: what is asked, links, answers, imports, analysis. Who may do what is the desk's to say."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile

from openteller.insights.surveys.analysis import Analysis
from openteller.insights.surveys.records import Answer, StoredSurvey, Survey
from openteller.serving import errors
from openteller.serving.deps import Known, Served, Staff
from openteller.serving.survey_wire import (
    AnswerBody,
    AskedSurvey,
    ImportAnswer,
    LinkBody,
    SurveyAnswers,
    SurveyLink,
    SurveyList,
    SurveyStored,
)

router = APIRouter(prefix="/v1/surveys", tags=["surveys"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000)]
_READING = errors.responses(401, 403, 404, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 409, 413, 422, 429, 503)


@router.get("", summary="List surveys", responses=_READING)
def surveys(staff: Staff, serving: Served) -> SurveyList:
    """The newest version of each, and how many answers there are."""
    return SurveyList(surveys=serving.application.surveys.list(staff))


@router.post("", summary="Store a survey", status_code=201, responses=_WRITING)
def create(body: Survey, staff: Staff, serving: Served) -> SurveyStored:
    """A survey of a new name, or the next version of one. For analysts, administrators and services."""
    stored, created = serving.application.surveys.create(staff, body)
    return SurveyStored(stored=stored, created=created)


@router.get("/after-conversation", summary="What to ask afterwards", responses=_READING)
def after_conversation(known: Known, serving: Served) -> AskedSurvey:
    """The survey to ask when a conversation is over, if any."""
    return AskedSurvey(stored=serving.application.surveys.after_conversation(known))


@router.get("/{name}", summary="A survey", responses=_READING)
def survey(name: str, staff: Staff, serving: Served) -> StoredSurvey:
    """Its newest version."""
    return serving.application.surveys.get(staff, name)


@router.post("/{name}/links", summary="Make a link", status_code=201, responses=_WRITING)
def link(name: str, body: LinkBody, staff: Staff, serving: Served) -> SurveyLink:
    """A signed link at which the survey is answered without a login."""
    token = serving.application.surveys.link(
        staff, name, days=body.days, single_use=body.single_use, customer_id=body.customer_id
    )
    return SurveyLink(path=f"/survey/{token}")


@router.post("/{name}/answers", summary="Answer", status_code=201, responses=_WRITING)
def answer(name: str, body: AnswerBody, known: Known, serving: Served) -> Answer:
    """Answer after a conversation of one's own, once for each turn. A low score asks for a person where the survey says so."""
    return serving.application.surveys.answer_turn(known, name, body.trace_id, body.values, contact=body.contact)


@router.get("/{name}/answers", summary="List answers", responses=_READING)
def answers(name: str, staff: Staff, serving: Served, limit: _Limit = 50, offset: _Offset = 0) -> SurveyAnswers:
    """The answers, the oldest first."""
    return SurveyAnswers(answers=serving.application.surveys.answers(staff, name, limit=limit, offset=offset))


@router.post("/{name}/import", summary="Import answers", responses=_WRITING)
def import_answers(
    name: str,
    file: UploadFile,
    staff: Staff,
    serving: Served,
    skip_bad: Annotated[bool, Query(description="leave out rows that cannot be used")] = False,
) -> ImportAnswer:
    """A CSV or XLSX file. The same file again adds nothing."""
    done = serving.application.surveys.import_file(
        staff, name, file.file.read(), file.filename or "answers.csv", skip_bad=skip_bad
    )
    return ImportAnswer(added=done.added, known=done.known, faults=done.faults, ignored=done.ignored)


@router.get("/{name}/analysis", summary="What the answers say", responses=_READING)
def analysis(
    name: str,
    staff: Staff,
    serving: Served,
    first: Annotated[date | None, Query(description="the first day")] = None,
    last: Annotated[date | None, Query(description="the last day")] = None,
) -> Analysis:
    """Figures with their intervals, themes with quotes, aspects, drivers, and whom to call back."""
    return serving.application.surveys.analyse(staff, name, first=first, last=last)[1]
