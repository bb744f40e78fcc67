"""Surveys: each with its figures; one with what its answers say, its report as a file, and links to send.

Knows nothing about how answers are analysed; what an analysis looks like is survey_analysis.py's.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from nicegui import ui

from openteller.core.clock import utc_now
from openteller.core.errors import NotFound, OpenTellerError
from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.insights.complaints.records import Complaint, Origin
from openteller.insights.reports.records import Report
from openteller.insights.surveys.analysis import Analysis
from openteller.insights.surveys.desk import MAX_LINK_DAYS, Overview
from openteller.insights.surveys.figures import Summary
from openteller.insights.surveys.records import Answer, Kind, StoredSurvey, Survey
from openteller.insights.surveys.reporting import interval, report, written
from openteller.serving.console.page import ANALYSTS, STAFF, ConsolePage, Visit, go, link
from openteller.serving.console.pages.survey_analysis import analysed, said
from openteller.serving.console.parts import report_files, section, table
from openteller.serving.observation import log_fault

_SCORES = {Kind.NPS: "NPS", Kind.CSAT: "CSAT", Kind.CES: "CES"}
Days = tuple[date | None, date | None]


async def draw(visit: Visit) -> None:
    """The list, or the survey that the address names."""
    await (_one(visit) if "name" in visit.query else _list(visit))


PAGE = ConsolePage("surveys", LocalText(zh="问卷", en="Surveys"), "poll", STAFF, draw, item="name")


async def _list(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.surveys
    found = await visit.read(lambda: desk.list(visit.principal))
    scores = await visit.read(lambda: desk.scores(visit.principal))
    note = say(
        "NPS 为分值，CSAT、CES 为满意答卷的占比；方括号内为 95% 区间。",
        "NPS in points, CSAT and CES the share of the best answers; the interval of 95 % in brackets.",
    )
    with section("", note):
        columns = [("title", say("问卷", "Survey")), ("state", say("状态", "State")), ("answers", say("答卷", "Answers")),
                   *((kind.value, name) for kind, name in _SCORES.items()), ("version", say("版本", "Version"))]  # fmt: skip
        table(visit, columns, [_row(visit, one, scores[one.stored.survey.name]) for one in found],
              numbers=("answers", *(kind.value for kind in _SCORES), "version"), file="surveys" if found else "",
              on_row=lambda row: go(visit.link(f"surveys/{row['id']}")))  # fmt: skip
        if not found:
            ui.label(say("还没有问卷：teller survey create。", "No survey yet: teller survey create.")).classes("note")


def _row(visit: Visit, one: Overview, scores: tuple[Summary, ...]) -> dict[str, str]:
    survey = one.stored.survey
    row = {
        "id": survey.name, "title": visit.of(survey.title), "state": _state(visit, one.stored),
        "answers": f"{one.answers:,}", "version": str(one.stored.version),
    }  # fmt: skip
    asked = {question.id: question.kind for question in survey.questions}
    for kind in _SCORES:
        # Of several questions of one kind, the list shows the first.
        main = next((score.main for score in scores if asked[score.question] is kind), None)
        row[kind.value] = f"{written(kind, main.value)} {interval(kind, main)}" if main else "–"
    return row


def _state(visit: Visit, stored: StoredSurvey) -> str:
    return visit.say("进行中", "open") if stored.open else visit.say("已结束", "closed")


async def _one(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.surveys
    link(say("← 全部问卷", "← All surveys"), visit.link("surveys"))
    stored = await visit.read(lambda: desk.get(visit.principal, visit.query["name"]))
    name, days = stored.survey.name, _Period(visit)

    async def show() -> None:
        place.clear()
        with place, ui.row().classes("line"):
            ui.spinner()
            ui.label(say("正在分析答卷…", "Reading the answers…")).classes("note")
        try:
            found = await visit.read(lambda: _analysis(visit, name, days))
        except Exception as error:  # its message may hold what a customer wrote
            place.clear()
            with place, section(""):
                ui.label(_fault(visit, error)).classes("note")
            return
        place.clear()
        with place:
            analysed(visit, *found, call=lambda answer: _call(visit, answer))

    with section(visit.of(stored.survey.title)):
        with ui.element("div").classes("line"):
            ui.label(_state(visit, stored)).classes("chip")
            text = say(f"第 {stored.version} 版", f"version {stored.version}")
            ui.label(f"{name} · {text} · {visit.local(stored.created_at)}").classes("note")
        days.draw(show)
        report_files(visit, name, lambda: _report(visit, name, days))
    if visit.principal.role in ANALYSTS:
        _links(visit, stored)
    await _asked_for(visit)
    place = ui.column().classes("gap")
    ui.timer(0.05, show, once=True)


def _fault(visit: Visit, error: Exception) -> str:
    """What went wrong, for staff to read."""
    if isinstance(error, OpenTellerError):
        return str(error)
    log_fault(error, "console surveys")
    return visit.say("服务器出错，已记录。", "Something failed on the server; it is in the log.")


class _Period:
    """The two days that an analysis is of; either may be left empty."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._first, self._last = visit, "", ""

    @property
    def days(self) -> Days:
        """Raises BadInput."""
        return self._visit.day(self._first), self._visit.day(self._last)

    def draw(self, show: Callable[[], Awaitable[None]]) -> None:
        """The fields, and the button that looks at the answers again."""
        say = self._visit.say
        with ui.element("div").classes("line"):
            for text, keep in (
                (say("从（可空）", "From (may be empty)"), self._keep_first),
                (say("到（可空）", "To (may be empty)"), self._keep_last),
            ):
                field = ui.input(text, placeholder="2026-01-31", on_change=lambda event, k=keep: k(event.value or ""))
                field.props("dense outlined maxlength=10").classes("grow").on("keydown.enter", show)
            ui.button(say("分析", "Analyse"), icon="query_stats", on_click=show).props("outline no-caps")

    def _keep_first(self, text: str) -> None:
        self._first = text

    def _keep_last(self, text: str) -> None:
        self._last = text


