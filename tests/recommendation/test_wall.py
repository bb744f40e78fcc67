"""The whole recommender behind the wall: random customers, inquiries, days and grades, and no offer that breaches it."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from openteller.core.records import Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product, RiskGrade
from openteller.recommendation.recommender import Recommender
from tests.recommendation.given import ON, PRODUCTS, file, understood

SECONDS = 15
LEAST = 500
INVESTMENTS = [p for p in PRODUCTS if p.category in ("fund", "wealth") or p.risk_grade is not RiskGrade.R1]
NEEDS = ("investing", "saving", "retirement", "education")


def a_customer(rng: np.random.Generator) -> CustomerFile:
    """With every border of the wall drawn often."""
    who = file(
        age=int(rng.choice([17, 18, 40, 64, 65, 80])),
        income=int(rng.choice([3_000, 40_000, 200_000])),
        segments=("private", "payroll") if rng.random() < 0.5 else (),
        investor=None if rng.random() < 0.1 else f"C{rng.integers(1, 6)}",
        expires_in=int(rng.choice([-1, 0, 1, 200])),
        consent=[True, True, True, False, None][rng.integers(5)],
        spending={"housing": int(rng.choice([0, 1_000, 9_000]))},
        savings=int(rng.choice([0, 9, 10, 12_000, 60_000, 2_000_000])),
    )
    owed = who.accounts[1].model_copy(update={"balance": -Decimal(int(rng.choice([0, 1, 20_000, 100_000])))})
    return who.model_copy(update={"accounts": (who.accounts[0], owed)})


def graded(rng: np.random.Generator) -> list[Product]:
    """The catalogue with some grades changed."""
    return [
        p.model_copy(update={"risk_grade": RiskGrade(f"R{rng.integers(1, 6)}")}) if rng.random() < 0.2 else p
        for p in PRODUCTS
    ]


def an_inquiry(rng: np.random.Generator) -> Understanding:
    named = tuple(str(rng.choice([p.id for p in INVESTMENTS])) for _ in range(2))
    return understood(str(rng.choice(NEEDS)), intent="product_recommendation", products=named)


def breaches(who: CustomerFile, product: Product, on: date) -> Iterator[str]:
    """What the rules' words have against it, on plain numbers."""
    grade, age, assessment = int(product.risk_grade[1]), on.year - who.customer.birth_date.year, who.assessment
    money, spent = who.behaviour.savings_balance, sum(who.behaviour.monthly_spending.values())
    owed = -sum(a.balance for a in who.accounts if a.kind in ("loan", "credit"))
    price, locked = product.min_amount or 0, min(product.terms_months, default=0) > 3
    if not any(consent.granted for consent in who.consents):
        yield "no consent"
    if grade == 1 and product.category not in ("fund", "wealth"):
        return
    if assessment is None or assessment.expires_at.date() <= on:
        yield "no assessment in force"
    elif grade > int(assessment.investor_class[1]):
        yield "grade above class"
    if age < 18 or (age >= 65 and grade >= 3):
        yield "age"
    if price > money or money - price < (6 if locked else 3) * spent or owed > money:
        yield "money"


def test_no_offer_of_the_whole_recommender_breaches_the_wall() -> None:
    rng, until = np.random.default_rng(20_261), time.monotonic() + SECONDS
    asked, offered, invested, silent, found = 0, 0, 0, 0, []
    while time.monotonic() < until or asked < LEAST:
        who, products, on = a_customer(rng), graded(rng), ON + timedelta(days=int(rng.integers(-3, 4)))
        offers = Recommender().offers(who, an_inquiry(rng), products, on=on, language="zh")
        by_id: dict[str, Any] = {product.id: product for product in products}
        found += [(who, by_id[o.product_id], why) for o in offers for why in breaches(who, by_id[o.product_id], on)]
        asked += 1
        offered += len(offers)
        invested += sum(by_id[o.product_id].invests for o in offers)
        silent += not any(consent.granted for consent in who.consents)
    print(f"{asked} inquiries, {offered} offers, {invested} of investments, {silent} without consent")
    assert found == []
    assert min(invested, silent) > asked / 20


def test_without_consent_there_is_no_offer_whatever_fits() -> None:
    asked = understood("investing", "saving", products=("FUND-INDEX", "TD-CNY"))
    for consent in (False, None):
        who = file(investor="C5", savings=1_000_000, consent=consent)
        assert Recommender().offers(who, asked, PRODUCTS, on=ON, language="zh") == ()
    assert Recommender().offers(file(investor="C5", savings=1_000_000), asked, PRODUCTS, on=ON, language="zh")
