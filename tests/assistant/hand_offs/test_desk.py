"""A person takes a conversation over, writes in it, gives it back; nobody else meanwhile, and not for ever."""

from datetime import datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from openteller.assistant.dialogue import Dialogue, inquiry_of
from openteller.assistant.hand_offs.desk import HandOffDesk
from openteller.assistant.hand_offs.records import SILENCE, WITH_A_PERSON, LedBy
from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooLarge
from openteller.core.records import Outcome, Principal, Role, Turn
from openteller.store.database import Database
from openteller.store.tables import AuditRow, HandOffRow
from tests.assistant.test_dialogue import count, road
from tests.store.people import AGENT, OTHER_VISITOR, VISITOR

WU = Principal(subject="agent.wu", role=Role.AGENT)
ANALYST = Principal(subject="analyst.zhao", role=Role.ANALYST)


def ask(dialogue: Dialogue, text: str, conversation_id: UUID, channel: str = "widget") -> Turn:
    return dialogue.walk(inquiry_of(text, conversation_id=conversation_id, channel=channel), VISITOR)


@pytest.fixture
def desk(clean: Database) -> HandOffDesk:
    return HandOffDesk(clean)


@pytest.fixture
def handed_off(clean: Database) -> UUID:
    """A visitor's conversation that waits for a person."""
    conversation_id = uuid4()
    ask(road(clean), "卡丢了", conversation_id)
    ask(road(clean), "转人工", conversation_id)
    return conversation_id


def actions(database: Database) -> list[str]:
    with database.owner_session() as session:
        query = select(AuditRow.action).where(AuditRow.action.startswith("hand_off")).order_by(AuditRow.seq)
        return list(session.scalars(query))


def test_the_one_who_waits_is_listed_with_what_was_said(desk: HandOffDesk, handed_off: UUID) -> None:
    (one,) = desk.waiting(AGENT)
    assert (one.conversation_id, one.standing, one.text, one.turns) == (handed_off, LedBy.WAITING, "转人工", 2)
    assert one.reason.startswith("intent human_agent")
    context = desk.context(AGENT, handed_off)
    assert [turn.inquiry.text for turn in context.turns] == ["卡丢了", "转人工"]
    assert context.messages == ()
    assert [c.conversation_id for c in desk.live(AGENT)] == [handed_off]


def test_a_person_answers_until_it_is_given_back(clean: Database, desk: HandOffDesk, handed_off: UUID) -> None:
    desk.take(AGENT, handed_off)
    turn = ask(road(clean), "在吗", handed_off)
    assert (turn.answer.outcome, turn.answer.skill) == (Outcome.HANDED_OFF, WITH_A_PERSON)
    assert turn.offers == ()
    said = desk.say(AGENT, handed_off, " 您好!我是客服。 ")
    assert desk.written(VISITOR, handed_off) == (LedBy.PERSON, (said,))
    assert desk.written(VISITOR, handed_off, said.id) == (LedBy.PERSON, ())
    assert (said.text, said.author) == ("您好!我是客服。", "agent.li")
    desk.give_back(AGENT, handed_off)
    assert desk.written(VISITOR, handed_off)[0] is LedBy.ASSISTANT
    assert ask(road(clean), "卡丢了", handed_off).answer.outcome is Outcome.ANSWERED
    assert actions(clean) == ["hand_off.taken", "hand_off.answered", "hand_off.closed"]
    # What was asked of a person that was there already is no new hand-off.
    assert count(clean, HandOffRow) == [1]


def test_a_caller_is_answered_all_the_same(clean: Database, desk: HandOffDesk, handed_off: UUID) -> None:
    desk.take(AGENT, handed_off)
    assert ask(road(clean), "卡丢了", handed_off, "voice").answer.outcome is Outcome.ANSWERED


