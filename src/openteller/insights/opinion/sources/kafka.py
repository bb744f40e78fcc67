"""A Kafka topic of JSON messages (extra: kafka). Offsets are kept in the cursor, with the items, and never committed to Kafka:
only so is each message stored exactly once. A message has the fields of a line of a JSONL file.

Speaks to `confluent_kafka.Consumer`, or anything with its assign, consume and close. Knows nothing about what becomes of items.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from openteller.core.errors import BadInput, MissingDependency, Unavailable
from openteller.insights.opinion.records import Batch, Cursor, RawItem
from openteller.insights.opinion.sources.files import raw_item

_SECONDS = 1.0


class Place(NamedTuple):
    """Where to read on: a partition of the topic and the offset of the next message."""

    topic: str
    partition: int
    offset: int


class Message(Protocol):
    """What we use of a message."""

    def error(self) -> object: ...
    def value(self) -> bytes | None: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...


class Consumer(Protocol):
    """What we use of a consumer."""

    def partitions(self, topic: str) -> list[int]: ...
    def assign(self, places: list[Place]) -> None: ...
    def consume(self, count: int, seconds: float) -> list[Message]: ...
    def close(self) -> None: ...


class KafkaSource:
    """One topic, all its partitions.

    Args:
        name: the source's.
        topic: Kafka's.
        connect: makes the consumer when it is first needed.
    """

    def __init__(self, name: str, topic: str, connect: Callable[[], Consumer]) -> None:
        self._name, self._topic, self._connect = name, topic, connect
        self._consumer: Consumer | None = None
        self._at: Cursor | None = None

    @property
    def name(self) -> str:
        """See Source."""
        return self._name

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        """See Source."""
        consumer = self._placed(cursor)
        after, items, faults = dict(self._at or {}), list[RawItem](), list[str]()
        messages = consumer.consume(limit, _SECONDS)
        for message in messages:
            if message.error() is not None:
                self._at = None
                raise Unavailable(
                    f"Kafka's topic {self._topic} fails.",
                    cause=str(message.error()),
                    next_step="It is read again later.",
                )
            after[str(message.partition())] = message.offset() + 1
            try:
                items.append(_item(message.value()))
            except (ValidationError, ValueError) as error:
                faults.append(f"partition {message.partition()}, offset {message.offset()}: {error}"[:300])
        self._at = after
        return Batch(items=tuple(items), cursor=after, faults=tuple(faults), more=len(messages) >= limit)

    def close(self) -> None:
        """See Source."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _placed(self, cursor: Cursor) -> Consumer:
        """The consumer, at the cursor: after a batch that was not stored it goes back."""
        if self._consumer is None:
            self._consumer, self._at = self._connect(), None
        if self._at is None or any(int(cursor.get(one, 0)) != offset for one, offset in self._at.items()):
            partitions = self._consumer.partitions(self._topic)
            self._at = {str(one): int(cursor.get(str(one), 0)) for one in partitions}
            self._consumer.assign([Place(self._topic, one, self._at[str(one)]) for one in partitions])
        return self._consumer


def _item(value: bytes | None) -> RawItem:
    fields = json.loads(value or b"null")
    if not isinstance(fields, dict):
        raise ValueError("no JSON object")
    return raw_item(fields)


def consumer_of(servers: str) -> Consumer:
    """A consumer of these servers, as host:port,host:port. Raises MissingDependency without the extra."""
    try:
        import confluent_kafka
    except ImportError as error:
        raise MissingDependency(
            "Kafka is not installed.", cause=str(error), next_step='pip install "openteller[kafka]"'
        ) from error
    settings = {
        "bootstrap.servers": servers,
        "group.id": "openteller",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    return _Confluent(confluent_kafka, settings)


class _Confluent:
    """confluent_kafka's consumer under the names above."""

    def __init__(self, module: Any, settings: dict[str, object]) -> None:
        self._module, self._consumer = module, module.Consumer(settings)

    def partitions(self, topic: str) -> list[int]:
        """Numbers of the topic's partitions."""
        found = self._consumer.list_topics(topic, timeout=10.0).topics[topic]
        if found.error is not None:
            raise BadInput(f"Kafka has no topic {topic}.", cause=str(found.error), next_step="Check its name.")
        return sorted(found.partitions)

    def assign(self, places: list[Place]) -> None:
        """Read on from these."""
        self._consumer.assign([self._module.TopicPartition(*place) for place in places])

    def consume(self, count: int, seconds: float) -> list[Message]:
        """At most `count` messages that come within `seconds`."""
        messages: list[Message] = self._consumer.consume(count, seconds)
        return messages

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
