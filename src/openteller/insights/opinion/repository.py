"""Public opinion in the store, in the caller's transaction; row-level security lets staff alone see it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from openteller.core.records import LocalText
from openteller.insights.opinion.bursts import Finding, Key
from openteller.insights.opinion.reading import Reading
from openteller.insights.opinion.records import (
    Alias,
    Burst,
    Cursor,
    Entity,
    EntityKind,
    EventType,
    Item,
    Level,
    Mention,
    RawItem,
    SourceKind,
    SourceState,
    StoredItem,
    Topic,
    TopicGrowth,
    TopicStatus,
    TrendPoint,
)
from openteller.insights.opinion.reporting import EntityShare, Figures
from openteller.insights.opinion.topics import Cluster
from openteller.store.tables import (
    OpinionBurstRow,
    OpinionEntityRow,
    OpinionInboxRow,
    OpinionItemRow,
    OpinionMentionRow,
    OpinionSourceRow,
    OpinionTopicRow,
)

Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])
_LOCK = 0x6F70696E
_SEQUENCE = "opinion_items_id_seq"


class NewItem(NamedTuple):
    """An item about to be stored, with what was read in it."""

    id: int
    item: Item
    reading: Reading
    duplicate_of: int | None
    topic_id: int | None


class RecentWords(NamedTuple):
    """A stored item as what comes after is held against it; `words` are its title and text."""

    id: int
    at: datetime
    words: str
    repeats: bool
    topic_id: int | None


class ItemFilter(NamedTuple):
    """Which items; None and empty ask for all."""

    entity_id: str | None = None
    topic_id: int | None = None
    sentiment: str | None = None
    event: EventType | None = None
    least: Level = Level.NONE
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[int, ...] | None = None
    counted: bool = False


class ListeningRepository:
    """What the pipeline reads and writes. Every method works in the caller's transaction."""

    def lock(self, session: Session) -> None:
        """Until the transaction ends, no other pipeline writes."""
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def last_id(self, session: Session) -> int:
        """The largest id of an item; 0 for none."""
        return session.scalar(select(func.max(OpinionItemRow.id))) or 0

    def draw_ids(self, session: Session, count: int) -> list[int]:
        """As many new ids, in order."""
        query = select(func.nextval(_SEQUENCE)).select_from(func.generate_series(1, count))
        return sorted(session.scalars(query))

    def known(self, session: Session, hashes: Collection[str]) -> dict[str, tuple[int, str, str]]:
        """Hash → id, source and external id of the item that has it."""
        columns = (OpinionItemRow.content_hash, OpinionItemRow.id, OpinionItemRow.source, OpinionItemRow.external_id)
        rows = session.execute(select(*columns).where(OpinionItemRow.content_hash.in_(hashes)))
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def add_items(self, session: Session, new: Sequence[NewItem]) -> None:
        """Store items with their mentions."""
        if not new:
            return
        session.execute(insert(OpinionItemRow), [_values(one) for one in new])
        mentions = [
            {"item_id": one.id, **mention.model_dump(mode="json")} for one in new for mention in one.reading.mentions
        ]
        if mentions:
            session.execute(insert(OpinionMentionRow), mentions)

    def count_copies(self, session: Session, copies: dict[int, int]) -> None:
        """Note that the same words came again: id → how often."""
        for item_id, count in copies.items():
            query = update(OpinionItemRow).where(OpinionItemRow.id == item_id)
            session.execute(query.values(copies=OpinionItemRow.copies + count))

    def save_topics(self, session: Session, clusters: Iterable[Cluster]) -> None:
        """Store topics as they stand now; items of one that was merged go to where it went."""
        values = [_topic_values(cluster) for cluster in clusters]
        if not values:
            return
        query = upsert(OpinionTopicRow)
        changed = {name: query.excluded[name] for name in values[0] if name not in ("id", "first_at")}
        session.execute(query.on_conflict_do_update(index_elements=[OpinionTopicRow.id], set_=changed), values)
        for value in values:
            if value["merged_into"] is not None:
                moved = update(OpinionItemRow).where(OpinionItemRow.topic_id == value["id"])
                session.execute(moved.values(topic_id=value["merged_into"]))

    def add_burst(self, session: Session, finding: Finding, at: datetime, level: Level) -> int:
        """Store a burst; its id."""
        values = {
            "topic_id": finding.key.topic_id,
            "entity_id": finding.key.entity_id,
            "found_at": at,
            "items": finding.items,
            "expected": finding.expected,
            "window_seconds": finding.window_seconds,
            "level": level,
            "item_ids": list(finding.item_ids),
        }
        return session.scalars(insert(OpinionBurstRow).values(values).returning(OpinionBurstRow.id)).one()

    def end_bursts(self, session: Session, keys: Iterable[Key], at: datetime) -> None:
        """Note that bursts are over."""
        for key in keys:
            mine = (
                OpinionBurstRow.topic_id == key.topic_id if key.topic_id else OpinionBurstRow.entity_id == key.entity_id
            )
            session.execute(update(OpinionBurstRow).where(mine, OpinionBurstRow.ended_at.is_(None)).values(ended_at=at))

    def levels(self, session: Session, item_ids: Collection[int]) -> list[tuple[Level, str | None]]:
        """For each item, or each entity it names, how bad it is."""
        query = (
            select(OpinionItemRow.level, OpinionMentionRow.entity_id)
            .outerjoin(OpinionMentionRow, OpinionMentionRow.item_id == OpinionItemRow.id)
            .where(OpinionItemRow.id.in_(item_ids))
        )
        return [(Level(level), entity_id) for level, entity_id in session.execute(query)]

    def source(self, session: Session, name: str) -> SourceState | None:
        """A source; None when there is none of this name."""
        row = session.get(OpinionSourceRow, name, populate_existing=True)
        return _source(row) if row else None

    def sources(self, session: Session) -> list[SourceState]:
        """All sources by name."""
        return [_source(row) for row in session.scalars(select(OpinionSourceRow).order_by(OpinionSourceRow.name))]

    def save_source(self, session: Session, state: SourceState) -> None:
        """Store a source as it is; what is there already is replaced."""
        values = state.model_dump(exclude={"kind"}) | {"kind": state.kind.value}
        query = upsert(OpinionSourceRow).values(values)
        changed = {name: query.excluded[name] for name in values if name != "name"}
        session.execute(query.on_conflict_do_update(index_elements=[OpinionSourceRow.name], set_=changed))

    def advance(self, session: Session, name: str, cursor: Cursor, items: int, at: datetime, fault: str) -> None:
        """Note how far a source has been read; one that is not listed is listed as pushed, without a cursor."""
        values = {
            "name": name,
            "kind": SourceKind.PUSH.value,
            "cursor": cursor,
            "items": items,
            "read_at": at,
            "last_error": fault,
        }
        query = upsert(OpinionSourceRow).values(values)
        changed = {
            "cursor": query.excluded.cursor,
            "items": OpinionSourceRow.items + query.excluded["items"],
            "read_at": query.excluded.read_at,
            "last_error": query.excluded.last_error,
            "failures": 0,
        }
        session.execute(query.on_conflict_do_update(index_elements=[OpinionSourceRow.name], set_=changed))

    def note_failure(self, session: Session, name: str, fault: str) -> None:
        """Note that a source could not be read."""
        query = update(OpinionSourceRow).where(OpinionSourceRow.name == name)
        session.execute(query.values(failures=OpinionSourceRow.failures + 1, last_error=fault[:1_000]))

    def remove_source(self, session: Session, name: str) -> bool:
        """Remove a source; its items stay. Whether it was there."""
        query = delete(OpinionSourceRow).where(OpinionSourceRow.name == name).returning(OpinionSourceRow.name)
        return session.scalar(query) is not None

    def push(self, session: Session, source: str, items: Sequence[RawItem]) -> int:
        """Put items into the inbox; how many were not there yet, in the inbox or among the items, by their external ids."""
        pairs = [(source, item.external_id) for item in items]
        found = select(OpinionItemRow.external_id).where(
            tuple_(OpinionItemRow.source, OpinionItemRow.external_id).in_(pairs)
        )
        stored = set(session.scalars(found))
        values = [
            {"source": source, "external_id": item.external_id, "item": item.model_dump(mode="json")}
            for item in items
            if item.external_id not in stored
        ]
        if not values:
            return 0
        query = upsert(OpinionInboxRow).on_conflict_do_nothing(
            index_elements=[OpinionInboxRow.source, OpinionInboxRow.external_id]
        )
        added = session.scalars(query.values(values).returning(OpinionInboxRow.id))
        return len(list(added))

    def inbox(self, session: Session, limit: int) -> list[tuple[int, str, RawItem]]:
        """Pushed items that wait, the oldest of one source first: id, source, item."""
        oldest = select(OpinionInboxRow.source).order_by(OpinionInboxRow.id).limit(1).scalar_subquery()
        query = (
            select(OpinionInboxRow).where(OpinionInboxRow.source == oldest).order_by(OpinionInboxRow.id).limit(limit)
        )
        return [(row.id, row.source, RawItem.model_validate(row.item, strict=False)) for row in session.scalars(query)]

    def settle_inbox(self, session: Session, ids: Collection[int]) -> None:
        """Take rows out of the inbox."""
        session.execute(delete(OpinionInboxRow).where(OpinionInboxRow.id.in_(ids)))

    def recent_words(self, session: Session, since: datetime, limit: int) -> list[RecentWords]:
        """The latest items that came since then, the oldest first."""
        columns = (OpinionItemRow.id, OpinionItemRow.arrived_at, OpinionItemRow.title, OpinionItemRow.text, OpinionItemRow.duplicate_of, OpinionItemRow.topic_id)  # fmt: skip
        query = (
            select(*columns).where(OpinionItemRow.arrived_at >= since).order_by(OpinionItemRow.id.desc()).limit(limit)
        )
        rows = session.execute(query).all()
        return [
            RecentWords(row[0], row[1], "\n".join(filter(None, row[2:4])), row[4] is not None, row[5])
            for row in reversed(rows)
        ]

    def clusters(self, session: Session) -> list[Cluster]:
        """Every live topic, to go on from."""
        query = select(OpinionTopicRow).where(OpinionTopicRow.status == TopicStatus.LIVE)
        return [
            Cluster(
                id=row.id,
                title=row.title,
                centre=row.weights["centre"],
                first_at=row.first_at,
                last_at=row.last_at,
                mass=row.weights["mass"],
                items=row.items,
                nearness=row.weights["nearness"],
            )
            for row in session.scalars(query)
        ]

    def past_counts(self, session: Session, since: datetime, recent: datetime) -> list[tuple[Key, datetime, int]]:
        """How many items each topic and entity got, near-duplicates too: by the hour until `recent`, by ten seconds after; in order."""
        at = OpinionItemRow.arrived_at
        bucket = text("CASE WHEN opinion_items.arrived_at < :recent THEN date_bin('1 hour', opinion_items.arrived_at, 'epoch')"
                      " ELSE date_bin('10 seconds', opinion_items.arrived_at, 'epoch') END AS bucket").bindparams(recent=recent)  # fmt: skip
        by_topic = select(OpinionItemRow.topic_id, bucket, func.count()).where(at >= since, OpinionItemRow.topic_id.is_not(None)).group_by(OpinionItemRow.topic_id, text("bucket"))  # fmt: skip
        by_entity = (
            select(OpinionMentionRow.entity_id, bucket, func.count())
            .join(OpinionItemRow, OpinionItemRow.id == OpinionMentionRow.item_id)
            .where(at >= since)
            .group_by(OpinionMentionRow.entity_id, text("bucket"))
        )
        found = [(Key(topic_id=row[0]), row[1], row[2]) for row in session.execute(by_topic)]
        found += [(Key(entity_id=row[0]), row[1], row[2]) for row in session.execute(by_entity)]
        return sorted(found, key=lambda one: one[1])

    def open_bursts(self, session: Session) -> list[Key]:
        """What bursts now."""
        query = select(OpinionBurstRow.topic_id, OpinionBurstRow.entity_id).where(OpinionBurstRow.ended_at.is_(None))
        return [Key(*row) for row in session.execute(query)]

    def forget(self, session: Session, before: datetime) -> int:
        """Delete items, ended topics and bursts from before then; the number of items."""
        gone = session.scalars(
            delete(OpinionItemRow).where(OpinionItemRow.arrived_at < before).returning(OpinionItemRow.id)
        )
        count = len(list(gone))
        done = OpinionTopicRow.status != TopicStatus.LIVE
        session.execute(delete(OpinionTopicRow).where(OpinionTopicRow.last_at < before, done))
        session.execute(delete(OpinionBurstRow).where(OpinionBurstRow.found_at < before))
        return count