def _analysis(visit: Visit, name: str, days: _Period) -> tuple[Survey, Analysis, tuple[Answer, ...]]:
    first, last = days.days
    return visit.serving.application.surveys.analyse(visit.principal, name, first=first, last=last)


def _report(visit: Visit, name: str, days: _Period) -> Report:
    survey, found, answers = _analysis(visit, name, days)
    settings = visit.serving.application.settings
    bank = LocalText(zh=settings.bank_name_zh, en=settings.bank_name_en)
    return report(survey, found, answers, language=visit.report_language, bank=bank, zone=visit.zone, made_at=utc_now())


def _links(visit: Visit, stored: StoredSurvey) -> None:
    say, desk, name = visit.say, visit.serving.application.surveys, stored.survey.name

    async def make() -> None:
        def work() -> str:
            whose = normalise(customer.value or "") or None
            once = bool(single.value)
            return desk.link(visit.principal, name, days=int(days.value or 0), single_use=once, customer_id=whose)

        token = await visit.act(work, say("链接已生成。", "The link is made."))
        if token:
            address = await ui.run_javascript(f"location.origin + '/survey/{token}'")
            made.set_value(address)
            made.set_visibility(True)

    note = say("凭链接作答，不需要登录。", "Whoever holds a link answers without a login.")
    with section(say("发送链接", "Send a link"), note):
        if not stored.open:
            ui.label(say("问卷已结束，不再收答卷。", "This survey is closed, and takes no answers.")).classes("note")
            return
        with ui.element("div").classes("line"):
            days = ui.number(say("有效天数", "Days"), value=30, min=1, max=MAX_LINK_DAYS, precision=0)
            days.props("dense outlined").classes("narrow")
            customer = ui.input(say("客户号（可空）", "Customer number (may be empty)"), placeholder="C000001")
            customer.props("dense outlined maxlength=64").classes("grow")
            single = ui.checkbox(say("只收一份答卷", "For one answer"), value=True)
            ui.button(say("生成链接", "Make a link"), icon="link", on_click=make).props("unelevated no-caps")
        made = ui.input(say("链接", "Link")).props("dense outlined readonly").classes("made-link")
        made.set_visibility(False)


async def _asked_for(visit: Visit) -> None:
    """The answer that the address names, as an alert or a report does."""
    if "answer" not in visit.query:
        return
    try:
        answer = UUID(visit.query["answer"])
    except ValueError as error:
        raise NotFound(visit.say("没有这份答卷。", "There is no such answer.")) from error
    with section(visit.say("答卷", "Answer")):
        await _answer(visit, answer)


async def _answer(visit: Visit, answer_id: UUID) -> None:
    """An answer as it was given, and the button that makes a complaint of it."""
    say, application = visit.say, visit.serving.application
    answer, text = await visit.read(lambda: application.surveys.answer(visit.principal, answer_id))
    stored = await visit.read(lambda: application.surveys.get(visit.principal, answer.survey, answer.version))

    async def complain() -> None:
        def work() -> Complaint:
            return application.complaints.open(
                visit.principal, text, customer_id=answer.customer_id, source=Origin.SURVEY, source_id=str(answer.id)
            )

        made = await visit.act(work)
        if made:
            go(visit.link(f"complaints/{made.number}"))

    said(visit, stored.survey, answer)
    if text:
        ui.button(say("转为投诉", "Open a complaint"), icon="report", on_click=complain).props("outline dense no-caps")


async def _call(visit: Visit, answer_id: UUID) -> None:
    with ui.dialog() as dialog, ui.card().classes("sheet"):
        try:
            await _answer(visit, answer_id)
        except OpenTellerError as error:
            visit.complain(error)
        ui.button(visit.say("关闭", "Close"), on_click=dialog.close).props("flat no-caps")
    dialog.open()
