"""Trends over what is stored: counts are right, small groups and other people's moods are not shown."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from openteller.core.errors import BadInput, NotAllowed, NotFound
from openteller.core.records import Principal, Role, Satisfaction
from openteller.customers.repository import CustomerRepository
from openteller.insights.trends.desk import LEAST_PEOPLE, TrendDesk
from openteller.insights.trends.records import Every, Span, Stage
from openteller.insights.trends.topics import TOPICS, topic_of
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from tests.insights.trends.said import person, said
from tests.store.people import AGENT, ANN, BEN, customer

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def desk(clean: Database) -> TrendDesk:
    return TrendDesk(clean, "Asia/Shanghai", lambda: NOW)


@pytest.fixture
def asked(clean: Database) -> Database:
    """Ten people about cards, half of them unhappy; three about mortgages, two of them twice."""
    for number in range(10):
        said(clean, person(number), NOW - DAY, "negative" if number % 2 else "neutral", need="service_repair")
    for number in range(3):
        conversation = uuid4()
        for _ in range(2):
            said(clean, person(number), NOW - DAY, "negative", intent="mortgage_rate", conversation=conversation)
    return clean


def test_mood_by_topic_with_what_is_left_out(asked: Database, desk: TrendDesk) -> None:
    overview = desk.overview(AGENT, desk.span(7))
    (point,) = overview.bank.points
    assert (point.begins, point.conversations) == (date(2026, 6, 9), 13)
    assert point.negative is not None
    assert point.negative.value == pytest.approx(8 / 13)
    assert point.negative.low < 8 / 13 < point.negative.high
    # Three people asked about mortgages: left out, and cards with them, or the difference would tell.
    assert overview.topics == ()
    assert overview.recovery.turned_bad == 8
    assert overview.recovery.recovered is not None
    assert overview.recovery.recovered.value == 0


def test_a_topic_is_shown_when_what_is_hidden_is_enough_people(asked: Database, desk: TrendDesk) -> None:
    for number in range(20, 24):
        said(asked, person(number), NOW - DAY, intent="gold")
    (cards,) = desk.topics(AGENT, desk.span(7))
    assert (cards.topic, cards.name.en) == ("card", "Cards")
    assert cards.whole is not None
    assert cards.whole.conversations == 10
    assert cards.whole.negative is not None
    assert cards.whole.negative.value == pytest.approx((5 + 20 * 8 / 17) / 30)


def test_days_begin_at_the_banks_midnight(clean: Database, desk: TrendDesk) -> None:
    for number in range(LEAST_PEOPLE):
        said(clean, person(number), datetime(2026, 6, 8, 15, 59, tzinfo=UTC))
        said(clean, person(number), datetime(2026, 6, 8, 16, 0, tzinfo=UTC))
    days = desk.overview(AGENT, desk.span(7)).bank.points
    assert [(p.begins.day, p.conversations) for p in days] == [(8, 5), (9, 5)]
    weeks = desk.overview(AGENT, desk.span(7, every=Every.WEEK)).bank.points
    assert [(p.begins, p.conversations) for p in weeks] == [(date(2026, 6, 8), 10)]


def test_the_funnel_counts_who_came_by_every_station(clean: Database, desk: TrendDesk) -> None:
    for number in range(6):
        whose = person(number)
        turn = said(
            clean,
            whose,
            NOW - DAY,
            need="saving" if number < 4 else None,
            probability=0.9 if number < 5 else 0.2,
            **({} if number < 3 else {"offers": ()}),
        )
        if number in (0, 5):
            with clean.session(whose) as session:
                TurnRepository().rate(session, whose, Satisfaction(trace_id=turn.inquiry.trace_id, rating=4))
        if number == 1:
            with clean.session(whose) as session:
                TurnRepository().offer_event(session, whose, "P1", "opened", turn.inquiry.trace_id)
    funnel = desk.funnel(AGENT, desk.span(7))
    assert funnel.stages is not None
    assert {s.stage: (s.reached, s.through) for s in funnel.stages} == {
        Stage.INQUIRY: (6, 6),
        Stage.CLASSIFIED: (5, 5),
        Stage.NEED: (4, 4),
        Stage.OFFER: (3, 3),
        Stage.FEEDBACK: (3, 2),
    }
    assert (funnel.rated, funnel.rating, funnel.opened, funnel.dismissed) == (2, 4.0, 1, 0)
    assert funnel.stages[-1].rate.value == pytest.approx(2 / 3)
    assert desk.funnel(AGENT, desk.span(7, language="en")).stages is None


def test_needs_over_time(asked: Database, desk: TrendDesk) -> None:
    (need,) = desk.needs(AGENT, desk.span(7))
    assert (need.need, need.conversations) == ("service_repair", 10)
    assert need.share is not None
    assert need.share.value == pytest.approx(10 / 13)
    said(asked, person(1), NOW - 2 * DAY, need="home")
    home = next(n for n in desk.needs(AGENT, desk.span(7)) if n.need == "home")
    assert (home.conversations, home.share) == (None, None)


@pytest.fixture
def ann_and_ben(clean: Database) -> Database:
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
    conversation = uuid4()
    for minutes, mood in enumerate(("negative", "positive")):
        said(clean, ANN, NOW - DAY + timedelta(minutes=minutes), mood, conversation=conversation)
    return clean


def agree(database: Database) -> None:
    with database.session(ANN) as session:
        CustomerRepository().set_consent(session, "C000001", "personalisation", True)


def test_a_customers_mood_asks_for_consent(ann_and_ben: Database, desk: TrendDesk) -> None:
    without = desk.customer(ANN)
    assert (without.personalised, without.mood, without.conversations) == (False, None, ())
    agree(ann_and_ben)
    found = desk.customer(ANN)
    (conversation,) = found.conversations
    assert (conversation.first, conversation.last, conversation.worst) == (-0.8, 0.8, -0.8)
    assert (conversation.slope, conversation.recovery) == (pytest.approx(1.6), pytest.approx(1.6))
    assert found.mood is not None
    assert found.mood.value == pytest.approx(0)


def test_nobody_sees_another_customers_mood(ann_and_ben: Database, desk: TrendDesk) -> None:
    agree(ann_and_ben)
    with pytest.raises(NotFound):
        desk.customer(BEN.model_copy(update={"customer_id": None, "subject": "C000002"}).model_copy(
            update={"customer_id": "C000009"}))  # fmt: skip
    as_ben = Principal(subject="C000002", role=Role.CUSTOMER, customer_id="C000002")
    assert desk.customer(as_ben).conversations == ()
    served = AGENT.model_copy(update={"customer_id": "C000001"})
    assert len(desk.customer(served).conversations) == 1
    with ann_and_ben.session(AGENT) as session:
        (seen,) = audit.entries(session, ["trends.customer_viewed"])
    assert (seen.actor, seen.subject) == ("agent.li", "C000001")


def test_trends_are_for_staff(desk: TrendDesk) -> None:
    span = desk.span(7)
    for ask in (desk.overview, desk.topics, desk.needs, desk.funnel):
        with pytest.raises(NotAllowed, match="staff"):
            ask(ANN, span)  # type: ignore[operator]


def test_nothing_stored_is_no_trend(clean: Database, desk: TrendDesk) -> None:
    overview = desk.overview(AGENT, desk.span())
    assert (overview.bank.points, overview.bank.whole, overview.topics, overview.needs) == ((), None, (), ())
    assert not overview.funnel.people_enough


def test_what_cannot_be_looked_at(desk: TrendDesk) -> None:
    with pytest.raises(BadInput, match="0 days"):
        desk.span(0)
    with pytest.raises(NotFound, match="no topic 'cards'"):
        desk.span(topic="cards")
    assert desk.span(30) == Span(since=date(2026, 5, 12), until=date(2026, 6, 11), every=Every.DAY)
    assert desk.span(90).every is Every.WEEK


def test_every_intent_has_a_topic() -> None:
    assert topic_of("card_atm_trouble") == "card"
    assert topic_of("gold") == "investment"
    assert topic_of("out_of_scope") == "out_of_scope"
    assert topic_of("my_own_intent") == "other"
    assert all(name.zh and name.en for name, _ in TOPICS.values())
