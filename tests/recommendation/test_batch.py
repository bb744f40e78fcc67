import math
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.core.records import Offer
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product, RiskGrade
from openteller.products.suitability import Approach, suitable
from openteller.recommendation import learning
from openteller.recommendation.batch import offers_of
from openteller.recommendation.matching import case_of
from openteller.recommendation.moments import unasked
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import OfferEvent
from openteller.recommendation.signals import observed
from openteller.recommendation.walls import Walls, harmless
from tests.recommendation.given import ON, PRODUCTS, file
from tests.recommendation.test_learning import OWNED, VECTORS, impressions
from tests.recommendation.test_recommender import EVENTS, files
from tests.recommendation.test_rules import events

MODEL = learning.learn(impressions(400), OWNED, "a test", VECTORS)[0]


def test_a_batch_decides_as_for_one() -> None:
    kinds = [{"idle": 600_000}, {"spending": {"travel": 2_000}}, {"consent": False, "idle": 600_000}, {"card_use": 0.9}]
    files = []
    for number in range(300):
        made = file(**kinds[number % 4])  # type: ignore[arg-type]
        own = {"customer_id": f"C{number:06d}", "language": "en" if number % 3 else "zh"}
        files.append(made.model_copy(update={"customer": made.customer.model_copy(update=own)}))
    past = {"C000000": events("dismissed", 3), "C000004": events("shown", 1, 2, 3)}
    exhausted = frozenset({"CARD-TRAVEL"})
    found = {
        o.customer_id: o.offers for o in offers_of(Recommender(), files, PRODUCTS, ON, events=past, exhausted=exhausted)
    }
    assert len(found) == 300
    for one in files:
        customer = one.customer
        decision = Recommender().decide(
            one, unasked(), PRODUCTS, events=past.get(customer.customer_id, ()), exhausted=exhausted, on=ON,
            language=customer.language,
        )  # fmt: skip
        assert found[customer.customer_id] == decision.offers
    assert not any(offer.product_id == "CARD-TRAVEL" for offers in found.values() for offer in offers)
    assert found["C000002"] == ()
    assert list(offers_of(Recommender(), [], PRODUCTS, ON)) == []


def of_one(recommender: Recommender, who: CustomerFile, past: tuple[OfferEvent, ...], limit: int) -> tuple[Offer, ...]:
    return recommender.offers(
        who, unasked(), PRODUCTS, events=past, on=ON, language=who.customer.language, limit=limit
    )  # fmt: skip


@settings(max_examples=30)
@given(
    st.lists(st.tuples(files(), EVENTS, st.sampled_from(["zh", "en"])), max_size=8), st.integers(0, 5), st.booleans()
)
def test_together_or_one_by_one_the_offers_are_the_same(
    drawn: list[tuple[CustomerFile, tuple[OfferEvent, ...], Literal["zh", "en"]]], limit: int, with_model: bool
) -> None:
    recommender = Recommender(model=MODEL if with_model else None)
    people, past = [], {}
    for number, (who, seen, language) in enumerate(drawn):
        own = {"customer_id": f"C{number:06d}", "language": language}
        people.append(who.model_copy(update={"customer": who.customer.model_copy(update=own)}))
        past[f"C{number:06d}"] = seen
    together = {o.customer_id: o.offers for o in offers_of(recommender, people, PRODUCTS, ON, events=past, limit=limit)}
    alone = {
        who.customer.customer_id: of_one(recommender, who, past[who.customer.customer_id], limit) for who in people
    }
    assert together == alone
    # The model's part is not idle here, or the test would say nothing of it.
    assert MODEL.views([{"SAV-CNY"}], PRODUCTS)[0].weights.any()


@settings(max_examples=100)
@given(files(), EVENTS, st.sampled_from(PRODUCTS), st.integers(-200, 200))
def test_walls_that_remember_what_suits_everybody_say_the_same(
    who: CustomerFile, seen: tuple[OfferEvent, ...], product: Product, days: int
) -> None:
    on = ON + timedelta(days=days)
    remembered = Walls(who, seen, on, "Asia/Shanghai", harmless=harmless(PRODUCTS, on))
    assert remembered.refusal(product) == Walls(who, seen, on, "Asia/Shanghai").refusal(product)


@settings(max_examples=100)
@given(files(), st.sampled_from(PRODUCTS), st.sampled_from(list(RiskGrade)))
def test_what_suits_a_stranger_suits_everybody(who: CustomerFile, product: Product, grade: RiskGrade) -> None:
    graded = product.model_copy(update={"risk_grade": grade})
    if harmless([graded], ON):
        assert not graded.invests
        assert suitable(case_of(who, graded, ON, Approach.PUSH)).allowed


def noisy_or(who: CustomerFile, product: Product) -> float:
    """The score by the book, without an array."""
    weights = [
        signal.weight
        for signal in observed(who, ON)
        if signal.fits(product) and (signal.within is None or (product.min_amount or 0) <= signal.within)
    ]
    return (1 - math.prod(1 - weight for weight in weights)) * (0.8 + 0.2 * product.popularity / 100)


@settings(max_examples=50)
@given(files())
def test_scores_are_those_of_the_book(who: CustomerFile) -> None:
    by_id = {product.id: product for product in PRODUCTS}
    for offer in of_one(Recommender(), who, (), 5):
        assert offer.score == pytest.approx(noisy_or(who, by_id[offer.product_id]), abs=1e-4)
