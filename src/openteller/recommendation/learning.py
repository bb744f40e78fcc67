"""From impressions and possessions to a model of offers, and how good that is on what came after.

    impressions ─▶ by time: first part ─▶ fitted ─▶ measured on the rest ─▶ fitted again on everything ─▶ artefact

Each row counts one over its propensity (clipped), so that what was shown seldom is not forgotten.
Figures: discrimination, calibration, by group, and what "always the best" would
have brought by off-policy estimates. Knows nothing about the store.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput
from openteller.core.records import Record
from openteller.recommendation import general, measures, off_policy
from openteller.recommendation.candidates.neighbours import Ease
from openteller.recommendation.evaluation import Figure
from openteller.recommendation.interactions import Floats, Interactions
from openteller.recommendation.offer_model import Bandit, Content, LearntOffers, as_table, fitted
from openteller.recommendation.ranking import Ranker, RankerSettings, Table
from openteller.recommendation.records import LoggedImpression

LEAST_ROWS, LEAST_OPENED = 200, 20
_TRAINED = 0.8
_HEAVIEST = 20.0
_PRIOR = 20.0  # impressions that the mean counts for in a guess
SETTINGS = RankerSettings(
    "probability", rounds=120, leaves=7, least=20, half_life_days=180.0, increasing=("signals",), decreasing=("shown before",)
)  # fmt: skip


class OfferReport(Record):
    """How good offers are, on the impressions after the first `_TRAINED` of the time."""

    impressions: int
    opened: int
    measured: int
    model_auc: Figure
    rules_auc: Figure
    calibration_error: float
    by_group: dict[str, Figure]
    off_policy: dict[str, Figure]


@dataclass(frozen=True)
class _Rows:
    """Impressions as arrays (rows,)."""

    table: Table
    opened: NDArray[np.float64]
    weight: NDArray[np.float64]


def learn(
    impressions: Iterable[LoggedImpression], owned: Interactions, version: str, vectors: Floats | None = None
) -> tuple[LearntOffers, OfferReport]:
    """A model of everything, and the figures of one that had not seen the last part.

    Args:
        impressions: oldest first.
        owned: who has which product.
        version: of the model.
        vectors: (products, dimensions) of what is written about the products of `owned`; None: new ones are not found by it.

    Raises:
        BadInput: too few impressions, or too few that were opened.
    """
    logged = _personal(impressions)
    report, names = report_of(logged), _names(logged)
    view = Ease(ridge=max(len(owned.customers) / 10, 10))
    view.fit(owned)
    everything = _rows(logged, names)
    ranker = Ranker.fit(everything.table, everything.opened, SETTINGS, everything.weight)
    factors = fitted(np.zeros((0, 0), dtype=np.float32))
    factors.fit(owned)
    holders = np.bincount(owned.product, minlength=len(owned.products))
    content = None if vectors is None else Content(owned.products, vectors, holders)
    bandit = Bandit.of(everything.table.values, everything.opened)
    similarity, learnt = view.weights["similarity"], factors.weights["factors"]
    return LearntOffers(version, owned.products, similarity, ranker, learnt, content, bandit), report


def report_of(logged: Sequence[LoggedImpression]) -> OfferReport:
    """The figures of a model fitted to the first `_TRAINED` of the impressions, on the rest. Raises BadInput as `learn`."""
    logged = _personal(logged)
    taken = sum(shown.opened for shown in logged)
    if len(logged) < LEAST_ROWS or taken < LEAST_OPENED:
        raise BadInput(
            "There is too little to learn from.",
            cause=f"{len(logged)} impressions, {taken} of them opened; {LEAST_ROWS} and {LEAST_OPENED} are needed.",
            next_step="Wait for more, or in a demonstration make some: teller demo offers",
        )
    return _measured(logged, _names(logged))


def _personal(impressions: Iterable[LoggedImpression]) -> list[LoggedImpression]:
    """Without what was shown in general: whoever switched personalisation off is not learnt from."""
    return [shown for shown in impressions if shown.policy != general.POLICY]


def _names(logged: Sequence[LoggedImpression]) -> tuple[str, ...]:
    return tuple(sorted({name for shown in logged for name in shown.features}))


def _measured(logged: Sequence[LoggedImpression], names: tuple[str, ...]) -> OfferReport:
    split = int(_TRAINED * len(logged))
    early, late = _rows(logged[:split], names), _rows(logged[split:], names)
    ranker = Ranker.fit(early.table, early.opened, SETTINGS, early.weight)
    chances = ranker.scores(late.table)
    plain = np.array([shown.features.get("signals", shown.score) for shown in logged[split:]])
    groups = np.array([_group(shown) for shown in logged[split:]])
    return OfferReport(
        impressions=len(logged),
        opened=sum(shown.opened for shown in logged),
        measured=len(logged) - split,
        model_auc=_area(chances, late.opened),
        rules_auc=_area(plain, late.opened),
        calibration_error=measures.calibration(chances, late.opened),
        by_group={
            str(group): _area(chances[groups == group], late.opened[groups == group]) for group in np.unique(groups)
        },
        off_policy=_off_policy(logged),
    )


def _rows(logged: Sequence[LoggedImpression], names: tuple[str, ...]) -> _Rows:
    table = as_table(names, [shown.features for shown in logged])
    at = np.array([shown.at.timestamp() for shown in logged])
    weight = np.minimum(1 / np.array([shown.propensity for shown in logged]), _HEAVIEST)
    opened = np.array([float(shown.opened) for shown in logged])
    return _Rows(Table(table.names, table.values, at=at), opened, weight / weight.mean())


def _group(shown: LoggedImpression) -> str:
    """By what the customer lives on, as that is what a bank is asked about; visitors apart."""
    income = shown.features.get("customer: income")
    if income is None:
        return "visitors"
    return "income below 10,000" if income < 4 else "income 10,000 and above"


def _area(scores: NDArray[np.float64], opened: NDArray[np.float64]) -> Figure:
    if len(np.unique(opened)) < 2:
        return Figure(value=0.5, low=0.0, high=1.0)
    rng = np.random.default_rng(1)
    drawn = (rng.integers(0, len(opened), len(opened)) for _ in range(200))
    areas = [measures.area_under_curve(scores[places], opened[places]) for places in drawn]
    low, high = np.nanpercentile(areas, (2.5, 97.5))
    return Figure(value=measures.area_under_curve(scores, opened), low=float(low), high=float(high))


def _off_policy(logged: Sequence[LoggedImpression]) -> dict[str, Figure]:
    """What the first place earned, and what always showing the best there would have; empty when nothing was drawn."""
    first = [shown for shown in logged if shown.place == 0 and shown.among]
    if not first:
        return {}
    outcome, propensity = (np.array([float(getattr(s, name)) for s in first]) for name in ("opened", "propensity"))
    best = np.array([float(s.product_id == _best(s)) for s in first])
    as_logged = off_policy.ips(off_policy.Logged(outcome, propensity, propensity))
    found = {"as logged": as_logged}
    greedy = off_policy.Logged(outcome, propensity, best)
    found["always the best, ips"] = off_policy.ips(greedy)
    if best.any():
        found["always the best, snips"] = off_policy.snips(greedy)
        found["always the best, doubly robust"] = off_policy.doubly_robust(greedy, *_guesses(first))
    return {name: Figure(value=e.value, low=e.low, high=e.high) for name, e in found.items()}


def _best(shown: LoggedImpression) -> str:
    return min(shown.among, key=lambda product: (-shown.among[product], product))


def _guesses(first: Sequence[LoggedImpression]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows,) how often what was shown is opened, and what always the best would show: by product, drawn to the mean.

    Each half is guessed from the other, so that no row speaks for itself.
    """
    guessed, expected = np.zeros(len(first)), np.zeros(len(first))
    for half in (0, 1):
        others = first[1 - half :: 2]
        mean = sum(s.opened for s in others) / max(len(others), 1)
        seen, opened = Counter(s.product_id for s in others), Counter(s.product_id for s in others if s.opened)
        for at in range(half, len(first), 2):
            for values, product in ((guessed, first[at].product_id), (expected, _best(first[at]))):
                values[at] = (opened[product] + _PRIOR * mean) / (seen[product] + _PRIOR)
    return guessed, expected
