"""The suitability wall: may this investor be shown, or have, this product on this day? The one function for all who ask.

Where a rule stands. The Order is 金融机构产品适当性管理办法 (National Financial Regulatory Administration, Order [2025]
No. 7, in force 2026-02-01). Funds of securities firms follow 证券期货投资者适当性管理办法 (CSRC, amended 2022), to which
Art. 3 of the Order sends; we hold both to the stricter of the two.
- the grade must not exceed the class: Rm needs Cn with m ≤ n, asked for or not (Order, Art. 12: what lies above is not
  suitable and not to be sold; Art. 13: not to be pushed; CSRC: not to be pushed);
- an assessment must exist and be in force on that day, for R1 too: made by then, and not expired (Order, Art. 29: twelve
  months; the day of expiry is blocked);
- whoever has not full capacity, or may lack it, is not served here: under 18 or of unknown age (Order, Art. 19);
- from 65 on (Order: special care with high-risk products): R3 and above is never pushed, and needs a second confirmation
  when asked for. R3 is our reading of "more prudent": the Order leaves to the bank where high risk begins;
- the money must be there and not be needed (Order, Art. 12: funds that plainly do not match the ability to pay are not
  suitable). Figures below, each with its reason.
A push, which is everything that was not asked for, needs a verdict without reservation: what would take a confirmation is
not pushed.

What does not put money at risk (deposits, cards, loans, plain insurance of R1) passes: the rules above are not about it.
What is not covered: professional investors, exceptions of the Order for insurance, concentration, and the qualified
investors of private products (a condition of the product: products/eligibility.py, which comes on top); money at other
banks. Consent is asked elsewhere: a wall is no offer. Knows nothing about customers: all it needs is handed in.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field

from openteller.core.records import ADULT_AGE, SENIOR_AGE, InvestorClass, LocalText, Record
from openteller.products.records import Product, RiskGrade

SENIOR_CARE_FROM = RiskGrade.R3
RESERVE_MONTHS = 3
"""Months of spending that stay at hand: what an illness or a change of job takes before other income begins."""
LOCKED_RESERVE_MONTHS = 6
"""The same where the money is locked up for longer than the first reserve lasts."""

_ORDER = "金融机构产品适当性管理办法（国家金融监督管理总局令2025年第7号）"


class Approach(StrEnum):
    """How the product comes up."""

    PUSH = "push"
    """Nobody asked for it: an offer, an advertisement."""
    ASKED = "asked"
    """The customer asks about it, wants to buy it, or holds it."""


class Verdict(StrEnum):
    """What the wall says."""

    ALLOWED = "allowed"
    CONFIRM = "allowed_with_confirmation"
    BLOCKED = "blocked"


class Means(Record):
    """What an investor can pay with. All in the product's currency, none negative but what is overdrawn."""

    liquid: Decimal = Field(description="savings and deposits")
    monthly_spending: Decimal = Field(description="average a month")
    debts: Decimal = Field(description="owed on loans and cards, without the mortgage, whose instalments are spending")


class Investor(Record):
    """What the wall looks at in an investor. None means unknown."""

    age: int | None = Field(None, description="in whole years on the day")
    investor_class: InvestorClass | None = Field(None, description="of the latest assessment, in force or not")
    assessed_on: date | None = None
    expires_on: date | None = Field(None, description="first day on which the assessment no longer holds")
    means: Means | None = None

    def assessed(self, on: date) -> bool:
        """Whether an assessment is in force on the whole of day `on`."""
        if self.investor_class is None or self.assessed_on is None or self.expires_on is None:
            return False
        return self.assessed_on <= on < self.expires_on


class Investment(Record):
    """What the wall looks at in a product."""

    grade: RiskGrade = Field(description="the one that counts on the day: the higher of issuer's and bank's")
    invests: bool = Field(True, description="whether money is put at risk")
    min_amount: Decimal = Field(Decimal(0), ge=0)
    lock_up_months: int = Field(0, ge=0, description="how long the money cannot be had back")

    @classmethod
    def of(cls, product: Product) -> Self:
        """A product of the catalogue, graded as its record says; the shortest of its terms is its lock-up."""
        return cls(
            grade=product.risk_grade,
            invests=product.invests,
            min_amount=product.min_amount or Decimal(0),
            lock_up_months=min(product.terms_months, default=0),
        )


class Case(Record):
    """One question to the wall."""

    investor: Investor
    product: Investment
    on: date = Field(description="the day, in the bank's time zone")
    approach: Approach
    amount: Decimal | None = Field(
        None, ge=0, description="to be paid; None: unknown, the minimum is taken; 0: nothing, as for what is held"
    )


class Reason(Record):
    """Why, for a program (`code`) and for a person, and the rule it rests on."""

    code: str
    text: LocalText
    rule: str


class Suitability(Record):
    """The wall's verdict, with every reason that led to it."""

    outcome: Verdict
    reasons: tuple[Reason, ...] = Field(min_length=1)

    @property
    def allowed(self) -> bool:
        """Whether nothing stands against it. Only then may it be pushed."""
        return self.outcome is Verdict.ALLOWED

    @property
    def code(self) -> str:
        """Of the first reason."""
        return self.reasons[0].code

    def reason(self, language: str) -> str:
        """The reasons in `language`, as sentences."""
        return (" " if language.startswith("en") else "").join(reason.text.of(language) for reason in self.reasons)


