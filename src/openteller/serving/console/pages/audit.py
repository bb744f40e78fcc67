"""The audit log: who did what to what, filtered, and the chain walked on demand. Knows nothing about how rows are made."""

import json

from nicegui import ui

from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.serving.console.page import ANALYSTS, ConsolePage, Visit
from openteller.serving.console.parts import section, table
from openteller.store import audit
from openteller.store.audit import AuditCheck, AuditEntry

_ROWS = 200


async def draw(visit: Visit) -> None:
    """The page."""
    say, wanted = visit.say, {"actor": "", "action": "", "subject": ""}
    names = {
        "actor": say("操作人", "Who"),
        "action": say("动作（开头）", "Action (begins with)"),
        "subject": say("对象", "What to"),
    }

    async def verify() -> None:
        check = await visit.act(lambda: _check(visit))
        if check:
            result.set_text(_checked(visit, check))
            result.classes(replace="note" if check.intact else "fault")

    with section(say("完整性", "Integrity")), ui.element("div").classes("line"):
        ui.button(say("校验哈希链", "Verify the chain"), icon="verified", on_click=verify).props("outline no-caps")
        result = ui.label(
            say("逐行重算，大库可能需要一会儿。", "Every row is computed anew; a large log takes a while.")
        )
        result.classes("note")

    @ui.refreshable
    async def rows() -> None:
        asked = {name: normalise(value or "") for name, value in wanted.items()}
        found = await visit.read(lambda: _page(visit, asked))
        columns = [("seq", "#"), ("at", say("时间", "When")), ("actor", say("操作人", "Who")),
                   ("action", say("动作", "Action")), ("subject", say("对象", "What to")),
                   ("detail", say("细节", "Detail"))]  # fmt: skip
        table(visit, columns, [_row(visit, entry) for entry in found], file="audit")

    with section(say("日志", "Log"), say(f"最近 {_ROWS} 行。", f"The latest {_ROWS} rows.")):
        with ui.element("div").classes("line"):
            for name, label in names.items():
                field = ui.input(label).props("dense outlined").classes("grow")
                field.on_value_change(lambda event, name=name: wanted.update({name: event.value}))
                field.on("keydown.enter", rows.refresh)
            ui.button(say("筛选", "Filter"), icon="filter_alt", on_click=rows.refresh).props("outline no-caps")
        await rows()


PAGE = ConsolePage("audit", LocalText(zh="审计", en="Audit"), "fact_check", ANALYSTS, draw)


def _page(visit: Visit, asked: dict[str, str]) -> list[AuditEntry]:
    with visit.serving.application.database.session(visit.principal) as session:
        return audit.page(session, **asked, limit=_ROWS)  # type: ignore[arg-type]


def _check(visit: Visit) -> AuditCheck:
    with visit.serving.application.database.session(visit.principal) as session:
        return audit.verify(session)


def _checked(visit: Visit, check: AuditCheck) -> str:
    if check.intact:
        head = check.head[:12]
        return visit.say(f"完整：{check.rows:,} 行，末行 {head}…", f"Intact: {check.rows:,} rows, the last {head}…")
    return visit.say(
        f"第 {check.broken_at} 行不对：{check.reason}", f"Row {check.broken_at} does not fit: {check.reason}"
    )


def _row(visit: Visit, entry: AuditEntry) -> dict[str, str]:
    detail = json.dumps(entry.detail, ensure_ascii=False)
    return {
        "seq": str(entry.seq), "at": visit.local(entry.at), "actor": entry.actor, "action": entry.action,
        "subject": entry.subject, "detail": detail if len(detail) <= 160 else detail[:157] + "…",
    }  # fmt: skip
