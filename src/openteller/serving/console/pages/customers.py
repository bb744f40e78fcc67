"""Customers: the way to one's profile, and how many are in which segment. Knows nothing about how a profile is derived."""

from urllib.parse import quote

from nicegui import ui

from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.profile.segments import SEGMENTS
from openteller.serving.console.page import AGENTS, ConsolePage, Visit, go
from openteller.serving.console.parts import chart, section
from openteller.serving.deps import on_behalf


async def draw(visit: Visit) -> None:
    """The page."""
    say = visit.say

    async def search() -> None:
        number = normalise(field.value or "")
        if not number:
            return
        if await visit.act(lambda: on_behalf(visit.serving, visit.principal, number)):
            go(f"/staff/customers/{quote(number, safe='')}?lang={visit.language}", new=True)

    note = say("每次查看都记入审计日志。", "Each look is in the audit log.")
    with section(say("查找客户", "Find a customer"), note), ui.element("div").classes("line"):
        field = ui.input(say("客户号", "Customer number"), placeholder="C000001").props("dense outlined maxlength=64")
        field.classes("grow").on("keydown.enter", search)
        ui.button(say("查看画像", "Show the profile"), icon="person_search", on_click=search).props(
            "unelevated no-caps"
        )
    await _segments(visit)


PAGE = ConsolePage("customers", LocalText(zh="客户", en="Customers"), "groups", AGENTS, draw)


async def _segments(visit: Visit) -> None:
    say = visit.say
    counts = await visit.read(lambda: _counted(visit))
    note = say(
        "同意个性化的客户，按最近消费、频次和金额分群。",
        "Customers who agreed to personalisation, by how lately, often and much they buy.",
    )
    with section(say("客户分群", "Segments"), note):
        if not counts:
            ui.label(
                say("还没有计算：teller customers recompute。", "Not computed yet: teller customers recompute.")
            ).classes("note")
            return
        names = [SEGMENTS[code].zh if visit.language == "zh" else SEGMENTS[code].en for code in SEGMENTS]
        values = {say("客户数", "customers"): [float(counts.get(code, 0)) for code in SEGMENTS]}
        chart(visit, "segments", names, values)


def _counted(visit: Visit) -> dict[str, int]:
    with visit.serving.application.database.session(visit.principal) as session:
        return BehaviourRepository(visit.zone).segments(session, visit.serving.today)
