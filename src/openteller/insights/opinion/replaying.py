"""Stored traffic as if it came now, or as what was: a file's items go through the pipeline by their own moments.

A replay keeps the distances between items, divided by `speed`; a back-fill does not wait at all and raises no alerts.
The cursor of the file's own source is kept, so that a replay that was cut off goes on. Knows nothing about the pipeline's
insides.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from openteller.core.clock import utc_now
from openteller.insights.opinion.pipeline import Pipeline, Taken, cursor_of
from openteller.insights.opinion.records import Batch, RawItem
from openteller.insights.opinion.sources.files import FileSource
from openteller.store.database import Database

Progress = Callable[[int, Taken], None]
"""Told how many bytes or lines the cursor stands at, and what was taken so far."""


class Timeline:
    """When each item arrives: by its own moment, never before the one before it, shifted by `shift`."""

    def __init__(self, shift: timedelta = timedelta(), otherwise: Callable[[], datetime] = utc_now) -> None:
        self._shift, self._otherwise = shift, otherwise
        self._last: datetime | None = None

    def __call__(self, item: RawItem) -> datetime:
        """The moment of the item; one without a moment comes with the one before it."""
        moment = item.published_at + self._shift if item.published_at else self._last or self._otherwise()
        self._last = max(moment, self._last) if self._last else moment
        return self._last


def replay(
    database: Database,
    pipeline: Pipeline,
    file: Path,
    *,
    speed: float = 0.0,
    source: str = "",
    shift: timedelta = timedelta(),
    batch: int = 200,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Taken:
    """Read a JSONL or CSV file, or a folder of them, into the pipeline.

    Args:
        database: where the cursor is.
        pipeline: what stores.
        file: items in the order of their moments.
        speed: how many times as fast as the items' own moments; 0: as fast as it goes.
        source: its name in the store; empty: the file's.
        shift: added to the items' own moments.
        batch: items at a time.
        progress: told after each batch.
        sleep: waits for seconds.
    """
    brought = FileSource(source or file.stem, file)
    timeline, total, pace = Timeline(shift), Taken(), _Pace(speed, sleep)
    while True:
        found = brought.fetch(cursor_of(database, brought.name), batch if not speed else 1)
        if found.items or found.faults:
            pace.wait(found)
            total += pipeline.take(brought.name, found, at=timeline)
            if progress:
                progress(sum(found.cursor.values()), total)
        elif not found.more:
            return total
        if not found.items and found.more:
            sleep(found.wait)


class _Pace:
    """Waits so that items come as far apart as their moments, divided by speed."""

    def __init__(self, speed: float, sleep: Callable[[float], None]) -> None:
        self._speed, self._sleep = speed, sleep
        self._first: tuple[datetime, float] | None = None

    def wait(self, batch: Batch) -> None:
        moment = next((item.published_at for item in batch.items if item.published_at), None)
        if not self._speed or moment is None:
            return
        if self._first is None:
            self._first = (moment, time.monotonic())
        due = self._first[1] + (moment - self._first[0]).total_seconds() / self._speed
        self._sleep(max(due - time.monotonic(), 0.0))
