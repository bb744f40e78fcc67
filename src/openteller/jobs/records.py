"""The records of jobs. Knows nothing about the queue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from openteller.core.records import LocalText, Record


@dataclass(frozen=True)
class Job:
    """Something that is done again and again. Doing it twice does no harm: a worker that is killed leaves it to another.

    Attributes:
        name: how it is called, as ``trends``.
        what: for a person.
        cron: when, in UTC: minute, hour, day, month, weekday, and the second where there is a sixth field.
        run: does it, and says in a sentence what came of it.
        retries: how often it is tried again, a minute later and then later and later, before its next time.
    """

    name: str
    what: LocalText
    cron: str
    run: Callable[[], str]
    retries: int = 0


class JobStatus(Record):
    """Where a job stands in the queue. Moments are in UTC; None: never, or no longer known."""

    name: str
    what: LocalText
    cron: str
    waiting: int = Field(description="times it is due and not begun")
    running: int
    last_begun: datetime | None
    last_succeeded: datetime | None
    last_failed: datetime | None
