"""Watches trends for changes and raises an alert for each, once, with the figures behind it.

Watched: the mood of the bank and of each topic, the mix of topics, the share of what is out of scope, and how sure the
understanding is. Only days that are over count, so that looking again on the same day finds the same.
Knows nothing about who is told, or when the watch looks.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import Alert, NewAlert, Severity
from openteller.insights.trends.changes import Change, Counts, find_change
from openteller.insights.trends.desk import LEAST_PEOPLE
from openteller.insights.trends.intervals import wilson
from openteller.insights.trends.records import Cell, Every, Span
from openteller.insights.trends.repository import TrendRepository
from openteller.insights.trends.topics import TOPICS, name_of
from openteller.store.database import Database

DAYS = 120
"""How many days are looked at."""
_SAME_CHANGE = timedelta(days=14)  # estimates of one change's first day lie closer together than this
_GRAVE = 0.15
_LEAST_MIX = 0.1
_WATCH = Principal(subject="watch", role=Role.SERVICE)


class Watched(NamedTuple):
    """A series: what it is, of which topic, its words, whether more is worse (None: neither), and its counts by day."""

    kind: str
    topic: str | None
    words: LocalText
    more_is_worse: bool | None
    counts: Counts


class TrendWatch:
    """Looks when it is asked to; of several that look at once, each change is raised by one.

    Args:
        database: where turns and alerts are.
        alerts: where changes are raised.
        zone: IANA name of the bank's time zone.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        alerts: AlertDesk,
        zone: str = "Asia/Shanghai",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._alerts, self._zone, self._now = database, alerts, zone, now
        self._trends = TrendRepository(zone)

    def look(self) -> tuple[Alert, ...]:
        """The alerts raised now, with their deliveries in the same transaction."""
        today = local_date(self._now(), self._zone)
        span = Span(since=today - timedelta(days=DAYS), until=today, every=Every.DAY)
        with self._database.session(_WATCH) as session:
            self._trends.lock(session)
            bank = self._trends.cells(session, span, by_topic=False)
            topics = self._trends.cells(session, span, by_topic=True)
            raised = (self._judged(session, series, span) for series in _watched(bank, topics, span))
            return tuple(alert for alert in raised if alert)

    def _judged(self, session: Session, series: Watched, span: Span) -> Alert | None:
        least = _LEAST_MIX if series.more_is_worse is None else 0.05
        # What lies before the first conversation is no days without any.
        first = int(np.argmax(series.counts.sum(axis=1) > 0))
        change = find_change(series.counts[first:], span.since + timedelta(days=first), least=least)
        if change is None or not self._enough_people(session, series, change, span):
            return None
        new = _alert(series, change)
        last = self._alerts.latest_in(session, new.kind, new.subject)
        if last and _is_same(last, new, change):
            return None
        return self._alerts.raise_in(session, new)

    def _enough_people(self, session: Session, series: Watched, change: Change, span: Span) -> bool:
        begins = change.begins
        parts = ((span.since, begins), (begins, span.until))
        spans = (Span(since=since, until=until, topic=series.topic) for since, until in parts)
        return all(self._trends.people(session, part) >= LEAST_PEOPLE for part in spans)


def _watched(bank: Sequence[Cell], topics: Sequence[Cell], span: Span) -> Iterator[Watched]:
    if not bank:
        return
    mood = LocalText(zh="负面情绪", en="negative mood")
    yield Watched("trend.mood", None, mood, True, _share(bank, "negative", span))
    for topic in sorted({str(cell.topic) for cell in topics}):
        its = [cell for cell in topics if cell.topic == topic]
        yield Watched("trend.mood", topic, mood, True, _share(its, "negative", span))
    out = LocalText(zh="范围外的提问", en="questions out of scope")
    yield Watched("trend.out_of_scope", None, out, True, _share(bank, "out_of_scope", span))
    sure = LocalText(zh="理解把握度", en="confidence of understanding")
    yield Watched("trend.confidence", None, sure, False, _share(bank, "confidence", span))
    mix = LocalText(zh="话题分布", en="mix of topics")
    yield Watched("trend.topics", None, mix, None, _mix(topics, span))


