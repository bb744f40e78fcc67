"""The desk on the real store: limits, agreement, expiry, the audit log, and that nobody writes a class by hand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from openteller.core.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OpenTellerError,
    TooManyRequests,
)
from openteller.core.records import Principal, Role
from openteller.customers.assessment.desk import AssessmentDesk, later
from openteller.customers.assessment.records import Assessed, Rules
from openteller.customers.repository import CustomerRepository
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import CustomerRow
from tests.customers.assessment.answers import BALANCED, BOLD, CAUTIOUS
from tests.store.people import AGENT, ANN, BEN, VISITOR, customer

NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)


class Clock:
    """A clock to be set forward; no two looks at it are at one moment."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bank(clean: Database) -> Database:
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
    return clean


@pytest.fixture
def desk(bank: Database, clock: Clock) -> AssessmentDesk:
    return AssessmentDesk(bank, now=clock)


def classes(bank: Database, principal: Principal = ANN) -> str | None:
    with bank.session(principal) as session:
        found = CustomerRepository().assessment(session, principal.customer_id or "")
    return found.investor_class if found else None


def filled(assessed: Assessed) -> str:
    assert assessed.filled is not None
    return assessed.filled.status


def test_the_first_assessment_is_in_force_for_twelve_months(desk: AssessmentDesk, bank: Database, clock: Clock) -> None:
    assert desk.standing(ANN).assessment is None
    made = desk.submit(ANN, BALANCED)
    assert (filled(made), made.to_confirm) == ("confirmed", ())
    assert classes(bank) == "C3"
    standing = desk.standing(ANN)
    assert standing.in_force
    assert standing.reasons[0].code == "score"
    assert standing.left_today == 1
    assert standing.assessment is not None
    assert standing.assessment.expires_at == datetime(2027, 11, 26, 16, tzinfo=UTC)
    clock.pass_days(364)
    assert desk.standing(ANN).in_force
    clock.pass_days(1)
    assert not desk.standing(ANN).in_force


def test_a_changed_class_waits_for_a_yes_and_says_what_changed(desk: AssessmentDesk, bank: Database) -> None:
    desk.submit(ANN, BALANCED)
    again = desk.submit(ANN, BOLD)
    assert filled(again) == "pending"
    assert again.assessment is None
    (change,) = again.to_confirm
    assert (change.code, "C3" in change.text.zh, "C5" in change.text.zh) == ("class_changed", True, True)
    assert classes(bank) == "C3"
    assert again.filled is not None
    assert desk.standing(ANN).pending == again.filled
    agreed = desk.confirm(ANN, again.filled.id)
    assert filled(agreed) == "confirmed"
    assert classes(bank) == "C5"
    assert desk.standing(ANN).pending is None
    assert desk.standing(ANN).reasons == again.filled.reasons
    with pytest.raises(Conflict, match="already"):
        desk.confirm(ANN, again.filled.id)


def test_a_lower_class_counts_before_it_is_agreed_to(desk: AssessmentDesk, bank: Database) -> None:
    desk.submit(ANN, BALANCED)
    lower = desk.submit(ANN, CAUTIOUS)
    assert lower.filled is not None
    assert (filled(lower), [remark.code for remark in lower.to_confirm]) == ("pending", ["class_changed"])
    assert classes(bank) == "C2"
    standing = desk.standing(ANN)
    assert (standing.pending, standing.assessment) == (lower.filled, lower.assessment)
    assert standing.reasons == lower.filled.reasons
    agreed = desk.confirm(ANN, lower.filled.id)
    assert (filled(agreed), agreed.assessment) == ("confirmed", lower.assessment)
    with bank.owner_session() as session:
        assert session.scalar(text("SELECT count(*) FROM risk_assessments")) == 2


def test_the_same_class_is_renewed_at_once(desk: AssessmentDesk, bank: Database, clock: Clock) -> None:
    desk.submit(ANN, BALANCED)
    clock.pass_days(30)
    assert filled(desk.submit(ANN, BALANCED)) == "confirmed"
    with bank.owner_session() as session:
        assert session.scalar(text("SELECT count(*) FROM risk_assessments")) == 2


def test_a_yes_comes_within_a_day_and_to_the_newest(desk: AssessmentDesk, clock: Clock) -> None:
    desk.submit(ANN, BALANCED)
    clock.pass_days(1)
    first, second = desk.submit(ANN, BOLD).filled, desk.submit(ANN, CAUTIOUS).filled
    assert first is not None
    assert second is not None
    with pytest.raises(Conflict, match="no longer"):
        desk.confirm(ANN, first.id)
    clock.pass_days(1.01)
    with pytest.raises(Conflict, match="no longer"):
        desk.confirm(ANN, second.id)
    assert desk.standing(ANN).pending is None
    with pytest.raises(NotFound):
        desk.confirm(ANN, uuid4())
    with pytest.raises(NotFound):
        desk.confirm(BEN, second.id)


def test_contradictions_are_asked_back_and_nothing_is_scored(desk: AssessmentDesk, bank: Database) -> None:
    answers = BOLD | {"loss": "none"}
    asked = desk.submit(ANN, answers)
    assert [remark.code for remark in asked.to_confirm] == ["growth_without_loss"]
    assert asked.filled is None
    assert desk.standing(ANN).left_today == 2
    meant = desk.submit(ANN, answers, ["growth_without_loss"])
    assert filled(meant) == "confirmed"
    assert classes(bank) == "C1"
    with pytest.raises(BadInput, match="no contradiction"):
        desk.submit(ANN, answers, ["class_changed"])


