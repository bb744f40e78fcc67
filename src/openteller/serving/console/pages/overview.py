"""Today at a glance: turns and how they came out, who waits for a person, alerts, latency, health.

Knows nothing about how any of it is counted.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from nicegui import ui

from openteller.core.clock import utc_now
from openteller.core.records import LocalText, Outcome
from openteller.insights.activity.records import Activity
from openteller.insights.activity.repository import ActivityRepository
from openteller.insights.alerts.records import Alert, Severity
from openteller.serving.console.page import STAFF, ConsolePage, Visit, link
from openteller.serving.console.parts import chart, figures, section
from openteller.serving.console.words import OUTCOMES, SEVERITIES
from openteller.serving.observation import Metrics

_ALERTS = 20


async def draw(visit: Visit) -> None:
    """The page."""
    activity = await visit.read(lambda: _today(visit))
    await _figures(visit, activity)
    await _alerts(visit)
    with section(visit.say("今天按小时", "Today by the hour")):
        _hours(visit, activity)
    await _health(visit)


PAGE = ConsolePage("", LocalText(zh="概览", en="Overview"), "dashboard", STAFF, draw)


def _today(visit: Visit) -> Activity:
    midnight = datetime.combine(visit.serving.today, time.min, ZoneInfo(visit.zone))
    with visit.serving.application.database.session(visit.principal) as session:
        return ActivityRepository().read(session, midnight, utc_now())


async def _figures(visit: Visit, activity: Activity) -> None:
    say, total = visit.say, activity.turns

    def share(outcome: Outcome) -> str:
        return f"{activity.outcomes[outcome] / total:.0%}" if total else ""

    items = [(say("今天的对话轮次", "Turns today"), f"{total:,}", "")]
    items += [(visit.of(OUTCOMES[o]), f"{activity.outcomes[o]:,}", share(o)) for o in Outcome]
    rated = sum(activity.ratings.values())
    mean = f"{activity.rating:.1f}" if activity.rating is not None else "–"
    items.append((say("平均评分", "Mean rating"), mean, say(f"{rated} 次评分", f"{rated} ratings")))
    waiting = say(f"人工处理中 {activity.hand_offs_taken}", f"{activity.hand_offs_taken} with a person")
    items.append((say("等待人工", "Waiting for a person"), f"{activity.hand_offs_open:,}", waiting))
    with section(""):
        figures(items)


def _hours(visit: Visit, activity: Activity) -> None:
    begins = [activity.since.astimezone(ZoneInfo(visit.zone)) + timedelta(hours=hour) for hour in range(24)]
    known = {begin.astimezone(ZoneInfo(visit.zone)): counts for begin, counts in activity.hours.items()}
    series = {
        visit.of(OUTCOMES[outcome]): [float(known.get(begin, {}).get(outcome, 0)) for begin in begins]
        for outcome in Outcome
    }
    chart(visit, f"turns-{begins[0]:%Y-%m-%d}", [f"{begin:%H:00}" for begin in begins], series, stacked=True)


async def _alerts(visit: Visit) -> None:
    desk = visit.serving.application.alerts

    @ui.refreshable
    async def shown() -> None:
        alerts = await visit.read(lambda: desk.list(visit.principal, open_only=True, limit=_ALERTS))
        if not alerts:
            ui.label(visit.say("没有未确认的告警。", "No alerts wait.")).classes("note")
        for alert in alerts:
            _alert(visit, alert, seen)

    async def seen(alert_id: UUID) -> None:
        done = visit.say("已确认。", "Acknowledged.")
        if await visit.act(lambda: desk.acknowledge(visit.principal, alert_id), done):
            await shown.refresh()

    with section(visit.say("告警", "Alerts")):
        await shown()


def _alert(visit: Visit, alert: Alert, seen: Callable[[UUID], Awaitable[None]]) -> None:
    with ui.element("div").classes("line item"):
        urgent = " warn" if alert.severity is not Severity.INFO else ""
        ui.label(visit.of(SEVERITIES[alert.severity])).classes(f"chip{urgent}")
        if alert.link.startswith("/"):
            link(visit.of(alert.title), alert.link).classes("grow")
        else:
            ui.label(visit.of(alert.title)).classes("grow")
        ui.label(visit.local(alert.raised_at)).classes("note")
        ui.button(visit.say("确认", "Acknowledge"), on_click=lambda: seen(alert.id)).props("flat dense no-caps")


async def _health(visit: Visit) -> None:
    say = visit.say
    health = await visit.read(lambda: dict(visit.serving.application.health()))
    latency = _latency(visit.serving.metrics)
    with section(say("服务状态", "Health"), say("延迟自本进程启动以来。", "Latency since this process began.")):
        named = {"status": say("状态", "Status"), "database": say("数据库", "Database"),
                 "model": say("模型", "Model"), "version": say("版本", "Version")}  # fmt: skip
        figures(
            [(say("平均每轮用时", "Mean time of a turn"), latency, "")]
            + [(named.get(name, name), str(value), "") for name, value in health.items()]
        )


def _latency(metrics: Metrics) -> str:
    count, seconds = metrics.turn_seconds()
    return f"{seconds / count * 1_000:,.0f} ms" if count else "–"
