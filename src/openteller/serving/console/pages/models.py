"""Models: every version with its stage and history, its card, two side by side, and promoting or going back with a reason.

Knows nothing about how a model is measured or served.
"""

from dataclasses import dataclass

from nicegui import ui

from openteller.core.errors import BadInput
from openteller.core.records import LocalText, Role
from openteller.core.text import normalise
from openteller.registry.card import card
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Slot, Stage, Version
from openteller.serving.console.page import ANALYSTS, ConsolePage, Visit, go
from openteller.serving.console.parts import section, table

STAGES = {
    Stage.CANDIDATE: LocalText(zh="候选", en="candidate"),
    Stage.CHAMPION: LocalText(zh="在用", en="champion"),
    Stage.RETIRED: LocalText(zh="退役", en="retired"),
}
_SHORT = 12


async def draw(visit: Visit) -> None:
    """The page."""
    say, registry = visit.say, visit.serving.application.registry
    slots = await visit.read(registry.slots)
    if not slots:
        with section(""):
            ui.label(
                say(
                    "登记库里还没有模型：teller models register。",
                    "The registry holds no model yet: teller models register.",
                )
            ).classes("note")
    for slot in slots:
        await _slot(_Models(visit, registry, slot))


PAGE = ConsolePage("models", LocalText(zh="模型", en="Models"), "model_training", ANALYSTS, draw)


@dataclass(frozen=True)
class _Models:
    """One slot on one page."""

    visit: Visit
    registry: ModelRegistry
    slot: Slot


async def _slot(shown: _Models) -> None:
    visit, slot, say = shown.visit, shown.slot, shown.visit.say
    versions = slot.versions()
    with section(f"{slot.name} · {slot.task}"):
        columns = [("version", say("版本", "Version")), ("stage", say("阶段", "Stage")), ("since", say("自", "Since")),
                   ("actor", say("操作人", "By")), ("reason", say("理由", "Reason"))]  # fmt: skip
        table(visit, columns, [_row(visit, version) for version in versions], file=f"{slot.name}-versions")
        _compare(shown, versions)
        with ui.expansion(say("模型卡", "Model card")).classes("full"):
            _card(shown, versions)
        with ui.expansion(say("历史", "History")).classes("full"):
            _history(shown)
        if visit.principal.role is Role.ADMIN:
            _change(shown, versions)
        else:
            ui.label(say("换用模型由管理员决定。", "Administrators decide which model serves.")).classes("note")


def _row(visit: Visit, version: Version) -> dict[str, str]:
    forced = visit.say("（强制）", " (forced)") if version.forced else ""
    return {
        "version": version.version[:_SHORT], "stage": visit.of(STAGES[version.stage]), "since": visit.local(version.since),
        "actor": version.actor, "reason": version.reason + forced,
    }  # fmt: skip


def _named(visit: Visit, versions: tuple[Version, ...], *stages: Stage) -> dict[str, str]:
    wanted = [v for v in versions if not stages or v.stage in stages]
    return {v.version: f"{v.version[:_SHORT]} · {visit.of(STAGES[v.stage])}" for v in reversed(wanted)}


def _compare(shown: _Models, versions: tuple[Version, ...]) -> None:
    visit, slot, say = shown.visit, shown.slot, shown.visit.say
    names = _named(visit, versions)
    if len(names) < 2:
        return
    chosen = list(names)[:2]

    @ui.refreshable
    async def pairs() -> None:
        one, two = slot.version(str(first.value)), slot.version(str(second.value))
        found = await visit.act(lambda: shown.registry.compare(one, two)) or ()
        columns = [("figure", say("指标", "Figure")), ("a", one.version[:_SHORT]), ("b", two.version[:_SHORT]),
                   ("difference", say("差", "Difference"))]  # fmt: skip
        rows = [
            {"figure": p.figure, "a": _number(p.a), "b": _number(p.b), "difference": _number(p.difference, "+")}
            for p in found
        ]
        table(visit, columns, rows, numbers=("a", "b", "difference"), file=f"{slot.name}-compared", page=12)

    with ui.expansion(say("比较两个版本", "Compare two versions")).classes("full"):
        with ui.element("div").classes("line"):
            first = ui.select(names, value=chosen[1], on_change=pairs.refresh).props("dense outlined").classes("grow")
            second = ui.select(names, value=chosen[0], on_change=pairs.refresh).props("dense outlined").classes("grow")
        ui.timer(0.01, pairs, once=True)


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.4f}"


def _card(shown: _Models, versions: tuple[Version, ...]) -> None:
    names = _named(shown.visit, versions)

    @ui.refreshable
    async def text() -> None:
        folder = shown.registry.folder(shown.slot.name, str(chosen.value))
        found = await shown.visit.act(lambda: card(folder))
        if found:
            # The card begins with metadata for model hubs, which a person need not read.
            ui.markdown(found.split("---", 2)[-1] if found.startswith("---") else found).classes("card")

    chosen = ui.select(names, value=shown.slot.champion or next(iter(names)), on_change=text.refresh)
    chosen.props("dense outlined")
    ui.timer(0.01, text, once=True)


def _history(shown: _Models) -> None:
    visit, say = shown.visit, shown.visit.say
    columns = [("at", say("时间", "When")), ("action", say("动作", "Action")), ("version", say("版本", "Version")),
               ("actor", say("操作人", "By")), ("reason", say("理由", "Reason")), ("gates", say("门槛", "Gates"))]  # fmt: skip
    rows = [
        {"at": visit.local(c.at), "action": str(c.action), "version": c.version[:_SHORT], "actor": c.actor,
         "reason": c.reason, "gates": "; ".join(map(str, c.verdicts))}
        for c in reversed(shown.slot.changes)
    ]  # fmt: skip
    table(visit, columns, rows, page=10)


def _change(shown: _Models, versions: tuple[Version, ...]) -> None:
    visit, slot, say = shown.visit, shown.slot, shown.visit.say
    candidates = _named(visit, versions, Stage.CANDIDATE)
    application, who = visit.serving.application, visit.principal.subject
    restart = say("已完成；重启服务后生效。", "Done; it serves after a restart.")

    def given() -> str:
        reason = normalise(why.value or "")
        if not reason:
            raise BadInput(say("请写明理由。", "A reason is needed."))
        return reason

    async def promote() -> None:
        def work() -> bool:
            if not chosen.value:
                raise BadInput(say("请选择候选版本。", "Choose a candidate."))
            application.promote(slot.name, str(chosen.value), actor=who, reason=given())
            return True

        await _done(visit, await visit.act(work, restart))

    async def rollback() -> None:
        def work() -> bool:
            shown.registry.rollback(slot.name, actor=who, reason=given())
            return True

        await _done(visit, await visit.act(work, restart))

    with ui.element("div").classes("line"):
        chosen = ui.select(candidates, label=say("候选", "Candidate")).props("dense outlined").classes("grow")
        why = (
            ui.input(say("理由（必填，入审计）", "Reason (needed, audited)"))
            .props("dense outlined maxlength=500")
            .classes("grow")
        )
        ui.button(say("换用", "Promote"), icon="upgrade", on_click=promote).props("unelevated no-caps")
        if slot.previous:
            ui.button(say("退回上一版", "Roll back"), icon="undo", on_click=rollback).props("outline no-caps")


async def _done(visit: Visit, done: bool | None) -> None:
    if done:
        ui.timer(1.5, lambda: go(visit.link("models")), once=True)
