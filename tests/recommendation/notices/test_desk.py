"""Telling holders on the real store: once each, whoever writes; handed over, read; and who may see what."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text

from openteller.core.errors import NotAllowed, NotAuthenticated, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.store_banking import StoreCoreBanking
from openteller.products.grade_desk import GradeDesk
from openteller.products.grades import GradedBy
from openteller.products.records import RiskGrade
from openteller.products.repository import ProductRepository
from openteller.recommendation.notices.desk import NoticeDesk
from openteller.recommendation.notices.records import Channel
from openteller.recommendation.suitability_desk import SuitabilityDesk
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import HoldingRow, RiskAssessmentRow
from tests.recommendation.given import PRODUCTS
from tests.store.people import AGENT, ANN, BEN, VISITOR, customer

ON = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
FUND = "FUND-BALANCED"
LI = Principal(subject="analyst.li", role=Role.ANALYST)
DELIVERY = Principal(subject="delivery", role=Role.SERVICE)


@pytest.fixture
def bank(clean: Database) -> Database:
    """Ann (C3, twice) and Ben (C5) hold the balanced fund, which is R4 from today on."""
    with clean.owner_session() as session:
        ProductRepository().upsert(session, PRODUCTS)
        for principal, investor, positions in ((ANN, "C3", 2), (BEN, "C5", 1)):
            for row in customer(principal):
                session.add(row)
                session.flush()
            since, until = NOON - timedelta(days=1), NOON + timedelta(days=300)
            name = principal.subject
            session.add(RiskAssessmentRow(customer_id=name, investor_class=investor, assessed_at=since, expires_at=until))  # fmt: skip
            for _ in range(positions):
                held = {"amount": Decimal(500), "cost": Decimal(400), "currency": "CNY", "since": ON}
                session.add(HoldingRow(customer_id=name, product_id=FUND, **held))
    GradeDesk(clean).grade(LI, FUND, GradedBy.BANK, RiskGrade.R4, from_on=ON, because="波动加大")
    return clean


def desk_of(bank: Database, *, elsewhere: bool = False) -> NoticeDesk:
    suitability = SuitabilityDesk(bank, StoreCoreBanking(bank), now=lambda: NOON)
    return NoticeDesk(bank, suitability, GradeDesk(bank), elsewhere=elsewhere)


def test_a_holder_is_told_once_and_reads_it(bank: Database) -> None:
    desk = desk_of(bank)
    made = desk.write(LI, FUND)
    assert (made.holders, made.added, made.already, made.note) == (3, 1, 0, None)
    assert (made.grade_before, made.grade) == ("R3", "R4")
    again = desk.write(LI, FUND, Channel.LETTER)
    assert (again.added, again.already) == (0, 1)
    (notice,) = desk.mine(ANN)
    assert (notice.codes, notice.from_on, notice.channel) == (("grade_above_class",), ON, "inbox")
    assert notice.sent_at
    assert notice.read_at is None
    assert "R4" in notice.text.zh
    first = desk.read(ANN, notice.id).read_at
    assert first
    assert desk.read(ANN, notice.id).read_at == first
    assert desk.mine(BEN) == ()
    with bank.session(LI) as session:
        written = audit.entries(session, ["notices.written", "notice.read"])
    assert [(entry.action, entry.actor) for entry in written] == [
        ("notices.written", "analyst.li"), ("notice.read", "C000001"),
    ]  # fmt: skip


def test_other_reasons_are_told_again(bank: Database) -> None:
    desk = desk_of(bank)
    desk.write(LI, FUND)
    GradeDesk(bank).grade(LI, FUND, GradedBy.BANK, RiskGrade.R5, from_on=ON + timedelta(days=1), because="又变了")
    assert desk.write(LI, FUND).added == 0
    assert desk.write(LI, FUND, on=ON + timedelta(days=1)).added == 1
    assert [notice.grade for notice in desk.mine(ANN)] == ["R5", "R4"]


def test_what_was_told_is_counted_by_grade(bank: Database) -> None:
    desk = desk_of(bank)
    assert desk.told(LI) == ()
    desk.write(LI, FUND, Channel.LETTER)
    GradeDesk(bank).grade(LI, FUND, GradedBy.BANK, RiskGrade.R5, from_on=ON + timedelta(days=1), because="又变了")
    desk.write(LI, FUND, on=ON + timedelta(days=1))
    desk.read(ANN, desk.mine(ANN)[0].id)
    counted = [(one.grade, one.from_on, one.customers, one.notices, one.unsent, one.read) for one in desk.told(LI)]
    assert counted == [("R5", ON + timedelta(days=1), 1, 1, 0, 1), ("R4", ON, 1, 1, 1, 0)]
    newest = desk.told(DELIVERY)[0]
    assert (newest.product_id, newest.grade_before, newest.first_at) == (FUND, "R4", newest.last_at)
    for other in (ANN, AGENT, VISITOR):
        with pytest.raises(NotAllowed):
            desk.told(other)


def test_many_who_write_at_once_tell_once(bank: Database) -> None:
    desk = desk_of(bank)
    with ThreadPoolExecutor(6) as pool:
        added = [made.added for made in pool.map(lambda _: desk.write(LI, FUND), range(6))]
    assert sum(added) == 1
    with bank.session(LI) as session:
        assert len(audit.entries(session, ["notices.written"], FUND)) == 1


def test_the_banks_delivery_says_what_is_out(bank: Database) -> None:
    desk = desk_of(bank)
    desk.write(LI, FUND, Channel.SMS)
    (notice,) = desk.of_product(DELIVERY, FUND, unsent=True)
    assert notice.sent_at is None
    sent = desk.sent(DELIVERY, notice.id).sent_at
    assert sent
    assert desk.sent(LI, notice.id).sent_at == sent
    assert desk.of_product(LI, FUND, unsent=True) == ()
    assert len(desk.of_product(LI, FUND)) == 1
    with bank.session(LI) as session:
        assert [entry.actor for entry in audit.entries(session, ["notice.sent"])] == ["delivery"]


def test_who_may_not(bank: Database) -> None:
    desk = desk_of(bank)
    desk.write(LI, FUND)
    (notice,) = desk.mine(ANN)
    for call in (
        lambda: desk.write(AGENT, FUND),
        lambda: desk.write(DELIVERY, FUND),
        lambda: desk.of_product(AGENT, FUND),
        lambda: desk.of_product(ANN, FUND),
        lambda: desk.sent(ANN, notice.id),
        lambda: desk.read(LI, notice.id),
    ):
        with pytest.raises(NotAllowed):
            call()
    for missing in (
        lambda: desk.read(BEN, notice.id),
        lambda: desk.sent(LI, uuid4()),
        lambda: desk.write(LI, "NO-SUCH"),
    ):
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(NotAuthenticated):
        desk.mine(VISITOR)
    assert desk.mine(ANN)[0].read_at is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notices SET text_zh = '没事'",
        "DELETE FROM notices",
        "INSERT INTO notices (customer_id, product_id, product_zh, product_en, grade_before, grade, from_on, codes, "
        "text_zh, text_en, channel) VALUES ('C000001', 'FUND-BALANCED', 'x', 'x', 'R1', 'R1', now(), '{}', 'x', 'x', 'sms')",
    ],
)
def test_no_customer_writes_or_changes_a_notice(bank: Database, statement: str) -> None:
    desk_of(bank).write(LI, FUND)
    with pytest.raises(NotAllowed), bank.session(ANN) as session:
        session.execute(text(statement))
    with bank.session(BEN) as session:
        assert session.scalar(text("SELECT count(*) FROM notices")) == 0


def test_a_report_says_whose_holders_it_leaves_out(bank: Database) -> None:
    report = desk_of(bank).report(LI, FUND)
    assert (report.holders, len(report.notices), report.note) == (3, 2, None)
    elsewhere = desk_of(bank, elsewhere=True)
    for note in (elsewhere.report(LI, FUND).note, elsewhere.write(LI, FUND).note):
        assert note
        assert "core-banking" in note.en
        assert "核心系统" in note.zh