class OpinionRepository:
    """What staff look at, and the list of entities. Every method works in the caller's transaction."""

    def items(self, session: Session, wanted: ItemFilter, limit: int, offset: int = 0) -> list[StoredItem]:
        """Items, the newest first."""
        query = _filtered(select(OpinionItemRow), wanted).order_by(
            OpinionItemRow.arrived_at.desc(), OpinionItemRow.id.desc()
        )
        rows = list(session.scalars(query.limit(limit).offset(offset)))
        mentions: dict[int, list[Mention]] = {}
        if rows:
            asked = select(OpinionMentionRow).where(OpinionMentionRow.item_id.in_([row.id for row in rows]))
            for row in session.scalars(asked.order_by(OpinionMentionRow.item_id, OpinionMentionRow.entity_id)):
                mentions.setdefault(row.item_id, []).append(_mention(row))
        return [_item(row, tuple(mentions.get(row.id, ()))) for row in rows]

    def count(self, session: Session, wanted: ItemFilter) -> int:
        """How many items."""
        return session.scalar(_filtered(select(func.count()).select_from(OpinionItemRow), wanted)) or 0

    def shares(self, session: Session, wanted: ItemFilter, column: str) -> list[tuple[str, int]]:
        """How many items of each sentiment, event, level or source, the most first."""
        by = {"sentiment": OpinionItemRow.sentiment, "event": OpinionItemRow.event, "level": OpinionItemRow.level, "source": OpinionItemRow.source}[column]  # fmt: skip
        query = _filtered(select(by, func.count()), wanted).group_by(by).order_by(func.count().desc(), by)
        return [(row[0], row[1]) for row in session.execute(query)]

    def topics(self, session: Session, *, live_only: bool, least: int, limit: int, offset: int) -> list[Topic]:
        """Topics of at least so many items, the latest first."""
        query = select(OpinionTopicRow).where(OpinionTopicRow.items >= least)
        query = query.where(
            OpinionTopicRow.status == TopicStatus.LIVE if live_only else OpinionTopicRow.status != TopicStatus.MERGED
        )
        query = query.order_by(OpinionTopicRow.last_at.desc(), OpinionTopicRow.id.desc())
        return [_topic(row) for row in session.scalars(query.limit(limit).offset(offset))]

    def topic(self, session: Session, topic_id: int) -> Topic | None:
        """A topic; None when there is none."""
        row = session.get(OpinionTopicRow, topic_id)
        return _topic(row) if row else None

    def busiest(self, session: Session, wanted: ItemFilter, limit: int) -> list[tuple[Topic, int]]:
        """Topics with the most counted items among those wanted, with their number."""
        query = _filtered(select(OpinionItemRow.topic_id, func.count()), wanted).where(
            OpinionItemRow.topic_id.is_not(None)
        )
        query = query.group_by(OpinionItemRow.topic_id).order_by(func.count().desc(), OpinionItemRow.topic_id)
        found = session.execute(query.limit(limit)).all()
        rows = {row.id: row for row in session.scalars(select(OpinionTopicRow).where(OpinionTopicRow.id.in_([one[0] for one in found])))}  # fmt: skip
        return [(_topic(rows[topic_id]), count) for topic_id, count in found if topic_id in rows]

    def burst(self, session: Session, burst_id: int) -> Burst | None:
        """A burst; None when there is none."""
        row = session.get(OpinionBurstRow, burst_id)
        return _burst(row) if row else None

    def growing(
        self, session: Session, before: datetime, since: datetime, *, least: int, limit: int
    ) -> list[TopicGrowth]:
        """Topics that got items from `since` on, at least so many in all; those first that got most more than from `before`."""
        at = OpinionItemRow.arrived_at
        now, past = (func.count().filter(part) for part in (at >= since, at < since))
        query = select(OpinionTopicRow, now, past).join(OpinionItemRow, OpinionItemRow.topic_id == OpinionTopicRow.id)
        query = query.where(at >= before, OpinionItemRow.duplicate_of.is_(None), OpinionTopicRow.items >= least)
        query = query.group_by(OpinionTopicRow.id).having(now > 0)
        query = query.order_by((now - past).desc(), OpinionTopicRow.last_at.desc(), OpinionTopicRow.id)
        found = session.execute(query.limit(limit))
        return [TopicGrowth(topic=_topic(row), items=items, before=past) for row, items, past in found]

    def bursts(
        self, session: Session, *, since: datetime | None, until: datetime | None, limit: int, offset: int = 0
    ) -> list[Burst]:
        """Bursts, the newest first."""
        query = select(OpinionBurstRow).order_by(OpinionBurstRow.found_at.desc(), OpinionBurstRow.id.desc())
        if since:
            query = query.where(OpinionBurstRow.found_at >= since)
        if until:
            query = query.where(OpinionBurstRow.found_at < until)
        return [_burst(row) for row in session.scalars(query.limit(limit).offset(offset))]

    def trend(self, session: Session, wanted: ItemFilter, step: str, zone: str) -> list[TrendPoint]:
        """Counted items by hour or day of the zone and by sentiment; toward the entity where one is wanted."""
        moment = func.date_trunc(step, OpinionItemRow.arrived_at, zone)
        toward = OpinionMentionRow.sentiment if wanted.entity_id else OpinionItemRow.sentiment
        query = select(moment, toward, func.count())
        if wanted.entity_id:
            query = query.join(OpinionMentionRow, (OpinionMentionRow.item_id == OpinionItemRow.id) & (OpinionMentionRow.entity_id == wanted.entity_id))  # fmt: skip
        query = _filtered(query, wanted).where(OpinionItemRow.duplicate_of.is_(None)).group_by(moment, toward)
        points: dict[datetime, dict[str, int]] = {}
        for at, sentiment, count in session.execute(query.order_by(moment)):
            points.setdefault(at, {})[sentiment] = count
        return [TrendPoint(at=at, **counts) for at, counts in points.items()]

    def toward(self, session: Session, wanted: ItemFilter) -> list[tuple[str, str, int]]:
        """How many counted items name each entity, by sentiment: entity, sentiment, number."""
        columns = (OpinionMentionRow.entity_id, OpinionMentionRow.sentiment)
        query = select(*columns, func.count()).join(OpinionItemRow, OpinionItemRow.id == OpinionMentionRow.item_id)
        query = _filtered(query, wanted).group_by(*columns).order_by(*columns)
        return [(row[0], row[1], row[2]) for row in session.execute(query)]

    def figures(self, session: Session, first: date, last: date, zone: str) -> Figures:
        """What a report of these days of the zone tells, counted, with the items that it cites."""
        since = datetime.combine(first, time(), ZoneInfo(zone))
        until = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone))
        counted = ItemFilter(since=since, until=until, counted=True)
        bad = counted._replace(sentiment="negative")
        total, hourly = self.count(session, counted), last == first
        bursts = self.bursts(session, since=since, until=until, limit=20)
        cited = tuple({one for burst in bursts for one in burst.item_ids})
        events = [(EventType(event), count) for event, count in self.shares(session, bad, "event")]
        return Figures(
            first=first,
            last=last,
            total=total,
            repeated=self.count(session, counted._replace(counted=False)) - total,
            negative=self.count(session, bad),
            high=self.count(session, counted._replace(least=Level.HIGH)),
            points=tuple(self.trend(session, counted, "hour" if hourly else "day", zone)),
            hourly=hourly,
            entities=self._shares_of_entities(session, counted),
            events=tuple(
                (e, n, self._cited(session, bad._replace(event=e))) for e, n in events if e is not EventType.OTHER
            ),
            topics=tuple(
                (t, n, self._cited(session, counted._replace(topic_id=t.id)))
                for t, n in self.busiest(session, counted, 10)
            ),
            bursts=tuple(bursts),
            burst_items={item.id: item for item in self.items(session, ItemFilter(ids=cited), len(cited) or 1)},
            worst=tuple(self.items(session, counted._replace(least=Level.HIGH), 10)),
        )

    def _shares_of_entities(self, session: Session, counted: ItemFilter) -> tuple[EntityShare, ...]:
        entities, found = {entity.id: entity for entity in self.entities(session)}, dict[str, dict[str, int]]()
        for entity_id, sentiment, count in self.toward(session, counted):
            if entity_id in entities:
                found.setdefault(entity_id, {})[sentiment] = count
        shares = [
            EntityShare(
                entities[one], said.get("negative", 0), said.get("neutral", 0), said.get("positive", 0),
                self._cited(session, counted._replace(entity_id=one)),
            )
            for one, said in found.items()
        ]  # fmt: skip
        return tuple(sorted(shares, key=lambda one: (-one.negative, one.entity.id))[:20])

    def _cited(self, session: Session, wanted: ItemFilter) -> tuple[StoredItem, ...]:
        """A few of them: the negative ones first, else the newest."""
        bad = self.items(session, wanted._replace(sentiment="negative"), 5)
        return tuple(bad or self.items(session, wanted, 5))

    def entities(self, session: Session) -> list[Entity]:
        """The list by id."""
        return [_entity(row) for row in session.scalars(select(OpinionEntityRow).order_by(OpinionEntityRow.id))]

    def replace_entities(self, session: Session, entities: Sequence[Entity]) -> None:
        """Make these the whole list."""
        session.execute(delete(OpinionEntityRow))
        if entities:
            session.execute(insert(OpinionEntityRow), [_entity_values(entity) for entity in entities])


