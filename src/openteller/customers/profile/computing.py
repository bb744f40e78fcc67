"""Every customer's running state computed anew, over several processes: Ray where it is installed, a process pool where not.

A run goes through the customers in the order of their numbers, a batch a transaction, and notes how far it has come, so
that one which was cut off goes on. Bookings wait for the batch that their customer is in, and no longer. At the end
the bank's quintiles are computed in the database.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any, Literal, NamedTuple

from pydantic import Field

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, MissingDependency
from openteller.core.records import Principal, Record, Role
from openteller.customers.profile.records import RfmCuts
from openteller.customers.profile.repository import BehaviourRepository
from openteller.store import audit
from openteller.store.database import Database

Engine = Literal["auto", "ray", "processes"]
Progress = Callable[[int, int], None]
MAX_WORKERS = 256
BATCH = 250
_AHEAD = 2
"""Batches handed out for each worker, so that none waits for the next."""
_SELF = Principal(subject="behaviour", role=Role.SERVICE)


class Batch(NamedTuple):
    """What one worker computes at a time."""

    url: str
    zone: str
    on: date
    customer_ids: tuple[str, ...]


class RunReport(Record):
    """What a run did."""

    customers: int = Field(description="computed by this call")
    resumed: int = Field(description="computed before it, by the run that it went on with")
    movements: int
    seconds: float
    engine: str
    workers: int
    cuts: RfmCuts | None = Field(None, description="None where fewer than five customers agreed to personalisation")


def recompute_all(
    database: Database,
    *,
    zone: str = "Asia/Shanghai",
    workers: int = 1,
    engine: Engine = "auto",
    anew: bool = False,
    progress: Progress | None = None,
    batch: int = BATCH,
) -> RunReport:
    """Compute every customer's state from all stored movements, going on with a run that was cut off.

    Args:
        database: migrated.
        zone: IANA name of the bank's time zone.
        workers: processes; 1 computes in this one.
        engine: what starts them; auto: Ray where it is installed.
        anew: leave a run that was cut off, and begin from the first customer.
        progress: told (customers done, of how many).
        batch: customers a transaction.

    Raises:
        BadInput: the number of workers is out of bounds.
        MissingDependency: Ray is asked for and not installed.
    """
    if not 1 <= workers <= MAX_WORKERS:
        raise BadInput(f"{workers} workers cannot be started.", next_step=f"Ask for 1 to {MAX_WORKERS}.")
    started, on = time.monotonic(), local_date(utc_now(), zone)
    repository = BehaviourRepository(zone)
    with database.session(_SELF) as session:
        run, total = repository.begin_run(session, anew=anew), repository.count(session)
    resumed, movements = run.done, 0
    with _pool(workers, engine) as (named, mapped):
        for given, counted in mapped(_batches(database, repository, run.after, on, zone, batch)):
            movements += counted
            with database.session(_SELF) as session:
                run = repository.advance(session, run, given.customer_ids[-1], run.done + len(given.customer_ids))
            if progress:
                progress(min(run.done, total), total)
    with database.session(_SELF) as session:
        cuts = repository.finish_run(session, run, on)
        found = {"customers": run.done - resumed, "resumed": resumed, "movements": movements}
        audit.record(session, _SELF.subject, "behaviour.recomputed", f"run {run.id}", found)
    seconds = round(time.monotonic() - started, 3)
    return RunReport.model_validate(found | {"seconds": seconds, "engine": named, "workers": workers, "cuts": cuts})


def compute(batch: Batch) -> int:
    """Compute one batch in a transaction of its own; how many movements there were."""
    with _opened(batch.url).session(_SELF) as session:
        return BehaviourRepository(batch.zone).recompute(session, batch.customer_ids, batch.on)


@cache
def _opened(url: str) -> Database:
    """One pool of connections for each process."""
    return Database(url)


def _batches(
    database: Database, repository: BehaviourRepository, after: str, on: date, zone: str, size: int
) -> Iterator[Batch]:
    while True:
        with database.session(_SELF) as session:
            ids = repository.customer_ids(session, after, size)
        if not ids:
            return
        yield Batch(database.app_url(), zone, on, tuple(ids))
        after = ids[-1]


Mapped = Callable[[Iterator[Batch]], Iterator[tuple[Batch, int]]]
"""Computes batches, and gives them back with what came of them in the order they came in."""


@contextmanager
def _pool(workers: int, engine: Engine) -> Iterator[tuple[str, Mapped]]:
    if engine == "ray" and find_spec("ray") is None:
        raise MissingDependency(
            "Ray is not installed.", next_step='pip install "openteller[scale]", or --engine processes.'
        )
    if workers == 1 and engine != "ray":
        yield "this process", lambda batches: ((batch, compute(batch)) for batch in batches)
    elif engine == "processes" or find_spec("ray") is None:
        # A fork would share the parent's connections.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

            def submit(batch: Batch) -> "Future[int]":
                return pool.submit(compute, batch)

            yield "processes", lambda batches: _windowed(batches, workers, submit, lambda job: job.result())
    else:
        with _ray(workers) as (submit_ray, wait):
            yield "ray", lambda batches: _windowed(batches, workers, submit_ray, wait)


@contextmanager
def _ray(workers: int) -> Iterator[tuple[Callable[[Batch], Any], Callable[[Any], int]]]:
    """Ray's own cluster where RAY_ADDRESS names one, else one on this machine for as long as it lasts."""
    # Nothing is reported to Ray's makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(
        num_cpus=None if os.environ.get("RAY_ADDRESS") else workers,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        remote = ray.remote(num_cpus=1)(compute)
        yield remote.remote, ray.get
    finally:
        ray.shutdown()


def _windowed(
    batches: Iterator[Batch], workers: int, submit: Callable[[Batch], Any], wait: Callable[[Any], int]
) -> Iterator[tuple[Batch, int]]:
    """Keep a few batches with each worker, never all of them."""
    waiting: deque[tuple[Batch, Any]] = deque()
    for batch in batches:
        waiting.append((batch, submit(batch)))
        if len(waiting) >= workers * _AHEAD:
            first, job = waiting.popleft()
            yield first, wait(job)
    while waiting:
        first, job = waiting.popleft()
        yield first, wait(job)
