"""Which products a moment speaks for, how much, and what a ranking sees of each: many customers at once.

    cases ─▶ signals (few a case) ─▶ (cases, products): noisy-or ─▶ pairs above the threshold ─▶ features of pairs, signals of a pair

Arrays are over cases × products; records are made by whoever chooses, and only of what is chosen. A single case is a part of one.
Knows nothing about what may be offered: walls come after.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from openteller.core.records import LocalText, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation import features
from openteller.recommendation.choosing import Exploration
from openteller.recommendation.records import Fits, OfferEvent, Signal, anything
from openteller.recommendation.rules import silent, unconsented
from openteller.recommendation.signals import observed, stated
from openteller.recommendation.walls import harmless

THRESHOLD = 0.3
_BEST = Exploration()
Doubles = NDArray[np.float64]
Indices = NDArray[np.intp]
Columns = dict[str, Doubles]
"""Feature → (pairs,)."""


@dataclass(frozen=True)
class Case:
    """Whom an offer is for and in which moment; see `Recommender.decide`."""

    file: CustomerFile | None
    understanding: Understanding
    events: tuple[OfferEvent, ...] = ()
    exploration: Exploration = _BEST


@dataclass(frozen=True)
class View:
    """What speaks for products beyond the rules' signals: one signal a product, for many cases.

    `weights` (cases, products) as `Signal.weight`, 0 where it says nothing; `code` and `phrase` as a signal's.
    """

    code: str
    phrase: LocalText
    weights: Doubles

    def signal(self, case: int, place: int, product_id: str) -> Signal:
        """The one that speaks for a product in a case."""
        weight = float(self.weights[case, place])
        return Signal(f"{self.code}:{product_id}", weight, self.phrase, anything, only=product_id)


class Assortment:
    """The products on sale on a day, as arrays (products,).

    Args:
        products: the catalogue.
        on: the day.
    """

    def __init__(self, products: Sequence[Product], on: date) -> None:
        self.catalogue, self.on = tuple(products), on
        self.products = tuple(product for product in self.catalogue if product.on_sale(on))
        self.ids = tuple(product.id for product in self.products)
        self.places = {product_id: place for place, product_id in enumerate(self.ids)}
        self.sells = np.array([0.8 + 0.2 * product.popularity / 100 for product in self.products])
        self.in_order = np.argsort(np.argsort(np.array(self.ids, dtype=object)))
        prices = [product.min_amount or Decimal(0) for product in self.products]
        self._prices = sorted(prices)
        self._rank = np.array([bisect_right(self._prices, price) for price in prices])
        self.harmless = harmless(self.products, on)
        self._fitting: dict[Fits, NDArray[np.bool_]] = {}

    def is_of(self, catalogue: Sequence[Product], on: date) -> bool:
        """Whether it was made of these."""
        return self.on == on and self.catalogue == catalogue

    @cached_property
    def features(self) -> Columns:
        """What is the same for every customer."""
        return features.of_products(self.products)

    def fires(self, signal: Signal) -> NDArray[np.bool_]:
        """Which products a signal speaks for."""
        if signal.only:
            return self._only(signal.only)
        found = self._fitting.get(signal.fits)
        if found is None:
            found = np.fromiter(map(signal.fits, self.products), dtype=bool, count=len(self.products))
            self._fitting[signal.fits] = found
        return found if signal.within is None else found & (self._rank <= bisect_right(self._prices, signal.within))

    def _only(self, product_id: str) -> NDArray[np.bool_]:
        found = np.zeros(len(self.products), dtype=bool)
        if (place := self.places.get(product_id)) is not None:
            found[place] = True
        return found


@dataclass(frozen=True)
class Scores:
    """The pairs of a case and a product that something speaks for: `case`, `place` and `score`, each (pairs,)."""

    cases: Sequence[Case]
    assortment: Assortment
    signals: Sequence[Sequence[Signal]]
    views: Sequence[View]
    case: Indices
    place: Indices
    score: Doubles

    def fired(self, pair: int) -> list[Signal]:
        """The signals that speak for a pair, the strongest first."""
        case, place = int(self.case[pair]), int(self.place[pair])
        found = [signal for signal in self.signals[case] if self.assortment.fires(signal)[place]]
        product_id = self.assortment.ids[place]
        found += [view.signal(case, place, product_id) for view in self.views if view.weights[case, place] > 0]
        return sorted(found, key=lambda signal: -signal.weight)

    def features(self, pairs: Indices, zone: str) -> Columns:
        """What a ranking sees of these pairs; a feature that is nowhere is left out."""
        case, place = self.case[pairs], self.place[pairs]
        found = {name: values[case] for name, values in self._of_cases.items()}
        found |= {name: values[place] for name, values in self.assortment.features.items()}
        found["signals"] = self.score[pairs]
        found |= {name: values[case, place] for name, values in self._families().items()}
        return found | {name: values[case, place] for name, values in self._shown(zone).items()}

    @cached_property
    def _of_cases(self) -> Columns:
        return features.of_cases(
            [(c.file, c.understanding, any(s.stated for s in own)) for c, own in zip(self.cases, self.signals, strict=True)]
        )  # fmt: skip

    def _families(self) -> Columns:
        """The strongest signal of each family, (cases, products)."""
        found: Columns = {}
        for case, own in enumerate(self.signals):
            for signal in own:
                name = features.feature_of(signal)
                if name not in found:
                    found[name] = np.zeros((len(self.cases), len(self.assortment.products)))
                np.maximum(found[name][case], signal.weight, out=found[name][case], where=self.assortment.fires(signal))
        return found | {f"signal: {view.code}": view.weights for view in self.views}

    def _shown(self, zone: str) -> Columns:
        shape, places = (len(self.cases), len(self.assortment.products)), self.assortment.places
        found: Columns = {}
        for case, one in enumerate(self.cases):
            for product_id, (times, days) in features.shown(one.events, self.assortment.on, zone).items():
                if product_id in places:
                    for name, value in (("shown before", times), ("days since shown", days)):
                        found.setdefault(name, np.zeros(shape))[case, places[product_id]] = value
        return found


def scored(cases: Sequence[Case], assortment: Assortment, views: Sequence[View]) -> Scores:
    """What speaks for which product in each case; nothing where silence is better or consent is missing.

    Args:
        cases: any number.
        assortment: the products.
        views: more signals, of these cases and products.
    """
    closed = [silent(case.understanding) or bool(unconsented(case.file)) for case in cases]
    signals = [() if shut else tuple(_signals(c, assortment.on)) for c, shut in zip(cases, closed, strict=True)]
    missed = np.ones((len(cases), len(assortment.products)))
    spoken_for = np.zeros_like(missed, dtype=bool)
    for row, own in enumerate(signals):
        for signal in own:
            fires = assortment.fires(signal)
            missed[row] *= 1 - signal.weight * fires
            if signal.stated:
                spoken_for[row] |= fires
    for view in views:
        missed *= 1 - view.weights
    score = np.round((1 - missed) * assortment.sells, 4)
    # Something else was asked for: only strong behaviour is worth changing the subject.
    asked = np.array([any(signal.stated for signal in own) for own in signals], dtype=bool)
    score[asked[:, None] & ~spoken_for] /= 2
    score[np.array(closed, dtype=bool)] = 0
    case, place = np.nonzero(score >= THRESHOLD)
    return Scores(cases, assortment, signals, views, case, place, score[case, place])


def _signals(case: Case, on: date) -> Iterator[Signal]:
    yield from stated(case.understanding)
    if case.file is not None:
        yield from observed(case.file, on)


def rows_of(columns: Mapping[str, Doubles], kept: Collection[str] = ()) -> list[dict[str, float]]:
    """The same one by one, as they are logged; what is 0 is left out, but for `kept`."""
    names = list(columns)
    listed = zip(*(columns[name].tolist() for name in names), strict=True)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value or name in kept} for row in listed
    ]  # fmt: skip
