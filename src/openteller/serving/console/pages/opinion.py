"""The wall of public opinion: what comes in, what grows, what bursts, and what is said of whom.

Knows nothing about how items are read, or where they come from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from nicegui import ui

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, NotFound, OpenTellerError
from openteller.core.records import LocalText
from openteller.insights.opinion.events import LEVEL_NAMES, NAMES
from openteller.insights.opinion.records import (
    Burst,
    Entity,
    EntityKind,
    EntityTone,
    EventType,
    Level,
    StoredItem,
    TopicGrowth,
    TrendPoint,
)
from openteller.insights.opinion.repository import ItemFilter
from openteller.insights.reports.records import Report
from openteller.serving.console.page import STAFF, ConsolePage, Visit
from openteller.serving.console.parts import chart, exports, figures, report_files, section, table
from openteller.serving.console.words import MOODS

E = TypeVar("E", bound=StrEnum)

_DAYS = (1, 7, 30, 90, 365)
_SECONDS = 20.0
_PAGE = 20
_BURSTS = 10
_TOPICS = 10
_LINES = 5
_LONGEST = 180
_LAST_ID = 2**62
_COLOURS = ("#a4571f", "#7d8a97", "#2f7d68")
_KINDS = {
    EntityKind.OWN: LocalText(zh="本行", en="own"),
    EntityKind.PEER: LocalText(zh="同业", en="peer"),
    EntityKind.COMPANY: LocalText(zh="企业", en="company"),
    EntityKind.PRODUCT: LocalText(zh="产品", en="product"),
}


@dataclass(frozen=True)
class _Asked:
    """What the wall shows; one topic, burst or item is shown whole, however old."""

    days: int = 7
    entity: str | None = None
    sentiment: str | None = None
    event: EventType | None = None
    least: Level = Level.NONE
    topic: int | None = None
    burst: int | None = None
    item: int | None = None

    @property
    def is_narrow(self) -> bool:
        return (self.topic or self.burst or self.item) is not None


@dataclass(frozen=True)
class _Found:
    """What there is around the items."""

    wanted: ItemFilter
    about: str
    entities: Mapping[str, Entity]
    bursts: Sequence[tuple[Burst, str]]
    topics: Sequence[TopicGrowth]
    tones: Sequence[EntityTone]
    trend: Sequence[TrendPoint]
    lines: Mapping[str, Sequence[TrendPoint]]


@dataclass
class _Wall:
    """What one open page holds."""

    visit: Visit
    asked: _Asked
    found: _Found
    limit: int = _PAGE
    items: list[StoredItem] = field(default_factory=list)

    def name(self, entity_id: str) -> str:
        """The name of an entity; its id when the list no longer has it."""
        entity = self.found.entities.get(entity_id)
        return self.visit.of(entity.name) if entity else entity_id


async def draw(visit: Visit) -> None:
    """The page."""
    asked = _first_asked(visit)
    found = await visit.read(lambda: _read(visit, asked))
    wall = _Wall(visit, asked, found)
    wall.items = await visit.read(lambda: _items(wall))

    async def choose(**wishes: Any) -> None:
        """Show something else; a topic, burst or item gives way to the next choice."""
        narrow = {"topic": None, "burst": None, "item": None}
        wanted = replace(wall.asked, **{**narrow, **wishes})
        now = await visit.act(lambda: _read(visit, wanted))
        if now:
            wall.asked, wall.found, wall.limit = wanted, now, _PAGE
            await again()
            for part in (filters, around, trends):
                part.refresh()
            if wanted.is_narrow:  # on a telephone the items stand below
                ui.run_javascript(f"if (innerWidth < 900) getElement({beside.id}).$el.scrollIntoView()")
            elif "entity" in wishes:  # the list of entities stands at the end
                ui.run_javascript("scrollTo(0, 0)")

    async def again() -> None:
        items = await visit.act(lambda: _items(wall))
        if items is not None:
            wall.items = items
            stream.refresh()

    async def more() -> None:
        wall.limit += _PAGE
        await again()

    async def look() -> None:
        seen = wall.found
        try:
            items = await visit.read(lambda: _items(wall))
        except OpenTellerError:
            return  # it looks again soon, and whoever presses something is told
        if wall.found is seen and items != wall.items:
            wall.items = items
            stream.refresh()

    @ui.refreshable
    def filters() -> None:
        _filters(wall, choose)

    @ui.refreshable
    def around() -> None:
        _bursts(wall, choose)
        _topics(wall, choose)

    @ui.refreshable
    def stream() -> None:
        _stream(wall, choose, more)

    @ui.refreshable
    def trends() -> None:
        _trend(wall)
        _entities(wall, choose)

    filters()
    report_files(visit, "opinion", lambda: _report(wall))
    with ui.element("div").classes("wall"):
        with ui.column().classes("gap aside"):
            around()
        with ui.column().classes("gap") as beside:
            stream()
    with ui.column().classes("gap"):
        trends()
    ui.timer(_SECONDS, look)


PAGE = ConsolePage("opinion", LocalText(zh="舆情墙", en="Public opinion"), "campaign", STAFF, draw)


def _first_asked(visit: Visit) -> _Asked:
    """What the address asks for. Raises BadInput."""
    query = visit.query
    numbers = {name: _number(visit, name, query[name]) for name in ("topic", "burst", "item", "days") if name in query}
    if numbers.get("days", 1) > _DAYS[-1]:
        step = visit.say(f"最多 {_DAYS[-1]} 天。", f"Ask for {_DAYS[-1]} at most.")
        raise BadInput(visit.say("天数太多。", "So many days are not shown."), next_step=step)
    event = _one_of(visit, EventType, query["event"]) if query.get("event") else None
    least = _one_of(visit, Level, query["least"]) if query.get("least") else Level.NONE
    sentiment = query.get("sentiment") or None
    if sentiment is not None and sentiment not in MOODS:
        raise BadInput(visit.say("没有这种情感。", "There is no such sentiment."), next_step=", ".join(MOODS))
    return _Asked(entity=query.get("entity") or None, sentiment=sentiment, event=event, least=least, **numbers)


def _number(visit: Visit, name: str, told: str) -> int:
    if told.isascii() and told.isdigit() and 0 < int(told[:20]) <= _LAST_ID:
        return int(told[:20])
    step = visit.say(f"写作 {name}=7。", f"Write it as {name}=7.")
    raise BadInput(visit.say("地址中的数字不能用。", "A number in the address cannot be used."), next_step=step)


def _one_of(visit: Visit, words: type[E], told: str) -> E:
    try:
        return words(told)
    except ValueError as error:
        step = ", ".join(words)
        raise BadInput(
            visit.say("地址中的词不能用。", "A word in the address cannot be used."), next_step=step
        ) from error


def _read(visit: Visit, asked: _Asked) -> _Found:
    desk, who = visit.serving.application.opinion, visit.principal
    since = utc_now() - timedelta(days=asked.days)
    entities = {entity.id: entity for entity in desk.entities(who)}
    topics = desk.growing(who, days=asked.days, limit=_TOPICS)
    tones = desk.tones(who, days=asked.days)
    titles = {growth.topic.id: growth.topic.title for growth in topics}
    bursts = [(burst, _title(visit, burst, titles)) for burst in desk.bursts(who, since=since, limit=_BURSTS)]
    step = _step(asked.days)
    wanted, about = _wanted(visit, asked, since)
    return _Found(
        wanted=wanted,
        about=about,
        entities=entities,
        bursts=bursts,
        topics=topics,
        tones=tones,
        trend=desk.trend(who, entity_id=asked.entity, days=asked.days, step=step),
        lines={t.entity_id: desk.trend(who, entity_id=t.entity_id, days=asked.days, step=step) for t in tones[:_LINES]},
    )


def _title(visit: Visit, burst: Burst, known: Mapping[int, str]) -> str:
    """The title of the topic that bursts; empty for an entity, or for a topic that is no longer kept."""
    if burst.topic_id is None or burst.topic_id in known:
        return known.get(burst.topic_id or 0, "")
    try:
        return visit.serving.application.opinion.topic(visit.principal, burst.topic_id).title
    except NotFound:
        return ""


def _wanted(visit: Visit, asked: _Asked, since: datetime) -> tuple[ItemFilter, str]:
    """Which items, and what they are about when that is one topic, burst or item. Raises NotFound."""
    desk, say = visit.serving.application.opinion, visit.say
    wanted = ItemFilter(asked.entity, None, asked.sentiment, asked.event, asked.least)
    if asked.item is not None:
        return wanted._replace(ids=(asked.item,)), say(f"条目 {asked.item}", f"Item {asked.item}")
    if asked.burst is not None:
        burst = desk.burst(visit.principal, asked.burst)
        return wanted._replace(ids=burst.item_ids), say(f"突增 {burst.id}", f"Burst {burst.id}")
    if asked.topic is not None:
        topic = desk.topic(visit.principal, asked.topic)
        return wanted._replace(topic_id=topic.merged_into or topic.id), topic.title
    return wanted._replace(since=since, counted=True), ""


def _report(wall: _Wall) -> Report:
    """The report of the days that the wall shows, of everybody."""
    visit, today = wall.visit, wall.visit.today
    settings = visit.serving.application.settings
    bank, first = visit.say(settings.bank_name_zh, settings.bank_name_en), today - timedelta(days=wall.asked.days - 1)
    return visit.serving.application.opinion.report(visit.principal, first, today, visit.report_language, bank)


def _items(wall: _Wall) -> list[StoredItem]:
    return wall.visit.serving.application.opinion.items(wall.visit.principal, wall.found.wanted, limit=wall.limit)


def _filters(wall: _Wall, choose: Callable[..., Any]) -> None:
    visit, say, asked = wall.visit, wall.visit.say, wall.asked
    named = [tone.entity_id for tone in wall.found.tones]
    if asked.entity and asked.entity not in named:
        named.append(asked.entity)
    everything = say("全部", "All")
    fields: tuple[tuple[str, str, dict[Any, str], object], ...] = (
        ("days", say("时间", "Time"), {n: say(f"最近 {n} 天", f"last {n} days") for n in sorted({*_DAYS, asked.days})}, asked.days),
        ("entity", say("对象", "Entity"), {None: everything} | {one: wall.name(one) for one in named}, asked.entity),
        ("sentiment", say("情感", "Sentiment"), {None: everything} | {one: visit.of(MOODS[one]) for one in MOODS}, asked.sentiment),
        ("event", say("事件", "Event"), {None: everything} | {one: visit.of(NAMES[one]) for one in EventType}, asked.event),
        ("least", say("程度不低于", "Severity from"), {one: visit.of(LEVEL_NAMES[one]) for one in Level}, asked.least),
    )  # fmt: skip
    with section(""):
        with ui.element("div").classes("filters"):
            for name, label, options, value in fields:
                pick = ui.select(options, label=label, value=value, with_input=len(options) > _PAGE)
                pick.props("dense outlined").on_value_change(lambda event, name=name: choose(**{name: event.value}))
        if asked.is_narrow:
            with ui.element("div").classes("line"):
                ui.label(wall.found.about).classes("strong grow")
                ui.button(say("全部条目", "All items"), icon="close", on_click=lambda: choose()).props(
                    "flat dense no-caps"
                )


def _bursts(wall: _Wall, choose: Callable[..., Any]) -> None:
    visit, say = wall.visit, wall.visit.say
    note = say("远多于平常的话题和对象。", "Topics and entities of which far more is said than usual.")
    with section(say("突增", "Bursts"), note):
        if not wall.found.bursts:
            ui.label(say("这段时间没有突增。", "None in this time.")).classes("note")
        for burst, title in wall.found.bursts:
            chosen = " chosen" if wall.asked.burst == burst.id else ""
            with ui.element("button").classes(f"listed{chosen}").on("click", lambda b=burst: choose(burst=b.id)):
                with ui.element("span").classes("line"):
                    _level(visit, burst.level)
                    if burst.ended_at is None:
                        ui.label(say("进行中", "going on")).classes("chip warn")
                    ui.label(visit.local(burst.found_at)).classes("note right")
                ui.label(wall.name(burst.entity_id) if burst.entity_id else title or say("话题", "A topic"))
                minutes = burst.window_seconds // 60
                ui.label(
                    say(
                        f"{minutes} 分钟内 {burst.items} 条，平常 {burst.expected:.1f} 条",
                        f"{burst.items} items in {minutes} min, {burst.expected:.1f} expected",
                    )
                ).classes("note")


def _topics(wall: _Wall, choose: Callable[..., Any]) -> None:
    visit, say, days = wall.visit, wall.visit.say, wall.asked.days
    note = say(
        f"增长最多的在前：最近 {days} 天与之前 {days} 天之比。",
        f"Those that grow most first: the last {days} days against the {days} before.",
    )
    with section(say("话题", "Topics"), note):
        if not wall.found.topics:
            ui.label(say("这段时间没有话题。", "None in this time.")).classes("note")
        for growth in wall.found.topics:
            topic, more = growth.topic, growth.items - growth.before
            chosen = " chosen" if wall.asked.topic == topic.id else ""
            with ui.element("button").classes(f"listed{chosen}").on("click", lambda t=topic: choose(topic=t.id)):
                ui.label(topic.title)
                with ui.element("span").classes("line"):
                    ui.label(f"{'▲' if more > 0 else '▼' if more < 0 else '＝'} {more:+d}").classes("chip")
                    ui.label(say(f"{growth.items} 条", f"{growth.items} items")).classes("note")
                    ui.label(visit.local(topic.last_at)).classes("note right")
                ui.label(" · ".join(topic.terms[:6])).classes("note clip")


def _stream(wall: _Wall, choose: Callable[..., Any], more: Callable[[], Any]) -> None:
    visit, say = wall.visit, wall.visit.say
    note = say(
        "最新的在前，自动更新；近似重复的不列出。", "The newest first, kept up to date; near-duplicates are left out."
    )
    with section(say("条目", "Items"), "" if wall.asked.is_narrow else note):
        if not wall.items:
            ui.label(say("没有这样的条目。", "There is no such item.")).classes("note")
        for item in wall.items:
            _item(wall, item, choose)
        if len(wall.items) >= wall.limit:
            ui.button(say("更多", "More"), icon="expand_more", on_click=more).props("outline no-caps")
        if wall.items:
            heads = [say("时间", "When"), say("来源", "Source"), say("标题", "Title"), say("对象", "Entities"),
                     say("情感", "Sentiment"), say("事件", "Event"), say("程度", "Severity"), say("地址", "Address")]  # fmt: skip
            exports(visit, "opinion-items", heads, [_cells(wall, item) for item in wall.items])


def _item(wall: _Wall, item: StoredItem, choose: Callable[..., Any]) -> None:
    visit, say = wall.visit, wall.visit.say
    title = item.title or item.text[:_LONGEST]
    with ui.element("div").classes("item heard"):
        with ui.element("div").classes("line"):
            _level(visit, item.level)
            _mood(visit, item.sentiment, "")
            if item.event is not EventType.OTHER:
                ui.label(visit.of(NAMES[item.event])).classes("chip")
            ui.label(f"{item.source} · {visit.local(item.arrived_at)}").classes("note right")
        if item.url:
            # The address of the console, and what was looked for, is nobody else's business.
            ui.link(title, item.url, new_tab=True).props('rel="noopener noreferrer"').classes("text")
        else:
            ui.label(title).classes("text")
        if item.title and item.text:
            ui.label(item.text[:_LONGEST] + ("…" if len(item.text) > _LONGEST else "")).classes("note text")
        with ui.element("div").classes("line"):
            for mention in item.mentions:
                _mood(visit, mention.sentiment, wall.name(mention.entity_id))
            if item.copies > 1:
                ui.label(say(f"出现 {item.copies} 次", f"came {item.copies} times")).classes("note")
            if item.duplicate_of is not None:
                ui.label(say(f"近似条目 {item.duplicate_of}", f"nearly item {item.duplicate_of}")).classes("note")
            topic = item.topic_id
            if topic is not None and topic != wall.asked.topic:
                ui.button(say("同一话题", "Same topic"), on_click=lambda: choose(topic=topic)).props(
                    "flat dense no-caps size=sm"
                )


def _cells(wall: _Wall, item: StoredItem) -> list[str]:
    visit = wall.visit
    names = "; ".join(wall.name(mention.entity_id) for mention in item.mentions)
    words = (MOODS[item.sentiment], NAMES[item.event], LEVEL_NAMES[item.level])
    return [visit.local(item.arrived_at), item.source, item.title, names, *map(visit.of, words), item.url]


def _level(visit: Visit, level: Level) -> None:
    if level is not Level.NONE:
        warn = " warn" if level.number >= Level.MEDIUM.number else ""
        ui.label(visit.say("程度 ", "severity ") + visit.of(LEVEL_NAMES[level])).classes(f"chip{warn}")


def _mood(visit: Visit, sentiment: str, whose: str) -> None:
    warn = " warn" if sentiment == "negative" else ""
    ui.label(f"{whose} {visit.of(MOODS[sentiment])}".strip()).classes(f"chip{warn}")


def _step(days: int) -> str:
    return "hour" if days <= 2 else "day"


def _trend(wall: _Wall) -> None:
    visit, say, asked = wall.visit, wall.visit.say, wall.asked
    points, moments = wall.found.trend, _moments(wall)
    by_moment = _by_moment(wall, points)
    whose = wall.name(asked.entity) if asked.entity else say("全部条目", "All items")
    with section(say(f"{whose}：随时间", f"{whose} over time")):
        counts = {mood: sum(getattr(point, mood) for point in points) for mood in MOODS}
        total = sum(counts.values())
        figures([(say("条目", "Items"), f"{total:,}", "")] + [
            (visit.of(MOODS[mood]), f"{count:,}", f"{count / total:.0%}" if total else "") for mood, count in counts.items()
        ])  # fmt: skip
        series = {
            visit.of(MOODS[mood]): [float(getattr(by_moment[m], mood)) if m in by_moment else 0.0 for m in moments]
            for mood in MOODS
        }
        chart(
            visit,
            f"opinion-{asked.entity or 'all'}",
            _places(asked.days, moments),
            series,
            stacked=True,
            colours=_COLOURS,
        )


def _entities(wall: _Wall, choose: Callable[..., Any]) -> None:
    visit, say, tones = wall.visit, wall.visit.say, wall.found.tones
    with section(
        say("对象", "Entities"),
        say("点一行只看该对象；图为负面条目。", "Press a row to see that one alone. Drawn: negative items."),
    ):
        if not tones:
            ui.label(say("这段时间没有提到名单上的对象。", "Nobody on the list was named in this time.")).classes(
                "note"
            )
            return
        moments = _moments(wall)
        lines = {wall.name(one): _negatives(wall, points, moments) for one, points in wall.found.lines.items()}
        chart(visit, "opinion-entities", _places(wall.asked.days, moments), lines, kind="line")
        columns = [("name", say("对象", "Entity")), ("kind", say("类别", "Kind")), ("negative", visit.of(MOODS["negative"])),
                   ("neutral", visit.of(MOODS["neutral"])), ("positive", visit.of(MOODS["positive"])),
                   ("items", say("合计", "All")), ("change", say("较之前", "Against before"))]  # fmt: skip
        rows = [_entity_row(wall, tone) for tone in tones]
        table(visit, columns, rows, numbers=("negative", "neutral", "positive", "items", "change"),
              on_row=lambda row: choose(entity=row["id"]), file="opinion-entities-table", page=10)  # fmt: skip


def _entity_row(wall: _Wall, tone: EntityTone) -> dict[str, str]:
    entity = wall.found.entities.get(tone.entity_id)
    return {
        "id": tone.entity_id, "name": wall.name(tone.entity_id), "kind": wall.visit.of(_KINDS[entity.kind]) if entity else "–",
        "negative": f"{tone.negative:,}", "neutral": f"{tone.neutral:,}", "positive": f"{tone.positive:,}",
        "items": f"{tone.items:,}", "change": f"{tone.items - tone.before:+,}",
    }  # fmt: skip


def _moments(wall: _Wall) -> list[datetime]:
    """The hours or days that are shown, on the bank's clock, those without an item too."""
    zone, days = ZoneInfo(wall.visit.zone), wall.asked.days
    now = utc_now().astimezone(zone)
    if _step(days) == "hour":
        last = now.replace(minute=0, second=0, microsecond=0)
        return [
            (last.astimezone(ZoneInfo("UTC")) - timedelta(hours=h)).astimezone(zone) for h in range(days * 24, -1, -1)
        ]
    return [datetime.combine(now.date() - timedelta(days=d), datetime.min.time(), zone) for d in range(days, -1, -1)]


def _places(days: int, moments: Sequence[datetime]) -> list[str]:
    return [f"{moment:%m-%d %H:00}" if _step(days) == "hour" else f"{moment:%Y-%m-%d}" for moment in moments]


def _by_moment(wall: _Wall, points: Sequence[TrendPoint]) -> dict[datetime, TrendPoint]:
    zone = ZoneInfo(wall.visit.zone)
    return {point.at.astimezone(zone): point for point in points}


def _negatives(wall: _Wall, points: Sequence[TrendPoint], moments: Sequence[datetime]) -> list[float | None]:
    by_moment = _by_moment(wall, points)
    return [float(by_moment[moment].negative) if moment in by_moment else 0.0 for moment in moments]
