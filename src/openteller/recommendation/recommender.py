"""From what is known about a customer and the inquiry to at most a few offers, each with a reason.

    silence? ─▶ signals ─▶ candidates ─▶ score ─▶ walls (rules, eligibility, suitability) ─▶ choice ─▶ offers, impressions

Every product passes the walls before it is chosen, and nothing after them adds one. The signals alone score (noisy-or), or
a model that has learnt from what became of earlier offers ranks what they bring. Many customers are scored at once
(scoring.py); reasons and records are made of what is chosen alone. Pure: the same records give the same offers.
What is not covered: credit decisions (an offer says "subject to approval").
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Protocol

import numpy as np

from openteller.core.records import Offer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product, RiskGrade, Verdict
from openteller.recommendation import general, rules
from openteller.recommendation.choosing import Choice, Entry, Exploration, chosen
from openteller.recommendation.features import CUSTOMER, MOMENT, feature_of
from openteller.recommendation.general import GeneralOffers
from openteller.recommendation.records import Impression, OfferEvent, Signal, WhyNot
from openteller.recommendation.rules import silent
from openteller.recommendation.scoring import Assortment, Case, Doubles, Indices, Scores, View, rows_of, scored
from openteller.recommendation.walls import Walls

_CLAUSES = 2
_PUTS_MONEY_AT_RISK = frozenset({"fund", "wealth"})
_LENDS = frozenset({"loan", "mortgage"})
_BEST = Exploration()
_NOTHING: Mapping[str, float] = MappingProxyType({})
_ALWAYS_LOGGED = frozenset({*MOMENT, *(f"customer: {name}" for name in CUSTOMER)})


class OfferModel(Protocol):
    """What has learnt from earlier offers (recommendation/offer_model.py)."""

    @property
    def version(self) -> str: ...
    def views(self, held: Sequence[Collection[str]], products: Sequence[Product]) -> Sequence[View]:
        """More signals, from what other customers with such products have: of who has `held`, about `products`."""
        ...

    def chances(self, columns: Mapping[str, Doubles]) -> Doubles:
        """(rows,) the chance, 0–1, that the offer is taken up; `columns` is feature → (rows,)."""
        ...

    def optimistic(self, columns: Mapping[str, Doubles]) -> Doubles | None:
        """(rows,) in 0–1, by which products are drawn when something is left to chance; None: by the chances."""
        ...

    def contributions(self, columns: Mapping[str, Doubles]) -> Sequence[Mapping[str, float]]:
        """For each row what each of its features added."""
        ...


@dataclass(frozen=True)
class Decision:
    """The offers, best first, and the same as they are logged."""

    offers: tuple[Offer, ...] = ()
    impressions: tuple[Impression, ...] = ()


@dataclass(frozen=True)
class _Ranking:
    """Scored pairs with the score that counts, and in each case its pairs, best first: those from `starts` on of `order`.

    `drawn_by` (pairs,) is what chance goes by where it is asked.
    """

    scores: Scores
    score: Doubles
    drawn_by: Doubles
    order: Indices
    starts: Indices

    def entries(self, case: int) -> Iterator[Entry]:
        """The products of one case, best first."""
        for pair in self.order[self.starts[case] : self.starts[case + 1]]:
            product = self.scores.assortment.products[self.scores.place[pair]]
            yield Entry(float(self.score[pair]), product, int(pair), float(self.drawn_by[pair]))


class Recommender:
    """Decides what to offer.

    Args:
        zone: IANA name of the bank's time zone.
        model: ranks what the signals bring; None: the signals' own score does.
    """

    def __init__(self, zone: str = "Asia/Shanghai", model: OfferModel | None = None) -> None:
        self._zone, self._model = zone, model
        self._assortment = Assortment((), date.min)

    def offers(
        self,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        exhausted: Collection[str] = (),
        popular: Mapping[str, float] = _NOTHING,
        on: date,
        language: str,
        limit: int = 3,
    ) -> tuple[Offer, ...]:
        """The offers of `decide`."""
        decision = self.decide(
            file, understanding, products, events=events, exhausted=exhausted, popular=popular, on=on, language=language,
            limit=limit,
        )  # fmt: skip
        return decision.offers

    def decide(
        self,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        exhausted: Collection[str] = (),
        exploration: Exploration = _BEST,
        popular: Mapping[str, float] = _NOTHING,
        on: date,
        language: str,
        limit: int = 3,
    ) -> Decision:
        """The offers that go with this inquiry, best first; none when silence is better or nothing fits.

        Args:
            file: the customer with consents, assessment, accounts and behaviour; None for an anonymous visitor.
            understanding: of the inquiry.
            products: the catalogue; what is not on sale is left out here.
            events: what became of earlier offers to this customer or visitor.
            exhausted: the products whose campaign has used up its budget.
            exploration: how much is left to chance.
            popular: product → the share of customers who have it, for whoever switched personalisation off (general.py).
            on: today, in the bank's time zone.
            language: of the reply, ``zh`` or ``en``.
            limit: how many at most.
        """
        case = Case(file, understanding, tuple(events), exploration)
        return self.decide_many(
            [case], products, exhausted=exhausted, popular=popular, on=on, language=language, limit=limit
        )[0]

    def decide_many(
        self,
        cases: Sequence[Case],
        products: Iterable[Product],
        *,
        exhausted: Collection[str] = (),
        popular: Mapping[str, float] = _NOTHING,
        on: date,
        language: str,
        limit: int = 3,
    ) -> list[Decision]:
        """The same for several customers, whom the model ranks in one go. Arguments as of `decide`; one decision a case."""
        ranking, found = self._decided(cases, products, exhausted, popular, on, limit)
        offers, impressions = self._offers(ranking, found, language), self._impressions(ranking, found)
        return [
            Decision(tuple(next(offers) for _ in choices), tuple(next(impressions) for _ in choices))
            for choices in found
        ]

    def offers_many(
        self,
        cases: Sequence[Case],
        products: Iterable[Product],
        *,
        exhausted: Collection[str] = (),
        popular: Mapping[str, float] = _NOTHING,
        on: date,
        language: str,
        limit: int = 3,
    ) -> list[tuple[Offer, ...]]:
        """The offers of `decide_many` alone, for batches, which log nothing."""
        ranking, found = self._decided(cases, products, exhausted, popular, on, limit)
        offers = self._offers(ranking, found, language)
        return [tuple(next(offers) for _ in choices) for choices in found]

    def why_not(
        self,
        product: Product,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        exhausted: Collection[str] = (),
        popular: Mapping[str, float] = _NOTHING,
        on: date,
        language: str,
        limit: int = 3,
    ) -> WhyNot:
        """Why `product` is not among the offers of `decide` with the same arguments, or that it is."""
        catalogue = tuple(products)

        def said(code: str, zh: str, en: str) -> WhyNot:
            text = en if language.startswith("en") else zh
            name = product.name.of(language)
            return WhyNot(product_id=product.id, name=name, offered=code == "offered", code=code, reason=text)

        if silent(understanding):
            return said(
                "moment",
                "您正在处理更要紧的事，此刻不推荐任何产品。",
                "Something more pressing is being dealt with; nothing is offered now.",
            )
        if file is not None and general.wanted(file):
            verdict = GeneralOffers(popular, on, self._zone, exhausted).refusal(product, file)
        else:
            verdict = rules.unconsented(file) or self.refusal(product, file, events, on, exhausted)
        if verdict is not None:
            return said(verdict.reason_code, verdict.reason_zh, verdict.reason_en)
        decision = self.decide(
            file, understanding, catalogue, events=events, exhausted=exhausted, popular=popular, on=on, language=language,
            limit=limit,
        )  # fmt: skip
        own = next((offer for offer in decision.offers if offer.product_id == product.id), None)
        if own is not None:
            return said("offered", own.reason, own.reason)
        case = Case(file, understanding, tuple(events))
        ranked = {entry.product.id for entry in self._ranked([case], catalogue, on).entries(0)}
        if product.id not in ranked and not general.wanted(file):
            return said(
                "no_reason",
                "目前没有迹象表明您需要该产品；如有兴趣，欢迎直接询问。",
                "Nothing so far says that you need it; ask about it if you are interested.",
            )
        before = [offer.name for offer in decision.offers]
        return said(
            "others_first",
            f"该产品也适合您，但这些更合适：{'、'.join(before)}。",
            f"It would suit you too, but these suit you better: {', '.join(before)}.",
        )

    def allowed(
        self,
        product: Product,
        file: CustomerFile | None,
        events: Iterable[OfferEvent],
        on: date,
        exhausted: Collection[str] = (),
    ) -> bool:
        """Whether every wall lets the product through."""
        return self.refusal(product, file, events, on, exhausted) is None

    def refusal(
        self,
        product: Product,
        file: CustomerFile | None,
        events: Iterable[OfferEvent],
        on: date,
        exhausted: Collection[str] = (),
    ) -> Verdict | None:
        """The first wall that keeps the product back, with its reason; None when none does."""
        return Walls(file, events, on, self._zone, exhausted).refusal(product)

    def _decided(
        self,
        cases: Sequence[Case],
        products: Iterable[Product],
        exhausted: Collection[str],
        popular: Mapping[str, float],
        on: date,
        limit: int,
    ) -> tuple[_Ranking, list[list[Choice]]]:
        """What is chosen in each case, every wall having been asked."""
        catalogue = tuple(products)
        ranking, found = self._ranked(cases, catalogue, on), []
        harmless = ranking.scores.assortment.harmless
        in_general = GeneralOffers(popular, on, self._zone, exhausted)
        for at, case in enumerate(cases):
            if case.file is not None and general.wanted(case.file):
                shown = () if silent(case.understanding) else in_general.entries(case.file, catalogue)
                found.append(chosen(shown, limit, _BEST))
                continue
            walls = Walls(case.file, case.events, on, self._zone, exhausted, harmless)
            open_to = (entry for entry in ranking.entries(at) if walls.allow(entry.product))
            found.append(chosen(open_to, limit, case.exploration))
        return ranking, found

    def _ranked(self, cases: Sequence[Case], products: tuple[Product, ...], on: date) -> _Ranking:
        """What the signals bring in each case, best first; nothing where silence is better."""
        assortment = self._on_sale(products, on)
        views: Sequence[View] = ()
        if self._model is not None:
            views = self._model.views([_held(case) for case in cases], assortment.products)
        scores = scored(cases, assortment, views)
        score, drawn_by = scores.score, None
        if self._model is not None and len(score):
            columns = scores.features(np.arange(len(score)), self._zone)
            score = self._model.chances(columns)
            if any(case.exploration.share > 0 for case in cases):
                drawn_by = self._model.optimistic(columns)
        order = np.lexsort((assortment.in_order[scores.place], -score, scores.case))
        starts = np.searchsorted(scores.case, np.arange(len(cases) + 1))
        return _Ranking(scores, score, score if drawn_by is None else drawn_by, order, starts)

    def _on_sale(self, products: tuple[Product, ...], on: date) -> Assortment:
        """The products as arrays, kept for the next who asks about the same."""
        if not self._assortment.is_of(products, on):
            self._assortment = Assortment(products, on)
        return self._assortment

    def _offers(self, ranking: _Ranking, found: Sequence[Sequence[Choice]], language: str) -> Iterator[Offer]:
        """The offers of all choices, one after the other."""
        entries = [choice.entry for choices in found for choice in choices]
        for entry, fired in zip(entries, self._explained(ranking, entries), strict=True):
            yield Offer(
                product_id=entry.product.id,
                name=entry.product.name.of(language),
                reason=reason(entry.product, fired, language) if fired else _general_reason(entry.product, language),
                score=entry.score,
            )

    def _impressions(self, ranking: _Ranking, found: Sequence[Sequence[Choice]]) -> Iterator[Impression]:
        """The same as they are logged."""
        placed = [(place, choice) for choices in found for place, choice in enumerate(choices)]
        personal = [choice.entry for _, choice in placed if choice.entry.pair >= 0]
        rows = iter(rows_of(ranking.scores.features(_pairs(personal), self._zone), _ALWAYS_LOGGED))
        policy = self._model.version if self._model else "rules"
        for place, choice in placed:
            known = choice.entry.pair >= 0
            yield Impression(
                product_id=choice.entry.product.id,
                place=place,
                propensity=choice.propensity,
                policy=policy if known else general.POLICY,
                score=choice.entry.score,
                features=next(rows) if known else {},
                among=dict(choice.among),
            )

    def _explained(self, ranking: _Ranking, entries: Sequence[Entry]) -> list[list[Signal]]:
        """The signals of each in the order of what they added to its rank; without a model, of their weight; general: none."""
        found = [ranking.scores.fired(entry.pair) if entry.pair >= 0 else [] for entry in entries]
        several = [at for at, fired in enumerate(found) if len(fired) > 1]
        if self._model is not None and several:
            columns = ranking.scores.features(_pairs([entries[at] for at in several]), self._zone)
            for at, parts in zip(several, self._model.contributions(columns), strict=True):
                found[at].sort(key=lambda signal: (-parts.get(feature_of(signal), 0.0), -signal.weight))
        return found


def _held(case: Case) -> frozenset[str]:
    return frozenset() if case.file is None else case.file.product_ids


def _pairs(entries: Sequence[Entry]) -> Indices:
    return np.array([entry.pair for entry in entries], dtype=np.intp)


def reason(product: Product, fired: Sequence[Signal], language: str) -> str:
    """Why this product: the strongest signals, and the caveat that its kind needs."""
    clauses = [signal.clause(language) for signal in fired[:_CLAUSES]]
    if language.startswith("en"):
        text = " and ".join(clauses)
        return f"{text[0].upper()}{text[1:]}, so this may suit you.{_caveat(product, ' ', language)}"
    return f"{'，'.join(clauses)}，这款产品或许适合您。{_caveat(product, '', language)}"


def _general_reason(product: Product, language: str) -> str:
    return general.reason(language) + _caveat(product, " " if language.startswith("en") else "", language)


def _caveat(product: Product, space: str, language: str) -> str:
    english = language.startswith("en")
    if product.risk_grade is not RiskGrade.R1 or product.category in _PUTS_MONEY_AT_RISK:
        return space + ("Returns are not guaranteed." if english else "收益不保证，投资须谨慎。")
    credit = product.category == "card" and any(rate.kind in ("loan", "fee_per_period") for rate in product.rates)
    if product.category in _LENDS or credit:
        return space + ("Subject to approval." if english else "以审批结果为准。")
    return ""
