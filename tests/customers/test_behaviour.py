from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from openteller.customers.behaviour import WINDOW_DAYS, observe, spending_by_category
from openteller.customers.records import SPENDING_CATEGORIES, Account, Customer, Holding, Transaction

ON = date(2026, 11, 23)
CATEGORIES = sorted(SPENDING_CATEGORIES | {"transfer", "salary", "interest", "investment"})
AMOUNTS = st.decimals(-100_000, 100_000, places=2, allow_nan=False)


def movement(amount: Decimal | str, category: str = "dining", days_ago: int = 1, currency: str = "CNY") -> Transaction:
    return Transaction.model_validate(
        {
            "customer_id": "C000042",
            "account_id": "A-1",
            "booked_at": datetime.combine(ON - timedelta(days=days_ago), time(4), UTC),
            "amount": amount,
            "currency": currency,
            "merchant": "商户",
            "category": category,
        }
    )


def account(kind: str, balance: str, **changes: object) -> Account:
    whole = {"account_id": f"A-{kind}", "customer_id": "C000042", "kind": kind, "product_id": "SAV-CNY"}
    rest = {"tail": "0001", "balance": balance, "opened_on": date(2020, 1, 1)}
    return Account.model_validate({**whole, **rest, **changes})


def test_the_window_is_ninety_days_up_to_today() -> None:
    movements = [movement("-30", days_ago=days) for days in (-1, 0, WINDOW_DAYS - 1, WINDOW_DAYS)]
    behaviour = observe([], [], movements, ON)
    assert behaviour.spending == (Decimal(60) / 90 * Decimal("30.4375")).quantize(Decimal("0.01"))


def test_idle_money_is_what_two_months_of_spending_leave() -> None:
    movements = [movement("-9000", "housing", days_ago=10)]
    behaviour = observe([account("savings", "50000"), account("savings", "9", status="closed")], [], movements, ON)
    assert behaviour.savings_balance == Decimal(50000)
    assert behaviour.idle_balance == Decimal(50000) - 2 * behaviour.monthly_spending["housing"]
    assert observe([account("savings", "10")], [], movements, ON).idle_balance == 0


def test_debts_card_use_income_and_investments() -> None:
    accounts = [account("mortgage", "-800000"), account("credit", "-2500", credit_limit="10000")]
    holdings = [Holding(customer_id="C", product_id="FUND-MM", amount=Decimal(700), cost=Decimal(600), since=ON)]
    behaviour = observe(accounts, holdings, [movement("9000", "salary", days_ago=13)], ON)
    assert (behaviour.owed, behaviour.card_use) == (Decimal(802500), 0.25)
    assert (behaviour.invested, behaviour.days_since_income) == (Decimal(700), 13)
    assert behaviour.monthly_salary == Decimal("3043.75")


def test_other_currencies_do_not_mix_in() -> None:
    behaviour = observe([account("savings", "500", currency="USD")], [], [movement("-5", currency="USD")], ON)
    assert (behaviour.savings_balance, behaviour.spending) == (0, 0)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(CATEGORIES)), max_size=30))
def test_spending_is_positive_and_of_spending_categories(pairs: list[tuple[Decimal, str]]) -> None:
    spending = spending_by_category([movement(amount, category) for amount, category in pairs])
    assert set(spending) <= SPENDING_CATEGORIES
    for category, total in spending.items():
        assert total == -sum(amount for amount, name in pairs if name == category)
        assert total > 0


@given(st.dates(date(1930, 1, 1), date(2026, 11, 23)), st.dates(date(2026, 11, 23), date(2060, 1, 1)))
def test_age_grows_by_one_on_the_birthday(born: date, on: date) -> None:
    whole = {
        "customer_id": "C",
        "name": "人",
        "name_en": "X",
        "phone": "1",
        "id_number_masked": "*",
        "gender": "female",
    }
    rest = {"city": "杭州", "monthly_income": 0, "created_at": datetime.now(UTC), "birth_date": born}
    customer = Customer.model_validate(whole | rest)
    assert customer.age(on) == sum(
        1 for year in range(born.year + 1, on.year + 1) if (year, born.month, born.day) <= (on.year, on.month, on.day)
    )