def _filtered(query: Q, wanted: ItemFilter) -> Q:
    row = OpinionItemRow
    if wanted.entity_id:
        named = select(OpinionMentionRow.item_id).where(OpinionMentionRow.entity_id == wanted.entity_id)
        query = query.where(row.id.in_(named))
    conditions = []
    if wanted.topic_id is not None:
        conditions.append(row.topic_id == wanted.topic_id)
    if wanted.sentiment is not None:
        conditions.append(row.sentiment == wanted.sentiment)
    if wanted.event is not None:
        conditions.append(row.event == wanted.event)
    if wanted.least is not Level.NONE:
        conditions.append(row.level.in_([level for level in Level if level.number >= wanted.least.number]))
    if wanted.since is not None:
        conditions.append(row.arrived_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.arrived_at < wanted.until)
    if wanted.ids is not None:
        conditions.append(row.id.in_(wanted.ids))
    if wanted.counted:
        conditions.append(row.duplicate_of.is_(None))
    return query.where(*conditions)


def _values(new: NewItem) -> dict[str, Any]:
    return new.item.model_dump() | {
        "id": new.id,
        "duplicate_of": new.duplicate_of,
        "topic_id": new.topic_id,
        "sentiment": new.reading.sentiment,
        "event": new.reading.event.value,
        "level": new.reading.level.value,
    }


