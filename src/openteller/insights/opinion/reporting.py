"""The report of a period: what was said, of whom, about what, and what burst; every claim with the items that it rests on.

Pure functions from figures to a report of insights/reports; each sentence is a count, never a judgement of the writer's.
Knows nothing about the store or how a report is drawn.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from openteller.core.clock import local_text
from openteller.core.records import LocalText
from openteller.insights.opinion.events import LEVEL_NAMES, NAMES
from openteller.insights.opinion.records import Burst, Entity, EventType, StoredItem, Topic, TrendPoint
from openteller.insights.reports.plots import Bar, Point, bars, trend
from openteller.insights.reports.records import (
    Block,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Period,
    Plot,
    Quote,
    Report,
    ReportLanguage,
    Section,
    Source,
)

_PAGE = "/console/opinion"
_CITED = 5


class EntityShare(NamedTuple):
    """How much was said of an entity, and the worst items of it."""

    entity: Entity
    negative: int
    neutral: int
    positive: int
    cited: tuple[StoredItem, ...]


class Figures(NamedTuple):
    """What a report tells, counted. Near-duplicates count once; `items` are cited by id."""

    first: date
    last: date
    total: int
    repeated: int
    negative: int
    high: int
    points: tuple[TrendPoint, ...]
    hourly: bool
    entities: tuple[EntityShare, ...]
    events: tuple[tuple[EventType, int, tuple[StoredItem, ...]], ...]
    topics: tuple[tuple[Topic, int, tuple[StoredItem, ...]], ...]
    bursts: tuple[Burst, ...]
    burst_items: Mapping[int, StoredItem]
    worst: tuple[StoredItem, ...]


class Frame(NamedTuple):
    """How a report is told."""

    language: ReportLanguage
    bank: str
    timezone: str
    made_at: datetime

    def say(self, zh: str, en: str) -> str:
        """The text in the report's language."""
        return LocalText(zh=zh, en=en).of(self.language)


def report_of(figures: Figures, frame: Frame) -> Report:
    """The whole report."""
    sections = (
        Section(title=frame.say("概览", "Overview"), blocks=_overview(figures, frame)),
        Section(title=frame.say("关于谁", "Of whom"), blocks=_entities(figures, frame)),
        Section(title=frame.say("风险事件", "Risk events"), blocks=_events(figures, frame)),
        Section(title=frame.say("话题", "Topics"), blocks=_topics(figures, frame)),
        Section(title=frame.say("突增", "Bursts"), blocks=_bursts(figures, frame)),
        Section(title=frame.say("最需要看的", "To be read first"), blocks=_worst(figures, frame)),
    )
    return Report(
        title=frame.say("舆情报告", "Public opinion"),
        language=frame.language,
        bank=frame.bank,
        period=Period(first=figures.first, last=figures.last),
        made_at=frame.made_at,
        timezone=frame.timezone,
        lead=frame.say(
            f"共{figures.total}条,其中负面{figures.negative}条,突增{len(figures.bursts)}次。",
            f"{figures.total} items, {figures.negative} of them negative; {len(figures.bursts)} bursts.",
        ),
        sections=tuple(section for section in sections if section.blocks),
    )


def _overview(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    key = KeyFigures(
        figures=(
            KeyFigure(label=frame.say("条目", "items"), value=f"{figures.total:,}"),
            KeyFigure(label=frame.say("负面", "negative"), value=f"{figures.negative:,}"),
            KeyFigure(label=frame.say("高风险", "of level high"), value=f"{figures.high:,}"),
            KeyFigure(label=frame.say("突增", "bursts"), value=f"{len(figures.bursts):,}"),
        )
    )
    listed = Source(text=frame.say("全部条目", "all items"), url=_PAGE)
    note = Paragraph(
        text=frame.say(
            f"近似重复的{figures.repeated}条不计入。情感与事件由模型判断,以原文为准。",
            f"{figures.repeated} near-duplicates are not counted. Sentiment and event are a model's reading; the items decide.",
        ),
        sources=(listed,),
        note=True,
    )
    if not figures.points:
        return (key, note)
    form = "%H:%M" if figures.hourly else "%m-%d"
    points = [Point(local_text(p.at, frame.timezone)[-5:] if figures.hourly else _day(p.at, frame), p.negative) for p in figures.points]  # fmt: skip
    title = frame.say("每小时负面条目", "negative items by hour") if form == "%H:%M" else frame.say("每日负面条目", "negative items by day")  # fmt: skip
    return (key, Plot(drawing=trend(points, title), note=title), note)


def _day(moment: datetime, frame: Frame) -> str:
    return local_text(moment, frame.timezone)[5:10]


def _entities(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    if not figures.entities:
        return ()
    rows = [
        Bar(share.entity.name.of(frame.language), share.negative, str(share.negative)) for share in figures.entities
    ]
    title = frame.say("负面条目", "negative items")
    told = [
        Paragraph(
            text=frame.say(
                f"{one.entity.name.zh}:负面{one.negative}条,中性{one.neutral}条,正面{one.positive}条。",
                f"{one.entity.name.en}: {one.negative} negative, {one.neutral} neutral, {one.positive} positive.",
            ),
            sources=_sources(one.cited, frame),
        )
        for one in figures.entities
    ]
    return (Plot(drawing=bars(rows, title), note=title), *told)


def _events(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    return tuple(
        Paragraph(
            text=frame.say(f"{NAMES[event].zh}:负面{count}条。", f"{NAMES[event].en}: {count} negative items."),
            sources=_sources(cited, frame),
        )
        for event, count, cited in figures.events
    )


def _topics(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    return tuple(
        Paragraph(
            text=frame.say(f"《{topic.title}》:{count}条。", f"“{topic.title}”: {count} items."),
            sources=_sources(cited, frame),
        )
        for topic, count, cited in figures.topics
    )


def _bursts(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    names = {share.entity.id: share.entity.name.of(frame.language) for share in figures.entities}
    blocks = []
    for burst in figures.bursts:
        cited = [figures.burst_items[one] for one in burst.item_ids if one in figures.burst_items]
        about = names.get(burst.entity_id or "", burst.entity_id) or (
            cited[0].title[:60] if cited else f"#{burst.topic_id}"
        )
        minutes, at = burst.window_seconds // 60, local_text(burst.found_at, frame.timezone)
        text = frame.say(
            f"{at} {about}:{minutes}分钟内{burst.items}条,预期{burst.expected:.1f}条。",
            f"{at} {about}: {burst.items} items in {minutes} minutes where {burst.expected:.1f} were expected.",
        )
        blocks.append(Paragraph(text=text, sources=_sources(cited, frame)))
    return tuple(blocks)


def _worst(figures: Figures, frame: Frame) -> tuple[Block, ...]:
    return tuple(
        Quote(
            text=f"{item.title or item.text[:120]}({NAMES[item.event].of(frame.language)},{LEVEL_NAMES[item.level].of(frame.language)})"
            if frame.language == "zh"
            else f"{item.title or item.text[:120]} ({NAMES[item.event].en}, {LEVEL_NAMES[item.level].en})",
            sources=_sources((item,), frame),
        )
        for item in figures.worst
    )


def _sources(items: Sequence[StoredItem], frame: Frame) -> tuple[Source, ...]:
    return tuple(
        Source(
            text=f"{item.source} {local_text(item.arrived_at, frame.timezone)}",
            url=item.url or f"{_PAGE}?item={item.id}",
        )
        for item in items[:_CITED]
    )
