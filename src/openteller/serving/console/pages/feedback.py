"""Feedback: turns worth a look, corrections and their review by a second person, and why a text was understood so.

Knows nothing about training.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any

from nicegui import ui

from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.feedback.records import NONE, Correction, Head, QueuedTurn, Status
from openteller.serving.console.page import STAFF, ConsolePage, Visit
from openteller.serving.console.parts import section, table
from openteller.serving.console.words import MOODS, OUTCOMES
from openteller.understanding.explaining import MAX_EXPLAINED_CHARACTERS, Explanation
from openteller.understanding.personal_data import drop_secrets

_HEADS = {
    Head.INTENT: LocalText(zh="意图", en="intent"),
    Head.SENTIMENT: LocalText(zh="情绪", en="sentiment"),
    Head.NEEDS: LocalText(zh="需求", en="needs"),
}
_STATUS = {
    Status.PENDING: LocalText(zh="待复核", en="pending"),
    Status.ACCEPTED: LocalText(zh="已采纳", en="accepted"),
    Status.REJECTED: LocalText(zh="已拒绝", en="rejected"),
}
_EXPLAINED = (Head.INTENT, Head.SENTIMENT)
_ROWS = 100
Act = Callable[[], Awaitable[Any]]


async def draw(visit: Visit) -> None:
    """The page."""
    say, desk = visit.say, visit.serving.application.feedback
    labels = await visit.read(lambda: desk.labels(visit.principal))

    async def changed() -> None:
        if visit.principal.role.value != "agent":
            await queue.refresh()
        await corrections.refresh()

    @ui.refreshable
    async def queue() -> None:
        turns = await visit.read(lambda: desk.queue(visit.principal, limit=_ROWS))
        columns = [("at", say("时间", "When")), ("text", say("客户原话", "What was said")), ("intent", say("意图", "Intent")),
                   ("mood", say("情绪", "Mood")), ("outcome", say("结果", "Outcome")), ("why", say("原因", "Why"))]  # fmt: skip
        rows = [_queued(visit, turn) for turn in turns]
        by_id = {str(turn.trace_id): turn for turn in turns}
        table(
            visit,
            columns,
            rows,
            on_row=lambda row: _correct(visit, by_id[row["id"]], labels, changed),
            file="feedback-queue",
        )

    @ui.refreshable
    async def corrections() -> None:
        found = await visit.read(lambda: desk.list(visit.principal, limit=_ROWS))
        if not found:
            ui.label(say("还没有更正。", "No corrections yet.")).classes("note")
        for one in found:
            _correction(visit, one, changed)

    with section(say("为什么这样理解", "Why a text is understood so")):
        _explain(visit)
    if visit.principal.role.value != "agent":
        with section(say("待看的对话", "Turns worth a look"), say("点一行来更正。", "Press a row to correct it.")):
            await queue()
    note = say("更正须由另一人复核后才用于训练。", "A second person reviews each before it is trained on.")
    with section(say("更正", "Corrections"), note):
        await corrections()


PAGE = ConsolePage("feedback", LocalText(zh="反馈与标注", en="Feedback"), "rate_review", STAFF, draw)


def _queued(visit: Visit, turn: QueuedTurn) -> dict[str, str]:
    mood = visit.of(MOODS[turn.sentiment.label]) if turn.sentiment.label in MOODS else turn.sentiment.label
    return {
        "id": str(turn.trace_id), "at": visit.local(turn.at), "text": turn.text,
        "intent": f"{turn.intent.label} {turn.intent.probability:.0%}", "mood": mood,
        "outcome": visit.of(OUTCOMES[turn.outcome]), "why": "; ".join(turn.reasons),
    }  # fmt: skip


def _correct(visit: Visit, turn: QueuedTurn, labels: Mapping[Head, tuple[str, ...]], changed: Act) -> None:
    say, desk = visit.say, visit.serving.application.feedback
    with ui.dialog() as dialog, ui.card().classes("sheet"):
        ui.label(turn.text).classes("text strong")
        if turn.comment:
            ui.label(say(f"客户评论：{turn.comment}", f"Comment: {turn.comment}")).classes("note")
        why = ui.html("", sanitize=False).classes("text")
        head = ui.select(
            {h: visit.of(_HEADS[h]) for h in Head}, value=Head.INTENT, label=say("哪里错了", "What was wrong")
        )
        right = ui.select(list(labels[Head.INTENT]), label=say("应为", "Should be"), with_input=True, multiple=True)

        async def attribute() -> None:
            chosen = Head(head.value)
            if chosen in _EXPLAINED and len(turn.text) <= MAX_EXPLAINED_CHARACTERS:
                found = await visit.act(lambda: visit.serving.application.explainer.explain(turn.text, chosen.value))
                why.set_content(_marked(visit, found) if found else "")

        async def choose() -> None:
            chosen = Head(head.value)
            right.set_options([*labels[chosen], *([NONE] if chosen is Head.NEEDS else [])], value=[])
            await attribute()

        async def save() -> None:
            chosen, given = Head(head.value), list(right.value or [])
            done = say("已提交，等待另一人复核。", "Stored; it waits for somebody else's review.")
            if await visit.act(lambda: desk.correct(visit.principal, chosen, given, trace_id=turn.trace_id), done):
                dialog.close()
                await changed()

        head.on_value_change(choose)
        with ui.element("div").classes("line"):
            ui.button(say("提交更正", "Store the correction"), on_click=save).props("unelevated no-caps")
            ui.button(say("取消", "Cancel"), on_click=dialog.close).props("flat no-caps")
        ui.timer(0.05, attribute, once=True)
    dialog.open()


def _correction(visit: Visit, one: Correction, changed: Act) -> None:
    say, desk = visit.say, visit.serving.application.feedback

    async def decide(status: Status) -> None:
        if await visit.act(lambda: desk.review(visit.principal, one.id, status), visit.of(_STATUS[status])):
            await changed()

    with ui.element("div").classes("line item"):
        ui.label(visit.of(_STATUS[one.status])).classes("chip")
        ui.label(one.text).classes("grow text")
        ui.label(f"{visit.of(_HEADS[one.head])} → {', '.join(one.labels)}").classes("chip")
        ui.label(f"{one.author} · {visit.local(one.created_at)}").classes("note")
        if (
            one.status is Status.PENDING
            and one.author != visit.principal.subject
            and visit.principal.role.value != "agent"
        ):
            ui.button(say("采纳", "Accept"), on_click=lambda: decide(Status.ACCEPTED)).props("outline dense no-caps")
            ui.button(say("拒绝", "Reject"), on_click=lambda: decide(Status.REJECTED)).props("flat dense no-caps")


def _explain(visit: Visit) -> None:
    say = visit.say

    async def ask() -> None:
        text, chosen = drop_secrets(normalise(field.value or "")), Head(head.value)
        if text:
            found = await visit.act(lambda: visit.serving.application.explainer.explain(text, chosen.value))
            if found:
                shown.set_content(_marked(visit, found))

    with ui.element("div").classes("line"):
        field = ui.input(say("一句话", "A sentence")).props(f"dense outlined maxlength={MAX_EXPLAINED_CHARACTERS}")
        field.classes("grow").on("keydown.enter", ask)
        head = (
            ui.select({h: visit.of(_HEADS[h]) for h in _EXPLAINED}, value=Head.INTENT)
            .props("dense outlined")
            .classes("narrow")
        )
        ui.button(say("解释", "Explain"), icon="lightbulb", on_click=ask).props("outline no-caps")
    shown = ui.html("", sanitize=False).classes("text")


def _marked(visit: Visit, found: Explanation) -> str:
    """The text with what spoke for the label on green, and what spoke against it on brown: the stronger, the deeper."""
    most = max((abs(span.score) for span in found.spans), default=0.0) or 1.0
    pieces, at = [], 0
    for span in found.spans:
        pieces.append(escape(found.text[at : span.start]))
        depth = abs(span.score) / most * 0.55
        colour = "47,125,104" if span.score >= 0 else "164,87,31"
        style = f"background:rgba({colour},{depth:.2f})"
        word = escape(found.text[span.start : span.end])
        pieces.append(f'<span class="word" style="{style}" title="{span.score:+.2f}">{word}</span>')
        at = span.end
    pieces.append(escape(found.text[at:]))
    legend = visit.say(
        "绿色支持，棕色反对；数值为去掉该词后的对数几率之差。",
        "Green speaks for it, brown against; a word's figure is what the log-odds lose without it.",
    )
    label = f"{visit.of(_HEADS[Head(found.head)])} {escape(found.label)} {found.probability:.0%}"
    return f'<div>{"".join(pieces)}</div><div class="note">{label} · {legend}</div>'
