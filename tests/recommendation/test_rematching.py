"""Holders matched anew after a change of the grade, on records and on the real store."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.records import Customer, Holder, Holding, RiskAssessment
from openteller.customers.store_banking import StoreCoreBanking
from openteller.products.grade_desk import GradeDesk
from openteller.products.grades import GradedBy, GradeStep
from openteller.products.records import RiskGrade
from openteller.products.repository import ProductRepository
from openteller.products.suitability import Verdict
from openteller.recommendation.rematching import Rematch, rematch
from openteller.recommendation.suitability_desk import SuitabilityDesk
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import HoldingRow, RiskAssessmentRow
from tests.recommendation.given import PRODUCTS
from tests.store.people import AGENT, ANN, BEN, customer

ON = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
FUND = next(product for product in PRODUCTS if product.id == "FUND-BALANCED")
LI = Principal(subject="analyst.li", role=Role.ANALYST)
CLASSES = ("C1", "C2", "C3", "C4", "C5")


def holder(investor: str | None = "C3", days: int = 100, age: int = 40, name: str = "C1") -> Holder:
    who = Customer(
        customer_id=name, name="林", name_en="Lin", phone="1", id_number_masked="9", birth_date=date(2026 - age, 1, 1),
        gender="f", city="杭州", monthly_income=Decimal(1), created_at=NOON,
    )  # fmt: skip
    held = Holding(customer_id=name, product_id=FUND.id, amount=Decimal(500), cost=Decimal(400), since=ON)
    ends = NOON + timedelta(days=days)
    assessment = investor and RiskAssessment(
        customer_id=name, investor_class=investor, assessed_at=ends - timedelta(days=365), expires_at=ends
    )
    return Holder(holding=held, customer=who, assessment=assessment or None)


def step(grade: str) -> GradeStep:
    return GradeStep(from_on=ON, issuer=RiskGrade(grade), bank=None, effective=RiskGrade(grade))


def matched(before: str, now: str, *holders: Holder) -> Rematch:
    return rematch(FUND, step(before), step(now), holders, ON)


def test_a_holder_who_is_now_below_the_grade_is_told_and_may_keep_it() -> None:
    report = matched("R3", "R4", holder("C3"), holder("C4", name="C2"))
    assert (report.holders, report.suitable, report.grade_before, report.grade) == (2, 1, "R3", "R4")
    (notice,) = report.notices
    assert (notice.customer_id, notice.outcome, notice.codes, notice.new) == (
        "C1", Verdict.BLOCKED, ("grade_above_class",), True,
    )  # fmt: skip
    assert "R4" in notice.text.zh
    assert "自主决定是否继续持有" in notice.text.zh
    assert "for you to decide" in notice.text.en


def test_an_expired_assessment_and_old_age_are_told_as_known() -> None:
    report = matched("R3", "R3", holder(days=0), holder("C5", age=66, name="C2"), holder(None, name="C3"))
    assert [(n.codes, n.new) for n in report.notices] == [
        (("assessment_expired",), False), (("senior_confirmation",), False), (("assessment_missing",), False),
    ]  # fmt: skip


def test_whoever_fits_again_is_told_too() -> None:
    (notice,) = matched("R4", "R3", holder("C3")).notices
    assert (notice.outcome, notice.new) == (Verdict.ALLOWED, True)


@given(
    st.lists(
        st.builds(
            holder, st.none() | st.sampled_from(CLASSES), st.integers(-5, 5), st.integers(18, 90),
            st.uuids().map(str),
        ),
        max_size=12,
    ),
    st.sampled_from(RiskGrade),
    st.sampled_from(RiskGrade),
)  # fmt: skip
def test_everybody_above_their_class_or_not_assessed_is_told(
    holders: list[Holder], before: RiskGrade, now: RiskGrade
) -> None:
    report = matched(before, now, *holders)
    told = {notice.customer_id for notice in report.notices}
    assert report.holders == len(holders) == report.suitable + len(told)
    for one in holders:
        assessment = one.assessment
        fits = assessment is not None and assessment.expires_at > NOON and now.number <= int(assessment.investor_class[1])  # fmt: skip
        if not fits:
            assert one.customer.customer_id in told


@pytest.fixture
def bank(clean: Database) -> Database:
    """Ann (C3) and Ben (C4) hold the balanced fund."""
    with clean.owner_session() as session:
        ProductRepository().upsert(session, PRODUCTS)
        for principal, investor in ((ANN, "C3"), (BEN, "C4")):
            for row in customer(principal):
                session.add(row)
                session.flush()
            for assessed in (1, 30):
                session.add(
                    RiskAssessmentRow(
                        customer_id=principal.subject,
                        investor_class=investor if assessed == 1 else "C1",
                        assessed_at=NOON - timedelta(days=assessed),
                        expires_at=NOON + timedelta(days=300),
                    )
                )
            session.add(
                HoldingRow(
                    customer_id=principal.subject, product_id=FUND.id, amount=Decimal(500), cost=Decimal(400),
                    currency="CNY", since=ON,
                )
            )  # fmt: skip
    return clean


def desk_of(bank: Database) -> SuitabilityDesk:
    return SuitabilityDesk(bank, StoreCoreBanking(bank), now=lambda: NOON)


def test_from_a_grade_to_the_holders_to_tell(bank: Database) -> None:
    desk = desk_of(bank)
    assert desk.rematch(LI, FUND.id).notices == ()
    GradeDesk(bank).grade(LI, FUND.id, GradedBy.BANK, RiskGrade.R4, from_on=ON, because="波动加大")
    report = desk.rematch(LI, FUND.id)
    assert [(n.customer_id, n.new) for n in report.notices] == [("C000001", True)]
    assert (report.grade_before, report.grade, report.holders) == ("R3", "R4", 2)
    assert desk.rematch(LI, FUND.id, ON - timedelta(days=1)).grade == "R3"
    with bank.session(LI) as session:
        entries = audit.entries(session, ["product.rematched"], FUND.id)
    assert [(entry.actor, entry.detail["to_notify"]) for entry in entries] == [("analyst.li", n) for n in (0, 1, 0)]


def test_a_regraded_product_is_judged_by_its_new_grade(bank: Database) -> None:
    desk = desk_of(bank)
    before = desk.verdict(ANN, FUND.id, Decimal(10))
    assert before.outcome is Verdict.ALLOWED
    GradeDesk(bank).grade(LI, FUND.id, GradedBy.BANK, RiskGrade.R4, from_on=ON, because="波动加大")
    assert desk.verdict(ANN, FUND.id, Decimal(10)).code == "grade_above_class"
    assert desk.verdict(BEN, FUND.id, Decimal(10)).outcome is Verdict.ALLOWED
    assert desk.verdict(BEN, FUND.id, Decimal(1_000)).code == "funds_short"


def test_who_may_not_see_holders(bank: Database) -> None:
    for principal in (AGENT, ANN):
        with pytest.raises(NotAllowed):
            desk_of(bank).rematch(principal, FUND.id)
    with pytest.raises(NotFound):
        desk_of(bank).rematch(LI, "NO-SUCH")
