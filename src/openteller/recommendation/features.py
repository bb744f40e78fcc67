"""What the ranking looks at: the customer's money, the product, the moment, and which signals fired, as numbers by name.

Gender, age, city and the name are no features: the walls ask for an age where the law or the product does, the ranking never.
A feature that is not there is 0 for the ranking. Amounts of CNY are on a logarithmic scale.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from openteller.core.clock import local_date
from openteller.core.records import Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation.records import OfferEvent, Signal

Doubles = NDArray[np.float64]
MOMENT = ("moment: mood", "moment: asked")
_UNNAMED = frozenset({"told", "tag", "life"})
CUSTOMER = ("known", "income", "savings", "spending", "invested", "owed", "card use", "products")


def of_cases(cases: Sequence[tuple[CustomerFile | None, Understanding, bool]]) -> dict[str, Doubles]:
    """Feature → (cases,): the customer, 0 for a visitor, and the moment.

    Args:
        cases: the customer's file, the understanding, and whether something that a product is for was asked about.
    """
    names = (*MOMENT, *(f"customer: {name}" for name in CUSTOMER))
    rows = [(asked.sentiment.score, float(named), *_customer(file)) for file, asked, named in cases]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return dict(zip(names, table.T, strict=True))


def of_products(products: Sequence[Product]) -> dict[str, Doubles]:
    """Feature → (products,)."""
    found = {
        "product: grade": np.array([float(product.risk_grade.number) for product in products]),
        "product: popularity": np.array([product.popularity / 100 for product in products]),
        "product: foreign": np.array([float(product.currency != "CNY") for product in products]),
    }
    categories = np.array([product.category for product in products])
    return found | {f"category: {name}": (categories == name).astype(np.float64) for name in np.unique(categories)}


def shown(events: Iterable[OfferEvent], on: date, zone: str) -> Mapping[str, tuple[int, int]]:
    """Product → how often it was shown before, and how many days ago the last time."""
    found: dict[str, tuple[int, int]] = {}
    for event in events:
        if event.action == "shown":
            times, days = found.get(event.product_id, (0, 10**6))
            found[event.product_id] = times + 1, min(days, (on - local_date(event.at, zone)).days)
    return found


def feature_of(signal: Signal) -> str:
    """The name of the feature that a signal is.

    A product named is a product named, whichever it is; and which tag or event it was is not logged: that would be
    kept when the customer has taken it away.
    """
    family = signal.code.partition(":")[0]
    return f"signal: {family if signal.only or family in _UNNAMED else signal.code}"


def _customer(file: CustomerFile | None) -> tuple[float, ...]:
    if file is None:
        return (0.0,) * len(CUSTOMER)
    behaviour = file.behaviour
    amounts = (
        file.customer.monthly_income, behaviour.savings_balance, behaviour.spending, behaviour.invested, behaviour.owed
    )  # fmt: skip
    return (1.0, *map(_scale, amounts), behaviour.card_use, float(len(file.product_ids)))


def _scale(amount: Decimal) -> float:
    return math.log10(1 + max(float(amount), 0.0))