def suitable(case: Case) -> Suitability:
    """May this product be shown to this investor (pushed), or be had by them (asked for)? Rules: see the module."""
    if not case.product.invests:
        return _verdict(Verdict.ALLOWED, _NO_RISK)
    blocking = [found for rule in _BLOCKING if (found := rule(case))]
    doubtful = [found for rule in _DOUBTFUL if (found := rule(case))]
    if case.approach is Approach.PUSH and doubtful:
        return _verdict(Verdict.BLOCKED, *blocking, *doubtful)
    if blocking:
        return _verdict(Verdict.BLOCKED, *blocking)
    if doubtful:
        return _verdict(Verdict.CONFIRM, *doubtful)
    return _verdict(Verdict.ALLOWED, _fits(case))


def _capacity(case: Case) -> Reason | None:
    age = case.investor.age
    if age is None:
        return _reason("age_unknown", "第十九条", "年龄未知，不能办理投资产品。", "The age is unknown.")
    if age < ADULT_AGE:
        return _reason(
            "minor",
            "第十九条",
            f"未满{ADULT_AGE}周岁，请由监护人陪同到网点办理。",
            f"Under {ADULT_AGE}, please come to a branch with a guardian.",
        )
    return None


def _assessment(case: Case) -> Reason | None:
    investor, grade = case.investor, case.product.grade
    if investor.investor_class is None:
        return _reason(
            "assessment_missing",
            "第十二条、第二十九条",
            f"了解{grade}级产品前需先完成风险测评。",
            f"A risk assessment is needed before products of grade {grade}.",
        )
    if not investor.assessed(case.on):
        return _reason(
            "assessment_expired",
            "第二十九条",
            f"风险测评不在有效期内，重新测评后才能了解{grade}级产品。",
            f"The risk assessment is not in force; retake it before products of grade {grade}.",
        )
    return None


def _grade(case: Case) -> Reason | None:
    investor, grade = case.investor.investor_class, case.product.grade
    if investor is None or grade.number <= investor.number:
        return None
    return _reason(
        "grade_above_class",
        "第十二条",
        f"{grade}级产品的风险高于您的风险承受能力{investor}。",
        f"Grade {grade} is riskier than your investor class {investor} allows.",
    )


def _funds(case: Case) -> Reason | None:
    means = case.investor.means
    if means is None or case.amount == 0 or _to_pay(case) <= means.liquid:
        return None
    return _reason(
        "funds_short",
        "第十二条",
        "所需资金超过您在本行的存款，请不要借钱投资。",
        "It takes more money than you have with us; please do not borrow to invest.",
    )


def _senior(case: Case) -> Reason | None:
    age, grade = case.investor.age, case.product.grade
    if age is None or age < SENIOR_AGE or grade.number < SENIOR_CARE_FROM.number:
        return None
    if case.approach is Approach.PUSH:
        return _reason(
            "senior_no_push",
            "",
            f"不向{SENIOR_AGE}周岁及以上客户主动推荐{grade}级产品。",
            f"Grade {grade} is not recommended unasked to customers aged {SENIOR_AGE} or over.",
        )
    return _reason(
        "senior_confirmation",
        "",
        f"您已年满{SENIOR_AGE}周岁，{grade}级产品请多考虑一段时间，并须再次确认。",
        f"At {SENIOR_AGE} or over, please take time to think about grade {grade}; it needs a second confirmation.",
    )


def _means_known(case: Case) -> Reason | None:
    if case.investor.means is not None or case.amount == 0:
        return None
    return _reason(
        "means_unknown",
        "第十二条",
        "财务状况未知，请确认所用资金不影响日常生活。",
        "Your means are unknown: please confirm that you can do without this money.",
    )


def _reserve(case: Case) -> Reason | None:
    means = case.investor.means
    if means is None or case.amount == 0:
        return None
    locked = case.product.lock_up_months > RESERVE_MONTHS
    months = LOCKED_RESERVE_MONTHS if locked else RESERVE_MONTHS
    paid = _to_pay(case)
    if paid > means.liquid or means.liquid - paid >= months * means.monthly_spending:
        return None
    return _reason(
        "reserve_needed",
        "第十二条",
        f"投入后剩余的钱不够您{months}个月的开支，请确认近期用不到这笔钱。",
        f"What remains would not cover {months} months of your spending: please confirm that you can do without it.",
    )


def _debts(case: Case) -> Reason | None:
    means = case.investor.means
    if means is None or case.amount == 0 or means.debts <= means.liquid:
        return None
    return _reason(
        "debts_first",
        "第十二条",
        "您的借款多于存款，请先考虑还款，再确认是否投资。",
        "You owe more than you have with us: please think of paying it back first, and confirm.",
    )


_BLOCKING: tuple[Callable[[Case], Reason | None], ...] = (_capacity, _assessment, _grade, _funds)
_DOUBTFUL: tuple[Callable[[Case], Reason | None], ...] = (_senior, _means_known, _reserve, _debts)


def _to_pay(case: Case) -> Decimal:
    """What has to be there: less than the minimum cannot be put in."""
    return case.product.min_amount if case.amount is None else max(case.amount, case.product.min_amount)


def _fits(case: Case) -> Reason:
    grade, investor = case.product.grade, case.investor.investor_class
    return _reason(
        "suitable",
        "第十二条",
        f"产品风险等级{grade}不高于您的风险承受能力{investor}。",
        f"Grade {grade} is within your investor class {investor}.",
    )


def _reason(code: str, article: str, zh: str, en: str) -> Reason:
    return Reason(code=code, text=LocalText(zh=zh, en=en), rule=_ORDER + article)


def _verdict(outcome: Verdict, *reasons: Reason) -> Suitability:
    return Suitability(outcome=outcome, reasons=reasons)


_NO_RISK = _reason("no_investment", "第三条", "该产品不属于投资产品。", "The product puts no money at risk.")
