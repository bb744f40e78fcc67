"""Where calls have done what takes long: a few threads for each kind of work, shared by all calls of a process.

A call's own code runs in one event loop, and results come back to it there. What was only a guess is not done while real work
waits. Knows nothing about what the work is.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from openteller.core.errors import OpenTellerError, Unavailable

T = TypeVar("T")

_GUESSES = frozenset({"prepare"})


class Workshop:
    """The threads. One a process.

    Args:
        threads: for each kind of work; None: as many as there are processors for each, one for end-of-turn and guesses.
        fault: told of an error that is none of the house's, before the call gets Unavailable in its place.
    """

    def __init__(
        self, threads: Mapping[str, int] | None = None, fault: Callable[[Exception], None] = lambda _: None
    ) -> None:
        cores = os.cpu_count() or 1
        self._threads = {"hear": cores, "speak": cores, "answer": 4, "turn": 1, "prepare": 1} | dict(threads or {})
        self._pools = {kind: ThreadPoolExecutor(count, f"voice-{kind}") for kind, count in self._threads.items()}
        self._fault = fault
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    def waiting(self, kind: str) -> int:
        """How many jobs of a kind have not begun."""
        return max(0, self._open[kind] - self._threads[kind])

    def submit(
        self,
        loop: asyncio.AbstractEventLoop,
        kind: str,
        job: Callable[[], T],
        then: Callable[[T | OpenTellerError], None],
    ) -> None:
        """Run `job` in a thread of its kind, then `then` in `loop`."""
        if kind in _GUESSES and (self._open[kind] or self.waiting("answer")):
            return
        with self._lock:
            self._open[kind] += 1
        self._pools[kind].submit(self._run, loop, kind, job, then)

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        kind: str,
        job: Callable[[], T],
        then: Callable[[T | OpenTellerError], None],
    ) -> None:
        try:
            result: T | OpenTellerError = job()
        except OpenTellerError as error:
            result = error
        except Exception as error:  # An engine may raise anything; the call goes on without its result.
            self._fault(error)
            result = Unavailable("Something went wrong.", next_step="Try again.")
        finally:
            with self._lock:
                self._open[kind] -= 1
        hand_over(loop, lambda: then(result))

    def close(self) -> None:
        """Begin nothing more."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


class LoopWork:
    """The Work of one call: the workshop's threads, and the call's own event loop."""

    def __init__(self, workshop: Workshop, loop: asyncio.AbstractEventLoop) -> None:
        self._workshop, self._loop = workshop, loop

    def submit(self, kind: str, job: Callable[[], T], then: Callable[[T | OpenTellerError], None]) -> None:
        """Run `job`, then `then` in the call's loop."""
        self._workshop.submit(self._loop, kind, job, then)

    def post(self, then: Callable[[], None]) -> None:
        """Run `then` in the call's loop."""
        hand_over(self._loop, then)


def hand_over(loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
    """Run `then` in the loop; nothing when it has closed meanwhile, because the call is over."""
    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(then)
        except RuntimeError:  # closed between the question and the call
            return
