"""Eligibility: do the conditions of a product admit this person on this day?

The conditions are those the bank wrote into the product; the suitability wall (products/suitability.py) is another
question and is asked as well. What is not covered: credit decisions. Eligible means "may apply".
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from openteller.core.records import Record
from openteller.products.records import Product, Verdict

_ADMITS = Verdict(
    allowed=True,
    reason_code="eligible",
    reason_zh="符合该产品的申请条件。",
    reason_en="The product's conditions are met.",
)


class Applicant(Record):
    """The facts that conditions look at. None means unknown, and an unknown fact fails its condition.

    `monthly_income` is in CNY; `assessed` says that a risk assessment is in force.
    """

    age: int | None = None
    monthly_income: Decimal | None = None
    region: str | None = None
    segments: frozenset[str] = frozenset()
    assessed: bool = False


def eligible(product: Product, applicant: Applicant, on: date) -> Verdict:
    """Whether the conditions of `product` admit `applicant` on day `on`; the first failing one is the reason."""
    conditions = product.eligibility
    if not product.on_sale(on):
        return _refused("not_on_sale", "该产品目前不在销售期。", "The product is not on sale.")
    low, high = conditions.min_age, conditions.max_age
    if not _within(applicant.age, low, high):
        ages = f"{low or 0}–{high}" if high is not None else f"{low}+"
        return _refused("age", f"该产品要求年龄{ages}岁。", f"The product is for ages {ages}.")
    if conditions.min_monthly_income is not None and not _within(
        applicant.monthly_income, conditions.min_monthly_income, None
    ):
        income = f"{conditions.min_monthly_income:,.0f}"
        return _refused(
            "income", f"该产品要求月收入不低于{income}元。", f"The product needs CNY {income} income a month."
        )
    return _membership(conditions.regions, conditions.segments, applicant) or _assessment(product, applicant)


def generic(product: Product, on: date) -> bool:
    """Whether a stranger of working age may be told about the product: no segment, region or assessment needed."""
    conditions = product.eligibility
    special = conditions.segments or conditions.regions or conditions.requires_risk_assessment
    adult = (conditions.min_age or 0) <= 22 and (conditions.max_age is None or conditions.max_age >= 50)
    return product.on_sale(on) and not special and adult


def _membership(regions: Collection[str], segments: Collection[str], applicant: Applicant) -> Verdict | None:
    if regions and applicant.region not in regions:
        return _refused("region", "该产品未在您所在地区销售。", "The product is not sold where you live.")
    if segments and not applicant.segments.intersection(segments):
        return _refused("segment", "该产品面向特定客群。", "The product is for another group of customers.")
    return None


def _assessment(product: Product, applicant: Applicant) -> Verdict:
    if product.eligibility.requires_risk_assessment and not applicant.assessed:
        return _refused("assessment", "该产品需先完成有效的风险测评。", "The product needs a risk assessment in force.")
    return _ADMITS


def _within(value: int | Decimal | None, low: int | Decimal | None, high: int | Decimal | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _refused(code: str, zh: str, en: str) -> Verdict:
    return Verdict(allowed=False, reason_code=code, reason_zh=zh, reason_en=en)
