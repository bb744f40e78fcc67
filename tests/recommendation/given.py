"""Builders of understandings and customers, and the demo catalogue."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openteller.demo
from openteller.core.records import Entity, IntentPrediction, Scored, Sentiment, Understanding
from openteller.customers.behaviour import Behaviour, CustomerFile
from openteller.customers.records import Account, Consent, Customer, Holding, RiskAssessment
from openteller.products.catalogue import read_products

ON = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
PRODUCTS = read_products(Path(openteller.demo.__file__).parent / "bank" / "products")


def understood(
    *needs: str, mood: str = "neutral", intent: str = "deposit_rate", products: tuple[str, ...] = (), flag: str = ""
) -> Understanding:
    named = (Entity(type="product", text="它", start=0, end=1, value=name, probability=0.95) for name in products)
    return Understanding(
        language=Scored(label="zh-Hans", probability=1),
        intent=IntentPrediction(label=intent, probability=0.9),
        sentiment=Sentiment(label=mood, probability=0.9, score={"negative": -0.8, "positive": 0.8}.get(mood, 0.0)),
        needs=tuple(Scored(label=need, probability=0.9) for need in needs),
        entities=tuple(named),
        personal_data=(),
        risk_flags=(Scored(label=flag, probability=0.9),) if flag else (),
    )


def file(
    *,
    age: int = 35,
    income: int = 15_000,
    segments: tuple[str, ...] = ("payroll",),
    investor: str | None = "C3",
    expires_in: int = 100,
    consent: bool | None = True,
    held: tuple[str, ...] = (),
    accounts: tuple[tuple[str, str], ...] = (("savings", "SAV-CNY"), ("credit", "CARD-GOLD")),
    spending: Mapping[str, int] | None = None,
    idle: int = 0,
    savings: int = 20_000,
    salary: int = 0,
    card_use: float = 0.0,
) -> CustomerFile:
    name = "C000042"
    customer = Customer(
        customer_id=name, name="林晓", name_en="Lin Xiao", phone="10012345678", id_number_masked="99**************42",
        birth_date=date(ON.year - age, 1, 1), gender="female", city="杭州", segment=segments,
        monthly_income=Decimal(income), created_at=NOON,
    )  # fmt: skip
    expires = NOON + timedelta(days=expires_in)
    return CustomerFile(
        customer=customer,
        assessment=None
        if investor is None
        else RiskAssessment(
            customer_id=name, investor_class=investor, assessed_at=expires - timedelta(days=365), expires_at=expires
        ),
        consents=()
        if consent is None
        else (Consent(customer_id=name, purpose="personalisation", granted=consent, at=NOON),),
        accounts=tuple(_account(name, number, *account) for number, account in enumerate(accounts)),
        holdings=tuple(
            Holding(customer_id=name, product_id=product, amount=Decimal(1), cost=Decimal(1), since=ON)
            for product in held
        ),
        behaviour=Behaviour(
            monthly_spending={category: Decimal(amount) for category, amount in (spending or {}).items()},
            monthly_salary=Decimal(salary),
            savings_balance=Decimal(max(idle, savings)),
            idle_balance=Decimal(idle),
            fixed_balance=Decimal(0),
            invested=Decimal(0),
            owed=Decimal(0),
            card_use=card_use,
        ),
    )


def _account(name: str, number: int, kind: str, product: str) -> Account:
    whole: dict[str, Any] = {"account_id": f"A-{number}", "customer_id": name, "kind": kind, "product_id": product}
    return Account.model_validate(whole | {"tail": "0001", "balance": "0", "opened_on": ON})
