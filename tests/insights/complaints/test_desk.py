"""The clock, and the desk over the run's database."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooLarge
from openteller.core.records import Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.complaints import clock
from openteller.insights.complaints.desk import INTENT, ComplaintDesk
from openteller.insights.complaints.records import Origin, Status, Step
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import ComplaintEventRow, ComplaintRow, TurnRow
from openteller.understanding.personal_data import redacted
from tests.feedback.desk import asked
from tests.store.people import ANN, BEN

ANALYST = Principal(subject="ana", role=Role.ANALYST)
ADMIN = Principal(subject="adam", role=Role.ADMIN)
AGENT = Principal(subject="agnes", role=Role.AGENT)


@pytest.fixture
def desk(clean: Database) -> ComplaintDesk:
    return ComplaintDesk(clean, AlertDesk(clean), redact=redacted, zone="Asia/Shanghai")


def test_the_clock_by_hand() -> None:
    """Received on 1 March 2026: the 16th; extended: the 31st; twice: 30 April."""
    received = date(2026, 3, 1)
    assert [clock.due_on(received, n) for n in range(3)] == [date(2026, 3, 16), date(2026, 3, 31), date(2026, 4, 30)]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_more_time_is_later_and_sixty_days_the_most(received: date) -> None:
    days = [clock.due_on(received, n) for n in range(3)]
    assert days == sorted(set(days))
    assert days[-1] - received == timedelta(days=60)
    assert [clock.may_extend(n) for n in range(3)] == [True, True, False]


def test_a_life_of_a_complaint(desk: ComplaintDesk, clean: Database) -> None:
    made = desk.open(AGENT, "收了两次年费，电话13812345678", customer_id="C000001")
    assert (made.status, made.due_on, made.language) == (Status.OPEN, desk.today + timedelta(days=15), "zh")
    assert "13812345678" not in made.text
    assert desk.assign(AGENT, made.number, "agnes").status is Status.ASSIGNED
    desk.note(AGENT, made.number, "已联系客户")
    assert desk.extend(AGENT, made.number, "需核实流水").due_on == desk.today + timedelta(days=30)
    twice = desk.extend(ADMIN, made.number, "等待总行答复", asked_by="agnes", informed=True)
    assert (twice.extensions, twice.due_on) == (2, desk.today + timedelta(days=60))
    closed = desk.close(AGENT, made.number, "已退还年费", informed=True)
    assert (closed.status, closed.decision, closed.closed_at is None) == (Status.CLOSED, "已退还年费", False)
    found, events = desk.get(AGENT, made.number)
    assert found == closed
    assert [event.kind for event in events] == [
        Step.OPENED, Step.ASSIGNED, Step.NOTED, Step.EXTENDED, Step.EXTENDED, Step.CLOSED,
    ]  # fmt: skip
    assert events[4].detail == {"due_on": str(twice.due_on), "asked_by": "agnes", "informed": True}
    assert events[4].actor == "adam"
    assert events[-1].detail == {"days": 0, "late": False}
    with clean.session(ANALYST) as session:
        noted = audit.entries(session, [f"complaint.{step}" for step in Step], str(made.number))
    assert len(noted) == 6
    assert "年费" not in str([entry.detail for entry in noted])
    assert desk.list(AGENT) == ()
    assert desk.list(AGENT, statuses=tuple(Status)) == (closed,)


def test_the_second_extension_needs_somebody_higher_and_notice(desk: ComplaintDesk) -> None:
    number = desk.open(AGENT, "慢").number
    desk.extend(AGENT, number, "复杂")
    for approver, asked_by in ((AGENT, "agnes"), (AGENT, "somebody"), (ADMIN, "adam")):
        with pytest.raises(NotAllowed, match="needs approval"):
            desk.extend(approver, number, "很复杂", asked_by=asked_by, informed=True)
    with pytest.raises(BadInput, match="Nobody has asked"):
        desk.extend(ADMIN, number, "很复杂", informed=True)
    with pytest.raises(BadInput, match="not been told"):
        desk.extend(ADMIN, number, "很复杂", asked_by="agnes")
    desk.extend(ADMIN, number, "很复杂", asked_by="agnes", informed=True)
    with pytest.raises(Conflict, match="extended twice"):
        desk.extend(ADMIN, number, "还要", asked_by="agnes", informed=True)


def test_when_time_is_over_it_is_not_extended(desk: ComplaintDesk) -> None:
    late = desk.open(AGENT, "慢", received_on=desk.today - timedelta(days=16))
    with pytest.raises(Conflict, match="time is over"):
        desk.extend(AGENT, late.number, "忘了")
    assert desk.close(AGENT, late.number, "道歉", informed=True).status is Status.CLOSED
    assert desk.get(AGENT, late.number)[1][-1].detail == {"days": 16, "late": True}


def test_what_is_closed_stays_closed(desk: ComplaintDesk) -> None:
    number = desk.open(AGENT, "慢").number
    with pytest.raises(BadInput, match="not been told"):
        desk.close(AGENT, number, "道歉", informed=False)
    desk.close(AGENT, number, "道歉", informed=True)
    for act in (
        lambda: desk.close(AGENT, number, "再道歉", informed=True),
        lambda: desk.assign(ANALYST, number, "x"),
        lambda: desk.note(AGENT, number, "x"),
        lambda: desk.extend(AGENT, number, "x"),
    ):
        with pytest.raises(Conflict, match="is closed"):
            act()


def test_what_is_due_is_raised_once(desk: ComplaintDesk, clean: Database) -> None:
    late = desk.open(AGENT, "a", received_on=desk.today - timedelta(days=17))
    soon = desk.open(AGENT, "b", received_on=desk.today - timedelta(days=12))
    desk.open(AGENT, "c")
    for _ in range(2):
        assert [one.number for one in desk.due()] == [late.number, soon.number]
    alerts = AlertDesk(clean).list(ANALYST)
    assert sorted((one.kind, one.subject, one.severity.value) for one in alerts) == [
        ("complaint.due", str(soon.number), "warning"),
        ("complaint.overdue", str(late.number), "critical"),
    ]
    assert next(one.title.en for one in alerts if one.kind == "complaint.overdue").endswith("is 2 days late")
    desk.extend(AGENT, soon.number, "复杂")
    assert [one.number for one in desk.due()] == [late.number]


def test_one_turn_is_one_complaint(desk: ComplaintDesk, clean: Database) -> None:
    trace_id = asked(clean, "我要投诉，扣了两次钱")
    made = desk.open_from_turn(AGENT, trace_id)
    assert (made.source, made.customer_id) == (Origin.CONVERSATION, ANN.customer_id)
    assert desk.open_from_turn(ANALYST, trace_id) == made
    other = asked(clean, "投诉柜台")
    with clean.owner_session() as session:
        session.execute(update(TurnRow).values(intent=INTENT))
    (collected,) = desk.collect(utc_now() - timedelta(days=1))
    assert collected.source_id == str(other)
    assert desk.collect(utc_now() - timedelta(days=1)) == ()


def test_customers_see_their_own_and_nobody_rewrites_what_was_done(desk: ComplaintDesk, clean: Database) -> None:
    desk.open(AGENT, "慢", customer_id=ANN.customer_id)
    for who, seen in ((ANN, 1), (BEN, 0), (AGENT, 1)):
        with clean.session(who) as session:
            assert len(session.scalars(select(ComplaintRow.number)).all()) == seen
    for statement in (
        update(ComplaintEventRow).values(note="x"),
        delete(ComplaintEventRow),
        update(ComplaintRow).values(text="x"),
        delete(ComplaintRow),
    ):
        with pytest.raises(NotAllowed), clean.session(ADMIN) as session:
            session.execute(statement)


def test_who_may_do_what(desk: ComplaintDesk) -> None:
    number = desk.open(AGENT, "慢").number
    for act in (lambda: desk.open(ANN, "x"), lambda: desk.list(ANN), lambda: desk.get(ANN, number)):
        with pytest.raises(NotAllowed, match="staff"):
            act()
    with pytest.raises(NotAllowed, match="gives none away"):
        desk.assign(AGENT, number, "somebody")
    assert desk.assign(ANALYST, number, "somebody").owner == "somebody"
    assert [one.number for one in desk.list(AGENT, owner="somebody")] == [number]


def test_what_cannot_be_kept(desk: ComplaintDesk) -> None:
    for act, error in (
        (lambda: desk.open(AGENT, " "), BadInput),
        (lambda: desk.open(AGENT, "x", received_on=desk.today + timedelta(days=1)), BadInput),
        (lambda: desk.open(AGENT, "x" * 4_001), TooLarge),
        (lambda: desk.get(AGENT, 999), NotFound),
        (lambda: desk.assign(ANALYST, desk.open(AGENT, "x").number, " "), BadInput),
        (lambda: desk.note(AGENT, 1, ""), BadInput),
    ):
        with pytest.raises(error):
            act()
