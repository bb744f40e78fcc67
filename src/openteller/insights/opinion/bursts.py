"""Bursts: far more items about one thing than its own past lets expect, with a bound on false alarms.

The past is a rate that fades by half a day's worth in a day, with a prior of what any topic gets; the present is the last
five minutes and the last hour; five minutes are also held against the rest of their hour. How often an entity is named
is not known before a day has been heard, so until then five minutes alone count for it. If items came by chance at the expected rate (Poisson), n or more of them would come with
a probability of at most exp(n - m) (m / n)^n for m expected ones (Chernoff's bound); a burst is where that is below
`FALSE_ALARM`, and n is at least `LEAST` and `TIMES` times m, because real items come in swarms.
What is not covered: seasons within a day beyond what `TIMES` allows. Knows nothing about what is counted.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

FALSE_ALARM = 1e-7
LEAST, TIMES = 10, 4.0
WINDOWS = (300, 3_600)
_HALF_LIFE = 24 * 3_600.0
_DECAY = math.log(2) / _HALF_LIFE
_PRIOR_SECONDS = 6 * 3_600.0
_PRIOR_RATE, _PRIOR_SHARE = 0.5 / 3_600, 3e-4
"""The least rate of a topic: half an item an hour, or this share of all items, whichever is more."""
_KNOWN_AFTER = 24 * 3_600
_BUCKET = 10
_SHOWN = 20
_FORGOTTEN = 0.05


class Key(NamedTuple):
    """What is counted: a topic by its number or an entity by its id."""

    topic_id: int | None = None
    entity_id: str | None = None


EVERYTHING = Key()


class Finding(NamedTuple):
    """A burst that began: how many came in a window, how many were expected, and the latest of them."""

    key: Key
    items: int
    expected: float
    window_seconds: int
    item_ids: tuple[int, ...]


@dataclass
class _Count:
    """Arrivals of one key: buckets of the last hour, and a fading sum of what came before."""

    buckets: deque[list[int]] = field(default_factory=deque)
    past: float = 0.0
    as_of: int = 0
    latest: deque[int] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    open: bool = False


@dataclass
class BurstDetector:
    """Counts arrivals by key. One thread at a time; moments must not run backwards by more than a bucket.

    What has faded is forgotten, so that memory follows the traffic of about the last days.
    """

    _counts: dict[Key, _Count] = field(default_factory=dict)
    _since: int | None = None

    def observe(self, keys: Iterable[Key], item_id: int, at: datetime) -> list[Finding]:
        """Count an item under its keys; the bursts that begin with it."""
        now = int(at.timestamp())
        self._since = now if self._since is None else self._since
        self._add(EVERYTHING, item_id, now, 1)
        found = []
        for key in keys:
            count = self._add(key, item_id, now, 1)
            if not count.open and (finding := self._finding(key, count, now)):
                count.open = True
                found.append(finding)
        return found

    def recall(self, key: Key, at: datetime, items: int, *, is_open: bool = False) -> None:
        """Count what came before a restart, the oldest first, without finding anything."""
        moment = int(at.timestamp())
        self._since = moment if self._since is None else min(self._since, moment)
        count = self._add(key, None, moment, items)
        count.open = count.open or is_open

    def join(self, gone: Key, kept: Key) -> None:
        """Two topics became one: their counts too."""
        count = self._counts.pop(gone, None)
        if count is None:
            return
        other = self._counts.setdefault(kept, _Count(as_of=count.as_of))
        merged = sorted([*count.buckets, *other.buckets], key=lambda bucket: bucket[0])
        other.buckets = deque(merged)
        other.past += count.past
        other.open = other.open or count.open

    def ended(self, at: datetime) -> list[Key]:
        """The bursts that are over: fewer than twice what is expected in the last hour. What has faded is forgotten."""
        now, over = int(at.timestamp()), []
        for key, count in list(self._counts.items()):
            self._age(count, now)
            recent = _since(count, now - WINDOWS[-1])
            if count.open and recent < max(3, 2 * self._rate(key, count, now) * WINDOWS[-1]):
                count.open = False
                over.append(key)
            if not count.open and not count.buckets and count.past < _FORGOTTEN and key != EVERYTHING:
                del self._counts[key]
        return over

    def _add(self, key: Key, item_id: int | None, now: int, items: int) -> _Count:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(as_of=now)
        self._age(count, now)
        bucket = now - now % _BUCKET
        if count.buckets and count.buckets[-1][0] >= bucket:
            count.buckets[-1][1] += items
        else:
            count.buckets.append([bucket, items])
        if item_id is not None:
            count.latest.append(item_id)
        return count

    def _age(self, count: _Count, now: int) -> None:
        """Move what is older than an hour into the fading past."""
        if now <= count.as_of and not (count.buckets and count.buckets[0][0] < now - WINDOWS[-1]):
            return
        count.past *= math.exp(-_DECAY * max(now - count.as_of, 0))
        count.as_of = max(now, count.as_of)
        while count.buckets and count.buckets[0][0] < now - WINDOWS[-1]:
            moment, items = count.buckets.popleft()
            count.past += items * math.exp(-_DECAY * max(now - moment, 0))

    def _rate(self, key: Key, count: _Count, now: int) -> float:
        """Expected items a second."""
        seen = max(now - (self._since or now) - WINDOWS[-1], 0)
        lived = (1 - math.exp(-_DECAY * seen)) / _DECAY
        prior = _PRIOR_RATE
        if key != EVERYTHING:
            everything = self._counts.get(EVERYTHING)
            if everything is not None:
                prior = max(prior, _PRIOR_SHARE * self._rate(EVERYTHING, everything, now))
        return max(prior, (count.past + prior * _PRIOR_SECONDS) / (lived + _PRIOR_SECONDS))

    def _finding(self, key: Key, count: _Count, now: int) -> Finding | None:
        rate, hour = self._rate(key, count, now), _since(count, now - WINDOWS[-1])
        for window in WINDOWS:
            items, expected = _since(count, now - window), rate * window
            if window < WINDOWS[-1]:
                expected = max(expected, (hour - items) * window / (WINDOWS[-1] - window))
            elif key.entity_id and now - (self._since or now) < _KNOWN_AFTER:
                continue
            if items >= max(LEAST, TIMES * expected) and _is_beyond_chance(items, expected):
                return Finding(key, items, expected, window, tuple(dict.fromkeys(count.latest)))
        return None


def _since(count: _Count, moment: int) -> int:
    total = 0
    for start, items in reversed(count.buckets):
        if start < moment:
            break
        total += items
    return total


def _is_beyond_chance(items: int, expected: float) -> bool:
    return items > expected and items - expected + items * math.log(expected / items) < math.log(FALSE_ALARM)
