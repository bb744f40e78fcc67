"""What was worked out a moment ago and may be wanted now: a small memory that forgets by itself. Knows nothing of what it keeps."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """At most `size` values, each for `seconds`. Safe to share between threads.

    Args:
        now: a clock in seconds.
    """

    def __init__(self, size: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._size, self._seconds, self._now = size, seconds, now
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self._lock = Lock()

    def put(self, key: Hashable, value: V) -> None:
        """Keep `value` under `key`; the oldest one goes when there are too many."""
        with self._lock:
            self._kept[key] = (self._now() + self._seconds, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def take(self, key: Hashable) -> V | None:
        """The value under `key`, which is then forgotten; None when there is none, or it is too old."""
        with self._lock:
            until, value = self._kept.pop(key, (0.0, None))
            return value if self._now() < until else None
