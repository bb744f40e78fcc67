"""The watch: one alert a change with its figures, none for few people, none twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from openteller.demo.conversations import CHANGE
from openteller.demo.past import make_past
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import Severity
from openteller.insights.trends.watch import TrendWatch
from openteller.store.database import Database
from tests.insights.trends.said import person, said
from tests.store.people import AGENT, ANN, BEN, customer

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)


def watch(database: Database, now: datetime = NOW) -> TrendWatch:
    return TrendWatch(database, AlertDesk(database), "Asia/Shanghai", lambda: now)


@pytest.fixture
def told(clean: Database) -> Database:
    """The demo's past of two customers: cards go bad."""
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
    make_past(clean, date(2026, 6, 10), days=70)
    return clean


def test_a_change_of_two_peoples_mood_is_no_alert(told: Database) -> None:
    assert watch(told).look() == ()


def test_nothing_stored_raises_nothing(clean: Database) -> None:
    assert watch(clean).look() == ()


def changed(database: Database, bad_from: int = 24) -> None:
    """Six people ask about cards every day; from `bad_from` days before on, all but one in a bad mood."""
    for back in range(40, 0, -1):
        for number in range(6):
            mood = "negative" if back <= bad_from and number else "neutral"
            said(database, person(number), NOW - timedelta(days=back), mood)


def test_one_alert_a_change_however_often_and_however_many_look(clean: Database) -> None:
    changed(clean, 8)
    with ThreadPoolExecutor(3) as pool:
        looks = list(pool.map(lambda _: watch(clean).look(), range(3)))
    raised = [alert for look in looks for alert in look]
    assert sorted((a.kind, a.subject) for a in raised) == [("trend.mood", "bank"), ("trend.mood", "card")]
    card = next(alert for alert in raised if alert.subject == "card")
    assert card.severity is Severity.CRITICAL
    assert card.detail["changed_on"] == "2026-06-02"
    assert card.detail["before"]["value"] == 0
    assert card.detail["since"]["value"] == pytest.approx(5 / 6, abs=1e-4)
    assert (card.detail["conversations_before"], card.detail["conversations_since"]) == (28 * 6, 8 * 6)
    assert card.title.zh == "银行卡：负面情绪由 0% 变为 83%（自 2026-06-02）"
    assert card.title.en == "Cards: negative mood from 0% to 83% (since 2026-06-02)"
    assert card.link == "/console/trends?topic=card"
    for later in (1, 24, 48):
        assert watch(clean, NOW + timedelta(hours=later)).look() == ()
    assert len(AlertDesk(clean).list(AGENT)) == 2


def test_the_planted_change_of_the_demo_is_found(clean: Database) -> None:
    from openteller.demo.load import load

    today = date(2026, 6, 10)
    load(clean, 40, today=today)
    make_past(clean, today)
    assert make_past(clean, today).turns == 0
    cards = [alert for alert in watch(clean).look() if alert.subject == "card"]
    assert [alert.kind for alert in cards] == ["trend.mood"]
    begins = date.fromisoformat(cards[0].detail["changed_on"])
    assert abs(begins - (today - timedelta(days=CHANGE))) <= timedelta(days=2)
