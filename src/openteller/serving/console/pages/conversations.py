"""The hand-off desk and live conversations: who waits, what was said, and the field in which a person answers.

Knows nothing about who may take what (assistant/hand_offs/desk.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from nicegui import ui

from openteller.assistant.hand_offs.desk import HandOffDesk
from openteller.assistant.hand_offs.records import WITH_A_PERSON, Context, Conversation, LedBy, StaffMessage
from openteller.core.clock import utc_now
from openteller.core.errors import OpenTellerError
from openteller.core.records import LocalText, Turn
from openteller.serving.console.frame import failure
from openteller.serving.console.page import AGENTS, ConsolePage, Visit, link
from openteller.serving.console.parts import section
from openteller.serving.console.words import CHANNELS, MOODS, OUTCOMES

_SECONDS = 3.0
_SHOWN_SOURCES = 3
Act = Callable[[], Awaitable[None]]


@dataclass
class _Desk:
    """What one open page of the desk holds."""

    visit: Visit
    chosen: UUID | None = None
    waiting: tuple[Conversation, ...] = ()
    live: tuple[Conversation, ...] = ()
    context: Context | None = None
    problem: OpenTellerError | None = None
    draft: str = ""

    @property
    def desk(self) -> HandOffDesk:
        return self.visit.serving.application.hand_offs

    async def load(self) -> bool:
        """Read the lists and the chosen conversation anew; whether anything changed."""
        before, chosen = (self.waiting, self.live, self.context), self.chosen
        try:
            found = await self.visit.read(lambda: self._read(chosen))
        except OpenTellerError as error:
            self.problem = error
            return True
        if chosen == self.chosen:  # else somebody chose another meanwhile, which is being read
            (self.waiting, self.live, self.context), self.problem = found, None
        return before != (self.waiting, self.live, self.context)

    def _read(self, chosen: UUID | None) -> tuple[tuple[Conversation, ...], tuple[Conversation, ...], Context | None]:
        who = self.visit.principal
        context = self.desk.context(who, chosen) if chosen else None
        return self.desk.waiting(who), self.desk.live(who), context


async def draw(visit: Visit) -> None:
    """The page."""
    page = _Desk(visit, _asked(visit))
    await page.load()

    @ui.refreshable
    def lists() -> None:
        _lists(page, choose)

    @ui.refreshable
    def talk() -> None:
        _talk(page, changed)

    async def choose(conversation_id: UUID) -> None:
        page.chosen, page.draft = conversation_id, ""
        await changed()
        # On a telephone the conversation stands below the lists.
        ui.run_javascript(f"if (innerWidth < 900) getElement({beside.id}).$el.scrollIntoView()")

    async def changed() -> None:
        await page.load()
        lists.refresh()
        talk.refresh()

    async def look() -> None:
        seen = page.context
        if await page.load():
            lists.refresh()
            if page.context != seen:
                talk.refresh()

    with ui.element("div").classes("desk"):
        with ui.column().classes("gap"):
            lists()
        with ui.column().classes("gap") as beside:
            talk()
    ui.timer(_SECONDS, look)


PAGE = ConsolePage("conversations", LocalText(zh="对话与人工", en="Conversations"), "forum", AGENTS, draw)


def _asked(visit: Visit) -> UUID | None:
    try:
        return UUID(visit.query["c"]) if "c" in visit.query else None
    except ValueError:
        return None


def _lists(page: _Desk, choose: Callable[[UUID], Awaitable[None]]) -> None:
    say = page.visit.say
    waiting = [c for c in page.waiting if c.standing is LedBy.WAITING]
    led = [c for c in page.waiting if c.standing is LedBy.PERSON]
    known = {c.conversation_id for c in page.waiting}
    parts = (
        (say("等待人工", "Waiting for a person"), waiting, say("没有客户在等。", "Nobody waits.")),
        (say("人工处理中", "With a person"), led, ""),
        (say("进行中的对话", "Live conversations"), [c for c in page.live if c.conversation_id not in known],
         say("最近半小时没有对话。", "None in the last half hour.")),
    )  # fmt: skip
    for title, conversations, nothing in parts:
        if not conversations and not nothing:
            continue
        with section(f"{title} ({len(conversations)})"):
            for one in conversations:
                _listed(page, one, choose)
            if not conversations:
                ui.label(nothing).classes("note")


def _listed(page: _Desk, one: Conversation, choose: Callable[[UUID], Awaitable[None]]) -> None:
    visit = page.visit
    chosen = " chosen" if one.conversation_id == page.chosen else ""
    with ui.element("button").classes(f"listed{chosen}").on("click", lambda: choose(one.conversation_id)):
        with ui.element("span").classes("line"):
            ui.label(one.customer_id or visit.say("访客", "Visitor")).classes("strong")
            ui.label(_channel(visit, one.channel)).classes("chip")
            if one.sentiment == "negative":
                ui.label(visit.of(MOODS["negative"])).classes("chip warn")
            ui.label(_since(visit, one)).classes("note right")
        ui.label(one.text).classes("clip")
        if one.taken_by:
            ui.label(one.taken_by).classes("note")


def _since(visit: Visit, one: Conversation) -> str:
    if one.standing is LedBy.WAITING and one.waiting_since:
        minutes = int((utc_now() - one.waiting_since).total_seconds() // 60)
        return visit.say(f"等了 {minutes} 分钟", f"{minutes} min")
    return visit.clock(one.last_at)


def _channel(visit: Visit, channel: str) -> str:
    return visit.of(CHANNELS[channel]) if channel in CHANNELS else channel


def _talk(page: _Desk, changed: Act) -> None:
    say = page.visit.say
    if page.problem:
        failure(page.problem)
    if page.context is None:
        if not page.problem:
            with section(""):
                ui.label(say("请选择一个对话。", "Choose a conversation.")).classes("note")
        return
    _about(page.visit, page.context)
    with section(say("对话", "Conversation")):
        _said(page.visit, page.context)
        _answering(page, page.context.conversation, changed)


def _about(visit: Visit, context: Context) -> None:
    """Who it is, and what a person should know before the first word."""
    say, one = visit.say, context.conversation
    last = context.turns[-1].understanding if context.turns else None
    with section(""), ui.element("div").classes("line"):
        if one.customer_id:
            link(one.customer_id, f"/staff/customers/{quote(one.customer_id, safe='')}", new=True).classes("strong")
        else:
            ui.label(say("访客（未登录）", "Visitor, not logged in")).classes("strong")
        ui.label(_channel(visit, one.channel)).classes("chip")
        if last:
            ui.label(f"{say('意图', 'Intent')} {last.intent.label} {last.intent.probability:.0%}").classes("chip")
            mood = visit.of(MOODS[last.sentiment.label]) if last.sentiment.label in MOODS else last.sentiment.label
            warn = " warn" if last.sentiment.label == "negative" else ""
            ui.label(f"{say('情绪', 'Mood')} {mood} {last.sentiment.score:+.2f}").classes(f"chip{warn}")
            for flag in last.risk_flags:
                ui.label(f"{say('风险', 'Risk')} {flag.label} {flag.probability:.0%}").classes("chip warn")
            for need in last.needs:
                ui.label(f"{say('需求', 'Need')} {need.label}").classes("chip")
    if one.channel == "voice":
        ui.label(
            say(
                "这是语音来电：来电者看不到文字，请接手后回电。",
                "This is a call: the caller sees no text. Take it over and ring back.",
            )
        ).classes("note")


def _said(visit: Visit, context: Context) -> None:
    said: list[tuple[datetime, Turn | StaffMessage]] = [(turn.inquiry.at, turn) for turn in context.turns]
    said += [(message.at, message) for message in context.messages]
    with ui.element("div").classes("talk").props("role=log aria-live=polite tabindex=0"):
        for _, one in sorted(said, key=lambda one: one[0]):
            if isinstance(one, StaffMessage):
                _bubble("staff", f"{one.author} · {visit.clock(one.at)}", one.text)
            else:
                _turn(visit, one)
    ui.run_javascript("document.querySelectorAll('.talk').forEach(log => log.scrollTop = log.scrollHeight)")


def _turn(visit: Visit, turn: Turn) -> None:
    say = visit.say
    _bubble("customer", f"{say('客户', 'Customer')} · {visit.clock(turn.inquiry.at)}", turn.inquiry.text)
    if turn.answer.skill == WITH_A_PERSON:
        return
    with _bubble("assistant", f"AI · {visit.of(OUTCOMES[turn.answer.outcome])}", turn.answer.text):
        for citation in turn.answer.citations[:_SHOWN_SOURCES]:
            ui.label(f"{say('出处', 'Source')}: {citation.title}").classes("by")


def _bubble(kind: str, by: str, text: str) -> ui.element:
    with ui.element("div").classes(f"said {kind}") as bubble:
        ui.label(by).classes("by")
        ui.label(text)
    return bubble


def _answering(page: _Desk, one: Conversation, changed: Act) -> None:
    visit, desk, say = page.visit, page.desk, page.visit.say

    async def take() -> None:
        done = say("已接手，客户的消息会到您这里。", "Taken: what the customer writes comes to you.")
        await visit.act(lambda: desk.take(visit.principal, one.conversation_id), done)
        await changed()

    async def give_back() -> None:
        done = say("已交还给助手。", "Given back to the assistant.")
        await visit.act(lambda: desk.give_back(visit.principal, one.conversation_id), done)
        await changed()

    async def send() -> None:
        text = page.draft
        if await visit.act(lambda: desk.say(visit.principal, one.conversation_id, text)):
            page.draft = ""
            await changed()

    if one.taken_by == visit.principal.subject:
        name = say("写给客户", "Write to the customer")
        ui.textarea(name, value=page.draft, on_change=lambda event: setattr(page, "draft", event.value or "")).props(
            "outlined autogrow dense maxlength=2000"
        ).on("keydown.ctrl.enter", send)
        with ui.element("div").classes("line"):
            ui.button(say("发送", "Send"), icon="send", on_click=send).props("unelevated no-caps")
            ui.button(say("交还助手", "Give back"), icon="undo", on_click=give_back).props("outline no-caps")
            ui.label("Ctrl + Enter").classes("note")
    elif one.taken_by:
        ui.label(say(f"{one.taken_by} 正在处理。", f"{one.taken_by} is answering.")).classes("note")
    else:
        ui.button(say("接手", "Take over"), icon="support_agent", on_click=take).props("unelevated no-caps")
