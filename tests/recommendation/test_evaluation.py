import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.recommendation import learning
from openteller.recommendation.evaluation import RankingReport, ranking_report
from openteller.recommendation.interactions import Interactions
from tests.recommendation.test_learning import impressions

PRODUCTS = tuple(f"P{number:02d}" for number in range(30))


def owned(customers: int = 200, seed: int = 1) -> Interactions:
    """Whoever has an even product takes its neighbour later, and nothing else does."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(customers):
        first = 2 * int(rng.integers(0, 15))
        rows += [(f"C{number:03d}", PRODUCTS[first], float(number), 1.0)]
        at = number + 0.5 if number < 0.7 * customers else 1_000.0 + number
        rows += [(f"C{number:03d}", PRODUCTS[first + 1], at, 1.0)]
    return Interactions.of(rows, products=PRODUCTS)


@pytest.fixture(scope="module")
def report() -> RankingReport:
    vectors = np.repeat(np.eye(15, dtype=np.float32), 2, axis=0)  # a product and its neighbour read alike
    return ranking_report(owned(), vectors)


def test_what_goes_together_is_found_and_popularity_does_not_find_it(report: RankingReport) -> None:
    assert report.customers == 40  # of the 60 who took something late, 20 had nothing before the cut
    ndcg = {name: view.figures["ndcg@10"] for name, view in report.views.items()}
    for name in ("EASE", "ALS", "content", "as served"):
        assert ndcg[name].low > 0.9
    assert ndcg["popularity"].high < 0.6
    assert report.views["as served"].coverage > report.views["popularity"].coverage
    assert report.views["as served"].novelty > 0


def test_figures_hold_their_value_and_groups_are_of_those_measured(report: RankingReport) -> None:
    for view in report.views.values():
        assert set(view.figures) == {"ndcg@10", "map@10", "recall@10"}
        assert all(figure.low <= figure.value <= figure.high for figure in view.figures.values())
        assert set(view.by_group) == {"1 product"}
        assert view.by_group["1 product"] == view.figures


def test_nothing_of_later_is_seen() -> None:
    whole = owned()
    # What comes after the cut may change as it likes: the ranking is of before.
    cut = float(np.quantile(whole.at, 0.8))
    late = whole.at > cut
    rows = [
        (whole.customers[c], PRODUCTS[(p + 7) % 30] if after else PRODUCTS[p], float(at), 1.0)
        for c, p, at, after in zip(whole.customer, whole.product, whole.at, late, strict=True)
    ]
    moved = ranking_report(Interactions.of(rows, products=PRODUCTS))
    assert moved.views["as served"].coverage == ranking_report(whole).views["as served"].coverage
    assert moved.views["as served"].figures["ndcg@10"].value < 0.3


def test_too_few_say_so() -> None:
    for few in (owned(20), Interactions.of([], products=PRODUCTS)):
        with pytest.raises(BadInput, match="Too few"):
            ranking_report(few)


def test_doubly_robust_agrees_with_the_others_and_is_no_wider_than_ips() -> None:
    found = learning.report_of(impressions()).off_policy
    robust, ips = found["always the best, doubly robust"], found["always the best, ips"]
    # By construction 0.35 + 0.2 × the share in which the second is the best; half of the time.
    assert robust.low < 0.4 < robust.high
    assert robust.high - robust.low < ips.high - ips.low
