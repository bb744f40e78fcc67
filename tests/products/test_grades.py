"""Grades over time: the higher of both counts, as of any day; who may grade, and what is kept of it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from openteller.core.errors import BadInput, NotAllowed, NotFound, TooLarge
from openteller.core.records import Principal, Role
from openteller.products.grade_desk import GradeDesk
from openteller.products.grades import GradedBy, Grading, grade_on, history
from openteller.products.records import Product, RiskGrade
from openteller.products.repository import ProductRepository
from openteller.store import audit
from openteller.store.database import Database
from tests.store.people import AGENT, ANN, VISITOR

DAY = date(2026, 11, 24)
LI = Principal(subject="analyst.li", role=Role.ANALYST)
FEED = Principal(subject="issuers", role=Role.SERVICE)
GRADES = st.sampled_from(RiskGrade)


def grading(graded_by: str, grade: str, from_on: date) -> Grading:
    at = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
    return Grading(
        product_id="P", graded_by=GradedBy(graded_by), grade=RiskGrade(grade), from_on=from_on, because="b",
        author="a", at=at,
    )  # fmt: skip


@given(
    GRADES,
    st.lists(
        st.builds(
            grading,
            st.sampled_from(["issuer", "bank"]),
            GRADES,
            st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9)),
        ),
        max_size=8,
    ),
)
def test_the_higher_of_both_counts_on_any_day(catalogue: RiskGrade, gradings: list[Grading]) -> None:
    standing = {
        by: [g for g in gradings if g.graded_by == by and g.from_on <= DAY] for by in (GradedBy.ISSUER, GradedBy.BANK)
    }
    latest = {
        by: [g for g in found if g.from_on == max(f.from_on for f in found)][-1].grade
        for by, found in standing.items()
        if found
    }
    issuer, bank = latest.get(GradedBy.ISSUER, catalogue), latest.get(GradedBy.BANK)
    step = grade_on(catalogue, gradings, DAY)
    assert (step.issuer, step.bank) == (issuer, bank)
    assert step.effective.number == max(issuer.number, bank.number if bank else 0)


@given(GRADES, st.lists(st.builds(grading, st.sampled_from(["issuer", "bank"]), GRADES, st.dates(DAY, DAY + timedelta(days=9))), max_size=8))  # fmt: skip
def test_history_says_for_each_day_what_counts_that_day(catalogue: RiskGrade, gradings: list[Grading]) -> None:
    steps = history(catalogue, gradings, DAY - timedelta(days=1))
    for offset in range(-1, 12):
        day = DAY + timedelta(days=offset)
        last = [step for step in steps if step.from_on <= day][-1]
        now = grade_on(catalogue, gradings, day)
        assert (last.issuer, last.bank, last.effective) == (now.issuer, now.bank, now.effective)


@pytest.fixture
def shelf(clean: Database, catalogue: dict[str, Product]) -> Database:
    with clean.owner_session() as session:
        ProductRepository().upsert(session, list(catalogue.values()))
    return clean


def counts(database: Database, on: date, product_id: str = "FUND-INDEX") -> str:
    with database.session(VISITOR) as session:
        products = {product.id: product for product in ProductRepository().all(session, on)}
        alone = ProductRepository().get(session, product_id, on)
    assert alone == products[product_id]
    return products[product_id].risk_grade.value


def test_the_catalogue_is_read_with_the_grade_of_the_day(shelf: Database) -> None:
    desk = GradeDesk(shelf)
    assert counts(shelf, DAY) == "R4"
    desk.grade(LI, "FUND-INDEX", GradedBy.BANK, RiskGrade.R5, from_on=DAY, because="波动加大")
    assert (counts(shelf, DAY - timedelta(days=1)), counts(shelf, DAY)) == ("R4", "R5")
    desk.grade(LI, "FUND-INDEX", GradedBy.BANK, RiskGrade.R2, from_on=DAY + timedelta(days=1), because="回落")
    assert counts(shelf, DAY + timedelta(days=1)) == "R4"
    desk.grade(FEED, "FUND-INDEX", GradedBy.ISSUER, RiskGrade.R1, from_on=DAY + timedelta(days=2), because="notice")
    assert counts(shelf, DAY + timedelta(days=2)) == "R2"
    file = desk.file(LI, "FUND-INDEX", DAY)
    assert file.now.effective is RiskGrade.R5
    assert [step.effective.value for step in file.history] == ["R4", "R5", "R4", "R2"]
    assert [g.because for g in file.gradings] == ["波动加大", "回落", "notice"]


def test_loading_the_catalogue_again_leaves_the_grades(shelf: Database, catalogue: dict[str, Product]) -> None:
    GradeDesk(shelf).grade(LI, "FUND-INDEX", GradedBy.BANK, RiskGrade.R5, from_on=DAY, because="b")
    with shelf.owner_session() as session:
        assert ProductRepository().upsert(session, list(catalogue.values())) == 0
        assert ProductRepository().get(session, "FUND-INDEX") == catalogue["FUND-INDEX"]
    assert counts(shelf, DAY) == "R5"


def test_each_grading_is_in_the_audit_log(shelf: Database) -> None:
    GradeDesk(shelf).grade(
        LI, "FUND-INDEX", GradedBy.BANK, RiskGrade.R5, from_on=DAY, because="波动加大", entered_by="cli:root"
    )
    with shelf.session(LI) as session:
        (entry,) = audit.entries(session, ["product.graded"], "FUND-INDEX")
        assert audit.verify(session).intact
    assert entry.actor == "analyst.li"
    assert entry.detail == {
        "graded_by": "bank", "grade": "R5", "from": "2026-11-24", "because": "波动加大", "effective": "R5",
        "effective_before": "R4", "entered_by": "cli:root",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("principal", "graded_by"), [(AGENT, "bank"), (AGENT, "issuer"), (FEED, "bank"), (ANN, "bank"), (VISITOR, "issuer")]
)
def test_who_may_not_grade(shelf: Database, principal: Principal, graded_by: str) -> None:
    with pytest.raises(NotAllowed):
        GradeDesk(shelf).grade(principal, "FUND-INDEX", GradedBy(graded_by), RiskGrade.R1, from_on=DAY, because="b")
    row = f"INSERT INTO product_grades (product_id, graded_by, grade, from_on, because, author) VALUES ('FUND-INDEX', '{graded_by}', 'R1', '2026-01-01', 'b', '{principal.subject}')"
    with pytest.raises(NotAllowed), shelf.session(principal) as session:
        session.execute(text(row))
    assert counts(shelf, DAY) == "R4"


@pytest.mark.parametrize("statement", ["UPDATE product_grades SET grade = 'R1'", "DELETE FROM product_grades"])
def test_what_was_graded_stays(shelf: Database, statement: str) -> None:
    GradeDesk(shelf).grade(LI, "FUND-INDEX", GradedBy.BANK, RiskGrade.R5, from_on=DAY, because="b")
    with pytest.raises(NotAllowed), shelf.session(LI) as session:
        session.execute(text(statement))


def test_a_grade_needs_a_product_and_a_reason(shelf: Database) -> None:
    desk = GradeDesk(shelf)
    for product_id, because, error in (
        ("NO-SUCH", "b", NotFound),
        ("FUND-INDEX", " \u200b ", BadInput),
        ("FUND-INDEX", "好" * 1_001, TooLarge),
    ):
        with pytest.raises(error):
            desk.grade(LI, product_id, GradedBy.BANK, RiskGrade.R5, from_on=DAY, because=because)
    with pytest.raises(NotAllowed):
        desk.file(ANN, "FUND-INDEX", DAY)
    with pytest.raises(NotFound):
        desk.file(LI, "NO-SUCH", DAY)
    assert desk.file(AGENT, "FUND-INDEX", DAY).gradings == ()
