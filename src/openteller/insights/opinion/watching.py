"""Listening until stopped: a thread asks each source, one pipeline stores what they bring, in the order in which it comes.

A source waits until its batch is stored before it is asked again, and no more than a few batches wait at a time: when the
store is slow, sources are asked less often, and nothing is lost. Knows nothing about what sources are.
"""

import queue
import random
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from openteller.core.errors import OpenTellerError
from openteller.insights.opinion.pipeline import LISTENER, Pipeline, Taken, cursor_of
from openteller.insights.opinion.records import Batch
from openteller.insights.opinion.repository import ListeningRepository
from openteller.insights.opinion.sources.source import Source
from openteller.store.database import Database

BATCH = 200
_WAITING = 8
_FIRST, _LONGEST = 30.0, 3_600.0
Report = Callable[[str, Taken | OpenTellerError], None]
"""Told the name of a source and what became of its batch, or why it could not be read."""


class _Brought(NamedTuple):
    """A batch on its way to the pipeline, and what to set when it is there."""

    source: str
    batch: Batch
    stored: threading.Event


def backoff(failures: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time, up to an hour, less up to half by chance."""
    return min(_LONGEST, _FIRST * 2.0 ** min(max(failures - 1, 0), 20)) * (1 - chance() / 2)


class Watch:
    """Runs sources into a pipeline.

    Args:
        database: where cursors are.
        pipeline: what stores batches.
        sources: who is asked.
        report: see Report; called from the thread that runs the watch.
        batch: items a source is asked for at a time.
    """

    def __init__(
        self, database: Database, pipeline: Pipeline, sources: Sequence[Source], report: Report, *, batch: int = BATCH
    ) -> None:
        self._database, self._pipeline, self._sources = database, pipeline, sources
        self._report, self._size = report, batch
        self._brought: queue.Queue[_Brought | tuple[str, OpenTellerError] | None] = queue.Queue(_WAITING)
        self._stop = threading.Event()
        self._repository = ListeningRepository()

    def stop(self) -> None:
        """Let the batch at hand be stored, then end. Safe to call from any thread."""
        self._stop.set()

    def run(self, *, once: bool = False, tend: Callable[[], None] | None = None) -> Taken:
        """Listen until stopped; `once`: until every source has nothing more right now. All that was taken.

        Args:
            once: ask every source until it has no more, then end.
            tend: called about every minute.

        Raises:
            OpenTellerError: the store failed; what was not stored is still with the sources.
        """
        threads = [threading.Thread(target=self._ask, args=(one, once), daemon=True) for one in self._sources]
        for thread in threads:
            thread.start()
        try:
            return self._store(len(threads), tend)
        finally:
            self.stop()
            for source in self._sources:
                source.close()

    def _store(self, asking: int, tend: Callable[[], None] | None) -> Taken:
        total, rounds = Taken(), 0
        while asking and not self._stop.is_set():
            try:
                brought = self._brought.get(timeout=1.0)
            except queue.Empty:
                rounds += 1
                if tend and rounds % 60 == 0:
                    tend()
                continue
            if brought is None:
                asking -= 1
            elif isinstance(brought, _Brought):
                taken = self._pipeline.take(brought.source, brought.batch)
                brought.stored.set()
                total += taken
                self._report(brought.source, taken)
            else:
                self._fail(*brought)
        return total

    def _fail(self, source: str, error: OpenTellerError) -> None:
        with self._database.session(LISTENER) as session:
            self._repository.note_failure(session, source, str(error))
        self._report(source, error)

    def _ask(self, source: Source, once: bool) -> None:
        """What a source's thread does."""
        failures = 0
        while not self._stop.is_set():
            try:
                batch = source.fetch(cursor_of(self._database, source.name), self._size)
            except OpenTellerError as error:
                failures += 1
                self._put((source.name, error))
                if once or self._stop.wait(backoff(failures)):
                    break
                continue
            failures = 0
            if not self._hand_over(source.name, batch) or (once and not batch.more):
                break
            self._stop.wait(batch.wait)
        self._put(None)

    def _hand_over(self, name: str, batch: Batch) -> bool:
        """Whether the batch was stored before the watch ended."""
        if not (batch.items or batch.inbox or batch.faults or batch.cursor):
            return True
        stored = threading.Event()
        self._put(_Brought(name, batch, stored))
        while not stored.wait(0.5):
            if self._stop.is_set():
                return False
        return True

    def _put(self, brought: "_Brought | tuple[str, OpenTellerError] | None") -> None:
        while not self._stop.is_set():
            try:
                self._brought.put(brought, timeout=0.5)
            except queue.Full:
                continue
            return
