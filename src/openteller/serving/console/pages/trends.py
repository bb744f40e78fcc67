"""Trends: the mood of the bank and of topics with its interval, changes found, needs over time, and the way to feedback.

Knows nothing about how any of it is counted, or how a change is found.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from nicegui import ui

from openteller.core.errors import BadInput
from openteller.core.records import LocalText
from openteller.insights.alerts.records import Alert, Severity
from openteller.insights.trends.desk import LEAST_PEOPLE
from openteller.insights.trends.intervals import Estimate
from openteller.insights.trends.records import Every, Funnel, MoodPoint, MoodTrend, NeedShare, Overview, Recovery, Span
from openteller.insights.trends.topics import TOPICS, name_of
from openteller.recommendation.signals import NEEDS
from openteller.serving.console.page import STAFF, ConsolePage, Visit
from openteller.serving.console.parts import GREENS, chart, figures, section, table
from openteller.serving.console.words import LANGUAGES, SEVERITIES

_DAYS = (7, 30, 90, 180, 365, 730)
_LINES = len(GREENS)
_ALERTS = 200
_MOOD = "trend.mood"
_BAD = (GREENS[2],)


@dataclass(frozen=True)
class _Asked:
    """What the page is about."""

    days: int = 90
    topic: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class _Found:
    """What there is to show."""

    overview: Overview
    changes: tuple[Alert, ...]

    @property
    def span(self) -> Span:
        return self.overview.span


async def draw(visit: Visit) -> None:
    """The page."""
    asked = _first_asked(visit)
    found = await visit.read(lambda: _read(visit, asked))

    @ui.refreshable
    def shown(found: _Found) -> None:
        _drawn(visit, found, lambda topic: pick.set_value(topic))

    async def choose() -> None:
        wanted = replace(asked, days=days.value, topic=pick.value, language=language.value)
        now = await visit.act(lambda: _read(visit, wanted))
        if now:
            shown.refresh(now)

    with section(""), ui.element("div").classes("line"):
        days = _select(visit, LocalText(zh="时间", en="Days"), _day_words(visit, asked.days), asked.days)
        topics = {None: visit.of(name_of(None))} | {topic: visit.of(name_of(topic)) for topic in TOPICS}
        pick = _select(visit, LocalText(zh="话题", en="Topic"), topics, asked.topic)
        languages = {None: visit.say("全部", "All")} | {tag: visit.of(name) for tag, name in LANGUAGES.items()}
        language = _select(visit, LocalText(zh="提问语言", en="Asked in"), languages, asked.language)
        for one in (days, pick, language):
            one.on_value_change(choose)
    with ui.column().classes("gap"):
        shown(found)


PAGE = ConsolePage("trends", LocalText(zh="情绪趋势", en="Trends"), "trending_up", STAFF, draw)


def _first_asked(visit: Visit) -> _Asked:
    """What the address asks for. Raises BadInput."""
    query = visit.query
    try:
        days = int(query.get("days", _Asked.days))
    except ValueError as error:
        step = visit.say("写作 days=90。", "Write it as days=90.")
        raise BadInput(visit.say("天数不是数字。", "The days are no number."), next_step=step) from error
    language = query.get("language") or None
    if language is not None and language not in LANGUAGES:
        step = ", ".join(LANGUAGES)
        raise BadInput(visit.say("没有这种语言。", "There is no such language."), next_step=step)
    return _Asked(days, query.get("topic") or None, language)


def _select(visit: Visit, label: LocalText, options: dict, value: object) -> ui.select:  # type: ignore[type-arg]
    return ui.select(options, label=visit.of(label), value=value).props("dense outlined").classes("grow")


def _day_words(visit: Visit, asked: int) -> dict[int, str]:
    return {days: visit.say(f"最近 {days} 天", f"The last {days} days") for days in sorted({*_DAYS, asked})}


def _read(visit: Visit, asked: _Asked) -> _Found:
    application = visit.serving.application
    span = application.trends.span(asked.days, topic=asked.topic, language=asked.language)
    alerts = application.alerts.list(visit.principal, limit=_ALERTS, part="trend")
    within = (alert for alert in alerts if _changed_on(alert) >= span.since)
    changes = tuple(alert for alert in within if asked.topic in (None, alert.subject))
    return _Found(application.trends.overview(visit.principal, span), changes)


def _changed_on(alert: Alert) -> date:
    """The first day of what is new; the day it was raised, when it tells none."""
    told = alert.detail.get("changed_on")
    return date.fromisoformat(told) if isinstance(told, str) else alert.raised_at.date()


def _drawn(visit: Visit, found: _Found, choose: Callable[[str], object]) -> None:
    overview, say = found.overview, visit.say
    if overview.bank.whole is None:
        with section(""):
            ui.label(say("这段时间没有对话。", "Nobody asked anything then.")).classes("note")
        return
    _bank(visit, found)
    _changes(visit, found)
    if overview.span.topic is None:
        _topics(visit, found, choose)
    _needs(visit, overview.span, overview.needs)
    _funnel(visit, overview.funnel, overview.recovery)


def _bank(visit: Visit, found: _Found) -> None:
    say, span, bank = visit.say, found.span, found.overview.bank
    note = say(
        f"按对话计，95 % 区间；少于 {LEAST_PEOPLE} 人的时段不显示。虚线为发现的变化。",
        f"Of conversations, with 95 % intervals; nothing rests on fewer than {LEAST_PEOPLE} people. Dashed: a change.",
    )
    subject = span.topic or "bank"
    moved = [change for change in found.changes if change.kind == _MOOD and change.subject == subject]
    begins = _periods(span)
    marks = [(_place(begins, change), _moved(change)) for change in moved]
    name = visit.of(bank.name)
    with section(say(f"情绪：{name}", f"Mood: {name}"), note):
        _whole(visit, bank)
        with ui.element("div").classes("pair"):
            for file, name, of, bad in (
                ("negative", say("负面占比", "negative share"), _negative, True),
                ("mood", say("平均情绪", "mean mood"), _mood, False),
            ):
                estimates = _at(begins, bank.points, of)
                with ui.column().classes("gap"):
                    chart(
                        visit, f"{file}-{subject}", _names(begins), {name: [e.value if e else None for e in estimates]},
                        kind="line", percent=bad, bands={name: [(e.low, e.high) if e else None for e in estimates]},
                        marks=marks if bad else [(place, "") for place, _ in marks], colours=_BAD if bad else GREENS,
                    )  # fmt: skip


def _whole(visit: Visit, bank: MoodTrend) -> None:
    say, whole = visit.say, bank.whole
    negative, mood = (whole.negative, whole.mood) if whole else (None, None)
    conversations = f"{whole.conversations:,}" if whole and whole.conversations is not None else "–"
    figures(
        [
            (say("对话", "Conversations"), conversations, ""),
            (say("负面占比", "Negative share"), _percent(negative), _interval(negative)),
            (say("平均情绪", "Mean mood"), f"{mood.value:+.2f}" if mood else "–",
             f"{mood.low:+.2f} … {mood.high:+.2f}" if mood else ""),
        ]
    )  # fmt: skip


def _changes(visit: Visit, found: _Found) -> None:
    say = visit.say
    note = say(
        "每小时查看已结束的日子，每个变化只报一次。",
        "Days that are over are looked at each hour; a change is told once.",
    )
    if found.span.language:
        note += say("变化不分提问语言。", " Changes are of all languages together.")
    with section(say("发现的变化", "Changes found"), note):
        if not found.changes:
            ui.label(say("这段时间没有发现变化。", "None in this time.")).classes("note")
        for change in found.changes:
            with ui.element("div").classes("line item"):
                warn = " warn" if change.severity is not Severity.INFO else ""
                ui.label(visit.of(SEVERITIES[change.severity])).classes(f"chip{warn}")
                ui.label(visit.of(change.title)).classes("grow")
                ui.label(visit.local(change.raised_at)).classes("note")


def _topics(visit: Visit, found: _Found, choose: Callable[[str], object]) -> None:
    say, begins = visit.say, _periods(found.span)
    topics = [trend for trend in found.overview.topics if trend.topic is not None]
    if not topics:
        return
    drawn = topics[:_LINES]
    lines = {visit.of(trend.name): _values(begins, trend.points) for trend in drawn}
    shown = {trend.topic: visit.of(trend.name) for trend in drawn}
    moved = [change for change in found.changes if change.kind == _MOOD and change.subject in shown]
    marks = [(_place(begins, change), shown[change.subject]) for change in moved]
    note = say(
        f"负面最多的在前，图中前 {len(drawn)} 个；点一行只看该话题。",
        f"The worst first, {len(drawn)} of them drawn. Press a row to see that topic alone.",
    )
    with section(say("各话题的负面占比", "Negative share by topic"), note):
        chart(visit, "topics", _names(begins), lines, kind="line", percent=True, marks=marks)
        columns = [("topic", say("话题", "Topic")), ("conversations", say("对话", "Conversations")),
                   ("negative", say("负面占比", "Negative")), ("interval", say("95 % 区间", "95 % interval")),
                   ("mood", say("平均情绪", "Mean mood"))]  # fmt: skip
        rows = [_topic_row(visit, trend) for trend in topics]
        table(visit, columns, rows, numbers=("conversations", "negative", "interval", "mood"), file="topics",
              on_row=lambda row: choose(row["id"]))  # fmt: skip


def _topic_row(visit: Visit, trend: MoodTrend) -> dict[str, str]:
    whole = trend.whole
    negative, mood = (whole.negative, whole.mood) if whole else (None, None)
    return {
        "id": trend.topic or "", "topic": visit.of(trend.name),
        "conversations": f"{whole.conversations:,}" if whole and whole.conversations is not None else "–",
        "negative": _percent(negative), "interval": _interval(negative), "mood": f"{mood.value:+.2f}" if mood else "–",
    }  # fmt: skip


def _needs(visit: Visit, span: Span, needs: Sequence[NeedShare]) -> None:
    say, begins = visit.say, _periods(span)
    named: Counter[str] = Counter()
    for one in needs:
        named[one.need] += one.conversations or 0
    with section(
        say("需求", "Needs"),
        say(
            "提到某需求的对话占比，一次对话可提到几个。",
            "Share of conversations that named a need; one may name several.",
        ),
    ):
        kept = [need for need, count in named.most_common() if count]
        if not kept:
            ui.label(say("没有人数足够的需求。", "No need was named by enough people.")).classes("note")
            return
        by_need = {need: {one.begins: one for one in needs if one.need == need} for need in kept}
        lines = {_need(visit, need): [_share_at(by_need[need].get(day)) for day in begins] for need in kept[:_LINES]}
        chart(visit, "needs", _names(begins), lines, kind="line", percent=True)
        columns = [("need", say("需求", "Need")), ("conversations", say("对话", "Conversations")),
                   ("share", say("最近占比", "Latest share")), ("interval", say("95 % 区间", "95 % interval"))]  # fmt: skip
        rows = []
        for need in kept:
            latest = next((one.share for _, one in sorted(by_need[need].items(), reverse=True) if one.share), None)
            rows.append({"need": _need(visit, need), "conversations": f"{named[need]:,}", "share": _percent(latest),
                         "interval": _interval(latest)})  # fmt: skip
        table(visit, columns, rows, numbers=("conversations", "share", "interval"), file="needs-table")


def _need(visit: Visit, need: str) -> str:
    return visit.say(*NEEDS[need]) if need in NEEDS else need


def _share_at(one: NeedShare | None) -> float | None:
    return one.share.value if one and one.share else None


def _funnel(visit: Visit, funnel: Funnel, recovery: Recovery) -> None:
    say = visit.say
    with section(
        say("从咨询到反馈", "From inquiry to feedback"),
        say(
            "占比为经过上一站者中经过本站者，Wilson 95 % 区间。",
            "A rate is of those through the station before, with Wilson's 95 % interval.",
        ),
    ):
        if funnel.stages is None:
            ui.label(say(f"少于 {LEAST_PEOPLE} 人。", f"Fewer than {LEAST_PEOPLE} people.")).classes("note")
            return
        figures(_feedback(visit, funnel, recovery))
        series: dict[str, list[float | None]] = {
            say("依次经过", "by way of all before"): [float(stage.through) for stage in funnel.stages],
            say("到达", "at all"): [float(stage.reached) for stage in funnel.stages],
        }
        chart(visit, "funnel", [visit.of(stage.name) for stage in funnel.stages], series)
        columns = [("stage", say("站", "Station")), ("through", say("依次经过", "By way of all before")),
                   ("rate", say("占比", "Rate")), ("interval", say("95 % 区间", "95 % interval")),
                   ("reached", say("到达", "At all"))]  # fmt: skip
        rows = [
            {"stage": visit.of(stage.name), "through": f"{stage.through:,}", "rate": _percent(stage.rate),
             "interval": _interval(stage.rate), "reached": f"{stage.reached:,}"}
            for stage in funnel.stages
        ]  # fmt: skip
        table(visit, columns, rows, numbers=("through", "rate", "interval", "reached"), file="funnel-table")


def _feedback(visit: Visit, funnel: Funnel, recovery: Recovery) -> list[tuple[str, str, str]]:
    say = visit.say
    rating = f"{funnel.rating:.2f}" if funnel.rating is not None else "–"
    turned = "" if recovery.turned_bad is None else say(f"{recovery.turned_bad:,} 次对话变差", f"of {recovery.turned_bad:,} that turned bad")  # fmt: skip
    return [
        (say("平均评分", "Mean rating"), rating, say(f"{funnel.rated or 0:,} 次评分", f"{funnel.rated or 0:,} rated")),
        (say("打开推荐", "Opened an offer"), f"{funnel.opened or 0:,}", ""),
        (say("关闭推荐", "Dismissed one"), f"{funnel.dismissed or 0:,}", ""),
        (say("情绪恢复", "Recovered"), _percent(recovery.recovered), turned),
    ]


def _periods(span: Span) -> list[date]:
    """The first day of each period of a span; weeks begin on Monday."""
    step = timedelta(days=1) if span.every is Every.DAY else timedelta(weeks=1)
    begins = span.since if span.every is Every.DAY else span.since - timedelta(days=span.since.weekday())
    found = []
    while begins < span.until:
        found.append(begins)
        begins += step
    return found


def _names(begins: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in begins]


def _place(begins: Sequence[date], change: Alert) -> int:
    """The period in which a change lies."""
    return max(0, bisect_right(begins, _changed_on(change)) - 1)


def _moved(change: Alert) -> str:
    before, since = change.detail["before"]["value"], change.detail["since"]["value"]
    return f"{before:.0%} → {since:.0%}"


def _at(
    begins: Sequence[date], points: Sequence[MoodPoint], of: Callable[[MoodPoint], Estimate | None]
) -> list[Estimate | None]:
    by_day = {point.begins: of(point) for point in points}
    return [by_day.get(day) for day in begins]


def _values(begins: Sequence[date], points: Sequence[MoodPoint]) -> list[float | None]:
    return [one.value if one else None for one in _at(begins, points, _negative)]


def _negative(point: MoodPoint) -> Estimate | None:
    return point.negative


def _mood(point: MoodPoint) -> Estimate | None:
    return point.mood


def _percent(estimate: Estimate | None) -> str:
    return f"{estimate.value:.1%}" if estimate else "–"


def _interval(estimate: Estimate | None) -> str:
    return f"{estimate.low:.1%} – {estimate.high:.1%}" if estimate else ""
