"""What has learnt from earlier offers: more signals from what customers have, and the chance that an offer is taken up.

    possessions ─▶ EASE ─▶ signals "goes with what you have"        impressions ─▶ LightGBM ─▶ chance, contributions
               └─▶ factors (ALS) ─▶ signals "customers like you"               └─▶ LinUCB ─▶ chance with doubt in its favour
    texts ─▶ encoder ─▶ signals "resembles what you have", for products that hardly anybody has yet

An artefact of the registry (slot `SLOT`): ranking.txt, arrays.safetensors, and the manifest with the names. What is written of
a product is embedded once, when the model is trained; a product that came later when it is first met.
Imports SciPy and LightGBM, so that it is imported only where a model is trained or serves.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from openteller.core.errors import ModelUnavailable
from openteller.core.records import LocalText
from openteller.products.records import Product
from openteller.recommendation.candidates.factors import AlternatingLeastSquares
from openteller.recommendation.exploration import LinUCB
from openteller.recommendation.interactions import Floats
from openteller.recommendation.ranking import Ranker, Table
from openteller.recommendation.scoring import Doubles, View
from openteller.registry.manifest import Manifest, read_manifest

SLOT, TASK = "offers", "recommendation"
_RANKING, _ARRAYS, _SIMILARITY = "ranking.txt", "arrays.safetensors", "similarity.safetensors"
_PHRASE = LocalText(zh="持有相近产品的客户也常选择它", en="customers with products like yours often choose it")
_LIKE_YOU = LocalText(zh="与您持有情况相近的客户常会添置它", en="customers who have what you have often add it")
_RESEMBLES = LocalText(zh="它与您已有的产品相近", en="it resembles what you have")
_MOST, _LEAST, _SIGNALS = 0.5, 0.05, 5
_NEAR = 0.5  # cosine, of centred vectors, from which on one product resembles another
FACTORS, REGULARISATION = 16, 5.0  # the second as on MovieLens' validation events (lab/LOG.md)
NEW = 20
"""A product that fewer customers have is found by what is written about it."""
Embed = Callable[[Sequence[str]], Floats]
"""Texts → (texts, dimensions)."""


def text_of(product: Product) -> str:
    """What is embedded of a product: both languages, so that either finds it."""
    words = (product.name.zh, product.summary.zh, product.name.en, product.summary.en)
    return " ".join(words)


@dataclass(frozen=True)
class Content:
    """What is written about products, as vectors.

    `vectors` (products, dimensions) of the products of training; `holders` (products,) how many customers had each then;
    `embed` gives the vector of a product that came later, or there is none.
    """

    products: tuple[str, ...]
    vectors: Floats
    holders: NDArray[np.int64]
    embed: Embed | None = None
    _later: dict[str, Floats] = field(default_factory=dict)

    def weights(self, held: Sequence[Collection[str]], products: Sequence[Product]) -> Doubles:
        """(customers, products) for new products alone: half the cosine with the nearest that the customer has."""
        found = np.zeros((len(held), len(products)))
        places = {product: place for place, product in enumerate(self.products)}
        new = [at for at, product in enumerate(products) if self._is_new(places.get(product.id))]
        if not new or not len(self.vectors):
            return found
        middle = self.vectors.mean(axis=0)
        known = _unit(self.vectors - middle)
        asked = _unit(np.stack([self._vector(products[at], places) for at in new]) - middle)
        cosine = asked @ known.T  # (new, products of training)
        for row, own in enumerate(held):
            has = [places[product] for product in own if product in places]
            for at, near in zip(new, cosine[:, has].max(axis=1) if has else (), strict=False):
                if near >= _NEAR and products[at].id not in own:
                    found[row, at] = min(near / 2, _MOST)
        return found

    def _is_new(self, place: int | None) -> bool:
        return self.embed is not None if place is None else self.holders[place] < NEW

    def _vector(self, product: Product, places: Mapping[str, int]) -> Floats:
        place = places.get(product.id)
        if place is not None:
            return np.asarray(self.vectors[place])
        text = text_of(product)
        if text not in self._later:
            assert self.embed is not None, "asked only of what can be embedded"
            self._later[text] = self.embed([text])[0]
        return self._later[text]


@dataclass(frozen=True)
class Bandit:
    """LinUCB over the ranking's features, each divided by `scale` (features,)."""

    state: LinUCB
    scale: Doubles

    @classmethod
    def of(cls, values: Floats, opened: Doubles) -> "Bandit":
        """Learnt from rows of features (rows, features) and whether each was opened (rows,)."""
        scale = np.maximum(np.abs(values).max(axis=0).astype(np.float64), 1.0)
        state = LinUCB(values.shape[1])
        state.learn(values / scale, opened)
        return cls(state, scale)

    def scores(self, values: Floats) -> Doubles:
        """(rows,) what is expected, with the doubt in its favour, in 0–1."""
        return np.clip(self.state.scores(values / self.scale), 0.0, 1.0)


