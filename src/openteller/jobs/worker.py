"""The worker: a thread that takes jobs from the queue when they are due, on procrastinate.

Of several workers, each due time is queued once and each job is taken by one (PostgreSQL's SKIP LOCKED). A worker says every
few seconds that it lives; what one that was killed had begun goes back into the queue. A store that does not answer is
asked again until it does. Knows nothing about what jobs do.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from openteller.core.errors import OpenTellerError
from openteller.jobs.records import Job
from openteller.jobs.repository import SCHEMA, JobRepository
from openteller.store.database import Database

_LOG = logging.getLogger("openteller.jobs")
_KEPT_HOURS = 48
_AGAIN_SECONDS = 10.0


class Worker:
    """Works until it is stopped.

    Args:
        database: migrated.
        jobs: what is done when.
        at_once: how many jobs at a time.
        heartbeat: seconds between signs of life; whose worker was silent for three of them is taken for killed.
    """

    def __init__(self, database: Database, jobs: Sequence[Job], at_once: int = 2, heartbeat: float = 10.0) -> None:
        self._database, self._jobs, self._at_once, self._heartbeat = database, tuple(jobs), at_once, heartbeat
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._working: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """End after the jobs in progress, at most after `seconds`: what is not done by then is done again."""
        self._stopping.set()
        if self._loop and self._working:
            with suppress(RuntimeError):  # the loop has ended just now
                self._loop.call_soon_threadsafe(self._working.cancel)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def run(self) -> None:
        """Work in this thread until `stop`."""
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # it logs each job with its arguments
        while not self._stopping.is_set():
            try:
                JobRepository(self._database).prepare()
                asyncio.run(self._work())
            except (OpenTellerError, ConnectorException) as error:
                _LOG.warning("The worker cannot reach its queue: %s", error)
            self._stopping.wait(_AGAIN_SECONDS)

    async def _work(self) -> None:
        self._loop, self._working = asyncio.get_running_loop(), asyncio.current_task()
        app = queue(self._database, self._jobs, self._heartbeat)
        with suppress(asyncio.CancelledError):
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=self._at_once + 1,  # one for what looks after the queue
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._heartbeat,
                    stalled_worker_timeout=3 * self._heartbeat,
                    fetch_job_polling_interval=min(5.0, self._heartbeat),
                    shutdown_graceful_timeout=5.0,
                )


def queue(database: Database, jobs: Sequence[Job], heartbeat: float = 10.0) -> App:
    """The jobs as procrastinate's tasks, on the application's role and the queue's schema."""
    app = App(connector=PsycopgConnector(conninfo=database.side_conninfo(SCHEMA), min_size=1, max_size=4))
    for job in jobs:
        _register(app, job)
    _look_after(app, heartbeat)
    return app


def _register(app: App, job: Job) -> None:
    # At most one waits and one runs: what is slower than its schedule does not pile up.
    retry = RetryStrategy(max_attempts=job.retries, exponential_wait=60) if job.retries else False

    @app.periodic(cron=job.cron)
    @app.task(name=job.name, queueing_lock=job.name, lock=job.name, retry=retry)
    def run(timestamp: int) -> None:
        try:
            _LOG.info("%s: %s", job.name, job.run())
        except Exception as error:  # noted in the queue as failed; the next time is its next try
            _LOG.warning("The job %s failed: %s", job.name, type(error).__name__)
            raise


def _look_after(app: App, heartbeat: float) -> None:
    """Two jobs on the queue itself: put back what a killed worker had begun, and forget what was done long ago."""

    @app.periodic(cron=f"* * * * * */{max(1, int(heartbeat))}")
    @app.task(name="_rescue", queueing_lock="_rescue", priority=1)
    async def rescue(timestamp: int) -> None:
        manager = app.job_manager
        await manager.prune_stalled_workers(3 * heartbeat)
        for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=3 * heartbeat):
            try:
                await manager.retry_job(stalled, retry_at=datetime.now(UTC))
            except ConnectorException:  # the same job waits already: that one will do
                if stalled.id is not None:
                    await manager.finish_job_by_id_async(stalled.id, Status.FAILED, delete_job=False)

    @app.periodic(cron="23 * * * *")
    @app.task(name="_forget", queueing_lock="_forget")
    async def forget(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(nb_hours=_KEPT_HOURS, include_failed=True, include_aborted=True)
