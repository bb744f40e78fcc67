"""The stream: a source's batch becomes items, topics, bursts and alerts, with the source's new cursor, in one transaction.

Exactly once: a process that is killed at any moment leaves either the whole batch or nothing of it, and the next one reads
on from the stored cursor. What is kept in memory (the window of duplicates, topics, counts) is only ever ahead of the store
within a batch; when a transaction fails, or somebody else has written meanwhile, it is built anew from the store.
Knows nothing about where batches come from.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import Field
from sqlalchemy.orm import Session

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Record, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.alerting import Watched, burst_alert, item_alerts
from openteller.insights.opinion.bursts import BurstDetector, Finding, Key
from openteller.insights.opinion.duplicates import DuplicateWindow
from openteller.insights.opinion.normalising import item_of
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.records import Batch, Cursor, Item, Level, RawItem, TopicStatus
from openteller.insights.opinion.repository import ListeningRepository, NewItem
from openteller.insights.opinion.topics import Topics
from openteller.store.database import Database

LISTENER = Principal(subject="opinion", role=Role.SERVICE)
_REMEMBERED = timedelta(days=3)
_PAST = timedelta(days=7)
_TEND = timedelta(minutes=1)
_WORDS = 20_000


class Taken(Record):
    """What became of a batch."""

    items: int = Field(0, description="stored, near-duplicates included")
    duplicates: int = Field(0, description="of these nearly repeat another")
    copies: int = Field(0, description="the same words as an item that is there")
    rejected: tuple[str, ...] = ()
    bursts: int = 0
    alerts: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        """Both together; of what was rejected the latest few."""
        numbers = {
            name: getattr(self, name) + getattr(other, name) for name in Taken.model_fields if name != "rejected"
        }
        return Taken(**numbers, rejected=(*self.rejected, *other.rejected)[-20:])


class _Known(NamedTuple):
    """A stored item, or one of this batch."""

    id: int
    source: str
    external_id: str


class Pipeline:
    """One stream into the store. One thread at a time; several processes take turns, each batch whole.

    Args:
        database: the store.
        reader: reads each item; asked for once, and again in `reload`.
        alerts: where alerts are raised; None raises none (for what is long past).
        clock: the present moment in UTC.
        window: items among which near-duplicates are looked for.
    """

    def __init__(
        self,
        database: Database,
        reader: Callable[[], OpinionReader],
        alerts: AlertDesk | None,
        *,
        clock: Callable[[], datetime] = utc_now,
        window: int = 20_000,
    ) -> None:
        self._database, self._make_reader, self._alerts, self._clock = database, reader, alerts, clock
        self._repository = ListeningRepository()
        self._window_size = window
        self._last_id: int | None = None
        self._reader: OpinionReader | None = None
        self._tended = clock()

    def reload(self) -> None:
        """Read the list of entities anew before the next batch."""
        self._reader = None

    def take(self, source: str, batch: Batch, *, at: Callable[[RawItem], datetime] | None = None) -> Taken:
        """Store what a source brought, with its cursor, or nothing.

        Args:
            source: its name.
            batch: what it brought.
            at: when an item arrived, not before the one before it; None: now.
        """
        now = self._clock()
        items, rejected = self._normalised(source, batch.items, at or (lambda _: now))
        try:
            with self._database.session(LISTENER) as session:
                taken = self._take_in(session, source, batch, items, rejected)
        except BaseException:
            self._last_id = None
            raise
        return taken

    def _normalised(
        self, source: str, raw: Sequence[RawItem], at: Callable[[RawItem], datetime]
    ) -> tuple[list[Item], list[str]]:
        items, rejected = [], []
        for one in raw:
            try:
                items.append(item_of(one, source, at(one)))
            except BadInput as error:
                rejected.append(f"{one.external_id or one.url or 'an item'}: {error.message}")
        return items, rejected

    def _take_in(self, session: Session, source: str, batch: Batch, items: list[Item], rejected: list[str]) -> Taken:
        self._repository.lock(session)
        self._keep_up(session)
        fresh, copies = self._fresh(session, items)
        new = self._read_all(session, fresh)
        self._repository.add_items(session, new)
        self._repository.count_copies(session, Counter(first for first, _ in copies))
        findings = self._count(session, new, copies)
        self._repository.save_topics(session, self._topics.take_changed())
        at = items[-1].arrived_at if items else self._clock()
        self._settle(session, source, batch, len(new), at, "; ".join([*batch.faults, *rejected])[:1_000])
        bursts, alerts = self._announce(session, new, findings)
        return Taken(
            items=len(new),
            duplicates=sum(one.duplicate_of is not None for one in new),
            copies=len(copies),
            rejected=(*batch.faults, *rejected),
            bursts=bursts,
            alerts=alerts,
        )

    def _settle(self, session: Session, source: str, batch: Batch, stored: int, at: datetime, fault: str) -> None:
        self._repository.advance(session, source, batch.cursor, stored, at, fault)
        if batch.inbox:
            self._repository.settle_inbox(session, batch.inbox)

    def _fresh(self, session: Session, items: list[Item]) -> tuple[list[Item], list[tuple[int, Item]]]:
        """Items whose words are new, and those that repeat an item's, with its id. What a source brings twice is neither."""
        known = {
            words: _Known(*found)
            for words, found in self._repository.known(session, {item.content_hash for item in items}).items()
        }
        fresh: dict[str, Item] = {}
        again: list[Item] = []
        for item in items:
            if item.content_hash in known or item.content_hash in fresh:
                again.append(item)
            else:
                fresh[item.content_hash] = item
        ids = self._repository.draw_ids(session, len(fresh)) if fresh else []
        self._drawn = dict(zip(fresh, ids, strict=True))
        copies = list[tuple[int, Item]]()
        for item in again:
            first = known.get(item.content_hash)
            if first is None:
                other = fresh[item.content_hash]
                first = _Known(self._drawn[item.content_hash], other.source, other.external_id)
            if not item.external_id or (item.source, item.external_id) != (first.source, first.external_id):
                copies.append((first.id, item))
        return list(fresh.values()), copies

    def _read_all(self, session: Session, items: list[Item]) -> list[NewItem]:
        reader = self._reader_now()
        new = []
        for item in items:
            item_id, words = self._drawn[item.content_hash], item.words
            repeated = self._window.find(words)
            if repeated is None:
                topic_id: int | None = self._topics.place(words, item.arrived_at, item_id).id
                self._window.add(item_id, words, item.arrived_at, topic_id)
            else:
                topic_id = self._window.topic(repeated)
            new.append(NewItem(item_id, item, reader.read(words), repeated, topic_id))
            self._last_id = item_id
        return [self._in_merged(one) for one in new]

    def _in_merged(self, one: NewItem) -> NewItem:
        """The item in the topic that its own became part of."""
        return one._replace(topic_id=self._topics.now(one.topic_id))

    def _reader_now(self) -> OpinionReader:
        if self._reader is None:
            self._reader = self._make_reader()
        return self._reader

    def _count(
        self, session: Session, new: list[NewItem], copies: list[tuple[int, Item]]
    ) -> list[tuple[Finding, datetime]]:
        """The bursts that begin. What is said again by another is one item everywhere else, but here it is how a thing spreads."""
        for cluster in self._topics.changed.values():
            if cluster.status is TopicStatus.MERGED:
                self._bursts.join(Key(topic_id=cluster.id), Key(topic_id=cluster.merged_into))
        arrivals = [(one.item.arrived_at, one.id, self._keys(one)) for one in new]
        for first, item in copies:
            topic_id = self._topics.now(self._window.topic(first))
            if topic_id is not None and item.external_id:
                arrivals.append((item.arrived_at, first, [Key(topic_id=topic_id)]))
        findings = []
        for at, item_id, keys in sorted(arrivals, key=lambda one: one[0]):
            findings += [(finding, at) for finding in self._bursts.observe(keys, item_id, at)]
        if new:
            self._tend(session, new[-1].item.arrived_at)
        return findings

    @staticmethod
    def _keys(one: NewItem) -> list[Key]:
        of_topic = [Key(topic_id=one.topic_id)] if one.topic_id is not None else []
        return of_topic + [Key(entity_id=mention.entity_id) for mention in one.reading.mentions]

    def _tend(self, session: Session, at: datetime) -> None:
        """Now and then: end what is over."""
        if at - self._tended < _TEND:
            return
        self._tended = at
        self._topics.end_faded(at)
        self._repository.end_bursts(session, self._bursts.ended(at), at)

    def _announce(
        self, session: Session, new: list[NewItem], findings: list[tuple[Finding, datetime]]
    ) -> tuple[int, int]:
        """Store bursts and raise alerts; the audit log comes last in a transaction."""
        announced = []
        for finding, at in findings:
            judged = self._repository.levels(session, finding.item_ids)
            level = max((level for level, _ in judged), key=lambda one: one.number, default=Level.NONE)
            announced.append((finding, at, self._repository.add_burst(session, finding, at, level), judged))
        if self._alerts is None:
            return len(findings), 0
        watched = Watched(
            self._reader_now().linker.entities, {i: c.title for i, c in self._topics.live.items()} if findings else {}
        )
        raised = 0
        for finding, at, burst_id, judged in announced:
            alert = burst_alert(burst_id, finding, at, judged, watched)
            raised += alert is not None and self._alerts.raise_in(session, alert) is not None
        for alert in item_alerts(new, watched):
            raised += self._alerts.raise_in(session, alert) is not None
        return len(findings), raised

    def _keep_up(self, session: Session) -> None:
        """Build anew from the store what is in memory, unless it is what the store has."""
        last = self._repository.last_id(session)
        if self._last_id is not None and self._last_id >= last:
            return
        now = self._clock()
        self._window, self._topics, self._bursts = DuplicateWindow(self._window_size), Topics(), BurstDetector()
        recent = self._repository.recent_words(session, now - _REMEMBERED, max(self._window_size, _WORDS))
        for one in recent:
            if not one.repeats:
                self._window.add(one.id, one.words, one.at, one.topic_id)
        self._topics.restore(self._repository.clusters(session), (one.words for one in recent))
        for key, at, count in self._repository.past_counts(session, now - _PAST, now - timedelta(hours=1)):
            self._bursts.recall(key, at, count)
        for key in self._repository.open_bursts(session):
            self._bursts.recall(key, now, 0, is_open=True)
        self._last_id, self._tended = last, now


def cursor_of(database: Database, source: str) -> Cursor:
    """How far a source has been read; empty for one that was never read."""
    with database.session(LISTENER) as session:
        state = ListeningRepository().source(session, source)
    return state.cursor if state else {}
