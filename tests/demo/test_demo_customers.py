from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import openteller.demo
from openteller.core.clock import local_date
from openteller.core.errors import BadInput
from openteller.customers.records import SPENDING_CATEGORIES, Transaction
from openteller.demo.customers import CustomerBundle, customers, profile
from openteller.products.catalogue import read_products
from openteller.products.eligibility import Applicant, eligible

TODAY = date(2026, 11, 24)
ZONE = "Asia/Shanghai"
CATALOGUE = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}


@pytest.fixture(scope="module")
def crowd() -> list[CustomerBundle]:
    return list(customers(400, 7, TODAY))


def sums(bundle: CustomerBundle) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for movement in bundle.transactions:
        totals[movement.account_id] = totals.get(movement.account_id, Decimal(0)) + movement.amount
    return totals


def one(number: int, seed: int, today: date = TODAY) -> CustomerBundle:
    return next(customers(number, seed, today, start=number))


@settings(max_examples=25)
@given(st.integers(0, 2**40), st.integers(1, 10_000_000), st.dates(date(2024, 2, 28), date(2032, 12, 31)))
def test_whoever_is_made_the_books_are_right(seed: int, number: int, today: date) -> None:
    bundle = one(number, seed, today)
    totals = sums(bundle)
    assert {account.account_id: account.balance for account in bundle.accounts} == {
        account.account_id: totals.get(account.account_id, Decimal(0)) for account in bundle.accounts
    }
    assert all(local_date(movement.booked_at, ZONE) < today for movement in bundle.transactions)
    savings = next(account for account in bundle.accounts if account.kind == "savings")
    running = Decimal(0)
    for movement in bundle.transactions:
        if movement.account_id == savings.account_id:
            running += movement.amount
            assert running >= 0
    assert all(payment.due_on >= today for payment in bundle.scheduled_payments)
    assert [bill.statement_on for bill in bundle.bills] == sorted(bill.statement_on for bill in bundle.bills)


@settings(max_examples=15)
@given(st.integers(0, 2**40), st.integers(1, 10_000_000))
def test_everything_belongs_to_the_one_customer(seed: int, number: int) -> None:
    bundle = one(number, seed)
    ids = {account.account_id for account in bundle.accounts}
    parts = (bundle.assessments, bundle.consents, bundle.accounts, bundle.cards, bundle.transactions)
    for part in (*parts, bundle.scheduled_payments, bundle.bills, bundle.holdings):
        assert {record.customer_id for record in part} <= {bundle.customer.customer_id}
    linked = (*bundle.cards, *bundle.transactions, *bundle.scheduled_payments, *bundle.bills)
    assert {record.account_id for record in linked} <= ids
    products = {a.product_id for a in (*bundle.accounts, *bundle.cards, *bundle.holdings)}
    assert products <= CATALOGUE.keys()


def test_the_same_seed_makes_the_same_customers_whatever_the_count() -> None:
    few, many = list(customers(8, 11, TODAY)), list(islice(customers(1_000_000, 11, TODAY), 8))
    assert few == many
    assert one(8, 11) == few[7]
    assert profile(8, 11, TODAY) == few[7].customer
    assert one(8, 12) != few[7]


def test_a_million_are_only_made_when_asked_for() -> None:
    endless = customers(100_000_000, 1, TODAY)
    assert next(endless).customer.customer_id == "C000001"
    last = one(1_000_000, 1)
    assert last.customer.customer_id == "C1000000"


@pytest.mark.parametrize(("count", "seed", "start"), [(-1, 1, 1), (10**9, 1, 1), (5, -1, 1), (5, 1, 0)])
def test_bounds(count: int, seed: int, start: int) -> None:
    with pytest.raises(BadInput):
        customers(count, seed, TODAY, start=start)


def test_twelve_months_and_more_are_covered(crowd: list[CustomerBundle]) -> None:
    for bundle in crowd:
        days = [local_date(movement.booked_at, ZONE) for movement in bundle.transactions]
        assert min(days) <= TODAY - timedelta(days=365)
        spending = {(day.year, day.month) for day, m in zip(days, bundle.transactions, strict=True) if _spent(m)}
        assert len(spending) >= 12


def _spent(movement: Transaction) -> bool:
    return movement.category in SPENDING_CATEGORIES and movement.amount < 0


