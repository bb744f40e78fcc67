"""What trends read of the store: counts by period, made by the database in one statement each. Writes nothing.

A conversation counts once a period and topic, however much was said in it: messages of one conversation resemble each
other, and would make intervals too narrow. People are customers, or visitors by their own name.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import ColumnElement, Date, Float, Select, case, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import JSONPATH, aggregate_order_by
from sqlalchemy.orm import Session

from openteller.core.records import Record
from openteller.insights.trends.records import Cell, ConversationScores, Span, Stage
from openteller.insights.trends.topics import BY_FIRST_WORD, OTHER
from openteller.store.tables import OfferEventRow, SatisfactionRow, TurnRow

NEED_FROM = 0.4
"""A need counts from this probability on, as it does for offers."""
INTENT_FROM = 0.5
"""An intent counts as told from this probability on."""

_LOCK = 0x7472656E6473
_SCORE = TurnRow.understanding["sentiment"]["score"].as_float()
_NEGATIVE = case((TurnRow.sentiment == "negative", 1.0), else_=0.0)
_CONFIDENCE = TurnRow.understanding["intent"]["probability"].as_float()
_OUT_OF_SCOPE = case((TurnRow.intent == "out_of_scope", 1.0), else_=0.0)
_TOPIC = case(dict(BY_FIRST_WORD), value=func.split_part(TurnRow.intent, "_", 1), else_=OTHER)
_PERSON = func.coalesce(TurnRow.customer_id, TurnRow.owner)


class NeedCount(Record):
    """How many conversations of a period there were, and how many of them named a need."""

    begins: date
    need: str
    named: int
    people: int = Field(description="who named it")


class FunnelCounts(Record):
    """Conversations by station: at all, and by way of all before; and what the feedback was."""

    people: int
    reached: dict[Stage, int]
    through: dict[Stage, int]
    rated: int
    rating: float | None
    opened: int
    dismissed: int


class RecoveryCounts(Record):
    """Conversations with a negative message, those that did not end with one, and whose they are."""

    people: int
    turned_bad: int
    recovered: int


class TrendRepository:
    """Every method works in the caller's transaction; what the principal may not see does not count.

    Args:
        zone: IANA name of the bank's time zone: days begin there.
    """

    def __init__(self, zone: str) -> None:
        self._zone = zone

    def cells(self, session: Session, span: Span, *, by_topic: bool) -> list[Cell]:
        """Counts by period, and by topic or over all, in order."""
        topic: ColumnElement[Any] = _TOPIC if by_topic else cast(null(), TurnRow.intent.type)
        inner = (
            select(
                self._period(span).label("begins"),
                topic.label("topic"),
                func.min(_PERSON).label("person"),
                func.count().label("messages"),
                func.avg(_NEGATIVE).label("negative"),
                func.avg((_SCORE + 1) / 2).label("mood"),
                func.avg(_CONFIDENCE).label("confidence"),
                func.avg(_OUT_OF_SCOPE).label("out_of_scope"),
            )
            .where(*self._where(span))
            .group_by(TurnRow.conversation_id, "begins", "topic")
            .subquery()
        )
        names = ("negative", "mood", "confidence", "out_of_scope")
        query = select(
            inner.c.begins,
            inner.c.topic,
            func.count().label("conversations"),
            func.sum(inner.c.messages).label("messages"),
            func.count(inner.c.person.distinct()).label("people"),
            *(func.sum(inner.c[name]).cast(Float).label(name) for name in names),
        )
        rows = session.execute(query.group_by(inner.c.begins, inner.c.topic).order_by(inner.c.begins, inner.c.topic))
        return [Cell.model_validate(row, from_attributes=True) for row in rows]

    def needs(self, session: Session, span: Span) -> list[NeedCount]:
        """How often each need was named, by period."""
        named = func.jsonb_array_elements(TurnRow.understanding["needs"]).table_valued("value").render_derived()
        need, chance = (named.c.value.op("->>")(key) for key in ("label", "probability"))
        query = (
            select(
                self._period(span).label("begins"),
                need.label("need"),
                func.count(TurnRow.conversation_id.distinct()).label("named"),
                func.count(_PERSON.distinct()).label("people"),
            )
            .join(named, literal(True))
            .where(*self._where(span), cast(chance, Float) >= NEED_FROM)
            .group_by("begins", "need")
            .order_by("begins", "need")
        )
        return [NeedCount.model_validate(row, from_attributes=True) for row in session.execute(query)]

    def funnel(self, session: Session, span: Span) -> FunnelCounts:
        """How far conversations came."""
        stations = _stations(self._where(span))
        columns: list[ColumnElement[Any]] = [func.count(stations.c.person.distinct()).label("people")]
        before: list[ColumnElement[bool]] = []
        for stage in Stage:
            before.append(stations.c[stage.value])
            columns += [
                func.count().filter(stations.c[stage.value]).label(f"reached_{stage}"),
                func.count().filter(*before).label(f"through_{stage}"),
            ]
        columns += [
            func.count(stations.c.rating).label("rated"),
            cast(func.avg(stations.c.rating), Float).label("rating"),
            func.count().filter(stations.c.opened).label("opened"),
            func.count().filter(stations.c.dismissed & ~stations.c.opened).label("dismissed"),
        ]
        row = session.execute(select(*columns)).mappings().one()
        return FunnelCounts(
            people=row["people"],
            reached={stage: row[f"reached_{stage}"] for stage in Stage},
            through={stage: row[f"through_{stage}"] for stage in Stage},
            rated=row["rated"],
            rating=row["rating"],
            opened=row["opened"],
            dismissed=row["dismissed"],
        )

    def recovery(self, session: Session, span: Span) -> RecoveryCounts:
        """How conversations ended that had turned bad."""
        moods = func.array_agg(aggregate_order_by(TurnRow.sentiment, TurnRow.at.desc(), TurnRow.trace_id))
        bad = (
            select(func.min(_PERSON).label("person"), moods[1].label("last"))
            .where(*self._where(span))
            .group_by(TurnRow.conversation_id)
            .having(func.bool_or(TurnRow.sentiment == "negative"))
            .subquery()
        )
        query = select(
            func.count(bad.c.person.distinct()).label("people"),
            func.count().label("turned_bad"),
            func.count().filter(bad.c.last != "negative").label("recovered"),
        ).select_from(bad)
        return RecoveryCounts.model_validate(session.execute(query).one(), from_attributes=True)

    def lock(self, session: Session) -> None:
        """Let one watch look at a time, until the transaction ends."""
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def people(self, session: Session, span: Span) -> int:
        """How many people there were."""
        return session.scalar(select(func.count(_PERSON.distinct())).where(*self._where(span))) or 0

    def of_customer(self, session: Session, customer_id: str, span: Span) -> list[ConversationScores]:
        """A customer's conversations, the oldest first."""
        in_order = (TurnRow.at, TurnRow.trace_id)
        query = (
            select(
                TurnRow.conversation_id,
                func.min(TurnRow.at).label("at"),
                func.array_agg(aggregate_order_by(TurnRow.intent, *in_order))[1].label("intent"),
                func.array_agg(aggregate_order_by(_SCORE, *in_order)).label("scores"),
            )
            .where(TurnRow.customer_id == customer_id, *self._where(span))
            .group_by(TurnRow.conversation_id)
            .order_by(func.min(TurnRow.at), TurnRow.conversation_id)
        )
        return [ConversationScores.model_validate(row, from_attributes=True) for row in session.execute(query)]

    def _period(self, span: Span) -> ColumnElement[date]:
        local = func.timezone(self._zone, TurnRow.at)
        return cast(func.date_trunc(span.every.value, local), Date)

    def _where(self, span: Span) -> list[ColumnElement[bool]]:
        asked = [TurnRow.at >= self._start(span.since), TurnRow.at < self._start(span.until)]
        if span.topic is not None:
            asked.append(_TOPIC.is_not_distinct_from(span.topic))
        if span.language is not None:
            asked.append(TurnRow.language == span.language)
        return asked

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self._zone)).astimezone(UTC)


