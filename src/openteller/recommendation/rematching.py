"""Matching holders anew: what a changed grade means to those who hold the product, and whom to tell.

Source: 金融机构产品适当性管理办法 (NFRA Order [2025] No. 7): when the grade of a product or the information on an investor
changes, the seller adjusts its opinion whether the two match and tells the investor, who may go on holding.
The wall is asked as for money that is paid already: means are not in question, only capacity, class, grade and age.
What is not covered: sending the notice. Pure; knows nothing about the store.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pydantic import Field

from openteller.core.records import LocalText, Record
from openteller.customers.records import Holder
from openteller.products.grades import GradeStep
from openteller.products.records import Product, RiskGrade
from openteller.products.suitability import Approach, Case, Investment, Suitability, Verdict, suitable
from openteller.recommendation.matching import assessed_investor

_NOTHING_TO_PAY = Decimal(0)


class Notice(Record):
    """One holder to tell, and why. `text` is worded to the customer."""

    customer_id: str
    language: str
    amount: Decimal = Field(description="market value held, in `currency`")
    currency: str
    investor_class: str | None = Field(description="of the latest assessment; None: never assessed")
    expires_on: date | None
    outcome: Verdict
    codes: tuple[str, ...] = Field(description="of the reasons")
    new: bool = Field(description="whether the grade before gave another verdict")
    text: LocalText


class Rematch(Record):
    """The holders of one product on one day, matched anew."""

    product_id: str
    on: date
    grade_before: RiskGrade
    grade: RiskGrade
    holders: int
    suitable: int = Field(description="holders whom the product suits, and whose verdict did not change")
    notices: tuple[Notice, ...]


def rematch(
    product: Product,
    before: GradeStep,
    now: GradeStep,
    holders: Iterable[Holder],
    on: date,
    zone: str = "Asia/Shanghai",
) -> Rematch:
    """Match the holders of `product` under the grade that counts now.

    Args:
        product: of the catalogue; its own grade is not read.
        before: what counted until the last change.
        now: what counts on day `on`.
        holders: everybody who holds it.
        on: the day, in time zone `zone`.
        zone: IANA name of the bank's time zone.
    """
    held = tuple(holders)
    notices = []
    for one in held:
        then, today = (_verdict(product, grade, one, on, zone) for grade in (before.effective, now.effective))
        if not today.allowed or then.outcome is not today.outcome:
            notices.append(_notice(product, now.effective, one, then, today, zone))
    return Rematch(
        product_id=product.id,
        on=on,
        grade_before=before.effective,
        grade=now.effective,
        holders=len(held),
        suitable=len(held) - len(notices),
        notices=tuple(notices),
    )


def _verdict(product: Product, grade: RiskGrade, holder: Holder, on: date, zone: str) -> Suitability:
    graded = product.model_copy(update={"risk_grade": grade})
    investor = assessed_investor(holder.customer.age(on), holder.assessment, zone)
    return suitable(
        Case(investor=investor, product=Investment.of(graded), on=on, approach=Approach.ASKED, amount=_NOTHING_TO_PAY)
    )


def _notice(
    product: Product, grade: RiskGrade, holder: Holder, then: Suitability, today: Suitability, zone: str
) -> Notice:
    assessment, holding = holder.assessment, holder.holding
    investor = assessed_investor(0, assessment, zone)
    return Notice(
        customer_id=holder.customer.customer_id,
        language=holder.customer.language,
        amount=holding.amount,
        currency=holding.currency,
        investor_class=assessment.investor_class if assessment else None,
        expires_on=investor.expires_on,
        outcome=today.outcome,
        codes=tuple(reason.code for reason in today.reasons),
        new=then.outcome is not today.outcome or then.code != today.code,
        text=LocalText(
            zh=f"您持有的{product.name.zh}风险等级为{grade}。{today.reason('zh')}您可以自主决定是否继续持有。",
            en=f"You hold {product.name.en}, which has risk grade {grade}. {today.reason('en')} Whether to keep it is"
            " for you to decide.",
        ),
    )
