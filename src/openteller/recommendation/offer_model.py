"""What has learnt from earlier offers: more signals from what customers have, and the chance that an offer is taken up.

    possessions ─▶ EASE ─▶ signals "goes with what you have"        impressions ─▶ LightGBM ─▶ chance, contributions

An artefact of the registry (slot `SLOT`): ranking.txt, similarity.safetensors, and the manifest with the names. New products
and new customers need neither: what is written in product and profile fires the rules' signals, which the ranking weighs.
Imports SciPy and LightGBM, so that it is imported only where a model is trained or serves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from openteller.core.errors import ModelUnavailable
from openteller.core.records import LocalText
from openteller.customers.behaviour import CustomerFile
from openteller.recommendation.interactions import Floats
from openteller.recommendation.ranking import Ranker, Table
from openteller.recommendation.records import Signal
from openteller.recommendation.signals import is_product
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

    def signals(self, file: CustomerFile) -> Iterator[Signal]:
        """The products that go best with what the customer has."""
        held = file.product_ids
        places = [place for place, product in enumerate(self.products) if product in held]
        if not places:
            return
        scores = self.similarity[places].sum(axis=0)
        scores[places] = 0
        for place in np.argsort(-scores, kind="stable")[:_SIGNALS]:
            if scores[place] < _LEAST:
                return
            product_id = self.products[place]
            weight = min(float(scores[place]), _MOST)
            yield Signal(f"goes_with:{product_id}", weight, _PHRASE, is_product(product_id), only=product_id)

    def chances(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        """The chance that each is opened; a propensity-weighed mean over the past, calibrated no further."""
        return [min(max(float(score), 0.0), 1.0) for score in self.ranker.scores(as_table(self.ranker.names, rows))]

    def contributions(self, rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
        """Feature → what it added, in log-odds."""
        added = self.ranker.contributions(as_table(self.ranker.names, rows))
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


def as_table(names: Sequence[str], rows: Sequence[Mapping[str, float]]) -> Table:
    """Rows of features as a table with these columns; what a row lacks is 0, what no column is for is left out."""
    values = np.array([[row.get(name, 0.0) for name in names] for row in rows], dtype=np.float32)
    return Table(tuple(names), values.reshape(len(rows), len(names)))
