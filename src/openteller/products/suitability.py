"""The suitability wall: may this investor be shown this risk grade today? The one function for offers and chat.

Rules, all of which must hold:
- an investor of class Cn may have products of grade Rm with m ≤ n (China, 证券期货投资者适当性管理办法, CSRC 2017, and
  商业银行理财业务监督管理办法, CBIRC 2018: a product's grade must not exceed the investor's class);
- above R1 an assessment must exist and be in force: made by that day, and not expired (the day of expiry is blocked);
- nobody aged 65 or over, or of unknown age, is shown R4 or above.

What is not covered: concentration, experience in leveraged products, and the qualified-investor test of private
products. Those are conditions of a product (products/eligibility.py), and come on top.
Knows nothing about customers: an assessment is whatever has the three fields.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from openteller.core.clock import local_date
from openteller.products.records import RiskGrade, Verdict

SENIOR_AGE = 65
_SENIOR_LIMIT = RiskGrade.R3


class InvestorClass(StrEnum):
    """Investor class, C1 (conservative) to C5 (aggressive)."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"

    @property
    def number(self) -> int:
        """1 to 5."""
        return int(self.value[1])


class Assessment(Protocol):
    """An investor's risk assessment: class C1–C5 and the moments it was made and ends."""

    @property
    def investor_class(self) -> str: ...
    @property
    def assessed_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...


def in_force(assessment: Assessment, on: date, zone: str = "Asia/Shanghai") -> bool:
    """Whether the assessment holds on the whole of day `on` in time zone `zone`."""
    return local_date(assessment.assessed_at, zone) <= on < local_date(assessment.expires_at, zone)


def suitable(
    assessment: Assessment | None,
    grade: RiskGrade,
    on: date,
    age: int | None = None,
    zone: str = "Asia/Shanghai",
) -> Verdict:
    """May a product of `grade` be offered to, or recommended in chat to, this investor on day `on`?

    Args:
        assessment: the latest one; None when there is none.
        grade: of the product.
        on: the day, in the bank's time zone `zone`.
        age: in whole years; None when unknown.
        zone: IANA name of the bank's time zone.
    """
    if grade.number > _SENIOR_LIMIT.number and (age is None or age >= SENIOR_AGE):
        return _by_age(grade, age)
    if grade is RiskGrade.R1:
        return _verdict(True, "suitable", "R1级产品适合所有客户。", "Grade R1 suits every customer.")
    if assessment is None:
        return _verdict(
            False,
            "assessment_missing",
            f"购买{grade}级产品前需先完成风险测评。",
            f"A risk assessment is needed before products of grade {grade}.",
        )
    if not in_force(assessment, on, zone):
        return _verdict(
            False,
            "assessment_expired",
            f"风险测评已过期或尚未生效，重新测评后才能了解{grade}级产品。",
            f"The risk assessment is not in force; retake it before products of grade {grade}.",
        )
    return _by_class(InvestorClass(assessment.investor_class), grade)


def _by_class(investor: InvestorClass, grade: RiskGrade) -> Verdict:
    if grade.number > investor.number:
        return _verdict(
            False,
            "grade_above_class",
            f"{grade}级产品的风险高于您的风险承受能力{investor}。",
            f"Grade {grade} is riskier than your investor class {investor} allows.",
        )
    return _verdict(
        True,
        "suitable",
        f"产品风险等级{grade}不高于您的风险承受能力{investor}。",
        f"Grade {grade} is within your investor class {investor}.",
    )


def _by_age(grade: RiskGrade, age: int | None) -> Verdict:
    if age is None:
        return _verdict(
            False,
            "age_unknown",
            f"年龄未知，不推荐{grade}级产品。",
            f"Grade {grade} is not recommended while the age is unknown.",
        )
    return _verdict(
        False,
        "age_limit",
        f"{SENIOR_AGE}岁及以上客户不推荐{grade}级产品。",
        f"Grade {grade} is not recommended to customers aged {SENIOR_AGE} or over.",
    )


def _verdict(allowed: bool, code: str, zh: str, en: str) -> Verdict:
    return Verdict(allowed=allowed, reason_code=code, reason_zh=zh, reason_en=en)