def test_people_spend_less_than_they_earn_and_not_nothing(crowd: list[CustomerBundle]) -> None:
    shares = []
    for bundle in crowd:
        spent = -sum(m.amount for m in bundle.transactions if _spent(m))
        shares.append(float(spent / (bundle.customer.monthly_income * 13)))
    ordered = sorted(shares)
    assert 0.4 < ordered[len(ordered) // 2] < 0.9
    assert ordered[-1] < 2


def test_salaries_arrive_each_month(crowd: list[CustomerBundle]) -> None:
    for bundle in crowd:
        salaries = [m for m in bundle.transactions if m.category == "salary"]
        if "payroll" in bundle.customer.segment:
            assert len(salaries) >= 12
            assert all(m.amount == bundle.customer.monthly_income for m in salaries)


def test_travel_and_shopping_have_their_seasons(crowd: list[CustomerBundle]) -> None:
    def total(category: str, year: int, month: int) -> Decimal:
        return -sum(
            movement.amount
            for bundle in crowd
            for movement in bundle.transactions
            if movement.category == category and (movement.booked_at.year, movement.booked_at.month) == (year, month)
        )

    assert total("travel", 2026, 10) > 1.5 * float(total("travel", 2026, 3))
    assert total("shopping", 2025, 11) > 1.3 * float(total("shopping", 2026, 3))
    assert total("utilities", 2026, 8) > 1.3 * float(total("utilities", 2026, 4))


def test_card_bills_add_up_to_the_purchases(crowd: list[CustomerBundle]) -> None:
    checked = 0
    for bundle in crowd:
        for earlier, bill in zip(bundle.bills, bundle.bills[1:], strict=False):
            spent = -sum(
                m.amount
                for m in bundle.transactions
                if m.account_id == bill.account_id
                and m.amount < 0
                and earlier.statement_on <= local_date(m.booked_at, ZONE) < bill.statement_on
            )
            if earlier.statement_on + timedelta(days=32) > bill.statement_on:
                assert bill.amount_due == spent
                checked += 1
            assert bill.minimum_due <= bill.amount_due
    assert checked > 100


def test_some_are_assessed_some_expired_some_not(crowd: list[CustomerBundle]) -> None:
    none = sum(not bundle.assessments for bundle in crowd)
    latest = [max(b.assessments, key=lambda a: a.assessed_at) for b in crowd if b.assessments]
    expired = sum(not assessment.in_force(TODAY, "Asia/Shanghai") for assessment in latest)
    off = sum(any(c.purpose == "personalisation" and not c.granted for c in b.consents) for b in crowd)
    for count in (none, expired, off):
        assert 0.04 < count / len(crowd) < 0.5


def test_holdings_were_suitable_when_bought(crowd: list[CustomerBundle]) -> None:
    held = 0
    for bundle in crowd:
        for holding in bundle.holdings:
            best = max(int(assessment.investor_class[1]) for assessment in bundle.assessments)
            assert CATALOGUE[holding.product_id].risk_grade.number <= best
            held += 1
    assert held > 50


def test_students_are_students_and_cards_fit_their_age(crowd: list[CustomerBundle]) -> None:
    for bundle in crowd:
        customer = bundle.customer
        applicant = Applicant(
            age=customer.age(TODAY), monthly_income=customer.monthly_income, segments=frozenset(customer.segment)
        )
        assert 17 <= applicant.age <= 85
        for card in bundle.cards:
            if card.product_id == "CARD-STUDENT":
                assert eligible(CATALOGUE[card.product_id], applicant, TODAY).allowed


def test_nobody_has_a_real_number(crowd: list[CustomerBundle]) -> None:
    for bundle in crowd:
        assert bundle.customer.phone.startswith("100")
        assert bundle.customer.id_number_masked.startswith("99")
        assert "*" * 14 in bundle.customer.id_number_masked
    assert len({bundle.customer.phone for bundle in crowd}) == len(crowd)


def test_the_five_regulars() -> None:
    cautious, expired, senior, private, young = customers(5, 20_261, TODAY)
    noon = datetime(2026, 11, 24, 4, tzinfo=UTC)

    def latest(bundle: CustomerBundle) -> str:
        assessment = max(bundle.assessments, key=lambda a: a.assessed_at)
        return assessment.investor_class if assessment.expires_at > noon else f"{assessment.investor_class} expired"

    assert (latest(cautious), "payroll" in cautious.customer.segment) == ("C2", True)
    assert latest(expired) == "C3 expired"
    assert (senior.customer.age(TODAY), latest(senior)) == (68, "C4")
    assert [c.granted for c in private.consents if c.purpose == "personalisation"] == [False]
    assert (latest(young), young.customer.age(TODAY), young.customer.language) == ("C4", 26, "en")
    assert all(
        card.status == "active" for bundle in (cautious, expired, senior, private, young) for card in bundle.cards
    )
