"""Public opinion: items, topics, bursts, trends and the list of entities for staff; the push for services. Knows nothing about
how items are read.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from openteller.insights.opinion.records import EventType, Level, StoredItem, Topic
from openteller.insights.opinion.repository import ItemFilter
from openteller.serving import errors
from openteller.serving.deps import Served, Staff
from openteller.serving.opinion_wire import (
    BurstList,
    EntityList,
    ItemList,
    PushBody,
    Pushed,
    SourceList,
    TopicList,
    Trend,
)
from openteller.serving.wire import Clean

router = APIRouter(prefix="/v1/opinion", tags=["opinion"])

_Limit = Annotated[int, Query(ge=1, le=200)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000)]
_Id = Annotated[int, Query(ge=1, le=2**62)]
_Sentiment = Literal["negative", "neutral", "positive"]
_READING = errors.responses(401, 403, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 409, 413, 422, 429, 503)


@router.get("/items", summary="Items", responses=_READING)
def items(
    staff: Staff,
    serving: Served,
    entity: Annotated[Clean | None, Query(max_length=64, description="id of an entity that is named")] = None,
    topic: Annotated[_Id | None, Query(description="id of a topic")] = None,
    item: Annotated[list[_Id] | None, Query(description="these items, as a burst or an alert names them")] = None,
    sentiment: _Sentiment | None = None,
    event: EventType | None = None,
    least: Annotated[Level, Query(description="of this level, or worse")] = Level.NONE,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: _Limit = 50,
    offset: _Offset = 0,
) -> ItemList:
    """What came in, the newest first, with what is said of each entity, the topic, and the item that it repeats."""
    ids = tuple(item) if item is not None else None
    wanted = ItemFilter(entity, topic, sentiment, event, least, since, until, ids)
    return ItemList(items=tuple(serving.application.opinion.items(staff, wanted, limit=limit, offset=offset)))


@router.post("/items", summary="Push items", status_code=202, responses=_WRITING)
def push(body: PushBody, staff: Staff, serving: Served) -> Pushed:
    """Take in up to 500 items; each is read within seconds by `teller opinion watch`. Sending the same again changes nothing.
    For services and administrators.
    """
    return Pushed(new=serving.application.opinion.push(staff, body.source, body.items))


@router.get("/items/{item_id}", summary="One item", responses=_READING | errors.responses(404))
def one(item_id: int, staff: Staff, serving: Served) -> StoredItem:
    """An item, with its text and address."""
    return serving.application.opinion.item(staff, item_id)


@router.get("/topics", summary="Topics", responses=_READING)
def topics(
    staff: Staff,
    serving: Served,
    live: Annotated[bool, Query(description="only those that still grow")] = False,
    least: Annotated[int, Query(ge=1, le=1_000_000, description="items a topic has at least")] = 3,
    limit: _Limit = 50,
    offset: _Offset = 0,
) -> TopicList:
    """What the items are about, the latest first; found without anybody having named it."""
    found = serving.application.opinion.topics(staff, live_only=live, least=least, limit=limit, offset=offset)
    return TopicList(topics=tuple(found))


@router.get("/topics/{topic_id}", summary="One topic", responses=_READING | errors.responses(404))
def topic(topic_id: int, staff: Staff, serving: Served) -> Topic:
    """A topic; its items are those of `/v1/opinion/items?topic=`, and one that was merged says into which."""
    return serving.application.opinion.topic(staff, topic_id)


@router.get("/bursts", summary="Bursts", responses=_READING)
def bursts(
    staff: Staff, serving: Served, since: datetime | None = None, limit: _Limit = 50, offset: _Offset = 0
) -> BurstList:
    """Topics and entities of which far more was said than usual, the newest first."""
    found = serving.application.opinion.bursts(staff, since=since, limit=limit, offset=offset)
    return BurstList(bursts=tuple(found))


@router.get("/trend", summary="Trend", responses=_READING)
def trend(
    staff: Staff,
    serving: Served,
    entity: Annotated[Clean | None, Query(max_length=64, description="toward this entity; none: of all items")] = None,
    days: Annotated[int, Query(ge=1, le=366)] = 7,
    step: Literal["hour", "day"] = "day",
) -> Trend:
    """How many items of each sentiment came, by hour or day of the bank's time zone; near-duplicates are not counted."""
    found = serving.application.opinion.trend(staff, entity_id=entity, days=days, step=step)
    return Trend(points=tuple(found))


@router.get("/entities", summary="Entities", responses=_READING)
def entities(staff: Staff, serving: Served) -> EntityList:
    """The bank's list of whom to listen for."""
    return EntityList(entities=tuple(serving.application.opinion.entities(staff)))


@router.put("/entities", summary="Replace the list of entities", responses=_WRITING)
def replace_entities(body: EntityList, staff: Staff, serving: Served) -> EntityList:
    """Make this the whole list; it holds from the next minute on. For analysts, administrators and services."""
    serving.application.opinion.replace_entities(staff, body.entities)
    return EntityList(entities=tuple(serving.application.opinion.entities(staff)))


@router.get("/sources", summary="Sources", responses=_READING)
def sources(staff: Staff, serving: Served) -> SourceList:
    """Who is asked, when last, and what went wrong."""
    return SourceList(sources=tuple(serving.application.opinion.sources(staff)))
