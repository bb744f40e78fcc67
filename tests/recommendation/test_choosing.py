from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.recommendation.choosing import A_CATEGORY, Entry, Exploration, chosen
from openteller.recommendation.recommender import Recommender
from tests.recommendation.given import ON, PRODUCTS, file, understood

ENTRIES = [Entry(1 - 0.02 * place, product) for place, product in enumerate(PRODUCTS[:15])]


def test_without_exploration_the_best_of_each_category_come_for_sure() -> None:
    found = chosen(ENTRIES, 5, Exploration())
    assert [c.entry.score for c in found] == sorted((c.entry.score for c in found), reverse=True)
    assert {choice.propensity for choice in found} == {1.0}
    assert chosen(iter(ENTRIES), 0, Exploration()) == []


@given(st.floats(0, 1), st.integers(0, 1_000), st.integers(0, 8))
def test_lists_are_varied_and_say_how_likely_they_were(share: float, seed: int, limit: int) -> None:
    found = chosen(ENTRIES, limit, Exploration(share=share, seed=seed))
    assert len({choice.entry.product.id for choice in found}) == len(found) <= limit
    assert max(Counter(choice.entry.product.category for choice in found).values(), default=0) <= A_CATEGORY
    assert all(0 < choice.propensity <= 1 for choice in found)
    assert found == chosen(ENTRIES, limit, Exploration(share=share, seed=seed))


def test_first_places_come_as_often_as_they_say() -> None:
    drawn = [chosen(ENTRIES[:4], 1, Exploration(share=0.3, seed=seed))[0] for seed in range(4_000)]
    said = {choice.entry.product.id: choice.propensity for choice in drawn}
    seen = Counter(choice.entry.product.id for choice in drawn)
    assert sum(said.values()) == pytest.approx(1)
    for product, propensity in said.items():
        assert seen[product] / 4_000 == pytest.approx(propensity, abs=0.035)


def test_exploration_shows_nothing_that_a_wall_keeps_back() -> None:
    who, asked = file(investor="C1", idle=60_000), understood("investing", "saving")
    open_to = {p.id for p in PRODUCTS if Recommender().allowed(p, who, (), ON)}
    for seed in range(30):
        decision = Recommender().decide(
            who, asked, PRODUCTS, exploration=Exploration(share=1.0, seed=seed), on=ON, language="zh"
        )
        assert decision.offers
        assert {offer.product_id for offer in decision.offers} <= open_to
        assert [i.product_id for i in decision.impressions] == [o.product_id for o in decision.offers]
