"""Ranking by LightGBM: by order within a list (LambdaRank, Burges 2010) or by probability, row by row.

One ranker for both: it fits a table of named features, scores rows, says which features mattered, and is kept as text.
Features are held to a direction where one is known (`increasing`, `decreasing`), so that a coincidence of the past does not
turn an effect round; recent rows may count more (`half_life_days`).
Knows nothing about what the features mean. LightGBM is imported when a ranker is fitted or read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import BadInput, MissingDependency, ModelUnavailable

if TYPE_CHECKING:
    import lightgbm

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Table:
    """Rows to fit or score: `values` (rows, names) with nan for unknown.

    `lists` (lists,) is how many rows belong to each list, in their order; `at` (rows,) the moment of each row in seconds
    since 1970 UTC. Either may be left out where nothing asks for it.
    """

    names: tuple[str, ...]
    values: Floats
    lists: NDArray[np.int64] | None = None
    at: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise BadInput(f"A table of shape {self.values.shape} cannot have {len(self.names)} columns.")


@dataclass(frozen=True)
class RankerSettings:
    """How a ranker is fitted."""

    objective: Literal["order", "probability"] = "order"
    rounds: int = field(default=150, metadata={"doc": "trees"})
    rate: float = field(default=0.05, metadata={"doc": "shrinkage of each tree"})
    leaves: int = field(default=15, metadata={"doc": "of a tree"})
    least: int = field(default=50, metadata={"doc": "rows of a leaf"})
    features: float = field(default=0.7, metadata={"doc": "share of the features a tree sees"})
    rows: float = field(default=0.7, metadata={"doc": "share of the rows a tree sees"})
    ridge: float = field(default=10.0, metadata={"doc": "L2 regularisation of a leaf"})
    half_life_days: float | None = field(default=None, metadata={"doc": "a row as old as this counts half"})
    increasing: tuple[str, ...] = field(default=(), metadata={"doc": "features of which more never lowers the score"})
    decreasing: tuple[str, ...] = field(default=(), metadata={"doc": "features of which more never raises the score"})
    kinds: tuple[str, ...] = field(default=(), metadata={"doc": "features whose values are codes of kinds"})
    seed: int = 1


class Ranker:
    """A fitted ranking.

    Raises:
        MissingDependency: LightGBM is not installed.
    """

    def __init__(self, names: tuple[str, ...], settings: RankerSettings, booster: "lightgbm.Booster") -> None:
        self.names, self.settings, self._booster = names, settings, booster

    @classmethod
    def fit(
        cls,
        table: Table,
        gold: NDArray[np.float64],
        settings: RankerSettings = RankerSettings(),
        weight: NDArray[np.float64] | None = None,
    ) -> "Ranker":
        """Fit to `gold` (rows,), 1 for what was taken and 0 for what was not.

        Args:
            table: with `lists` for the objective "order", and with `at` where recent rows are to count more.
            gold: (rows,).
            settings: of fitting.
            weight: (rows,) what a row counts, one over its propensity for example; None: all alike.

        Raises:
            BadInput: there is nothing to tell apart, or the table lacks what the settings ask for.
        """
        if settings.objective == "order" and table.lists is None:
            raise BadInput("An order is fitted to lists, and the table has none.")
        if len(np.unique(gold)) < 2:
            raise BadInput(
                "There is nothing to learn from: every row came out the same.", next_step="Wait for more outcomes."
            )
        engine = _engine()
        data = engine.Dataset(
            table.values.astype(np.float64),
            gold,
            weight=_weights(table, settings, weight),
            group=table.lists if settings.objective == "order" else None,
            feature_name=[f"f{place}" for place in range(len(table.names))],  # it takes no punctuation
            categorical_feature=[place for place, name in enumerate(table.names) if name in settings.kinds],
            free_raw_data=True,
        )
        return cls(table.names, settings, engine.train(_parameters(table.names, settings), data, settings.rounds))

    @classmethod
    def read(cls, text: str, names: Sequence[str], settings: Mapping[str, Any]) -> "Ranker":
        """A ranker from `text`, as the property gave it. Raises ModelUnavailable when it is damaged."""
        engine = _engine()
        kept: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
        }
        try:
            return cls(tuple(names), RankerSettings(**kept), engine.Booster(model_str=text))
        except (engine.basic.LightGBMError, TypeError, ValueError) as error:
            raise ModelUnavailable(
                "The ranking cannot be read.", cause=str(error), next_step="Train it again: teller recommend train"
            ) from error

    @property
    def text(self) -> str:
        """All of it but `names` and `settings`."""
        return str(self._booster.model_to_string())

    def as_dict(self) -> dict[str, Any]:
        """The settings, as JSON can hold them."""
        return asdict(self.settings)

    def scores(self, table: Table) -> NDArray[np.float64]:
        """(rows,) more is better; for the objective "probability", the chance in 0–1."""
        self._require(table)
        if not len(table.values):
            return np.zeros(0)
        return np.asarray(self._booster.predict(table.values, num_threads=1), dtype=np.float64)

    def contributions(self, table: Table) -> NDArray[np.float64]:
        """(rows, names) what each feature added to the score before its link (TreeSHAP, Lundberg 2018)."""
        self._require(table)
        found = self._booster.predict(table.values, num_threads=1, pred_contrib=True)
        return np.asarray(found, dtype=np.float64)[:, :-1]

    def importance(self) -> dict[str, float]:
        """Feature → its share of all gain, the most important first."""
        gains = self._booster.feature_importance("gain")
        order = np.argsort(-gains, kind="stable")
        return {self.names[place]: float(gains[place] / max(gains.sum(), 1e-12)) for place in order}

    def _require(self, table: Table) -> None:
        if table.names != self.names:
            raise BadInput(
                "The rows have other features than the ranking was fitted to.",
                cause=f"They differ in {', '.join(sorted({*table.names} ^ {*self.names})) or 'their order'}.",
                next_step="Train it again: teller recommend train",
            )


def _engine() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingDependency(
            "Ranking is not installed.", cause=str(error), next_step='pip install "openteller[recommend]"'
        ) from error
    return lightgbm


def _parameters(names: Sequence[str], settings: RankerSettings) -> dict[str, Any]:
    directions = [(name in settings.increasing) - (name in settings.decreasing) for name in names]
    return {
        "objective": "lambdarank" if settings.objective == "order" else "binary",
        "learning_rate": settings.rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least,
        "feature_fraction": settings.features,
        "bagging_fraction": settings.rows,
        "bagging_freq": 1,
        "bagging_by_query": settings.objective == "order",
        "lambda_l2": settings.ridge,
        "cat_smooth": 50,
        "cat_l2": 50,
        "monotone_constraints": directions,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def _weights(table: Table, settings: RankerSettings, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    if settings.half_life_days is None:
        return weight
    if table.at is None:
        raise BadInput("Recent rows are to count more, and the table does not say when its rows were.")
    fresh: NDArray[np.float64] = 0.5 ** ((table.at.max() - table.at) / (settings.half_life_days * 86_400))
    return fresh if weight is None else weight * fresh
