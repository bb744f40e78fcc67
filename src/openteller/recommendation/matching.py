"""From a customer's file and a product to a question to the suitability wall. The one place where the two meet.

Money is looked at in the product's own currency; exchange rates are nobody's here. Knows nothing about what the wall says.
"""

from datetime import date
from decimal import Decimal

from openteller.core.clock import local_date
from openteller.core.records import InvestorClass
from openteller.customers.behaviour import CustomerFile
from openteller.customers.records import RiskAssessment
from openteller.products.records import Product
from openteller.products.suitability import Approach, Case, Investment, Investor, Means

_AT_HAND = frozenset({"savings", "fixed"})
_DEBTS = frozenset({"loan", "credit"})
_HOME = "CNY"


def case_of(
    file: CustomerFile | None,
    product: Product,
    on: date,
    approach: Approach,
    *,
    amount: Decimal | None = None,
    zone: str = "Asia/Shanghai",
) -> Case:
    """The question whether `product` suits the customer on day `on`.

    Args:
        file: of the customer; None for a visitor, of whom nothing is known.
        product: with the grade that counts on that day.
        on: the day, in time zone `zone`.
        approach: whether it was asked for.
        amount: to be paid, in the product's currency; None: unknown.
        zone: IANA name of the bank's time zone.
    """
    investor = investor_of(file, on, product.currency, zone)
    return Case(investor=investor, product=Investment.of(product), on=on, approach=approach, amount=amount)


def assessed_investor(age: int, assessment: RiskAssessment | None, zone: str, means: Means | None = None) -> Investor:
    """An investor of that age with their latest assessment; means None: unknown, or not in question."""
    if assessment is None:
        return Investor(age=age, means=means)
    return Investor(
        age=age,
        investor_class=InvestorClass(assessment.investor_class),
        assessed_on=local_date(assessment.assessed_at, zone),
        expires_on=local_date(assessment.expires_at, zone),
        means=means,
    )


def investor_of(file: CustomerFile | None, on: date, currency: str, zone: str = "Asia/Shanghai") -> Investor:
    """The customer as an investor whose money is looked at in `currency`; a visitor is one of whom nothing is known."""
    if file is None:
        return Investor()
    return assessed_investor(file.customer.age(on), file.assessment, zone, _means(file, currency))


def _means(file: CustomerFile, currency: str) -> Means:
    behaviour = file.behaviour
    if currency == _HOME:
        liquid, spending = behaviour.savings_balance + behaviour.fixed_balance, behaviour.spending
    else:
        liquid, spending = _sum(file, currency, _AT_HAND), Decimal(0)
    return Means(liquid=liquid, monthly_spending=spending, debts=-_sum(file, currency, _DEBTS))


def _sum(file: CustomerFile, currency: str, kinds: frozenset[str]) -> Decimal:
    open_accounts = (a for a in file.accounts if a.status == "active" and a.currency == currency)
    return sum((account.balance for account in open_accounts if account.kind in kinds), Decimal(0))
