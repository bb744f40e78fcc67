"""Topics that appear, grow, merge and die as items come in, without ever being fitted anew.

One pass, as in TextClust (Assenmacher & Trautmann 2022): an item joins the topic whose fading centre is nearest by
cosine, or begins one; two topics that have grown alike become one; a topic nobody writes about fades and ends. Where
that compares with every topic, here an index of terms proposes a few, so that an item costs the same however many
topics there are. Terms are pairs of Han characters and words, weighted by how rare they have lately been.
Knows nothing about entities or the store.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openteller.core.text import fold
from openteller.insights.opinion.records import Topic, TopicStatus

JOIN, MERGE = 0.30, 0.45
"""Cosine from which on an item joins a topic, and two topics become one."""
HALF_LIFE = timedelta(hours=24)
ENDED_AFTER = timedelta(hours=72)
MOST_TOPICS = 20_000
_ITEM_TERMS, _CENTRE_TERMS, _PROBES, _SHOWN = 48, 64, 10, 6
_MOST_TERMS = 300_000
_PART = re.compile(r"[㐀-鿿]+|[a-z][a-z0-9'’-]+|\d[\d.,%]*")
_STOP = frozenset(
    ["the", "a", "an", "and", "or", "of", "to", "in", "on", "for", "with", "by", "at", "from", "as", "is", "are", "was", "were", "be", "been", "has", "have", "had", "it", "its", "this", "that", "these", "those", "will", "would", "not", "no", "but", "after", "over", "into", "about", "than", "more", "up", "out", "they", "their", "we", "our", "you", "your", "he", "she", "his", "her", "i", "my", "said", "says"]
)  # fmt: skip

Weights = dict[str, float]


def terms(text: str) -> Iterator[str]:
    """Pairs of Han characters within a run, and words; figures change while the topic stays, so they are left out."""
    for part in _PART.findall(fold(text)[:2_000]):
        if part[0].isascii():
            if part not in _STOP and not part[0].isdigit():
                yield part[:-1] if len(part) > 3 and part.endswith("s") else part
        else:
            yield from (part[start : start + 2] for start in range(len(part) - 1))


class Rarity:
    """How rare terms have lately been: counts of items that hold them, halved when there are too many."""

    def __init__(self) -> None:
        self._items, self._counts = 0.0, Counter[str]()

    def add(self, found: Iterable[str]) -> None:
        """Count the distinct terms of one item."""
        self._items += 1
        self._counts.update(found)
        if len(self._counts) > _MOST_TERMS:
            self._items /= 2
            self._counts = Counter({term: count // 2 for term, count in self._counts.items() if count > 1})

    def of(self, term: str) -> float:
        """Smoothed inverse document frequency; 1 for what stands everywhere."""
        return math.log((self._items + 50) / (self._counts[term] + 1)) + 1 if self._items else 1.0


@dataclass
class Cluster:
    """A topic at work. `centre` is of unit length as of `last_at`; `mass` counts items, faded."""

    id: int
    title: str
    centre: Weights
    first_at: datetime
    last_at: datetime
    mass: float = 1.0
    items: int = 1
    nearness: float = 0.0
    status: TopicStatus = TopicStatus.LIVE
    merged_into: int | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """The weightiest terms, pairs that overlap joined."""
        return _joined(sorted(self.centre, key=lambda term: (-self.centre[term], term))[: 2 * _SHOWN])[:_SHOWN]

    def record(self) -> Topic:
        """The topic as others see it."""
        return Topic(
            id=self.id,
            title=self.title,
            terms=self.shown,
            status=self.status,
            merged_into=self.merged_into,
            items=self.items,
            first_at=self.first_at,
            last_at=self.last_at,
        )


@dataclass
class Topics:
    """Every live topic. One thread at a time."""

    rarity: Rarity = field(default_factory=Rarity)
    live: dict[int, Cluster] = field(default_factory=dict)
    changed: dict[int, Cluster] = field(default_factory=dict)
    _index: dict[str, set[int]] = field(default_factory=dict)
    _merged: dict[int, int] = field(default_factory=dict)

    def place(self, words: str, at: datetime, new_id: int) -> Cluster:
        """The topic of an item: the nearest, or a new one called `new_id`. What changed is in `changed` until taken."""
        counts = Counter(terms(words))
        self.rarity.add(counts.keys())
        vector = self._vector(counts)
        near = sorted(((_cosine(vector, self.live[i].centre), i) for i in self._proposed(vector)), reverse=True)
        if not near or near[0][0] < JOIN:
            return self._begin(words, vector, at, new_id)
        nearness, cluster = near[0][0], self.live[near[0][1]]
        self._grow(cluster, vector, words, nearness, at)
        for likeness, other in near[1:4]:
            if likeness >= JOIN and _cosine(cluster.centre, self.live[other].centre) >= MERGE:
                cluster = self._merge(cluster, self.live[other])
        return cluster

    def restore(self, clusters: Iterable[Cluster], recent: Iterable[str]) -> None:
        """Go on from stored topics and the words of recent items."""
        for words in recent:
            self.rarity.add(set(terms(words)))
        for cluster in clusters:
            self.live[cluster.id] = cluster
            self._note(cluster, cluster.centre)

    def end_faded(self, at: datetime) -> None:
        """End topics that nothing has joined for three days, and the oldest beyond the most there may be."""
        stale = [c for c in self.live.values() if at - c.last_at > ENDED_AFTER]
        spare = len(self.live) - len(stale) - MOST_TOPICS
        if spare > 0:
            stale += sorted((c for c in self.live.values() if c not in stale), key=lambda c: c.last_at)[:spare]
        for cluster in stale:
            cluster.status = TopicStatus.ENDED
            self._forget(cluster)
        self._merged = {
            gone: kept for gone in self._merged if (kept := self.now(gone)) in self.live and kept is not None
        }

    def now(self, topic_id: int | None) -> int | None:
        """The topic that `topic_id` is by now: itself, or what it became part of."""
        while topic_id in self._merged:
            topic_id = self._merged[topic_id]
        return topic_id

    def take_changed(self) -> list[Cluster]:
        """What changed since the last call."""
        taken, self.changed = list(self.changed.values()), {}
        return taken

    def _vector(self, counts: Counter[str]) -> Weights:
        weighed = {term: (1 + math.log(count)) * self.rarity.of(term) for term, count in counts.items()}
        return _unit(_heaviest(weighed, _ITEM_TERMS))

    def _proposed(self, vector: Weights) -> set[int]:
        """Topics that share at least two of the item's rarest terms, or the one it has."""
        rarest = sorted(vector, key=lambda term: -self.rarity.of(term))[: 2 * _PROBES]
        shared = Counter(i for term in rarest for i in self._index.get(term, ()))
        least = 2 if len(vector) > 3 else 1
        return {i for i, count in shared.most_common(_PROBES) if count >= least}

    def _begin(self, words: str, vector: Weights, at: datetime, new_id: int) -> Cluster:
        cluster = Cluster(new_id, _headline(words), vector, at, at)
        self.live[new_id] = self.changed[new_id] = cluster
        self._note(cluster, vector)
        return cluster

    def _grow(self, cluster: Cluster, vector: Weights, words: str, nearness: float, at: datetime) -> None:
        kept = cluster.mass * 0.5 ** (max((at - cluster.last_at) / HALF_LIFE, 0.0))
        self._move(cluster, _sum(cluster.centre, kept, vector, 1.0))
        cluster.mass, cluster.items = kept + 1, cluster.items + 1
        cluster.last_at = max(cluster.last_at, at)
        if nearness > cluster.nearness:
            cluster.title, cluster.nearness = _headline(words), nearness
        self.changed[cluster.id] = cluster

    def _merge(self, one: Cluster, other: Cluster) -> Cluster:
        """The larger takes the smaller in; of equals the older."""
        kept, gone = (one, other) if (one.items, -one.id) >= (other.items, -other.id) else (other, one)
        self._move(kept, _sum(kept.centre, kept.mass, gone.centre, gone.mass))
        kept.mass, kept.items = kept.mass + gone.mass, kept.items + gone.items
        kept.first_at, kept.last_at = min(kept.first_at, gone.first_at), max(kept.last_at, gone.last_at)
        gone.status, gone.merged_into = TopicStatus.MERGED, kept.id
        self._merged[gone.id] = kept.id
        self._forget(gone)
        self.changed[kept.id] = kept
        return kept

    def _move(self, cluster: Cluster, centre: Weights) -> None:
        centre = _unit(_heaviest(centre, _CENTRE_TERMS))
        for term in cluster.centre.keys() - centre.keys():
            self._unnote(cluster.id, term)
        self._note(cluster, centre)
        cluster.centre = centre

    def _note(self, cluster: Cluster, centre: Weights) -> None:
        for term in centre:
            self._index.setdefault(term, set()).add(cluster.id)

    def _unnote(self, cluster_id: int, term: str) -> None:
        holders = self._index.get(term)
        if holders is not None:
            holders.discard(cluster_id)
            if not holders:
                del self._index[term]

    def _forget(self, cluster: Cluster) -> None:
        for term in cluster.centre:
            self._unnote(cluster.id, term)
        self.live.pop(cluster.id, None)
        self.changed[cluster.id] = cluster


