"""What the ranking looks at: the customer's money, the product, the moment, and which signals fired, as numbers by name.

Gender, age, city and the name are no features: the walls ask for an age where the law or the product does, the ranking never.
A feature that is not there is left out, and is 0 for the ranking. Amounts of CNY are on a logarithmic scale.
"""

import math
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal

from openteller.core.clock import local_date
from openteller.core.records import Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation.records import OfferEvent, Signal


def moment_features(
    file: CustomerFile | None, understanding: Understanding, signals: Collection[Signal]
) -> dict[str, float]:
    """What is the same for every product: the customer and the moment."""
    found = {"moment: mood": understanding.sentiment.score, "moment: asked": float(any(s.stated for s in signals))}
    if file is None:
        return found
    behaviour = file.behaviour
    return found | {
        "customer: known": 1.0,
        "customer: income": _scale(file.customer.monthly_income),
        "customer: savings": _scale(behaviour.savings_balance),
        "customer: spending": _scale(behaviour.spending),
        "customer: invested": _scale(behaviour.invested),
        "customer: owed": _scale(behaviour.owed),
        "customer: card use": behaviour.card_use,
        "customer: products": float(len(file.product_ids)),
    }


def product_features(
    product: Product, fired: Sequence[Signal], score: float, events: Collection[OfferEvent], on: date, zone: str
) -> dict[str, float]:
    """What differs from product to product. `score` is what the signals alone say."""
    found = {
        "product: grade": float(product.risk_grade.number),
        "product: popularity": product.popularity / 100,
        "product: foreign": float(product.currency != "CNY"),
        f"category: {product.category}": 1.0,
        "signals": score,
    }
    found |= {f"signal: {_family(signal)}": signal.weight for signal in reversed(fired)}
    shown = [event for event in events if event.product_id == product.id and event.action == "shown"]
    if shown:
        found["shown before"] = float(len(shown))
        found["days since shown"] = float(min((on - local_date(event.at, zone)).days for event in shown))
    return found


def feature_of(signal: Signal) -> str:
    """The name of the feature that a signal is."""
    return f"signal: {_family(signal)}"


def _family(signal: Signal) -> str:
    """A product named is a product named, whichever it is."""
    return signal.code.partition(":")[0] if signal.code.startswith(("product:", "goes_with:")) else signal.code


def _scale(amount: Decimal) -> float:
    return math.log10(1 + max(float(amount), 0.0))
