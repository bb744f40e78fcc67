from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.products.eligibility import Applicant, eligible, generic
from openteller.products.records import Product

ON = date(2026, 11, 24)
WORKER = Applicant(age=35, monthly_income=Decimal(12000), region="杭州", segments=frozenset({"payroll"}), assessed=True)


@pytest.mark.parametrize(
    ("product_id", "change", "code"),
    [
        ("LOAN-PAYROLL", {}, "eligible"),
        ("LOAN-PAYROLL", {"segments": frozenset()}, "segment"),
        ("LOAN-PAYROLL", {"age": 59}, "age"),
        ("LOAN-PAYROLL", {"age": 58}, "eligible"),
        ("LOAN-PAYROLL", {"age": 19}, "age"),
        ("LOAN-PAYROLL", {"monthly_income": Decimal("3499.99")}, "income"),
        ("LOAN-PAYROLL", {"monthly_income": Decimal("3500")}, "eligible"),
        ("LOAN-PAYROLL", {"monthly_income": None}, "income"),
        ("LOAN-PAYROLL", {"age": None}, "age"),
        ("FUND-MM", {"assessed": False}, "assessment"),
        ("FUND-MM", {}, "eligible"),
        ("TD-OLD", {}, "not_on_sale"),
    ],
)
def test_the_first_failing_condition_is_the_reason(
    product_id: str, change: dict[str, object], code: str, catalogue: dict[str, Product]
) -> None:
    verdict = eligible(catalogue[product_id], WORKER.model_copy(update=change), ON)
    assert (verdict.reason_code, verdict.allowed) == (code, code == "eligible")


def test_regions_are_kept_to(catalogue: dict[str, Product]) -> None:
    product = catalogue["TD-CNY"]
    local = product.model_copy(
        update={"eligibility": product.eligibility.model_copy(update={"regions": ("杭州", "宁波")})}
    )
    assert eligible(local, WORKER, ON).allowed
    assert eligible(local, WORKER.model_copy(update={"region": "北京"}), ON).reason_code == "region"
    assert eligible(local, WORKER.model_copy(update={"region": None}), ON).reason_code == "region"


@given(age=st.integers(0, 120))
def test_age_bounds_are_inclusive(age: int, catalogue: dict[str, Product]) -> None:
    verdict = eligible(catalogue["CARD-TRAVEL"], WORKER.model_copy(update={"age": age}), ON)
    assert verdict.allowed is (18 <= age <= 65)


def test_generic_products_ask_for_nothing_special(catalogue: dict[str, Product]) -> None:
    assert generic(catalogue["TD-CNY"], ON)
    for special in ("CARD-STUDENT", "SAV-KIDS", "FUND-MM", "LOAN-PAYROLL", "TD-OLD"):
        assert not generic(catalogue[special], ON), special
