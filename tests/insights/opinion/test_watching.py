"""Listening: several sources at once, none lost when one fails, and stopped when it is told."""

import threading
import time

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.opinion.pipeline import Taken
from openteller.insights.opinion.records import Batch, Cursor, SourceKind, SourceState
from openteller.insights.opinion.replaying import Timeline
from openteller.insights.opinion.repository import ItemFilter
from openteller.insights.opinion.watching import Watch
from openteller.store.database import Database
from tests.insights.opinion.given import ANALYST, NOON, Clock, pipeline, raw


class Numbers:
    """A source of so many numbered items, two at a time; or one that fails."""

    def __init__(self, name: str, count: int, fails: OpenTellerError | None = None) -> None:
        self.name, self.count, self.fails, self.closed = name, count, fails, False

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        if self.fails:
            raise self.fails
        at = int(cursor.get("at", 0))
        end = min(at + 2, self.count)
        items = tuple(raw(f"{self.name}的第{n}条消息{hash((self.name, n))}", str(n)) for n in range(at, end))
        return Batch(items=items, cursor={"at": end}, more=end < self.count, wait=0.05)

    def close(self) -> None:
        self.closed = True


def watch(database: Database, *sources: Numbers) -> tuple[Watch, list[tuple[str, Taken | OpenTellerError]]]:
    told: list[tuple[str, Taken | OpenTellerError]] = []

    def report(name: str, became: Taken | OpenTellerError) -> None:
        told.append((name, became))

    return Watch(database, pipeline(database, Clock()), sources, report, batch=2), told


def test_everything_of_every_source_is_stored_and_a_failure_is_noted(clean: Database) -> None:
    desk = OpinionDesk(clean, "Asia/Shanghai")
    for name in ("a", "b", "broken"):
        desk.add_source(ANALYST, SourceState(name=name, kind=SourceKind.FEED, location="https://news.example/"))
    broken = Numbers("broken", 0, Unavailable("It does not answer."))
    listening, told = watch(clean, Numbers("a", 5), Numbers("b", 4), broken)
    assert listening.run(once=True).items == 9
    assert {(item.source, item.external_id) for item in desk.items(ANALYST, ItemFilter())} == {
        *(("a", str(n)) for n in range(5)),
        *(("b", str(n)) for n in range(4)),
    }
    assert [(s.name, s.items, s.failures, s.last_error) for s in desk.sources(ANALYST)] == [
        ("a", 5, 0, ""),
        ("b", 4, 0, ""),
        ("broken", 0, 1, "It does not answer."),
    ]
    assert [name for name, became in told if isinstance(became, OpenTellerError)] == ["broken"]
    assert broken.closed
    assert watch(clean, Numbers("a", 6))[0].run(once=True).items == 1


def test_it_goes_on_until_it_is_stopped(clean: Database) -> None:
    listening, _ = watch(clean, source := Numbers("a", 2))
    ended = list[Taken]()
    thread = threading.Thread(target=lambda: ended.append(listening.run()))
    thread.start()
    desk, until = OpinionDesk(clean, "Asia/Shanghai"), time.monotonic() + 60
    while len(desk.items(ANALYST, ItemFilter())) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    source.count = 3
    while len(desk.items(ANALYST, ItemFilter())) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    listening.stop()
    thread.join(30)
    assert [taken.items for taken in ended] == [3]


def test_a_timeline_never_runs_backwards() -> None:
    clock = Clock()
    timeline = Timeline(otherwise=clock)
    later = clock.forward(minutes=1)
    moments = [timeline(raw("x", at=at)) for at in (later, NOON, None)]
    assert moments == [later] * 3