@dataclass(frozen=True)
class LearntOffers:
    """A trained model (recommender.OfferModel).

    `similarity` (products, products): how much having one speaks for another; `factors` (products, factors) of ALS. A model
    that was trained before there were factors, content or a bandit serves without.
    """

    version: str
    products: tuple[str, ...]
    similarity: Floats
    ranker: Ranker
    factors: Floats | None = None
    content: Content | None = None
    bandit: Bandit | None = None

    def views(self, held: Sequence[Collection[str]], products: Sequence[Product]) -> tuple[View, ...]:
        """What goes best with what each customer has, what those like them have, and what is new and resembles it."""
        known = {product: place for place, product in enumerate(self.products)}
        has = np.zeros((len(held), len(self.products)), dtype=np.float32)
        for row, own in enumerate(held):
            has[row, [known[product] for product in own if product in known]] = 1
        at = np.array([known.get(product.id, -1) for product in products], dtype=np.intp)

        nobody = has.sum(axis=1, keepdims=True) == 0

        def view(code: str, phrase: LocalText, scores: Floats) -> View:
            # Whoever has nothing is like nobody.
            weights = _strongest(np.where((has > 0) | nobody, 0, scores))
            return View(code, phrase, np.where(at >= 0, weights[:, at], 0.0))

        found = [view("goes_with", _PHRASE, has @ self.similarity)]
        if self.factors is not None:
            found.append(view("like_you", _LIKE_YOU, fitted(self.factors).folded(has)))
        if self.content is not None:
            found.append(View("resembles", _RESEMBLES, self.content.weights(held, products)))
        return tuple(found)

    def optimistic(self, columns: Mapping[str, Doubles]) -> Doubles | None:
        """(rows,) by which chance draws when it explores: LinUCB's; None: by the chances themselves."""
        return None if self.bandit is None else self.bandit.scores(_table(self.ranker.names, columns).values)

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
        arrays: dict[str, NDArray[Any]] = {"similarity": self.similarity}
        if self.factors is not None:
            arrays["factors"] = self.factors
        if self.content is not None:
            arrays |= {"vectors": self.content.vectors, "holders": self.content.holders}
        if self.bandit is not None:
            arrays |= {**self.bandit.state.state, "scale": self.bandit.scale}
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / _ARRAYS)

    def settings(self) -> dict[str, object]:
        """What the manifest has to hold for `load`."""
        return {"products": list(self.products), "features": list(self.ranker.names), "ranker": self.ranker.as_dict()}


def load(folder: Path, embed: Embed | None = None) -> LearntOffers:
    """The model in `folder`; `embed` reads what is written of products that came later.

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
    arrays = load_file(folder / (_ARRAYS if (folder / _ARRAYS).exists() else _SIMILARITY))
    products = tuple(said["products"])
    content = Content(products, arrays["vectors"], arrays["holders"], embed) if "vectors" in arrays else None
    bandit = Bandit(LinUCB.of(arrays), arrays["scale"]) if "scale" in arrays else None
    return LearntOffers(
        f"{SLOT}@{folder.name[:12]}", products, arrays["similarity"], ranker, arrays.get("factors"), content, bandit
    )


def fitted(factors: Floats) -> AlternatingLeastSquares:
    """What scores by these factors of products."""
    view = AlternatingLeastSquares(factors=FACTORS, regularisation=REGULARISATION)
    view.weights = {"factors": factors}
    return view


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    return vectors / lengths


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