def _stations(where: Iterable[ColumnElement[bool]]) -> Any:
    """One row a conversation: which stations it reached, and its feedback."""
    understood = (TurnRow.intent != "out_of_scope") & (_CONFIDENCE >= INTENT_FROM)
    named = cast(literal(f"$.needs[*] ? (@.probability >= {NEED_FROM})"), JSONPATH)
    at_least = func.jsonb_path_exists(TurnRow.understanding, named)
    events = (
        select(
            OfferEventRow.trace_id,
            func.bool_or(OfferEventRow.action == "opened").label("opened"),
            func.bool_or(OfferEventRow.action == "dismissed").label("dismissed"),
        )
        .where(OfferEventRow.action != "shown", OfferEventRow.trace_id.is_not(None))
        .group_by(OfferEventRow.trace_id)
        .subquery()
    )
    told = SatisfactionRow.rating.is_not(None) | events.c.trace_id.is_not(None)
    query: Select[Any] = (
        select(
            func.min(_PERSON).label("person"),
            literal(True).label(Stage.INQUIRY.value),
            func.bool_or(understood).label(Stage.CLASSIFIED.value),
            func.bool_or(at_least).label(Stage.NEED.value),
            func.bool_or(func.jsonb_array_length(TurnRow.offers) > 0).label(Stage.OFFER.value),
            func.bool_or(told).label(Stage.FEEDBACK.value),
            func.avg(SatisfactionRow.rating).label("rating"),
            func.bool_or(func.coalesce(events.c.opened, False)).label("opened"),
            func.bool_or(func.coalesce(events.c.dismissed, False)).label("dismissed"),
        )
        .outerjoin(SatisfactionRow, SatisfactionRow.trace_id == TurnRow.trace_id)
        .outerjoin(events, events.c.trace_id == TurnRow.trace_id)
        .where(*where)
        .group_by(TurnRow.conversation_id)
    )
    return query.subquery()