def _topic_values(cluster: Cluster) -> dict[str, Any]:
    is_live = cluster.status is TopicStatus.LIVE
    centre = {term: round(weight, 4) for term, weight in cluster.centre.items()} if is_live else {}
    return {
        "id": cluster.id,
        "title": cluster.title,
        "terms": list(cluster.shown),
        "status": cluster.status.value,
        "merged_into": cluster.merged_into,
        "items": cluster.items,
        "weights": {"centre": centre, "mass": round(cluster.mass, 4), "nearness": round(cluster.nearness, 4)},
        "first_at": cluster.first_at,
        "last_at": cluster.last_at,
    }


def _source(row: OpinionSourceRow) -> SourceState:
    return SourceState.model_validate({name: getattr(row, name) for name in SourceState.model_fields})


def _mention(row: OpinionMentionRow) -> Mention:
    return Mention.model_validate({name: getattr(row, name) for name in Mention.model_fields})


def _item(row: OpinionItemRow, mentions: tuple[Mention, ...]) -> StoredItem:
    fields = {name: getattr(row, name) for name in StoredItem.model_fields if name != "mentions"}
    return StoredItem.model_validate(fields | {"mentions": mentions})


def _topic(row: OpinionTopicRow) -> Topic:
    return Topic.model_validate({name: getattr(row, name) for name in Topic.model_fields})


def _burst(row: OpinionBurstRow) -> Burst:
    return Burst.model_validate({name: getattr(row, name) for name in Burst.model_fields})


def _entity(row: OpinionEntityRow) -> Entity:
    return Entity(
        id=row.id,
        kind=EntityKind(row.kind),
        name=LocalText(zh=row.name_zh, en=row.name_en),
        aliases=tuple(Alias.model_validate(one) for one in row.aliases),
        context=tuple(row.context),
    )


def _entity_values(entity: Entity) -> dict[str, Any]:
    return {
        "id": entity.id,
        "kind": entity.kind.value,
        "name_zh": entity.name.zh,
        "name_en": entity.name.en,
        "aliases": [alias.model_dump() for alias in entity.aliases],
        "context": list(entity.context),
    }
