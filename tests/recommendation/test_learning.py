from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, ModelUnavailable
from openteller.recommendation import learning
from openteller.recommendation.choosing import TEMPERATURE, Exploration
from openteller.recommendation.exploration import propensities
from openteller.recommendation.interactions import Interactions
from openteller.recommendation.moments import unasked
from openteller.recommendation.offer_model import NEW, SLOT, TASK, LearntOffers, load, text_of
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import LoggedImpression
from openteller.registry.manifest import Manifest, write_manifest
from tests.recommendation.given import NOON, ON, PRODUCTS, file, understood

OWNED = Interactions.of(
    [(f"C{number}", product, float(number), 1.0) for number in range(60) for product in ("SAV-CNY", "CARD-GOLD", "INS-HOME")[: 1 + number % 3]],
    [product.id for product in PRODUCTS],
)  # fmt: skip
IDS = [product.id for product in PRODUCTS]
VECTORS = np.random.default_rng(5).normal(size=(len(PRODUCTS), 16)).astype(np.float32)
FIRST = ("TD-CNY", "SAV-PLUS")


def impressions(count: int = 1_500, seed: int = 1) -> list[LoggedImpression]:
    """Idle money draws; the signals' own score says nothing. The first place is drawn between two products."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        idle, scores = float(rng.integers(0, 2)), rng.random(2) / 5
        chances = propensities(scores, 0.05, 0.3)
        taken = int(rng.random() > chances[0])
        chance = 0.1 + 0.4 * idle + 0.2 * taken
        found.append(
            LoggedImpression(
                product_id=FIRST[taken], place=0, propensity=chances[taken], policy="rules", score=0.5,
                features={
                    "signals": float(rng.random()), "signal: idle_balance": 0.5 * idle, "moment: mood": 0.0,
                    "customer: income": float(rng.uniform(3.5, 4.5)),
                },
                among=dict(zip(FIRST, scores.tolist(), strict=True)), customer_id=f"C{number}",
                at=NOON - timedelta(hours=count - number), opened=bool(rng.random() < chance),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def learnt() -> tuple[LearntOffers, learning.OfferReport]:
    return learning.learn(impressions(), OWNED, SLOT, VECTORS)


def test_what_draws_is_learnt_and_the_figures_say_so(learnt: tuple[LearntOffers, learning.OfferReport]) -> None:
    model, report = learnt
    assert report.model_auc.low > 0.6
    assert report.rules_auc.low < 0.5 < report.rules_auc.high
    assert report.measured == 300
    assert report.calibration_error < 0.1
    assert set(report.by_group) == {"income below 10,000", "income 10,000 and above"}
    columns = {"signals": np.array([0.5, 0.5]), "signal: idle_balance": np.array([0.0, 0.5])}
    low, high = model.chances(columns)
    assert low < 0.35 < high
    _, parts = model.contributions(columns)
    assert max(parts, key=lambda name: parts[name]) == "signal: idle_balance"


def test_always_the_best_is_estimated_from_what_was_drawn(learnt: tuple[LearntOffers, learning.OfferReport]) -> None:
    found = learnt[1].off_policy
    logged = impressions()
    # By construction the second product is opened more often by 0.2, and is the best half of the time.
    assert found["as logged"].value == pytest.approx(np.mean([shown.opened for shown in logged]))
    for name in ("always the best, ips", "always the best, snips"):
        assert found[name].low < 0.4 < found[name].high


def test_it_is_the_same_after_being_saved(learnt: tuple[LearntOffers, learning.OfferReport], tmp_path: Path) -> None:
    model = learnt[0]
    model.save(tmp_path)
    manifest = Manifest(
        name=SLOT, task=TASK, base="none", created_at=utc_now(), licence="none", data=(), metrics={}, labels={},
        settings=model.settings(),
    )  # fmt: skip
    write_manifest(tmp_path, manifest)
    again = load(tmp_path)
    columns = {"signals": np.array([0.3, 0.0]), "signal: idle_balance": np.array([0.0, 0.5])}
    assert (again.chances(columns) == model.chances(columns)).all()
    held = [file().product_ids, {"INS-HOME"}]
    for one, other in zip(again.views(held, PRODUCTS), model.views(held, PRODUCTS), strict=True):
        assert (one.code, one.weights.tolist()) == (other.code, other.weights.tolist())
    first, second = again.optimistic(columns), model.optimistic(columns)
    assert first is not None
    assert second is not None
    assert first == pytest.approx(second)
    write_manifest(tmp_path, manifest.model_copy(update={"task": "classification"}))
    with pytest.raises(ModelUnavailable, match="does not rank offers"):
        load(tmp_path)


def test_what_goes_with_what_one_has_is_a_signal_of_its_own(learnt: tuple[LearntOffers, learning.OfferReport]) -> None:
    later = PRODUCTS[0].model_copy(update={"id": "NEVER-SOLD"})
    view, like, _ = learnt[0].views([{"SAV-CNY", "CARD-GOLD"}, set(), {"NEVER-SOLD"}], [*PRODUCTS, later])
    found = {name for name, weight in zip(IDS, view.weights[0], strict=False) if weight > 0}
    assert "INS-HOME" in found
    assert not {"SAV-CNY", "CARD-GOLD"} & found
    assert not view.weights[1:].any()
    assert not view.weights[:, -1].any()
    signal = view.signal(0, IDS.index("INS-HOME"), "INS-HOME")
    assert (signal.code, signal.only) == ("goes_with:INS-HOME", "INS-HOME")
    # Factors say it too, and nothing about whoever has nothing.
    assert like.weights[0, IDS.index("INS-HOME")] > 0
    assert not like.weights[1:].any()


def test_a_product_that_came_later_reaches_people_by_what_is_written_about_it(tmp_path: Path) -> None:
    model = learning.learn(impressions(), OWNED, SLOT, VECTORS)[0]
    later, asked = PRODUCTS[0].model_copy(update={"id": "BRAND-NEW"}), []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return VECTORS[[IDS.index("SAV-CNY")]]

    assert model.content is not None
    knowing = replace(model, content=replace(model.content, embed=embed))
    for _ in range(2):
        *_, view = knowing.views([{"SAV-CNY"}, {"BRAND-NEW"}, set()], [*PRODUCTS, later])
        assert view.weights[0, -1] == pytest.approx(0.5, abs=1e-3)
        assert not view.weights[1:, -1].any()  # held already, and nothing held
    assert asked == [text_of(later)]  # embedded once
    # What many have is left to the other views; without an encoder nothing is said of what came later.
    often = [at for at, product in enumerate(OWNED.products) if (OWNED.product == at).sum() >= NEW]
    assert often
    assert not view.weights[:, often].any()
    *_, silent = model.views([{"SAV-CNY"}], [*PRODUCTS, later])
    assert not silent.weights[:, -1].any()
    offers = Recommender(model=knowing).offers(file(), unasked(), [*PRODUCTS, later], on=ON, language="en", limit=20)
    assert any("resembles what you have" in offer.reason for offer in offers if offer.product_id == "BRAND-NEW")


def test_a_model_of_before_serves_without_what_it_lacks(tmp_path: Path, learnt: tuple[LearntOffers, learning.OfferReport]) -> None:  # fmt: skip
    model = replace(learnt[0], factors=None, content=None, bandit=None)
    assert [view.code for view in model.views([{"SAV-CNY"}], PRODUCTS)] == ["goes_with"]
    assert model.optimistic({"signals": np.array([0.5])}) is None


def test_exploring_draws_by_doubt_and_notes_the_exact_chance(learnt: tuple[LearntOffers, learning.OfferReport]) -> None:
    model, who = learnt[0], file(idle=250_000, investor="C5")
    for seed in range(20):
        decision = Recommender(model=model).decide(
            who, understood("saving"), PRODUCTS, exploration=Exploration(share=0.2, seed=seed), on=ON, language="en"
        )
        assert len(decision.impressions) > 1
        for shown in decision.impressions:
            names = list(shown.among)
            chances = propensities(np.array([shown.among[name] for name in names]), TEMPERATURE, 0.2)
            assert shown.propensity == pytest.approx(chances[names.index(shown.product_id)])
            columns = {name: np.array([value]) for name, value in shown.features.items()}
            assert shown.among[shown.product_id] == pytest.approx(model.optimistic(columns)[0], abs=1e-6)
            assert shown.score == pytest.approx(model.chances(columns)[0], abs=1e-6)


def test_a_model_orders_and_explains_and_no_wall_falls(learnt: tuple[LearntOffers, learning.OfferReport]) -> None:
    model, who = learnt[0], file(idle=250_000, investor="C1")
    decision = Recommender(model=model).decide(who, understood("saving"), PRODUCTS, on=ON, language="en", limit=10)
    assert decision.offers
    assert {shown.policy for shown in decision.impressions} == {model.version}
    scores = [shown.score for shown in decision.impressions]
    assert scores == sorted(scores, reverse=True)
    first = decision.offers[0]
    # Without a model the need that was stated comes first; what was learnt to matter does with one.
    assert first.reason.startswith("About ¥250,000 sits idle")
    for offer in decision.offers:
        product = next(p for p in PRODUCTS if p.id == offer.product_id)
        assert Recommender().allowed(product, who, (), ON)


@pytest.mark.parametrize(("count", "opened"), [(100, True), (300, False)])
def test_too_little_to_learn_from(count: int, opened: bool) -> None:
    few = [shown.model_copy(update={"opened": opened}) for shown in impressions(count)]
    with pytest.raises(BadInput, match="too little"):
        learning.report_of(few)