def test_the_action_that_waited_does_not_wait_on(clean: Database, desk: HandOffDesk, handed_off: UUID) -> None:
    desk.take(AGENT, handed_off)
    turn = ask(road(clean), "好的", handed_off)
    assert turn.answer.skill == WITH_A_PERSON


def test_one_conversation_has_one_person(desk: HandOffDesk, handed_off: UUID) -> None:
    desk.take(AGENT, handed_off)
    with pytest.raises(Conflict, match=r"agent\.li has taken it"):
        desk.take(WU, handed_off)
    for act in (lambda: desk.say(WU, handed_off, "hello"), lambda: desk.give_back(WU, handed_off)):
        with pytest.raises(Conflict, match="do not lead"):
            act()
    desk.give_back(AGENT, handed_off)
    desk.take(WU, handed_off)
    assert desk.context(AGENT, handed_off).conversation.taken_by == "agent.wu"


@pytest.mark.parametrize("asked", [True, False], ids=["handed off", "unasked"])
def test_of_two_at_once_one_is_let_through(clean: Database, desk: HandOffDesk, asked: bool) -> None:
    conversation_id = uuid4()
    ask(road(clean), "转人工" if asked else "卡丢了", conversation_id)
    barrier, refused = Barrier(2), list[str]()

    def take(agent: Principal) -> None:
        barrier.wait()
        try:
            desk.take(agent, conversation_id)
        except Conflict:
            refused.append(agent.subject)

    threads = [Thread(target=take, args=(agent,)) for agent in (AGENT, WU)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (leading,) = {AGENT.subject, WU.subject} - set(refused)
    assert desk.context(AGENT, conversation_id).conversation.taken_by == leading
    assert actions(clean) == ["hand_off.taken"]


def test_silence_gives_it_back(clean: Database, handed_off: UUID) -> None:
    now = utc_now()
    HandOffDesk(clean, lambda: now - timedelta(minutes=20)).take(AGENT, handed_off)

    def at(moment: datetime) -> HandOffDesk:
        return HandOffDesk(clean, lambda: moment)

    # The customer wrote a moment ago, so it lives.
    assert at(now).written(VISITOR, handed_off)[0] is LedBy.PERSON
    later = now + SILENCE + timedelta(seconds=1)
    assert at(later).written(VISITOR, handed_off)[0] is LedBy.ASSISTANT
    assert at(later).waiting(AGENT) == ()
    with pytest.raises(Conflict, match="do not lead"):
        at(later).say(AGENT, handed_off, "hello")
    assert actions(clean) == ["hand_off.taken", "hand_off.closed"]


def test_who_may_not_and_what_is_not(desk: HandOffDesk, handed_off: UUID) -> None:
    for principal in (ANALYST, VISITOR):
        for act in (desk.waiting, desk.live):
            with pytest.raises(NotAllowed):
                act(principal)
        with pytest.raises(NotAllowed):
            desk.take(principal, handed_off)
        with pytest.raises(NotAllowed):
            desk.context(principal, handed_off)
        with pytest.raises(NotAllowed):
            desk.say(principal, handed_off, "hello")
    with pytest.raises(NotFound):
        desk.written(OTHER_VISITOR, handed_off)
    for act in (desk.take, desk.context):
        with pytest.raises(NotFound):
            act(AGENT, uuid4())
    desk.take(AGENT, handed_off)
    with pytest.raises(BadInput):
        desk.say(AGENT, handed_off, " \u200b ")
    with pytest.raises(TooLarge):
        desk.say(AGENT, handed_off, "a" * 2_001)


def test_several_hand_offs_of_one_conversation_are_one(clean: Database, desk: HandOffDesk, handed_off: UUID) -> None:
    ask(road(clean), "人工！", handed_off)
    assert count(clean, HandOffRow) == [2]
    assert len(desk.waiting(AGENT)) == 1
    desk.take(AGENT, handed_off)
    desk.give_back(AGENT, handed_off)
    assert desk.waiting(AGENT) == ()
