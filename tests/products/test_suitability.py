"""The wall against an oracle written from the rules' words, its borders one by one, and what must hold of any case."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.records import InvestorClass
from openteller.products.records import Product, RiskGrade
from openteller.products.suitability import (
    Approach,
    Case,
    Investment,
    Investor,
    Means,
    Suitability,
    Verdict,
    suitable,
)
from tests.products.suitability_oracle import Columns, draw, ruling

ON = date(2026, 11, 24)
EPOCH = date(2020, 1, 1)
CASES = 100_000
RICH = Means(liquid=Decimal(1_000_000), monthly_spending=Decimal(5_000), debts=Decimal(0))
OUTCOMES = (Verdict.ALLOWED, Verdict.CONFIRM, Verdict.BLOCKED)


def investor(age: int | None = 40, investor_class: str | None = "C3", days: int = 100, **changes: Any) -> Investor:
    fields = {"age": age, "investor_class": investor_class, "means": RICH, "assessed_on": ON - timedelta(days=100)}
    return Investor.model_validate(fields | {"expires_on": ON + timedelta(days=days)} | changes)


def asked(
    who: Investor, grade: str, approach: Approach = Approach.ASKED, amount: int | None = None, **product: Any
) -> Suitability:
    investment = Investment.model_validate({"grade": grade} | product)
    money = None if amount is None else Decimal(amount)
    return suitable(Case(investor=who, product=investment, on=ON, approach=approach, amount=money))


def pushed(who: Investor, grade: str, **product: Any) -> Suitability:
    return asked(who, grade, Approach.PUSH, **product)


def case_of(columns: Columns, place: int) -> Case:
    """The row as the wall wants it; -1 is unknown."""
    row = columns.row(place)
    means = None
    if row["liquid"] != -1:
        means = Means(
            liquid=Decimal(row["liquid"]), monthly_spending=Decimal(row["spending"]), debts=Decimal(row["debts"])
        )
    who = Investor(
        age=None if row["age"] == -1 else row["age"],
        investor_class=None if row["klass"] == -1 else InvestorClass(f"C{row['klass']}"),
        assessed_on=EPOCH + timedelta(days=row["assessed"]),
        expires_on=EPOCH + timedelta(days=row["expires"]),
        means=means,
    )
    product = Investment(
        grade=RiskGrade(f"R{row['grade']}"),
        invests=bool(row["invests"]),
        min_amount=Decimal(row["minimum"]),
        lock_up_months=row["lock_up"],
    )
    return Case(
        investor=who,
        product=product,
        on=EPOCH + timedelta(days=row["today"]),
        approach=Approach.PUSH if row["pushed"] else Approach.ASKED,
        amount=None if row["amount"] == -1 else Decimal(row["amount"]),
    )


def test_no_breach_in_random_cases() -> None:
    """`benchmarks/suitability.py` runs a million of them."""
    columns = draw(CASES, seed=20_261)
    expected = ruling(columns)
    breaches = [
        columns.row(place)
        for place in range(CASES)
        if suitable(case_of(columns, place)).outcome is not OUTCOMES[expected[place]]
    ]
    assert breaches == []
    shares = [(expected == outcome).mean() for outcome in range(3)]
    assert min(shares) > 0.02, shares


@pytest.mark.parametrize("approach", list(Approach))
def test_all_classes_and_grades_with_a_valid_assessment(approach: Approach) -> None:
    allowed = {
        (klass.value, grade.value)
        for klass in InvestorClass
        for grade in RiskGrade
        if asked(investor(investor_class=klass), grade, approach).outcome is not Verdict.BLOCKED
    }
    assert allowed == {(f"C{c}", f"R{r}") for c in range(1, 6) for r in range(1, 6) if r <= c}


@pytest.mark.parametrize(("days", "code"), [(1, "suitable"), (0, "assessment_expired"), (-1, "assessment_expired")])
def test_the_day_of_expiry_is_blocked_and_the_day_before_is_not(days: int, code: str) -> None:
    for grade in ("R1", "R2", "R3"):
        assert asked(investor(days=days), grade).code == code


def test_an_assessment_that_begins_tomorrow_is_none() -> None:
    assert asked(investor(assessed_on=ON + timedelta(days=1)), "R1").code == "assessment_expired"
    assert asked(investor(assessed_on=ON), "R1").code == "suitable"
    assert asked(investor(investor_class=None), "R1").code == "assessment_missing"


def test_what_puts_no_money_at_risk_is_open_to_all() -> None:
    stranger = Investor()
    assert pushed(stranger, "R1", invests=False).code == "no_investment"
    assert pushed(stranger, "R1").outcome is Verdict.BLOCKED


def test_from_65_on_r3_is_never_pushed_and_asks_for_a_second_yes() -> None:
    younger, senior = (investor(age=age, investor_class="C5") for age in (64, 65))
    assert [pushed(younger, grade).outcome for grade in RiskGrade] == [Verdict.ALLOWED] * 5
    assert [pushed(senior, grade).allowed for grade in RiskGrade] == [True, True, False, False, False]
    assert pushed(senior, "R4").code == "senior_no_push"
    assert [asked(senior, grade).outcome for grade in RiskGrade] == [Verdict.ALLOWED] * 2 + [Verdict.CONFIRM] * 3
    assert asked(senior, "R4").code == "senior_confirmation"


def test_whoever_may_lack_capacity_is_blocked() -> None:
    assert asked(investor(age=17), "R1").code == "minor"
    assert asked(investor(age=None), "R1").code == "age_unknown"
    assert asked(investor(age=18), "R1").code == "suitable"


def means(liquid: int, spending: int = 0, debts: int = 0) -> Investor:
    money = Means(liquid=Decimal(liquid), monthly_spending=Decimal(spending), debts=Decimal(debts))
    return investor(means=money)


def test_money_that_is_not_there_is_not_invested() -> None:
    assert asked(means(9_999), "R2", amount=10_000).code == "funds_short"
    assert asked(means(10_000), "R2", amount=10_000).code == "suitable"
    assert asked(means(9_999), "R2", min_amount="10000").code == "funds_short"
    assert asked(means(9_999), "R2", amount=5, min_amount="10000").code == "funds_short"


def test_money_that_is_needed_takes_a_confirmation_and_is_not_asked_for() -> None:
    tight = means(40_000, spending=10_000)
    assert asked(tight, "R2", amount=10_000).outcome is Verdict.ALLOWED
    assert asked(tight, "R2", amount=10_001).code == "reserve_needed"
    assert asked(tight, "R2", amount=10_001).outcome is Verdict.CONFIRM
    assert asked(tight, "R2", amount=10_000, lock_up_months=3).outcome is Verdict.ALLOWED
    assert asked(tight, "R2", amount=10_000, lock_up_months=4).code == "reserve_needed"
    assert pushed(tight, "R2", min_amount="10001").outcome is Verdict.BLOCKED


def test_debts_come_first() -> None:
    assert asked(means(50_000, debts=50_000), "R2", amount=100).outcome is Verdict.ALLOWED
    assert asked(means(50_000, debts=50_001), "R2", amount=100).code == "debts_first"


def test_what_is_held_already_needs_no_money() -> None:
    poor = means(0, spending=9_000, debts=1)
    assert asked(poor, "R2", amount=0).code == "suitable"
    assert asked(investor(means=None), "R2", amount=0).code == "suitable"
    assert asked(investor(means=None), "R2").code == "means_unknown"


CASE = st.builds(
    Case,
    investor=st.builds(
        Investor,
        age=st.none() | st.integers(0, 110),
        investor_class=st.none() | st.sampled_from(InvestorClass),
        assessed_on=st.none() | st.dates(ON - timedelta(days=400), ON + timedelta(days=2)),
        expires_on=st.none() | st.dates(ON - timedelta(days=2), ON + timedelta(days=400)),
        means=st.none()
        | st.builds(
            Means,
            liquid=st.decimals(-1_000, 500_000, places=2),
            monthly_spending=st.decimals(0, 50_000, places=2),
            debts=st.decimals(0, 500_000, places=2),
        ),
    ),
    product=st.builds(
        Investment,
        grade=st.sampled_from(RiskGrade),
        invests=st.booleans(),
        min_amount=st.decimals(0, 100_000, places=2),
        lock_up_months=st.integers(0, 60),
    ),
    on=st.just(ON),
    approach=st.sampled_from(Approach),
    amount=st.none() | st.decimals(0, 500_000, places=2),
)


@given(CASE)
def test_what_may_be_pushed_may_be_had_without_reservation(case: Case) -> None:
    push = suitable(case.model_copy(update={"approach": Approach.PUSH}))
    ask = suitable(case.model_copy(update={"approach": Approach.ASKED}))
    assert push.outcome is not Verdict.CONFIRM
    assert push.allowed is ask.allowed


@given(CASE)
def test_a_higher_grade_or_more_money_never_opens_the_wall(case: Case) -> None:
    order = list(OUTCOMES)
    here = order.index(suitable(case).outcome)
    if case.product.invests and case.product.grade is not RiskGrade.R5:
        riskier = case.product.model_copy(update={"grade": RiskGrade(f"R{case.product.grade.number + 1}")})
        assert order.index(suitable(case.model_copy(update={"product": riskier})).outcome) >= here
    if case.amount:
        assert order.index(suitable(case.model_copy(update={"amount": case.amount * 2})).outcome) >= here


@given(CASE)
def test_every_verdict_has_reasons_in_both_languages_and_names_a_rule(case: Case) -> None:
    verdict = suitable(case)
    assert verdict.reason("zh") != verdict.reason("en")
    assert all(reason.rule and reason.code for reason in verdict.reasons)
    assert len({reason.code for reason in verdict.reasons}) == len(verdict.reasons)


def test_products_of_the_catalogue_as_the_wall_sees_them(catalogue: dict[str, Product]) -> None:
    year = Investment.of(catalogue["WM-1Y"])
    assert (year.grade, year.invests, year.min_amount, year.lock_up_months) == (RiskGrade.R3, True, 10_000, 12)
    assert Investment.of(catalogue["FUND-MM"]).invests
    assert not Investment.of(catalogue["TD-CNY"]).invests
    assert Investment.of(catalogue["STRUCT-FX"]).invests
