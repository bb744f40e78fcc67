"""One suite over both implementations: the store, and HTTP as recorded in the contract."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from openteller.core.errors import BadInput, Conflict, NotAuthenticated, NotFound
from openteller.core.money import Money
from openteller.core.records import Principal, Role
from openteller.customers.core_banking import CoreBanking

OWNER = Principal(subject="C000042", role=Role.CUSTOMER, customer_id="C000042")
OTHER = Principal(subject="C000043", role=Role.CUSTOMER, customer_id="C000043")
NOBODY = Principal(subject="C999999", role=Role.CUSTOMER, customer_id="C999999")
VISITOR = Principal(subject="visitor:1", role=Role.VISITOR)
SINCE, UNTIL = datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_profile(banking: CoreBanking) -> None:
    customer = banking.profile(OWNER)
    assert (customer.customer_id, customer.name, customer.age(date(2026, 11, 23))) == ("C000042", "林晓", 38)


def test_the_file_has_what_offers_are_made_from(banking: CoreBanking) -> None:
    file = banking.file(OWNER, date(2026, 11, 23))
    assert file.customer == banking.profile(OWNER)
    assert file.assessment is not None
    assert file.assessment.investor_class == "C3"
    assert (file.granted("personalisation"), file.granted("marketing"), file.granted("recording")) == (
        True,
        False,
        False,
    )
    assert file.product_ids == {"SAV-CNY", "CARD-GOLD", "CARD-DEBIT", "FUND-BOND"}
    assert (file.behaviour.invested, file.behaviour.owed) == (Decimal("30250.00"), Decimal("1840.50"))
    assert file.behaviour.monthly_salary > 6_000
    assert file.behaviour.days_since_income == 13
    assert len(file.bills) == 1


def test_balances_leave_out_closed_accounts(banking: CoreBanking) -> None:
    balances = {account.tail: account.balance for account in banking.balances(OWNER)}
    assert balances == {"4821": Decimal("23456.78"), "9077": Decimal("-1840.50")}


def test_transactions_newest_first_and_limited(banking: CoreBanking) -> None:
    movements = banking.transactions(OWNER, SINCE, UNTIL, 2)
    assert [movement.transaction_id for movement in movements] == [902, 877]
    assert movements[0].amount == Decimal("-86.50")


def test_a_limit_out_of_bounds(banking: CoreBanking) -> None:
    for limit in (0, -1, 1_000_000):
        with pytest.raises(BadInput):
            banking.transactions(OWNER, SINCE, UNTIL, limit)


def test_spending_is_net_positive_and_largest_first(banking: CoreBanking) -> None:
    spending = banking.spending(OWNER, SINCE, UNTIL)
    assert list(spending.items()) == [("groceries", Money(Decimal("1210.30"))), ("dining", Money(Decimal("640.00")))]


def test_cards_of_every_status(banking: CoreBanking) -> None:
    assert [(card.card_id, card.status) for card in banking.cards(OWNER)] == [("K-1", "active"), ("K-2", "lost")]


def test_freezing_a_card_twice(banking: CoreBanking) -> None:
    assert banking.freeze_card(OWNER, "K-1").status == "frozen"
    assert banking.freeze_card(OWNER, "K-1").status == "frozen"


def test_a_lost_card_is_not_frozen(banking: CoreBanking) -> None:
    with pytest.raises(Conflict):
        banking.freeze_card(OWNER, "K-2")


def test_a_card_of_nobody(banking: CoreBanking) -> None:
    with pytest.raises(NotFound):
        banking.freeze_card(OWNER, "K-9/../K-1")


def test_bills(banking: CoreBanking) -> None:
    (bill,) = banking.bills(OWNER)
    assert (bill.due_on, bill.outstanding) == (date(2026, 11, 25), Decimal("1840.50"))


def test_the_next_payment_and_none(banking: CoreBanking) -> None:
    payment = banking.next_payment(OWNER)
    assert payment is not None
    assert (payment.due_on, payment.amount) == (date(2026, 12, 1), Decimal("68.00"))
    assert banking.next_payment(OTHER) is None


def test_an_unknown_customer(banking: CoreBanking) -> None:
    with pytest.raises(NotFound):
        banking.profile(NOBODY)
    with pytest.raises(NotFound):
        banking.file(NOBODY, date(2026, 11, 23))


def test_a_visitor_has_no_data(banking: CoreBanking) -> None:
    for call in (banking.profile, banking.balances, banking.cards, banking.bills, banking.next_payment):
        with pytest.raises(NotAuthenticated):
            call(VISITOR)
    with pytest.raises(NotAuthenticated):
        banking.file(VISITOR, date(2026, 11, 23))
    with pytest.raises(NotAuthenticated):
        banking.freeze_card(VISITOR, "K-1")
