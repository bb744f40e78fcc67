"""From what is known about a customer and the inquiry to at most a few offers, each with a reason.

    silence? ─▶ signals ─▶ candidates ─▶ walls (sale, held, dismissed, eligibility, suitability) ─▶ score ─▶ offers

The walls come before the score and nothing after them adds a product. Pure: the same records give the same offers.
What is not covered: credit decisions (an offer says "subject to approval"), and learning from what was accepted.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta

from openteller.core.clock import local_date
from openteller.core.records import Offer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.eligibility import Applicant, eligible, generic
from openteller.products.records import Product, RiskGrade
from openteller.products.suitability import Approach, suitable
from openteller.recommendation.matching import case_of
from openteller.recommendation.records import OfferEvent, Signal
from openteller.recommendation.signals import SURE, observed, stated

DISMISSED_DAYS = 90
THRESHOLD = 0.3
_A_CATEGORY = 2
_CLAUSES = 2
_SORE = frozenset({"service_repair", "security"})
_QUIET_INTENTS = frozenset(
    {
        "card_lost_stolen",
        "complaint_file",
        "complaint_status",
        "fraud_report",
        "human_agent",
        "loan_overdue",
        "phishing_verify",
        "privacy_request",
        "transaction_dispute",
        "transfer_wrong_recipient",
    }
)
_PUTS_MONEY_AT_RISK = frozenset({"fund", "wealth"})
_LENDS = frozenset({"loan", "mortgage"})


class Recommender:
    """Decides what to offer.

    Args:
        zone: IANA name of the bank's time zone.
    """

    def __init__(self, zone: str = "Asia/Shanghai") -> None:
        self._zone = zone

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
        """The offers that go with this inquiry, best first; empty when silence is better or nothing fits.

        Args:
            file: the customer with consents, assessment, accounts and behaviour; None for an anonymous visitor.
            understanding: of the inquiry.
            products: the catalogue; what is not on sale is left out here.
            events: what became of earlier offers to this customer or visitor.
            on: today, in the bank's time zone.
            language: of the reply, ``zh`` or ``en``.
            limit: how many at most.
        """
        if silent(understanding) or (file is not None and not file.granted("personalisation")):
            return ()
        signals = [*stated(understanding), *(observed(file, on) if file is not None else ())]
        allowed = [product for product in products if self.allowed(product, file, events, on)]
        scored = sorted(_scored(allowed, signals), key=lambda entry: (-entry[0], entry[1].id))
        return tuple(_offer(*entry, language) for entry in _varied(scored, limit))

    def allowed(self, product: Product, file: CustomerFile | None, events: Iterable[OfferEvent], on: date) -> bool:
        """Whether every wall lets the product through: sale, possession, dismissal, eligibility and suitability."""
        if not product.on_sale(on) or self._dismissed(product.id, events, on):
            return False
        case = case_of(file, product, on, Approach.PUSH, zone=self._zone)
        if file is None:
            return generic(product, on) and suitable(case).allowed
        applicant = Applicant(
            age=case.investor.age,
            monthly_income=file.customer.monthly_income,
            region=file.customer.city,
            segments=frozenset(file.customer.segment),
            assessed=case.investor.assessed(on),
        )
        return (
            product.id not in file.product_ids and eligible(product, applicant, on).allowed and suitable(case).allowed
        )

    def _dismissed(self, product_id: str, events: Iterable[OfferEvent], on: date) -> bool:
        return any(
            event.product_id == product_id
            and event.action == "dismissed"
            and on - local_date(event.at, self._zone) <= timedelta(days=DISMISSED_DAYS)
            for event in events
        )


def silent(understanding: Understanding) -> bool:
    """Whether no offer belongs into this moment: danger, complaint, loss, or a bad mood over something broken."""
    if any(flag.probability >= 0.5 for flag in understanding.risk_flags):
        return True
    intent, mood = understanding.intent, understanding.sentiment
    if intent.label in _QUIET_INTENTS and intent.probability >= 0.5:
        return True
    sore = any(need.label in _SORE and need.probability >= SURE for need in understanding.needs)
    return sore and mood.label == "negative"


Entry = tuple[float, Product, tuple[Signal, ...]]


def _scored(products: Iterable[Product], signals: Collection[Signal]) -> Iterator[Entry]:
    asked = any(signal.stated for signal in signals)
    for product in products:
        fired = sorted((s for s in signals if s.fits(product)), key=lambda signal: -signal.weight)
        score = _score(product, fired)
        if asked and not any(signal.stated for signal in fired):
            # Something else was asked for: only strong behaviour is worth changing the subject.
            score /= 2
        if fired and score >= THRESHOLD:
            yield score, product, tuple(fired)


def _score(product: Product, fired: Iterable[Signal]) -> float:
    """Noisy-or of the signals, scaled by how well the product sells (by 0.8 to 1)."""
    missed = 1.0
    for signal in fired:
        missed *= 1 - signal.weight
    return round((1 - missed) * (0.8 + 0.2 * product.popularity / 100), 4)


def _varied(scored: Iterable[Entry], limit: int) -> Iterator[Entry]:
    """The best entries, at most two of one category."""
    taken: dict[str, int] = {}
    for entry in scored:
        category = entry[1].category
        if sum(taken.values()) < limit and taken.get(category, 0) < _A_CATEGORY:
            taken[category] = taken.get(category, 0) + 1
            yield entry


def _offer(score: float, product: Product, fired: Sequence[Signal], language: str) -> Offer:
    return Offer(
        product_id=product.id,
        name=product.name.of(language),
        reason=reason(product, fired, language),
        score=score,
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
