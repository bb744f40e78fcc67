"""When somebody at the bank should look: a burst, and an item that says something very bad of the bank itself.

Pure functions to `NewAlert`; the pipeline raises them. Knows nothing about the store.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from openteller.core.records import LocalText
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.insights.opinion.bursts import Finding
from openteller.insights.opinion.events import NAMES
from openteller.insights.opinion.records import Entity, EntityKind, Level
from openteller.insights.opinion.repository import NewItem

_PAGE = "/console/opinion"
_NAMED = 0.3
"""Share of a burst's items that name an entity from which on it is about that entity."""
_SURE = 0.6


@dataclass(frozen=True)
class Watched:
    """The list of entities, and titles of live topics."""

    entities: Mapping[str, Entity]
    titles: Mapping[int, str]


def burst_alert(
    burst_id: int, finding: Finding, at: datetime, judged: Sequence[tuple[Level, str | None]], watched: Watched
) -> NewAlert | None:
    """The alert of a burst. Its key is what bursts, by the hour: a topic and the entity it is about raise one alert.

    Critical when it is about the bank and something bad is said; a warning when it is about somebody on the list or bad.
    """
    entity = _subject(finding, judged, watched)
    bad = sum(level.number >= Level.MEDIUM.number for level, _ in judged) >= 0.2 * max(len(judged), 1)
    own = entity is not None and entity.kind is EntityKind.OWN
    severity = Severity.CRITICAL if own and bad else Severity.WARNING if entity or bad else Severity.INFO
    title = watched.titles.get(finding.key.topic_id or 0, "")
    return NewAlert(
        kind="opinion.burst",
        key=f"opinion.burst {entity.id if entity else f'topic {finding.key.topic_id}'} {at:%Y-%m-%dT%H}",
        severity=severity,
        title=_burst_title(finding, entity, title),
        subject=entity.id if entity else f"topic {finding.key.topic_id}",
        link=f"{_PAGE}?burst={burst_id}",
        detail={
            "items": finding.items,
            "expected": round(finding.expected, 2),
            "window_seconds": finding.window_seconds,
            "item_ids": list(finding.item_ids),
        },
    )


def item_alerts(new: Sequence[NewItem], watched: Watched) -> Iterator[NewAlert]:
    """One alert a day, entity and kind of event, for items that say something of level high of the bank itself."""
    for one in new:
        for mention in one.reading.mentions:
            entity = watched.entities[mention.entity_id]
            sure = mention.event_probability >= _SURE
            if entity.kind is EntityKind.OWN and mention.level is Level.HIGH and sure and one.duplicate_of is None:
                event = NAMES[mention.event]
                yield NewAlert(
                    kind="opinion.risk",
                    key=f"opinion.risk {entity.id} {mention.event} {one.item.arrived_at:%Y-%m-%d}",
                    severity=Severity.CRITICAL,
                    title=LocalText(zh=f"{entity.name.zh}:{event.zh}", en=f"{entity.name.en}: {event.en}"),
                    subject=entity.id,
                    link=f"{_PAGE}?item={one.id}",
                    detail={"item_ids": [one.id], "event": mention.event, "probability": mention.event_probability},
                )


def _subject(finding: Finding, judged: Sequence[tuple[Level, str | None]], watched: Watched) -> Entity | None:
    """The entity that bursts, or that a bursting topic is about; the bank itself before others."""
    if finding.key.entity_id:
        return watched.entities.get(finding.key.entity_id)
    named = Counter(entity_id for _, entity_id in judged if entity_id)
    often = [entity_id for entity_id, count in named.most_common() if count >= _NAMED * len(finding.item_ids)]
    entities = [watched.entities[entity_id] for entity_id in often if entity_id in watched.entities]
    return next((entity for entity in entities if entity.kind is EntityKind.OWN), entities[0] if entities else None)


def _burst_title(finding: Finding, entity: Entity | None, topic: str) -> LocalText:
    minutes = finding.window_seconds // 60
    about_zh, about_en = (f"{entity.name.zh}", entity.name.en) if entity else ("话题", "A topic")
    quoted = f"《{topic[:60]}》" if topic else ""
    shown = f" “{topic[:60]}”" if topic else ""
    return LocalText(
        zh=f"{about_zh}{quoted}在{minutes}分钟内出现{finding.items}条",
        en=f"{about_en}{shown}: {finding.items} items in {minutes} minutes",
    )
