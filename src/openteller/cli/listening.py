"""What `teller opinion` shows while it listens, and sources made from their settings."""

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from openteller.core.errors import OpenTellerError
from openteller.insights.opinion.pipeline import Taken
from openteller.insights.opinion.records import SourceKind, SourceState
from openteller.insights.opinion.sources.feeds import FeedSource
from openteller.insights.opinion.sources.fetching import Fetcher
from openteller.insights.opinion.sources.files import FileSource
from openteller.insights.opinion.sources.kafka import KafkaSource, consumer_of
from openteller.insights.opinion.sources.pushed import PushedSource
from openteller.insights.opinion.sources.source import Source
from openteller.store.database import Database

_EVERY = 1.0


def sources_of(states: Sequence[SourceState], database: Database, *, allow_private: bool) -> list[Source]:
    """The sources that are enabled, and the inbox of what is pushed."""
    fetcher = Fetcher(allow_private=allow_private)
    sources: list[Source] = [PushedSource(database)]
    for state in states:
        if not state.enabled:
            continue
        match state.kind:
            case SourceKind.FEED:
                sources.append(FeedSource(state.name, state.location, fetcher))
            case SourceKind.FILE:
                sources.append(FileSource(state.name, Path(state.location)))
            case SourceKind.KAFKA:
                servers, _, topic = state.location.removeprefix("kafka:").rpartition("/")
                sources.append(KafkaSource(state.name, topic, partial(consumer_of, servers)))
            case SourceKind.PUSH:
                """The inbox has it."""
    return sources


class Shown:
    """Progress on standard error while items come in: counts, rate, alerts, and sources that cannot be read."""

    def __init__(self, *, as_json: bool) -> None:
        self._quiet = as_json or not sys.stderr.isatty()
        self._since, self._said = time.monotonic(), 0.0
        self._taken = Taken()
        self.failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._quiet:
            sys.stderr.write("\n")

    def report(self, source: str, became: Taken | OpenTellerError) -> None:
        """Of one batch of a source."""
        if isinstance(became, OpenTellerError):
            self.failed = True
            sys.stderr.write(f"{source}: {became}\n")
            return
        for fault in became.rejected[:5]:
            sys.stderr.write(f"{source}: {fault}\n")
        self.total(self._taken + became)

    def total(self, taken: Taken) -> None:
        """Of all so far."""
        self._taken = taken
        if not self._quiet and time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            sys.stderr.write(f"\r{self.summary(taken)} ")
            sys.stderr.flush()

    def summary(self, taken: Taken) -> str:
        """One line."""
        seconds = max(time.monotonic() - self._since, 1e-9)
        came = taken.items + taken.copies
        return (
            f"{taken.items:,} items ({taken.duplicates:,} near-duplicates), {taken.copies:,} copies, {taken.bursts:,} bursts,"
            f" {taken.alerts:,} alerts, {came / seconds:,.0f} a second"
        )
