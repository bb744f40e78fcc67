import numpy as np
import pytest

from openteller.core.errors import BadInput, ModelUnavailable
from openteller.recommendation.candidates.neighbours import Ease, Successors
from openteller.recommendation.candidates.popular import Popular
from openteller.recommendation.interactions import Interactions
from openteller.recommendation.measures import area_under_curve, ranks, report
from openteller.recommendation.pipeline import Pipeline
from openteller.recommendation.ranking import Ranker, RankerSettings, Table

NAMES = ("signal: helps", "harms", "noise")


def rows(count: int, seed: int) -> tuple[Table, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 3)).astype(np.float32)
    gold = (values[:, 0] - values[:, 1] + rng.normal(size=count) > 0).astype(float)
    return Table(NAMES, values, at=np.arange(count) * 86_400.0), gold


def test_a_probability_is_learnt_and_explained() -> None:
    table, gold = rows(3_000, 1)
    ranker = Ranker.fit(table, gold, RankerSettings("probability", rounds=60))
    held, came = rows(1_000, 2)
    chance = ranker.scores(held)
    assert ((chance > 0) & (chance < 1)).all()
    assert area_under_curve(chance, came) > 0.85
    parts = ranker.contributions(held)
    assert parts.shape == (1_000, 3)
    assert np.corrcoef(parts[:, 0], held.values[:, 0])[0, 1] > 0.8
    assert list(ranker.importance())[2] == "noise"


def test_a_direction_is_held_to() -> None:
    table, gold = rows(2_000, 1)
    ranker = Ranker.fit(table, gold, RankerSettings("probability", rounds=40, decreasing=("signal: helps",)))
    line = np.zeros((50, 3), dtype=np.float32)
    line[:, 0] = np.linspace(-3, 3, 50)
    assert (np.diff(ranker.scores(Table(NAMES, line))) <= 1e-12).all()


def test_recent_rows_count_more() -> None:
    table, gold = rows(2_000, 1)
    turned = np.where(np.arange(2_000) < 1_500, 1 - gold, gold)
    held, came = rows(500, 2)
    plain, fresh = (
        Ranker.fit(table, turned, RankerSettings("probability", rounds=60, half_life_days=days)) for days in (None, 100)
    )
    assert area_under_curve(plain.scores(held), came) < 0.5 < area_under_curve(fresh.scores(held), came)


def test_it_is_the_same_after_being_read() -> None:
    table, gold = rows(500, 1)
    ranker = Ranker.fit(table, gold, RankerSettings("probability", rounds=10, kinds=(), increasing=("signal: helps",)))
    again = Ranker.read(ranker.text, ranker.names, ranker.as_dict())
    assert again.settings == ranker.settings
    np.testing.assert_array_equal(again.scores(table), ranker.scores(table))
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        Ranker.read("not a model", NAMES, {})


def test_what_cannot_be_fitted_or_scored_says_so() -> None:
    table, gold = rows(100, 1)
    with pytest.raises(BadInput, match="came out the same"):
        Ranker.fit(table, np.zeros(100), RankerSettings("probability"))
    with pytest.raises(BadInput, match="lists"):
        Ranker.fit(table, gold)
    with pytest.raises(BadInput, match="columns"):
        Table(("a",), table.values)
    ranker = Ranker.fit(table, gold, RankerSettings("probability", rounds=5))
    with pytest.raises(BadInput, match="other features"):
        ranker.scores(Table(("signal: helps", "harms", "other"), table.values))


def walks(customers: int, seed: int) -> Interactions:
    """Everybody goes through the products in the order of the alphabet, from somewhere on."""
    rng = np.random.default_rng(seed)
    events = [
        (f"{seed}-{c}", chr(97 + (start + step) % 20), float(step), 1.0)
        for c, start in enumerate(rng.integers(0, 20, customers))
        for step in range(rng.integers(4, 9))
    ]
    return Interactions.of(events, products=[chr(97 + place) for place in range(20)])


def test_the_pipeline_weighs_the_view_that_foretells_most() -> None:
    past = walks(200, 1)
    settings = RankerSettings(rounds=40, least=10, ridge=1.0)
    pipeline = Pipeline([Popular(), Ease(ridge=10), Successors(window=2)], settings, pool=5, held_out=2).fit(past)
    new = walks(80, 2)
    known, had = new.earlier(1), new.earlier(1).matrix().toarray() > 0
    scores = pipeline.scores(known)
    assert np.isfinite(scores).all()
    ours = report(ranks(scores, new.target(0), had))["ndcg@10"].value
    plain = report(ranks(popular_scores(past, known), new.target(0), had))["ndcg@10"].value
    assert ours > 0.9 > 0.5 > plain


def popular_scores(past: Interactions, known: Interactions) -> np.ndarray:
    popular = Popular()
    popular.fit(past)
    return popular.scores(known)


def test_a_pipeline_without_enough_events_says_so() -> None:
    short = Interactions.of([("a", "x", 1.0, 1.0), ("b", "y", 1.0, 1.0)])
    with pytest.raises(BadInput, match="too few events"):
        Pipeline([Popular()], held_out=1).fit(short)