def test_two_a_day_and_eight_a_year(desk: AssessmentDesk, clock: Clock) -> None:
    for _ in range(4):
        desk.submit(ANN, BALANCED)
        desk.submit(ANN, BALANCED)
        with pytest.raises(TooManyRequests, match="today"):
            desk.submit(ANN, BALANCED)
        clock.pass_days(1)
    with pytest.raises(TooManyRequests, match="within a year"):
        desk.submit(ANN, BALANCED)
    assert desk.standing(ANN).left_today == 0
    assert desk.standing(BEN).left_today == 2
    clock.now = NOW + timedelta(days=365)
    desk.submit(ANN, BALANCED)


def test_a_pending_one_counts(desk: AssessmentDesk) -> None:
    desk.submit(ANN, BALANCED)
    desk.submit(ANN, BOLD)
    with pytest.raises(TooManyRequests):
        desk.submit(ANN, CAUTIOUS)


def test_a_bank_may_be_stricter(bank: Database, clock: Clock) -> None:
    desk = AssessmentDesk(bank, Rules(months=6, a_day=1, a_year=3), now=clock)
    made = desk.submit(ANN, BALANCED).assessment
    assert made is not None
    assert made.expires_at == datetime(2027, 5, 26, 16, tzinfo=UTC)
    with pytest.raises(TooManyRequests):
        desk.submit(ANN, BALANCED)


def test_of_many_at_once_two_count(bank: Database, clock: Clock) -> None:
    desk = AssessmentDesk(bank, now=clock)

    def attempt(_: int) -> str:
        try:
            return filled(desk.submit(ANN, BALANCED))
        except TooManyRequests:
            return "too many"

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, range(6)))
    assert sorted(results) == ["confirmed"] * 2 + ["too many"] * 4


def test_staff_enter_what_a_customer_answers_and_are_named(desk: AssessmentDesk, bank: Database) -> None:
    serving = AGENT.model_copy(update={"customer_id": "C000001"})
    made = desk.submit(serving, BALANCED)
    assert made.filled is not None
    assert made.filled.submitted_by == "agent.li"
    assert classes(bank) == "C3"
    with bank.session(AGENT) as session:
        (entry,) = audit.entries(session, ["assessment.confirmed"])
    assert entry.actor == "agent.li"
    assert entry.detail["investor_class"] == "C3"
    assert "loss" not in str(entry.detail)


def test_who_cannot_be_assessed(desk: AssessmentDesk, bank: Database) -> None:
    with pytest.raises(NotAuthenticated):
        desk.submit(VISITOR, BALANCED)
    with pytest.raises(NotFound):
        desk.submit(Principal(subject="C9", role=Role.CUSTOMER, customer_id="C9"), BALANCED)
    with bank.owner_session() as session:
        row = session.get(CustomerRow, "C000001")
        assert row is not None
        row.birth_date = date(2008, 11, 28)
    with pytest.raises(NotAllowed, match="18"):
        desk.submit(ANN, BALANCED)


def test_from_65_on_a_class_that_opens_r3_is_confirmed_once_more(desk: AssessmentDesk, bank: Database) -> None:
    with bank.owner_session() as session:
        for principal in (ANN, BEN):
            row = session.get(CustomerRow, principal.subject)
            assert row is not None
            row.birth_date = date(1961, 11, 27)
    made = desk.submit(ANN, BOLD)
    assert made.filled is not None
    assert (made.filled.status, made.assessment, classes(bank)) == ("pending", None, None)
    assert [remark.code for remark in made.to_confirm] == ["senior_class"]
    again = desk.confirm(ANN, made.filled.id)
    assert again.assessment is not None
    assert classes(bank) == again.assessment.investor_class
    # A class that opens nothing of the kind is in force at once; a changed one takes its own yes as before.
    assert filled(desk.submit(BEN, CAUTIOUS)) == "confirmed"
    changed = desk.submit(BEN, BOLD)
    assert [remark.code for remark in changed.to_confirm] == ["senior_class", "class_changed"]


BY_HAND = "INSERT INTO risk_assessments (customer_id, investor_class, assessed_at, expires_at) VALUES "


@pytest.mark.parametrize(
    "statement",
    [
        BY_HAND + "('C000001', 'C5', now(), now() + interval '1 year')",
        BY_HAND + "('C000001', 'C5', (SELECT max(submitted_at) FROM questionnaires), now() + interval '1 year')",
        BY_HAND + "('C000002', 'C5', now(), now() + interval '1 year')",
        "UPDATE risk_assessments SET investor_class = 'C5'",
        "DELETE FROM risk_assessments",
        "DELETE FROM questionnaires",
        "UPDATE questionnaires SET investor_class = 'C5'",
        "UPDATE questionnaires SET customer_id = 'C000002'",
    ],
)
def test_no_customer_writes_a_class_by_hand(desk: AssessmentDesk, bank: Database, statement: str) -> None:
    desk.submit(ANN, CAUTIOUS)
    with pytest.raises(OpenTellerError) as caught, bank.session(ANN) as session:
        session.execute(text(statement))
    assert isinstance(caught.value, NotAllowed)
    assert classes(bank) == "C2"


def test_nobody_sees_anothers_answers(desk: AssessmentDesk, bank: Database) -> None:
    desk.submit(ANN, BALANCED)
    for principal, seen in ((ANN, 1), (BEN, 0), (VISITOR, 0), (None, 0), (AGENT, 1)):
        with bank.session(principal) as session:
            assert len(session.execute(text("SELECT * FROM questionnaires")).all()) == seen


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(-24, 24))
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int) -> None:
    found = later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)
