"""The page of a survey's link, for a browser without scripts: whoever holds the link may answer.

The link's token is all that proves anything; no login is read. Knows nothing about what is asked.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from openteller.core.errors import BadInput, OpenTellerError
from openteller.insights.surveys.records import Kind, Survey
from openteller.serving.deps import Served, Serving, client, limit
from openteller.serving.errors import status_and_code
from openteller.serving.survey_html import Given, SurveyPage

_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MOST_FIELDS = 200

router = APIRouter(include_in_schema=False)


@router.get("/survey/{token}")
def asked(token: str, request: Request, serving: Served, lang: str = "") -> HTMLResponse:
    """The questions, or why there are none."""
    page = _page(request, serving, lang)
    try:
        limit(request, serving.callers.take(client(request)))
        return _html(page.form(serving.application.surveys.invited(token).survey, request.url.path))
    except OpenTellerError as error:
        return _html(page.failure(error, request.url.path), status_and_code(error)[0])


@router.post("/survey/{token}")
async def answered(token: str, request: Request, serving: Served, lang: str = "") -> HTMLResponse:
    """Store what was answered; what cannot be used comes back with its reason, filled in as it was."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        given = {name: [str(value) for value in form.getlist(name)] for name in form}
    return await run_in_threadpool(_answer, token, request, serving, lang, given)


def _answer(token: str, request: Request, serving: Serving, lang: str, given: Given) -> HTMLResponse:
    page, desk, path = _page(request, serving, lang), serving.application.surveys, request.url.path
    try:
        limit(request, serving.callers.take(client(request)))
        survey = desk.invited(token).survey
        try:
            contact = bool(given.get("contact"))
            desk.answer_link(token, _raw(survey, given), language=page.language, contact=contact)
        except BadInput as error:
            return _html(page.form(survey, path, given, error), status_and_code(error)[0])
        return _html(page.thanks(survey, path))
    except OpenTellerError as error:
        return _html(page.failure(error, path), status_and_code(error)[0])


def _raw(survey: Survey, given: Given) -> dict[str, Any]:
    """The form's fields as answers: several for a choice of several, the last for all else."""
    fields = {question.id: question for question in survey.questions}
    return {
        name: list(values) if fields[name].kind is Kind.CHOICES else values[-1]
        for name, values in given.items()
        if name in fields and values
    }


def _page(request: Request, serving: Serving, lang: str) -> SurveyPage:
    """In the language that is asked for, or the browser's."""
    settings, first = serving.application.settings, request.headers.get("accept-language", "zh")
    language = lang if lang in ("zh", "en") else ("zh" if first.lower().startswith("zh") else "en")
    return SurveyPage(language, settings.bank_name_en if language == "en" else settings.bank_name_zh)


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers={"Content-Security-Policy": _CSP, "Cache-Control": "no-store"})
