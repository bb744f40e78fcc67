"""Complaints by their last day, and one with what was done about it: assign, note, extend, close, open by hand.

Knows nothing about the statutory clock; who may do what is the desk's to say.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from openteller.core.errors import NotFound
from openteller.core.records import MAX_INQUIRY_CHARACTERS, LocalText
from openteller.core.text import normalise
from openteller.insights.complaints import clock
from openteller.insights.complaints.desk import MAX_NOTE_CHARACTERS, RUNNING
from openteller.insights.complaints.records import Complaint, Event, Origin, Status, Step
from openteller.serving.console.page import ANALYSTS, STAFF, ConsolePage, Visit, go, link
from openteller.serving.console.parts import chart, figures, section, table

_ROWS = 500
_STATUS = {
    Status.OPEN: LocalText(zh="待分派", en="open"),
    Status.ASSIGNED: LocalText(zh="处理中", en="assigned"),
    Status.CLOSED: LocalText(zh="已办结", en="closed"),
}
_ORIGINS = {
    Origin.CONVERSATION: LocalText(zh="对话", en="conversation"),
    Origin.SURVEY: LocalText(zh="问卷", en="survey"),
    Origin.STAFF: LocalText(zh="员工登记", en="by hand"),
}
_STEPS = {
    Step.OPENED: LocalText(zh="受理", en="opened"),
    Step.ASSIGNED: LocalText(zh="分派", en="assigned"),
    Step.EXTENDED: LocalText(zh="延期", en="extended"),
    Step.NOTED: LocalText(zh="备注", en="noted"),
    Step.CLOSED: LocalText(zh="办结", en="closed"),
}
_FIELD = "dense outlined"
_WORDS = f"dense outlined autogrow type=textarea maxlength={MAX_NOTE_CHARACTERS}"
Changed = Callable[[], Awaitable[Any]]


async def draw(visit: Visit) -> None:
    """The list, or the complaint that the address names."""
    if "number" not in visit.query:
        await _list(visit)
        return
    number = visit.query["number"]
    if not (number.isascii() and number.isdigit()) or int(number) >= 2**63:
        raise NotFound(visit.say("没有这件投诉。", "There is no such complaint."))
    await _one(visit, int(number))


PAGE = ConsolePage("complaints", LocalText(zh="投诉", en="Complaints"), "assignment_late", STAFF, draw, item="number")


async def _list(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.complaints
    running = await visit.read(lambda: desk.list(visit.principal, limit=_ROWS))
    choices = {"running": say("未办结", "Not closed"), "mine": say("我的", "Mine"), "closed": say("已办结", "Closed")}

    @ui.refreshable
    async def rows() -> None:
        statuses = (Status.CLOSED,) if chosen.value == "closed" else RUNNING
        owner = visit.principal.subject if chosen.value == "mine" else None
        found = await visit.read(lambda: desk.list(visit.principal, statuses=statuses, owner=owner, limit=_ROWS))
        if len(found) == _ROWS:
            ui.label(say(f"显示期限最早的 {_ROWS} 件。", f"The {_ROWS} with the earliest last day.")).classes("note")
        columns = [("number", say("编号", "Number")), ("left", say("剩余天数", "Days left")), ("due", say("期限", "Due")),
                   ("status", say("状态", "State")), ("owner", say("承办人", "Owner")), ("customer", say("客户", "Customer")),
                   ("source", say("来源", "From")), ("text", say("投诉内容", "What was said"))]  # fmt: skip
        table(visit, columns, [_row(visit, one) for one in found], numbers=("number", "left"),
              file="complaints" if found else "",
              on_row=lambda row: go(visit.link(f"complaints/{row['id']}")))  # fmt: skip

    with section(""):
        figures(_counted(visit, running))
    note = say("期限最早的在前；点一行来处理。", "Those due first come first; press a row to work on it.")
    with section(say("投诉", "Complaints"), note):
        chosen = ui.toggle(choices, value="running", on_change=rows.refresh).props("no-caps unelevated")
        await rows()
    if running:
        _by_days(visit, running)
    with section(say("登记投诉", "Open a complaint")):
        _open(visit)


def _row(visit: Visit, one: Complaint) -> dict[str, str]:
    return {
        "id": str(one.number), "number": str(one.number), "left": _left(visit, one), "due": str(one.due_on),
        "status": visit.of(_STATUS[one.status]), "owner": one.owner or "–", "customer": one.customer_id or "–",
        "source": visit.of(_ORIGINS[one.source]), "text": one.text,
    }  # fmt: skip


def _left(visit: Visit, one: Complaint) -> str:
    if one.status is Status.CLOSED:
        return "–"
    left = one.days_left(visit.serving.today)
    return visit.say(f"超期 {-left} 天", f"{-left} late") if left < 0 else f"{left}"


def _counted(visit: Visit, running: tuple[Complaint, ...]) -> list[tuple[str, str, str]]:
    say, left = visit.say, [one.days_left(visit.serving.today) for one in running]
    return [
        (say("超期", "Overdue"), f"{sum(days < 0 for days in left):,}", ""),
        (say(f"{clock.WARN_DAYS} 天内到期", f"Due within {clock.WARN_DAYS} days"),
         f"{sum(0 <= days <= clock.WARN_DAYS for days in left):,}", ""),
        (say("待分派", "Nobody's yet"), f"{sum(one.status is Status.OPEN for one in running):,}", ""),
        (say("未办结", "Not closed"), f"{len(running):,}", ""),
    ]  # fmt: skip


def _by_days(visit: Visit, running: tuple[Complaint, ...]) -> None:
    say, left = visit.say, [one.days_left(visit.serving.today) for one in running]
    ends = (clock.WARN_DAYS, 7, *clock.LIMITS)
    begins = (0, *(end + 1 for end in ends))
    names = [say("超期", "overdue"), *(f"{low}–{high}" for low, high in zip(begins, ends, strict=False))]
    counts = [sum(days < 0 for days in left)]
    counts += [sum(low <= days <= high for days in left) for low, high in zip(begins, ends, strict=False)]
    with section(say("未办结投诉的剩余天数", "Days left of those not closed")):
        chart(
            visit,
            "complaints-by-days",
            names,
            {say("投诉", "complaints"): [float(count) for count in counts]},
            across=True,
        )


def _open(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.complaints

    async def save() -> None:
        def work() -> Complaint:
            text, whose = normalise(words.value or ""), normalise(customer.value or "") or None
            return desk.open(visit.principal, text, customer_id=whose, received_on=visit.day(received.value or ""))

        made = await visit.act(work)
        if made:
            go(visit.link(f"complaints/{made.number}"))

    words = ui.input(say("投诉内容", "What was said")).props(
        f"dense outlined autogrow type=textarea maxlength={MAX_INQUIRY_CHARACTERS}"
    )
    with ui.element("div").classes("line"):
        customer = ui.input(say("客户号（可空）", "Customer number (may be empty)"), placeholder="C000001")
        customer.props(f"{_FIELD} maxlength=64").classes("grow")
        received = ui.input(say("收到日（空为今天）", "Day of receipt (empty: today)"), placeholder="2026-01-31")
        received.props(f"{_FIELD} maxlength=10").classes("grow")
        ui.button(say("登记", "Open"), icon="add", on_click=save).props("unelevated no-caps")


async def _one(visit: Visit, number: int) -> None:
    link(visit.say("← 全部投诉", "← All complaints"), visit.link("complaints"))
    desk = visit.serving.application.complaints

    @ui.refreshable
    async def shown() -> None:
        found, events = await visit.read(lambda: desk.get(visit.principal, number))
        _head(visit, found)
        if found.status is not Status.CLOSED:
            _steps(visit, found, shown.refresh)
        _events(visit, events)

    with ui.column().classes("gap"):
        await shown()


def _head(visit: Visit, one: Complaint) -> None:
    say = visit.say
    late = one.status is not Status.CLOSED and one.days_left(visit.serving.today) < 0
    with section(say(f"投诉 {one.number}", f"Complaint {one.number}")):
        with ui.element("div").classes("line"):
            ui.label(visit.of(_STATUS[one.status])).classes("chip warn" if late else "chip")
            ui.label(visit.of(_ORIGINS[one.source])).classes("chip")
            ui.label(f"{one.opened_by} · {visit.local(one.opened_at)}").classes("note")
        figures([
            (say("剩余天数", "Days left"), _left(visit, one), say(f"期限 {one.due_on}", f"due {one.due_on}")),
            (say("收到日", "Received"), str(one.received_on), ""),
            (say("延期", "Extensions"), str(one.extensions), ""),
            (say("承办人", "Owner"), one.owner or "–", ""),
            (say("客户", "Customer"), one.customer_id or "–", ""),
        ])  # fmt: skip
        ui.label(one.text).classes("said customer text")
        if one.decision:
            ui.label(say("处理决定", "Decision")).classes("note")
            ui.label(one.decision).classes("text strong")
            ui.label(visit.local(one.closed_at) if one.closed_at else "").classes("note")


def _steps(visit: Visit, one: Complaint, changed: Changed) -> None:
    with section(visit.say("处理", "Work on it")):
        _assign(visit, one, changed)
        _note(visit, one, changed)
        _extend(visit, one, changed)
        _close(visit, one, changed)


def _assign(visit: Visit, one: Complaint, changed: Changed) -> None:
    say, desk, me = visit.say, visit.serving.application.complaints, visit.principal.subject

    async def give(owner: str) -> None:
        if await visit.act(lambda: desk.assign(visit.principal, one.number, owner), say("已分派。", "Assigned.")):
            await changed()

    with ui.element("div").classes("line"):
        if visit.principal.role in ANALYSTS:
            owner = ui.input(say("承办人", "Owner"), value=one.owner or "", placeholder="agent.li")
            owner.props(f"{_FIELD} maxlength=200").classes("grow")
            ui.button(say("分派", "Assign"), on_click=lambda: give(normalise(owner.value or ""))).props(
                "outline no-caps"
            )
        if one.owner != me:
            ui.button(say("由我承办", "Take it"), icon="back_hand", on_click=lambda: give(me)).props("flat no-caps")


def _note(visit: Visit, one: Complaint, changed: Changed) -> None:
    say, desk = visit.say, visit.serving.application.complaints

    async def save() -> None:
        text = normalise(words.value or "")
        if await visit.act(lambda: desk.note(visit.principal, one.number, text), say("已记下。", "Noted.")):
            await changed()

    with ui.element("div").classes("line"):
        words = ui.input(say("备注：做了什么、说了什么", "Note: what was done or said")).props(_WORDS).classes("grow")
        ui.button(say("记下", "Add the note"), on_click=save).props("outline no-caps")


def _extend(visit: Visit, one: Complaint, changed: Changed) -> None:
    say, desk = visit.say, visit.serving.application.complaints
    if not clock.may_extend(one.extensions):
        ui.label(say("已延期两次，不能再延。", "It was extended twice, and cannot be again.")).classes("note")
        return
    if one.days_left(visit.serving.today) < 0:
        ui.label(say("已超期，不能再延。", "Its time is over, and cannot be extended.")).classes("note")
        return
    second, limit = clock.needs_approval(one.extensions), clock.due_on(one.received_on, one.extensions + 1)

    async def save() -> None:
        reason, who = normalise(words.value or ""), normalise(asked.value or "")
        done = say(f"已延至 {limit}。", f"Extended to {limit}.")

        def work() -> Complaint:
            told = bool(informed.value)
            return desk.extend(visit.principal, one.number, reason, asked_by=who, informed=told)

        if await visit.act(work, done):
            await changed()

    with ui.element("div").classes("line"):
        words = ui.input(say(f"延期理由（至 {limit}）", f"Why extend (to {limit})")).props(_WORDS).classes("grow")
        asked = ui.input(say("申请人", "Who asked for it"), placeholder="agent.li").props(f"{_FIELD} maxlength=200")
        asked.classes("grow").set_visibility(second)
        informed = ui.checkbox(say("已告知投诉人", "The complainant was told"))
        informed.set_visibility(second)
        ui.button(say("延期", "Extend"), on_click=save).props("outline no-caps")
    if second:
        text = "第二次延期由分析员或管理员批准，申请人不得自批。"
        ui.label(
            say(text, "The second extension is approved by an analyst or administrator other than who asked.")
        ).classes("note")


def _close(visit: Visit, one: Complaint, changed: Changed) -> None:
    say, desk = visit.say, visit.serving.application.complaints

    async def save() -> None:
        decision, told = normalise(words.value or ""), bool(informed.value)

        def work() -> Complaint:
            return desk.close(visit.principal, one.number, decision, informed=told)

        if await visit.act(work, say("已办结。", "Closed.")):
            await changed()

    with ui.element("div").classes("line"):
        words = ui.input(say("处理决定", "Decision")).props(_WORDS).classes("grow")
        informed = ui.checkbox(say("已告知投诉人", "The complainant was told"))
        ui.button(say("办结", "Close"), icon="task_alt", on_click=save).props("unelevated no-caps")


def _events(visit: Visit, events: tuple[Event, ...]) -> None:
    with section(visit.say("经过", "What was done")):
        for event in events:
            with ui.element("div").classes("line item"):
                ui.label(visit.of(_STEPS[event.kind])).classes("chip")
                ui.label(" · ".join(filter(None, (event.note, _detail(visit, event))))).classes("grow text")
                ui.label(f"{event.actor} · {visit.local(event.at)}").classes("note")


def _detail(visit: Visit, event: Event) -> str:
    say, detail = visit.say, event.detail
    if event.kind is Step.ASSIGNED:
        return f"→ {detail['owner']}"
    if event.kind is Step.EXTENDED:
        asked = (
            say(f"，申请人 {detail['asked_by']}", f", asked for by {detail['asked_by']}") if detail["asked_by"] else ""
        )
        return say(f"至 {detail['due_on']}{asked}", f"to {detail['due_on']}{asked}")
    if event.kind is Step.CLOSED:
        late = say("，超期", ", late") if detail["late"] else ""
        return say(f"用时 {detail['days']} 天{late}", f"after {detail['days']} days{late}")
    return say(f"期限 {detail['due_on']}", f"due {detail['due_on']}") if event.kind is Step.OPENED else ""
