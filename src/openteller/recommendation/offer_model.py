"""What has learnt from earlier offers: more signals from what customers have, and the chance that an offer is taken up.

    possessions ─▶ EASE ─▶ signals "goes with what you have"        impressions ─▶ LightGBM ─▶ chance, contributions

An artefact of the registry (slot `SLOT`): ranking.txt, similarity.safetensors, and the manifest with the names. New products
and new customers need neither: what is written in product and profile fires the rules' signals, which the ranking weighs.
Imports SciPy and LightGBM, so that it is imported only where a model is trained or serves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from openteller.core.errors import ModelUnavailable
from openteller.core.records import LocalText
from openteller.recommendation.interactions import Floats
from openteller.recommendation.ranking import Ranker, Table
from openteller.recommendation.scoring import Doubles, View
from openteller.registry.manifest import Manifest, read_manifest

SLOT, TASK = "offers", "recommendation"
_RANKING, _SIMILARITY = "ranking.txt", "similarity.safetensors"
_PHRASE = LocalText(zh="持有相近产品的客户也常选择它", en="customers with products like yours often choose it")
_MOST, _LEAST, _SIGNALS = 0.5, 0.05, 5


@dataclass(frozen=True)
class LearntOffers:
    """A trained model (recommender.OfferModel). `similarity` (products, products): how much having one speaks for another."""

    version: str
    products: tuple[str, ...]
    similarity: Floats
    ranker: Ranker

    def views(self, held: Sequence[Collection[str]], products: Sequence[str]) -> tuple[View, ...]:
        """What goes best with what each customer has."""
        known = {product: place for place, product in enumerate(self.products)}
        has = np.zeros((len(held), len(self.products)), dtype=np.float32)
        for row, own in enumerate(held):
            has[row, [known[product] for product in own if product in known]] = 1
        scores = np.where(has > 0, 0, has @ self.similarity)
        weights = _strongest(scores)
        at = np.array([known.get(product, -1) for product in products], dtype=np.intp)
        return (View("goes_with", _PHRASE, np.where(at >= 0, weights[:, at], 0.0)),)

    def chances(self, columns: Mapping[str, Doubles]) -> Doubles:
        """The chance that each is opened; a propensity-weighed mean over the past, calibrated no further."""
        return np.clip(self.ranker.scores(_table(self.ranker.names, columns)), 0.0, 1.0)

    def contributions(self, columns: Mapping[str, Doubles]) -> list[dict[str, float]]:
        """Feature → what it added, in log-odds."""
        added = self.ranker.contributions(_table(self.ranker.names, columns))
        return [dict(zip(self.ranker.names, row.tolist(), strict=True)) for row in added]

    def save(self, folder: Path) -> None:
        """Write the files into `folder`; the manifest is the caller's."""
        (folder / _RANKING).write_text(self.ranker.text, encoding="utf-8")
        save_file({"similarity": np.ascontiguousarray(self.similarity)}, folder / _SIMILARITY)

    def settings(self) -> dict[str, object]:
        """What the manifest has to hold for `load`."""
        return {"products": list(self.products), "features": list(self.ranker.names), "ranker": self.ranker.as_dict()}


def load(folder: Path) -> LearntOffers:
    """The model in `folder`.

    Raises:
        ModelUnavailable: a file is missing or damaged, or it is a model of something else.
        MissingDependency: LightGBM is not installed.
    """
    manifest: Manifest = read_manifest(folder)
    if manifest.task != TASK:
        raise ModelUnavailable(
            f"{manifest.name} does not rank offers.",
            cause=f"Its task is {manifest.task}.",
            next_step="Train one: teller recommend train",
        )
    said = manifest.settings
    ranker = Ranker.read((folder / _RANKING).read_text(encoding="utf-8"), said["features"], said["ranker"])
    similarity = load_file(folder / _SIMILARITY)["similarity"]
    return LearntOffers(f"{SLOT}@{folder.name[:12]}", tuple(said["products"]), similarity, ranker)


def _strongest(scores: Floats) -> Doubles:
    """The `_SIGNALS` best of each row, at most `_MOST`; what is below `_LEAST` says nothing."""
    kept = min(_SIGNALS, scores.shape[1])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :kept]
    weights = np.zeros(scores.shape)
    np.put_along_axis(weights, best, np.take_along_axis(scores, best, axis=1), axis=1)
    return np.where(weights < _LEAST, 0.0, np.minimum(weights, _MOST))


def _table(names: Sequence[str], columns: Mapping[str, Doubles]) -> Table:
    """Columns of features as a table: what is missing is 0, what the ranking was not fitted to is left out."""
    rows = len(next(iter(columns.values())))
    values = np.zeros((rows, len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        if name in columns:
            values[:, place] = columns[name]
    return Table(tuple(names), values)


def as_table(names: Sequence[str], rows: Sequence[Mapping[str, float]]) -> Table:
    """Rows of features as a table with these columns; what a row lacks is 0, what no column is for is left out."""
    values = np.array([[row.get(name, 0.0) for name in names] for row in rows], dtype=np.float32)
    return Table(tuple(names), values.reshape(len(rows), len(names)))
