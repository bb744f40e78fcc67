"""The demo bank's entities and its day of public opinion, as if that day had been yesterday.

Knows nothing about how items are read.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from openteller.core.clock import utc_now
from openteller.core.records import Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.opinion.entity_list import read_entities
from openteller.insights.opinion.pipeline import Pipeline, Taken, cursor_of
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.replaying import replay
from openteller.store.database import Database

FOLDER = Path(__file__).with_name("bank") / "opinion"
_DAY = FOLDER / "day.jsonl"
_SOURCE = "demo"
_SELF = Principal(subject="demo", role=Role.ADMIN)


def hear_yesterday(
    database: Database, desk: OpinionDesk, reader: Callable[[], OpinionReader], alerts: AlertDesk, today: date
) -> Taken:
    """Take in the day once. A list of entities that is there already stays."""
    if cursor_of(database, _SOURCE):
        return Taken()
    if not desk.entities(_SELF):
        desk.replace_entities(_SELF, read_entities(FOLDER / "entities.yaml"))
    shift = timedelta(days=(today - _told_on()).days - 1)
    pipeline = Pipeline(database, reader, alerts, clock=lambda: utc_now() - timedelta(days=1))
    return replay(database, pipeline, _DAY, source=_SOURCE, shift=shift)


def _told_on() -> date:
    with _DAY.open(encoding="utf-8") as file:
        return datetime.fromisoformat(json.loads(file.readline())["published_at"]).date()
