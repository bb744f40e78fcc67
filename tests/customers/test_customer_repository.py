from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.behaviour import spending_by_category
from openteller.customers.repository import CustomerRepository
from openteller.customers.store_banking import StoreCoreBanking
from openteller.store.database import Database
from openteller.store.tables import RiskAssessmentRow, TransactionRow

OWNER = Principal(subject="C000042", role=Role.CUSTOMER, customer_id="C000042")
OTHER = Principal(subject="C000043", role=Role.CUSTOMER, customer_id="C000043")
AGENT = Principal(subject="agent", role=Role.AGENT)
ON = date(2026, 11, 23)
START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_a_customer_sees_nobody_else(stored: Database) -> None:
    repository = CustomerRepository()
    with stored.session(OTHER) as session:
        assert repository.get(session, "C000042") is None
        assert repository.accounts(session, "C000042") == ()
        assert repository.transactions(session, "C000042", START, NOW) == ()
        with pytest.raises(NotFound):
            repository.file(session, "C000042", ON)
        with pytest.raises(NotFound):
            repository.card(session, "C000042", "K-1")
        assert [one.customer_id for one in repository.list(session)] == ["C000043"]
    with stored.session(AGENT) as session:
        assert [one.customer_id for one in repository.list(session, limit=1, after="C000042")] == ["C000043"]


def test_consents_are_kept_and_changed(stored: Database) -> None:
    repository = CustomerRepository()
    with stored.session(OWNER) as session:
        assert not repository.file(session, "C000042", ON).granted("recording")
        repository.set_consent(session, "C000042", "recording", True)
        assert repository.file(session, "C000042", ON).granted("recording")
        repository.set_consent(session, "C000042", "recording", False)
        kept = {one.purpose: one.granted for one in repository.consents(session, "C000042")}
        assert kept == {"personalisation": True, "marketing": False, "recording": False}
    with pytest.raises(NotAllowed), stored.session(OTHER) as session:
        repository.set_consent(session, "C000042", "personalisation", True)


def test_the_latest_assessment_counts(stored: Database) -> None:
    repository = CustomerRepository()
    start = datetime(2027, 1, 1, tzinfo=UTC)
    with stored.owner_session() as session:
        for investor, days in (("C4", 300), ("C2", 400), ("C5", 0)):
            at = start + timedelta(days=days)
            row = {"investor_class": investor, "assessed_at": at, "expires_at": at + timedelta(days=365)}
            session.add(RiskAssessmentRow(customer_id="C000042", **row))
    with stored.session(OWNER) as session:
        latest = repository.assessment(session, "C000042")
        assert latest is not None
        assert latest.investor_class == "C2"
        assert repository.assessment(session, "C000043") is None


def test_a_stretch_includes_its_start_and_not_its_end(stored: Database) -> None:
    start = datetime(2026, 10, 10, 15, tzinfo=UTC)
    with stored.owner_session() as session:
        for minutes in (-1, 0, 59, 60):
            at = start + timedelta(minutes=minutes)
            row = {"account_id": "A-1", "currency": "CNY", "category": "dining", "amount": Decimal("-9.90")}
            session.add(TransactionRow(customer_id="C000042", booked_at=at, merchant=f"{minutes}", **row))
    end = start + timedelta(hours=1)
    with stored.session(OWNER) as session:
        found = CustomerRepository().transactions(session, "C000042", start, end)
        assert [movement.merchant for movement in found] == ["59", "0"]
        assert CustomerRepository().spending(session, "C000042", start, end) == {"dining": Decimal("19.80")}


def test_spending_in_sql_and_in_python_agree(stored: Database) -> None:
    repository = CustomerRepository()
    with stored.session(OWNER) as session:
        movements = repository.transactions(session, "C000042", START, NOW)
        summed = repository.spending(session, "C000042", START, NOW)
    assert len(movements) == 7
    assert summed == spending_by_category(movements)


def test_the_file_holds_what_belongs_to_the_customer(stored: Database) -> None:
    with stored.session(OWNER) as session:
        file = CustomerRepository().file(session, "C000042", ON)
    assert file.behaviour.monthly_spending.keys() == {"dining", "groceries"}
    assert file.product_ids == {"SAV-CNY", "CARD-GOLD", "CARD-DEBIT", "FUND-BOND"}
    assert file.behaviour.savings_balance == Decimal("23456.78")
    assert file.assessment is not None
    assert file.assessment.investor_class == "C3"
    assert len(file.bills) == 1


def test_a_freeze_is_stored_and_audited_once(stored: Database) -> None:
    banking = StoreCoreBanking(stored)
    banking.freeze_card(OWNER, "K-1")
    banking.freeze_card(OWNER, "K-1")
    with pytest.raises(NotFound):
        banking.freeze_card(OTHER, "K-1")
    with stored.owner_session() as session:
        rows = session.execute(text("SELECT actor, subject FROM audit_log WHERE action = 'card.frozen'")).all()
        status = session.scalar(text("SELECT status FROM cards WHERE card_id = 'K-1'"))
    assert [tuple(row) for row in rows] == [("C000042", "K-1")]
    assert status == "frozen"
