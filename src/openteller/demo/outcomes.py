"""Offers that demo customers might have seen, and what they did: so that there is something to learn from.

A customer opens an offer with a chance that this file sets: more for what they asked about and for idle money, less in a bad
mood and for what they have seen before. The recommender does not know the chances; that it finds them again says that
learning works, and nothing about real customers. Clearly synthetic, like everything of the demo bank.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from openteller.core.records import Principal, Record, Role, Scored, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.demo.repository import DemoRepository
from openteller.products.records import Product
from openteller.recommendation.choosing import Exploration
from openteller.recommendation.moments import unasked
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import Impression
from openteller.recommendation.repository import CustomerFileReader, ImpressionRepository
from openteller.recommendation.signals import NEEDS
from openteller.store import audit
from openteller.store.database import Database

_SELF = Principal(subject="demo", role=Role.SERVICE)
_BATCH, _DAYS, _SHARE = 200, 120, 0.3
_MOODS = (("negative", -0.8), ("neutral", 0.0), ("positive", 0.8))
_PULL = {"signal: idle_balance": 1.2, "signal: goes_with": 0.8, "signal: spending:travel": 1.6, "signal: rent": -0.5}


class OutcomeReport(Record):
    """What was made up."""

    customers: int
    impressions: int
    opened: int

    @property
    def summary(self) -> str:
        """The report in one sentence."""
        return f"{self.impressions:,} offers to {self.customers:,} demo customers, {self.opened:,} of them opened."


def make_outcomes(
    database: Database,
    products: Iterable[Product],
    on: date,
    *,
    customers: int = 500,
    moments: int = 6,
    seed: int = 1,
    zone: str = "Asia/Shanghai",
    progress: Callable[[int, int, str], None] | None = None,
) -> OutcomeReport:
    """Show offers to up to `customers` who agreed to them, each at some moments of the last `_DAYS` days, and keep it.

    Args:
        database: with the demo's customers.
        products: on sale.
        on: today.
        customers: how many at most.
        moments: how often each.
        seed: of all chance.
        zone: IANA name of the bank's time zone.
        progress: called after each batch.
    """
    catalogue, rng, recommender = tuple(products), np.random.default_rng(seed), Recommender(zone)
    seen = shown = opened = 0
    with database.session(_SELF) as session:
        wanted = [name for batch in CustomerFileReader(zone).ids(session, _BATCH) for name in batch][:customers]
    for start in range(0, len(wanted), _BATCH):
        with database.session(_SELF) as session:
            files = CustomerFileReader(zone).files(session, wanted[start : start + _BATCH], on)
            for file in files:
                lists = [_list(recommender, file, catalogue, on, rng) for _ in range(moments)]
                for at, impressions in lists:
                    shown += len(impressions)
                    taken = [i.product_id for i in impressions if rng.random() < _chance(i)]
                    whose = Principal(
                        subject=file.customer.customer_id, role=Role.CUSTOMER, customer_id=file.customer.customer_id
                    )
                    ImpressionRepository().add(session, whose, impressions, at=at)
                    DemoRepository().open_offers(session, whose, taken, at + timedelta(minutes=1))
                    opened += len(taken)
            seen += len(files)
        if progress:
            progress(min(start + _BATCH, len(wanted)), len(wanted), "offers of the demo")
    report = OutcomeReport(customers=seen, impressions=shown, opened=opened)
    with database.session(_SELF) as session:
        audit.record(session, "demo", "demo.offers_made", f"seed {seed}", report.model_dump(mode="json"))
    return report


def _list(
    recommender: Recommender, file: CustomerFile, products: tuple[Product, ...], on: date, rng: np.random.Generator
) -> tuple[datetime, tuple[Impression, ...]]:
    """A moment of chance and what is shown in it."""
    day = on - timedelta(days=int(rng.integers(1, _DAYS)))
    at = datetime(day.year, day.month, day.day, int(rng.integers(1, 14)), int(rng.integers(0, 60)), tzinfo=UTC)
    decision = recommender.decide(
        file,
        _moment(rng),
        products,
        exploration=Exploration(share=_SHARE, seed=int(rng.integers(0, 2**31))),
        on=on,
        language="zh",
    )
    return at, decision.impressions


def _moment(rng: np.random.Generator) -> Understanding:
    label, score = _MOODS[int(rng.choice(3, p=(0.2, 0.6, 0.2)))]
    needs = [str(need) for need in rng.choice(sorted(NEEDS), int(rng.integers(0, 2)), replace=False)]
    plain = unasked()
    return plain.model_copy(
        update={
            "sentiment": plain.sentiment.model_copy(update={"label": label, "score": score}),
            "needs": tuple(Scored(label=need, probability=0.9) for need in needs),
        }
    )


def _chance(shown: Impression) -> float:
    """That it is opened: what this file makes up."""
    features = shown.features
    pull = sum(weight for name, weight in _PULL.items() if features.get(name, 0.0) > 0)
    asked = any(name.startswith("signal: need:") for name in features)
    logit = -2.6 + pull + 1.5 * asked + 0.8 * features["moment: mood"] - 0.25 * shown.place
    return 1 / (1 + math.exp(-logit))
