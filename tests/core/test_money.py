"""Money: decimal, one currency at a time, no floats."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.core.money import Money, decimal_of, total

CENTS = st.integers(-(10**15), 10**15)


def money(cents: int, currency: str = "CNY") -> Money:
    return Money(Decimal(cents).scaleb(-2), currency)


@given(CENTS, CENTS)
def test_sums_and_differences_are_exact(a: int, b: int) -> None:
    assert money(a) + money(b) == money(a + b)
    assert money(a) - money(b) == money(a - b)
    assert (money(a) < money(b)) == (a < b)
    assert (money(a) > money(b)) == (a > b)


@given(st.floats())
def test_floats_are_refused(value: float) -> None:
    with pytest.raises(BadInput):
        decimal_of(value)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        Money(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "Infinity", "-inf", "", "twelve", "1.2.3", Decimal("NaN"), True, None]
)
def test_what_is_not_a_finite_decimal_is_refused(value: str) -> None:
    with pytest.raises(BadInput):
        decimal_of(value)


@given(CENTS, CENTS)
def test_currencies_do_not_mix(a: int, b: int) -> None:
    ours, theirs = money(a), money(b, "USD")
    for operation in (lambda: ours + theirs, lambda: ours - theirs, lambda: ours < theirs):
        with pytest.raises(BadInput, match="CNY and USD"):
            operation()
    assert ours != theirs


@pytest.mark.parametrize("amount", ["1E+30", "9" * 40])
def test_an_amount_beyond_28_digits_is_refused(amount: str) -> None:
    with pytest.raises(BadInput):
        Money(Decimal(amount))


def test_a_sum_beyond_28_digits_is_refused_rather_than_rounded() -> None:
    most = Money(Decimal("9" * 26 + ".99"))
    with pytest.raises(BadInput):
        _ = most + most


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "CNY", "¥1,234.50"),
        ("-0.125", "USD", "-$0.12"),
        ("0.135", "CNY", "¥0.14"),
        ("1500.5", "JPY", "JP¥1,500"),
        ("7", "SGD", "SGD 7.00"),
        ("-0.001", "CNY", "¥0.00"),
    ],
)
def test_rounding_and_wording(amount: str, currency: str, shown: str) -> None:
    assert str(Money(decimal_of(amount), currency)) == shown


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234,567.80", "1234567.80"), ("1,500", "1500"), ("-1,234,567.89", "-1234567.89"), ("12,000.", "12000")],
)
def test_separators_are_read(text: str, number: str) -> None:
    assert decimal_of(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["1,5", "1,50", "1500,5", "1,5000", "1,,500", ",500", "1,500,", "1.5,000", "12,34,567", "1,500e3", "1，500"]
)
def test_a_comma_that_groups_no_thousands_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        decimal_of(text)
    assert raised.value.next_step


@given(st.lists(CENTS, max_size=20))
def test_a_total_is_the_exact_sum(cents: list[int]) -> None:
    assert total(money(one) for one in cents) == money(sum(cents))


def test_a_total_keeps_its_currency() -> None:
    assert total([], "USD") == money(0, "USD")
    assert total([money(150, "USD")], "USD") == money(150, "USD")
    with pytest.raises(BadInput, match="CNY and USD"):
        total([money(1), money(1, "USD")])


def test_money_is_frozen() -> None:
    with pytest.raises(AttributeError):
        money(1).amount = Decimal(2)  # type: ignore[misc]
