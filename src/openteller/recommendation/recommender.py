"""From what is known about a customer and the inquiry to at most a few offers, each with a reason.

    silence? ─▶ signals ─▶ candidates ─▶ score ─▶ walls (rules, eligibility, suitability) ─▶ choice ─▶ offers, impressions

Every product passes the walls before it is chosen, and nothing after them adds one. The signals alone score (noisy-or), or
a model that has learnt from what became of earlier offers ranks what they bring. Pure: the same records give the same offers.
What is not covered: credit decisions (an offer says "subject to approval").
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from openteller.core.records import Offer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.eligibility import Applicant, eligible, generic
from openteller.products.records import Product, RiskGrade, Verdict
from openteller.products.suitability import Approach, suitable
from openteller.recommendation import rules
from openteller.recommendation.choosing import Choice, Entry, Exploration, chosen
from openteller.recommendation.features import feature_of, moment_features, product_features
from openteller.recommendation.matching import case_of
from openteller.recommendation.records import Impression, OfferEvent, Signal, WhyNot
from openteller.recommendation.rules import silent
from openteller.recommendation.signals import observed, stated

THRESHOLD = 0.3
_CLAUSES = 2
_PUTS_MONEY_AT_RISK = frozenset({"fund", "wealth"})
_LENDS = frozenset({"loan", "mortgage"})
_BEST = Exploration()


class OfferModel(Protocol):
    """What has learnt from earlier offers (recommendation/offer_model.py)."""

    @property
    def version(self) -> str: ...
    def signals(self, file: CustomerFile) -> Iterable[Signal]:
        """More signals, from what other customers with such products have."""
        ...

    def chances(self, rows: Sequence[Mapping[str, float]]) -> Sequence[float]:
        """For each row of features the chance, 0–1, that the offer is taken up."""
        ...

    def contributions(self, rows: Sequence[Mapping[str, float]]) -> Sequence[Mapping[str, float]]:
        """For each row what each of its features added."""
        ...


@dataclass(frozen=True)
class Decision:
    """The offers, best first, and the same as they are logged."""

    offers: tuple[Offer, ...] = ()
    impressions: tuple[Impression, ...] = ()


@dataclass(frozen=True)
class Case:
    """Whom an offer is for and in which moment; see `Recommender.decide`."""

    file: CustomerFile | None
    understanding: Understanding
    events: tuple[OfferEvent, ...] = ()
    exploration: Exploration = _BEST


class Recommender:
    """Decides what to offer.

    Args:
        zone: IANA name of the bank's time zone.
        model: ranks what the signals bring; None: the signals' own score does.
    """

    def __init__(self, zone: str = "Asia/Shanghai", model: OfferModel | None = None) -> None:
        self._zone, self._model = zone, model

    def offers(
        self,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        on: date,
        language: str,
        limit: int = 3,
    ) -> tuple[Offer, ...]:
        """The offers of `decide`."""
        return self.decide(file, understanding, products, events=events, on=on, language=language, limit=limit).offers

    def decide(
        self,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        exhausted: Collection[str] = (),
        exploration: Exploration = _BEST,
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
            on: today, in the bank's time zone.
            language: of the reply, ``zh`` or ``en``.
            limit: how many at most.
        """
        case = Case(file, understanding, tuple(events), exploration)
        return self.decide_many([case], products, exhausted=exhausted, on=on, language=language, limit=limit)[0]

    def decide_many(
        self,
        cases: Sequence[Case],
        products: Iterable[Product],
        *,
        exhausted: Collection[str] = (),
        on: date,
        language: str,
        limit: int = 3,
    ) -> list[Decision]:
        """The same for several customers, whom the model ranks in one go. Arguments as of `decide`; one decision a case."""
        catalogue = tuple(products)
        ranked = self._ranked(cases, catalogue, on)
        found = [
            chosen(
                (e for e in entries if self.allowed(e.product, c.file, c.events, on, exhausted)), limit, c.exploration
            )
            for c, entries in zip(cases, ranked, strict=True)
        ]
        explained = iter(self._explained([choice.entry for choices in found for choice in choices]))
        policy = self._model.version if self._model else "rules"
        return [
            Decision(
                tuple(_offer(next(explained), language) for _ in choices),
                tuple(_impression(place, choice, policy) for place, choice in enumerate(choices)),
            )
            for choices in found
        ]

    def why_not(
        self,
        product: Product,
        file: CustomerFile | None,
        understanding: Understanding,
        products: Iterable[Product],
        *,
        events: Sequence[OfferEvent] = (),
        exhausted: Collection[str] = (),
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
        verdict = rules.unconsented(file) or self.refusal(product, file, events, on, exhausted)
        if verdict is not None:
            return said(verdict.reason_code, verdict.reason_zh, verdict.reason_en)
        decision = self.decide(
            file, understanding, catalogue, events=events, exhausted=exhausted, on=on, language=language, limit=limit
        )  # fmt: skip
        own = next((offer for offer in decision.offers if offer.product_id == product.id), None)
        if own is not None:
            return said("offered", own.reason, own.reason)
        case = Case(file, understanding, tuple(events))
        ranked = {entry.product.id for entry in self._ranked([case], catalogue, on)[0]}
        if product.id not in ranked:
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
        if not product.on_sale(on):
            return rules.refused("not_on_sale", "该产品目前不在销售期。", "The product is not on sale.")
        past = tuple(events)
        return (
            rules.held(product.id, file)
            or rules.dismissed(product.id, past, on, self._zone)
            or rules.shown_enough(product.id, past, on, self._zone)
            or rules.spent(product.id, exhausted)
            or self._unsuitable(product, file, on)
        )

    def _unsuitable(self, product: Product, file: CustomerFile | None, on: date) -> Verdict | None:
        case = case_of(file, product, on, Approach.PUSH, zone=self._zone)
        if file is None:
            if generic(product, on) and suitable(case).allowed:
                return None
            return rules.refused(
                "login", "该产品需登录并完成评估后推荐。", "It is offered only to customers whom the bank knows."
            )
        applicant = Applicant(
            age=case.investor.age,
            monthly_income=file.customer.monthly_income,
            region=file.customer.city,
            segments=frozenset(file.customer.segment),
            assessed=case.investor.assessed(on),
        )
        admits = eligible(product, applicant, on)
        if not admits.allowed:
            return admits
        suits = suitable(case)
        return None if suits.allowed else rules.refused(suits.code, suits.reason("zh"), suits.reason("en"))

    def _ranked(self, cases: Sequence[Case], products: Sequence[Product], on: date) -> list[list[Entry]]:
        """What the signals bring in each case, best first; nothing where silence is better."""
        brought = [self._brought(case, products, on) for case in cases]
        rows = [entry.features for entries in brought for entry in entries]
        if self._model is not None and rows:
            chances = iter(self._model.chances(rows))
            brought = [[replace(entry, score=next(chances)) for entry in entries] for entries in brought]
        return [sorted(entries, key=lambda entry: (-entry.score, entry.product.id)) for entries in brought]

    def _brought(self, case: Case, products: Sequence[Product], on: date) -> list[Entry]:
        """Without the model's score."""
        file = case.file
        if silent(case.understanding) or rules.unconsented(file):
            return []
        signals = [*stated(case.understanding), *(observed(file, on) if file is not None else ())]
        if self._model is not None and file is not None:
            signals += self._model.signals(file)
        same = moment_features(file, case.understanding, signals)
        return [
            Entry(score, product, fired, same | product_features(product, fired, score, case.events, on, self._zone))
            for score, product, fired in _scored(products, signals)
        ]

    def _explained(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """The signals of each in the order of what they added to its rank; without a model, of their weight."""
        if self._model is None or not entries:
            yield from entries
            return
        for entry, parts in zip(entries, self._model.contributions([e.features for e in entries]), strict=True):
            added = sorted(entry.fired, key=lambda signal: (-parts.get(feature_of(signal), 0.0), -signal.weight))
            yield replace(entry, fired=tuple(added))


def _scored(
    products: Iterable[Product], signals: Collection[Signal]
) -> Iterator[tuple[float, Product, tuple[Signal, ...]]]:
    asked = any(signal.stated for signal in signals)
    broad = [signal for signal in signals if not signal.only]
    single: dict[str, list[Signal]] = {}
    for signal in signals:
        single.setdefault(signal.only, []).append(signal)
    for product in products:
        fired = [signal for signal in broad if signal.fits(product)]
        fired += single.get(product.id, ())
        if not fired:
            continue
        fired.sort(key=lambda signal: -signal.weight)
        score = _score(product, fired)
        if asked and not any(signal.stated for signal in fired):
            # Something else was asked for: only strong behaviour is worth changing the subject.
            score /= 2
        if score >= THRESHOLD:
            yield score, product, tuple(fired)


def _score(product: Product, fired: Iterable[Signal]) -> float:
    """Noisy-or of the signals, scaled by how well the product sells (by 0.8 to 1)."""
    missed = 1.0
    for signal in fired:
        missed *= 1 - signal.weight
    return round((1 - missed) * (0.8 + 0.2 * product.popularity / 100), 4)


def _offer(entry: Entry, language: str) -> Offer:
    return Offer(
        product_id=entry.product.id,
        name=entry.product.name.of(language),
        reason=reason(entry.product, entry.fired, language),
        score=entry.score,
    )


def _impression(place: int, choice: Choice, policy: str) -> Impression:
    entry = choice.entry
    return Impression(
        product_id=entry.product.id,
        place=place,
        propensity=choice.propensity,
        policy=policy,
        score=entry.score,
        features=entry.features,
        among=dict(choice.among),
    )


def reason(product: Product, fired: Sequence[Signal], language: str) -> str:
    """Why this product: the strongest signals, and the caveat that its kind needs."""
    clauses = [signal.phrase.of(language) for signal in fired[:_CLAUSES]]
    if language.startswith("en"):
        text = " and ".join(clauses)
        return f"{text[0].upper()}{text[1:]}, so this may suit you.{_caveat(product, ' ', language)}"
    return f"{'，'.join(clauses)}，这款产品或许适合您。{_caveat(product, '', language)}"


def _caveat(product: Product, space: str, language: str) -> str:
    english = language.startswith("en")
    if product.risk_grade is not RiskGrade.R1 or product.category in _PUTS_MONEY_AT_RISK:
        return space + ("Returns are not guaranteed." if english else "收益不保证，投资须谨慎。")
    credit = product.category == "card" and any(rate.kind in ("loan", "fee_per_period") for rate in product.rates)
    if product.category in _LENDS or credit:
        return space + ("Subject to approval." if english else "以审批结果为准。")
    return ""
