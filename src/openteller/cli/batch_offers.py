"""Offers for every customer, in several processes or on a Ray cluster: each reads its customers and decides by itself.

Every process has an application of its own, made when it first works. Knows nothing about what an offer is.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache, lru_cache, partial
from multiprocessing import get_context
from typing import Any

from openteller.assembly import Application
from openteller.core.errors import MissingDependency
from openteller.core.records import Principal, Role
from openteller.recommendation.batch import offers_of
from openteller.recommendation.repository import (
    CampaignRepository,
    CustomerFileReader,
    OfferEventRepository,
    popularity,
)
from openteller.settings import load

PART = 500  # customers that are read together
_AHEAD = 2  # parts handed out for each core of a cluster, so that none waits for the next
_SELF = Principal(subject="batch", role=Role.SERVICE)


def decided(customer_ids: list[str], on: date, limit: int, profiles: bool = False) -> list[str]:
    """One line of JSON for each of these customers that there is."""
    application = _application()
    with application.database.session(_SELF) as session:
        files = CustomerFileReader(application.settings.timezone, profiles=profiles).files(session, customer_ids, on)
        events = OfferEventRepository().recent_of(session, customer_ids, on)
        exhausted = CampaignRepository().exhausted(session, on)
    products = application.shelf().products.values()
    found = offers_of(
        application.recommender, files, products, on, events=events, exhausted=exhausted, popular=_popular(on), limit=limit
    )  # fmt: skip
    return [offers.model_dump_json() for offers in found]


def in_processes(
    parts: Iterable[list[str]], on: date, limit: int, workers: int, profiles: bool = False
) -> Iterator[list[str]]:
    """The lines of each part, in the order of the parts. With one worker in this process."""
    work = partial(decided, on=on, limit=limit, profiles=profiles)
    if workers == 1:
        try:
            yield from map(work, parts)
        finally:
            _application().close()
            _popular.cache_clear()
            _application.cache_clear()
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, parts)


def on_ray(
    parts: Iterable[list[str]], on: date, limit: int, address: str, workers: int, profiles: bool = False
) -> Iterator[list[str]]:
    """The same on a cluster whose machines reach the same database, or with ``local`` on one of this machine.

    Raises:
        MissingDependency: Ray is not installed.
    """
    # Nothing is reported to Ray's makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise MissingDependency("Ray is not installed.", next_step='pip install "openteller[scale]"') from error
    quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        ray.init("local", num_cpus=workers, **quiet)
    else:
        surroundings = {name: value for name, value in os.environ.items() if name.startswith("OPENTELLER_")}
        ray.init(address, runtime_env={"env_vars": surroundings}, log_to_driver=False)
    try:

        def in_a_worker(part: list[str]) -> list[str]:
            return decided(part, on, limit, profiles)

        work, waiting = ray.remote(num_cpus=1)(in_a_worker), deque[Any]()
        cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
        ahead = _AHEAD * max(int(cores), 1)
        for part in parts:
            waiting.append(work.remote(part))
            if len(waiting) >= ahead:
                yield ray.get(waiting.popleft())
        while waiting:
            yield ray.get(waiting.popleft())
    finally:
        ray.shutdown()


@lru_cache(maxsize=1)
def _popular(on: date) -> dict[str, float]:
    """Of the day: counting goes over the whole bank."""
    with _application().database.session(_SELF) as session:
        return popularity(session)


@cache
def _application() -> Application:
    return Application(load())