def _share(cells: Sequence[Cell], name: str, span: Span) -> Counts:
    """(days, 2): of each day's conversations the sum of the figure, and the rest."""
    counts = np.zeros(((span.until - span.since).days, 2))
    for cell in cells:
        value = float(getattr(cell, name))
        counts[(cell.begins - span.since).days] = value, max(cell.conversations - value, 0.0)
    return counts


def _mix(cells: Sequence[Cell], span: Span) -> Counts:
    """(days, topics): conversations."""
    places = {topic: place for place, topic in enumerate(TOPICS)}
    counts = np.zeros(((span.until - span.since).days, len(places)))
    for cell in cells:
        counts[(cell.begins - span.since).days, places[str(cell.topic)]] = cell.conversations
    return counts


def _alert(series: Watched, change: Change) -> NewAlert:
    subject, on = series.topic or "bank", change.begins.isoformat()
    if series.more_is_worse is None:
        severity, words = Severity.WARNING, _mix_words(change)
        figures: dict[str, object] = {
            "before": dict(zip(TOPICS, _rounded(change.before), strict=True)),
            "since": dict(zip(TOPICS, _rounded(change.since), strict=True)),
        }
    else:
        before, since = change.before[0], change.since[0]
        worse = (since > before) == series.more_is_worse
        grave = Severity.CRITICAL if change.distance >= _GRAVE else Severity.WARNING
        severity = grave if worse else Severity.INFO
        words = LocalText(zh=f"由 {before:.0%} 变为 {since:.0%}", en=f"from {before:.0%} to {since:.0%}")
        intervals = [wilson(share * n, n) for share, n in ((before, change.count_before), (since, change.count_since))]
        figures = {
            name: {"value": round(i.value, 4), "low": round(i.low, 4), "high": round(i.high, 4)}
            for name, i in zip(("before", "since"), intervals, strict=True)
        }
    name = name_of(series.topic)
    return NewAlert(
        kind=series.kind,
        key=f"{series.kind}:{subject}:{on}",
        severity=severity,
        title=LocalText(
            zh=f"{name.zh}：{series.words.zh}{words.zh}（自 {on}）",
            en=f"{name.en}: {series.words.en} {words.en} (since {on})",
        ),
        subject=subject,
        link="/console/trends" + (f"?topic={series.topic}" if series.topic else ""),
        detail={
            "changed_on": on,
            "probability": round(change.probability, 4),
            **figures,
            "conversations_before": round(change.count_before),
            "conversations_since": round(change.count_since),
        },
    )


def _mix_words(change: Change) -> LocalText:
    """The topic whose share moved most."""
    moves = [since - before for before, since in zip(change.before, change.since, strict=True)]
    place = max(range(len(moves)), key=lambda place: abs(moves[place]))
    name = name_of(list(TOPICS)[place])
    before, since = change.before[place], change.since[place]
    return LocalText(
        zh=f"变化，{name.zh}由 {before:.0%} 变为 {since:.0%}",
        en=f"changed, {name.en} from {before:.0%} to {since:.0%}",
    )


def _rounded(shares: Sequence[float]) -> list[float]:
    return [round(share, 4) for share in shares]


def _is_same(last: Alert, new: NewAlert, change: Change) -> bool:
    """Whether `last` told of the same change; one the other way is another."""
    apart = abs(date.fromisoformat(last.detail["changed_on"]) - change.begins)
    return apart < _SAME_CHANGE and _rises(last) == _rises(new)


def _rises(alert: NewAlert) -> bool | None:
    before, since = (alert.detail[name].get("value") for name in ("before", "since"))
    return None if before is None else bool(since > before)