def _headline(words: str) -> str:
    return words.partition("\n")[0][:120]


def _heaviest(weights: Weights, most: int) -> Weights:
    if len(weights) <= most:
        return weights
    return {term: weights[term] for term in sorted(weights, key=lambda term: (-weights[term], term))[:most]}


def _unit(weights: Weights) -> Weights:
    length = math.sqrt(sum(value * value for value in weights.values())) or 1.0
    return {term: value / length for term, value in weights.items()}


def _cosine(one: Weights, other: Weights) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(value * other[term] for term, value in one.items() if term in other)


def _sum(one: Weights, share: float, other: Weights, other_share: float) -> Weights:
    total = {term: value * share for term, value in one.items()}
    for term, value in other.items():
        total[term] = total.get(term, 0.0) + value * other_share
    return total


def _joined(pairs: list[str]) -> tuple[str, ...]:
    """松湾 and 湾银 and 银行 as 松湾银行, in the order of the first of them."""
    parts = list(pairs)
    joined = True
    while joined:
        joined = False
        for one in parts:
            other = next(
                (o for o in parts if o != one and not o.isascii() and not one.isascii() and one[-1] == o[0]), None
            )
            if other and len(one) + len(other) <= 9:
                place = min(parts.index(one), parts.index(other))
                parts = [p for p in parts if p not in (one, other)]
                parts.insert(place, one + other[1:])
                joined = True
                break
    return tuple(parts)
