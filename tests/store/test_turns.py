"""The turns: stored whole or not at all, seen by their owner and by staff."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from openteller.core.clock import utc_now
from openteller.core.errors import Conflict, NotAllowed, NotFound
from openteller.core.records import (
    Answer,
    Citation,
    Entity,
    Inquiry,
    IntentPrediction,
    Offer,
    Outcome,
    Principal,
    Reply,
    Satisfaction,
    Scored,
    Sentiment,
    Turn,
    Understanding,
)
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import (
    AuditRow,
    ConversationRow,
    HandOffRow,
    OfferEventRow,
    SatisfactionRow,
    TurnRow,
)
from openteller.store.turns import TurnRepository
from tests.store.people import AGENT, ANN, BEN, OTHER_VISITOR, VISITOR

turns = TurnRepository()


def a_turn(outcome: Outcome = Outcome.ANSWERED, text: str = "卡丢了怎么办", **inquiry: Any) -> Turn:
    return Turn(
        inquiry=Inquiry(text=text, **inquiry),
        understanding=Understanding(
            language=Scored(label="zh-Hans", probability=0.99),
            intent=IntentPrediction(
                label="card_lost", probability=0.93, alternatives=(Scored(label="card_freeze", probability=0.05),)
            ),
            sentiment=Sentiment(label="negative", probability=0.8, score=-0.7),
            needs=(Scored(label="service_repair", probability=0.7),),
            entities=(Entity(type="card", text="卡", start=0, end=1, probability=0.9),),
            personal_data=(),
            risk_flags=(Scored(label="fraud", probability=0.6),),
        ),
        answer=Answer(
            text="请立即挂失。",
            outcome=outcome,
            confidence=0.91,
            citations=(Citation(document_id="D1", title="挂失", passage="请立即挂失。", score=0.95),),
        ),
        offers=(Offer(product_id="P1", name="盗刷险", reason="您担心卡片安全", score=0.4),),
        reply=Reply(text="请立即挂失。"),
    )


def save(database: Database, principal: Principal, turn: Turn) -> Turn:
    with database.session(principal) as session:
        turns.save(session, principal, turn)
    return turn


def count(database: Database, table: type) -> int:
    with database.owner_session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_turn_comes_back_as_it_was(clean: Database) -> None:
    turn = save(clean, ANN, a_turn())
    with clean.session(ANN) as session:
        assert turns.get(session, turn.inquiry.trace_id) == turn
        row = session.get_one(TurnRow, turn.inquiry.trace_id)
        assert (row.owner, row.customer_id, row.intent, row.outcome) == ("C000001", "C000001", "card_lost", "answered")


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=200))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was(clean: Database, text: str) -> None:
    turn = save(clean, VISITOR, a_turn(text=text))
    with clean.session(VISITOR) as session:
        assert turns.get(session, turn.inquiry.trace_id) == turn


def test_only_its_owner_and_staff_see_it(clean: Database) -> None:
    mine, visitors = save(clean, ANN, a_turn()), save(clean, VISITOR, a_turn())
    sees = {
        (ANN, mine): True,
        (BEN, mine): False,
        (VISITOR, mine): False,
        (AGENT, mine): True,
        (VISITOR, visitors): True,
        (OTHER_VISITOR, visitors): False,
        (ANN, visitors): False,
    }
    for (principal, turn), visible in sees.items():
        with clean.session(principal) as session:
            assert (turns.get(session, turn.inquiry.trace_id) is not None) is visible
            assert bool(turns.recent(session, turn.inquiry.conversation_id, 5)) is visible
    with clean.session(None) as session:
        assert turns.get(session, mine.inquiry.trace_id) is None


def test_what_an_agent_asks_for_a_customer_the_customer_sees(clean: Database) -> None:
    turn = save(clean, AGENT.model_copy(update={"customer_id": "C000001"}), a_turn())
    with clean.session(ANN) as session:
        assert turns.get(session, turn.inquiry.trace_id) == turn


def test_a_conversation_takes_further_turns_of_its_owner_only(clean: Database) -> None:
    conversation = save(clean, ANN, a_turn()).inquiry.conversation_id
    save(clean, ANN, a_turn(conversation_id=conversation))
    with pytest.raises(NotFound, match="conversation"):
        save(clean, BEN, a_turn(conversation_id=conversation))
    assert (count(clean, ConversationRow), count(clean, TurnRow)) == (1, 2)


def test_the_same_trace_id_twice_is_a_conflict_whoever_sends_it(clean: Database) -> None:
    trace = save(clean, ANN, a_turn()).inquiry.trace_id
    for principal in (ANN, BEN):
        with pytest.raises(Conflict):
            save(clean, principal, a_turn(trace_id=trace))
    assert count(clean, TurnRow) == 1


def test_no_half_turn_is_stored(clean: Database) -> None:
    def broken() -> None:
        with clean.session(ANN) as session:
            turns.save(session, ANN, a_turn(Outcome.HANDED_OFF))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        broken()
    for table in (ConversationRow, TurnRow, HandOffRow, OfferEventRow, AuditRow):
        assert count(clean, table) == 0


@pytest.mark.parametrize("outcome", Outcome)
def test_a_hand_off_waits_for_a_person_when_that_is_the_outcome(clean: Database, outcome: Outcome) -> None:
    save(clean, VISITOR, a_turn(outcome))
    assert count(clean, HandOffRow) == (1 if outcome is Outcome.HANDED_OFF else 0)


def test_a_hand_off_says_why_without_the_customers_words(clean: Database) -> None:
    save(clean, VISITOR, a_turn(Outcome.HANDED_OFF))
    with clean.session(AGENT) as session:
        row = session.scalars(select(HandOffRow)).one()
    assert row.status == "open"
    assert (
        row.reason == "intent card_lost (0.93); sentiment negative (-0.70); risk fraud (0.60); answer confidence 0.91"
    )


def test_a_turn_leaves_an_audit_row_with_its_reasons_and_no_words_of_the_customer(clean: Database) -> None:
    turn = save(clean, ANN, a_turn())
    with clean.session(AGENT) as session:
        row = session.scalars(select(AuditRow)).one()
        assert (row.actor, row.action, row.subject) == ("C000001", "turn.saved", str(turn.inquiry.trace_id))
        assert row.detail["offers"] == [{"product_id": "P1", "reason": "您担心卡片安全"}]
        assert turn.inquiry.text not in str(row.detail)
        assert audit.verify(session).intact


def test_offers_are_stored_as_shown(clean: Database) -> None:
    turn = save(clean, ANN, a_turn())
    with clean.session(ANN) as session:
        event = session.scalars(select(OfferEventRow)).one()
    shown = (event.product_id, event.action, event.trace_id, event.customer_id)
    assert shown == ("P1", "shown", turn.inquiry.trace_id, "C000001")


def test_recent_gives_the_last_turns_oldest_first(clean: Database) -> None:
    conversation, now = uuid4(), utc_now()
    asked = [
        save(clean, ANN, a_turn(conversation_id=conversation, text=str(n), at=now + timedelta(seconds=n)))
        for n in range(4)
    ]
    with clean.session(ANN) as session:
        assert turns.recent(session, conversation, 3) == tuple(asked[1:])


def test_state_waits_for_the_next_turn(clean: Database) -> None:
    conversation = save(clean, ANN, a_turn()).inquiry.conversation_id
    pending = {"pending": "card_freeze", "card_id": "K-1"}
    with clean.session(ANN) as session:
        assert turns.state(session, conversation) == {}
        turns.set_state(session, conversation, pending)
    with clean.session(ANN) as session:
        assert turns.state(session, conversation) == pending
        turns.set_state(session, conversation, {})
    with clean.session(ANN) as session:
        assert turns.state(session, conversation) == {}


@pytest.mark.parametrize("principal", [BEN, VISITOR])
def test_state_of_another_is_neither_read_nor_written(clean: Database, principal: Principal) -> None:
    conversation = save(clean, ANN, a_turn()).inquiry.conversation_id
    with clean.session(ANN) as session:
        turns.set_state(session, conversation, {"pending": "card_freeze"})
    with clean.session(principal) as session:
        assert turns.state(session, conversation) == {}
        with pytest.raises(NotFound):
            turns.set_state(session, conversation, {"pending": "yes"})


def rate(database: Database, principal: Principal, trace_id: UUID, rating: int, comment: str = "") -> None:
    with database.session(principal) as session:
        turns.rate(session, principal, Satisfaction(trace_id=trace_id, rating=rating, comment=comment))


def test_a_second_rating_replaces_the_first(clean: Database) -> None:
    trace = save(clean, VISITOR, a_turn()).inquiry.trace_id
    rate(clean, VISITOR, trace, 2, "太慢\x00")
    rate(clean, VISITOR, trace, 5, "好的")
    with clean.session(VISITOR) as session:
        row = session.scalars(select(SatisfactionRow)).one()
    assert (row.rating, row.comment, row.owner) == (5, "好的", "visitor:one")
    with clean.session(AGENT) as session:
        rated = session.scalars(select(AuditRow.detail).where(AuditRow.action == "turn.rated")).all()
    assert [detail["rating"] for detail in rated] == [2, 5]


def test_nobody_rates_what_they_cannot_see(clean: Database) -> None:
    trace = save(clean, ANN, a_turn()).inquiry.trace_id
    for principal, wanted in ((BEN, trace), (VISITOR, trace), (ANN, uuid4())):
        with pytest.raises(NotFound):
            rate(clean, principal, wanted, 1)
    assert count(clean, SatisfactionRow) == 0


def test_a_customer_does_not_overwrite_the_rating_an_agent_gave(clean: Database) -> None:
    agent = AGENT.model_copy(update={"customer_id": "C000001"})
    trace = save(clean, agent, a_turn()).inquiry.trace_id
    rate(clean, agent, trace, 4)
    with pytest.raises(NotAllowed):
        rate(clean, ANN, trace, 1)


def test_offer_events_need_a_visible_turn_when_they_name_one(clean: Database) -> None:
    trace = save(clean, ANN, a_turn()).inquiry.trace_id
    with clean.session(ANN) as session:
        turns.offer_event(session, ANN, "P1", "dismissed", trace)
        turns.offer_event(session, ANN, "P2", "opened")
    with pytest.raises(NotFound), clean.session(BEN) as session:
        turns.offer_event(session, BEN, "P1", "dismissed", trace)
    with clean.session(ANN) as session:
        events = session.scalars(select(OfferEventRow).order_by(OfferEventRow.id)).all()
    assert [(event.product_id, event.action) for event in events] == [
        ("P1", "shown"),
        ("P1", "dismissed"),
        ("P2", "opened"),
    ]
