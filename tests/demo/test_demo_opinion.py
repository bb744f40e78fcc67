"""The demo bank's day of public opinion is heard once, as if it had been yesterday, and its burst is found."""

from datetime import timedelta

from openteller.core.clock import local_date, utc_now
from openteller.core.records import Principal, Role
from openteller.demo.opinion import hear_yesterday
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.opinion.linking import EntityLinker
from openteller.insights.opinion.model import shipped_model
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.repository import ItemFilter
from openteller.store.database import Database

ANALYST = Principal(subject="zhao", role=Role.ANALYST)
ZONE = "Asia/Shanghai"


def test_yesterday_is_heard_once(clean: Database) -> None:
    desk, alerts = OpinionDesk(clean, ZONE), AlertDesk(clean)
    today = local_date(utc_now(), ZONE)

    def reader() -> OpinionReader:
        return OpinionReader(shipped_model(), EntityLinker(desk.entities(ANALYST)))

    taken = hear_yesterday(clean, desk, reader, alerts, today)
    assert taken.items > 20
    assert taken.rejected == ()
    items = desk.items(ANALYST, ItemFilter(), limit=100)
    assert {local_date(item.arrived_at, ZONE) for item in items} == {today - timedelta(days=1)}
    assert any(item.mentions for item in items)
    assert desk.bursts(ANALYST)
    assert alerts.list(ANALYST)
    assert hear_yesterday(clean, desk, reader, alerts, today).items == 0
    assert len(desk.items(ANALYST, ItemFilter(), limit=100)) == taken.items
