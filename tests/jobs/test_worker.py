"""The worker: each due time once however many work, what a killed one had begun is done again, and it stops."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from openteller.core.records import LocalText
from openteller.jobs.records import Job
from openteller.jobs.repository import SCHEMA, JobRepository
from openteller.jobs.worker import Worker
from openteller.store.database import Database

EVERY_SECOND = "* * * * * *"
WORDS = LocalText(zh="计数", en="count")


@pytest.fixture
def queue(database: Database) -> JobRepository:
    """An empty queue."""
    with database.owner_session() as session:
        session.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    return JobRepository(database)


def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_two_workers_do_each_due_time_once(queue: JobRepository, database: Database) -> None:
    lock, running, most, done = threading.Lock(), 0, 0, list[float]()

    def count() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.3)
        with lock:
            running -= 1
            done.append(time.monotonic())
        return "counted"

    job = Job("count", WORDS, EVERY_SECOND, count)
    workers = [Worker(database, [job]), Worker(database, [job])]
    begun = time.monotonic()
    for worker in workers:
        worker.start()
    until(lambda: len(done) >= 4)
    for worker in workers:
        worker.stop()
    assert most == 1
    assert len(done) <= time.monotonic() - begun + 2
    with database.owner_session() as session:
        query = f"SELECT count(*), count(DISTINCT defer_timestamp) FROM {SCHEMA}.procrastinate_periodic_defers WHERE task_name = 'count'"
        every, distinct = session.execute(text(query)).one()
    assert every == distinct
    (status,) = queue.statuses([job])
    assert status.last_succeeded is not None
    assert status.running == 0


def test_a_job_that_fails_is_told_and_done_again(queue: JobRepository, database: Database) -> None:
    tries: list[int] = []

    def fail_first() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("not today")
        return "done"

    job = Job("fails", WORDS, EVERY_SECOND, fail_first)
    worker = Worker(database, [job])
    worker.start()
    until(lambda: len(tries) >= 2)
    until(lambda: queue.statuses([job])[0].last_succeeded is not None)
    worker.stop()
    (status,) = queue.statuses([job])
    assert status.last_failed is not None


def test_nothing_is_known_before_a_worker_ran(queue: JobRepository) -> None:
    job = Job("count", WORDS, EVERY_SECOND, lambda: "")
    (status,) = queue.statuses([job])
    assert (status.waiting, status.running, status.last_begun) == (0, 0, None)
    queue.prepare()
    assert queue.is_ready
    queue.prepare()
    assert queue.statuses([job]) == (status,)


def test_another_version_of_the_library_gets_its_tables_anew(queue: JobRepository, database: Database) -> None:
    queue.prepare()
    with database.owner_session() as session:
        session.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS 'procrastinate 1.0.0'"))
    assert not queue.is_ready
    queue.prepare()
    assert queue.is_ready


KILLED = """
import sys, time
from openteller.core.records import LocalText
from openteller.jobs.records import Job
from openteller.jobs.worker import Worker
from openteller.store.database import Database

def work():
    print("begun", flush=True)
    time.sleep(600)
    return ""

words = LocalText(zh="x", en="x")
Worker(Database(*sys.argv[1:3]), [Job("long", words, "* * * * * *", work)], heartbeat=1.0).run()
"""


def test_kill_9_puts_what_was_begun_back(
    queue: JobRepository, database: Database, database_urls: tuple[str, str]
) -> None:
    command = [sys.executable, "-c", KILLED, *database_urls]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ, cwd=root) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGKILL)
    never = "0 0 1 1 *"  # nothing new is due: what is done is what was left
    done: list[int] = []
    job = Job("long", WORDS, never, lambda: str(done.append(1)))
    (left,) = queue.statuses([job])
    assert left.running == 1
    worker = Worker(database, [job], heartbeat=1.0)
    worker.start()
    until(lambda: bool(done) and queue.statuses([job])[0].running == 0)
    worker.stop()
    (status,) = queue.statuses([job])
    assert (status.running, status.last_succeeded is None) == (0, False)


def test_a_worker_without_a_store_waits_and_stops() -> None:
    worker = Worker(Database("postgresql://nobody@127.0.0.1:1/none"), [])
    worker.start()
    time.sleep(0.5)
    begun = time.monotonic()
    worker.stop()
    assert time.monotonic() - begun < 5
