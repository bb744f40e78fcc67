"""What keeps an offer back although it fits: consent, the moment, dismissal, how often it was shown, the campaign's budget.

Each rule gives the verdict that refuses, with its reason in both languages, or None. Eligibility and suitability are
products' own (products/eligibility.py, products/suitability.py). Pure functions over records.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from openteller.core.clock import local_date
from openteller.core.records import Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Verdict
from openteller.recommendation.records import OfferEvent
from openteller.recommendation.signals import SURE

DISMISSED_DAYS = 90
SHOWN_WINDOW_DAYS = 14
SHOWN_ON_DAYS = 3
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


def unconsented(file: CustomerFile | None) -> Verdict | None:
    """A customer who has not agreed to personal offers gets none."""
    if file is None or file.granted("personalisation"):
        return None
    return refused(
        "consent",
        "您尚未同意个性化推荐，因此我们不会向您推荐产品；您可以随时更改。",
        "You have not agreed to personal offers, so none are made; you may change that at any time.",
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


def held(product_id: str, product_ids: Collection[str]) -> Verdict | None:
    """What the customer has is not offered again."""
    if product_id not in product_ids:
        return None
    return refused("held", "您已持有该产品。", "You have this product already.")


def dismissed(product_id: str, events: Iterable[OfferEvent], on: date, zone: str) -> Verdict | None:
    """What the customer was not interested in rests for `DISMISSED_DAYS` days."""
    rests = any(
        event.product_id == product_id
        and event.action == "dismissed"
        and on - local_date(event.at, zone) <= timedelta(days=DISMISSED_DAYS)
        for event in events
    )
    if not rests:
        return None
    return refused(
        "dismissed",
        f"您曾表示对该产品不感兴趣，{DISMISSED_DAYS}天内不再推荐。",
        f"You said that it does not interest you; it rests for {DISMISSED_DAYS} days.",
    )


def shown_enough(product_id: str, events: Iterable[OfferEvent], on: date, zone: str) -> Verdict | None:
    """What was shown on `SHOWN_ON_DAYS` days of the last `SHOWN_WINDOW_DAYS` and never opened in them rests."""
    days: set[date] = set()
    for event in events:
        day = local_date(event.at, zone)
        if event.product_id == product_id and timedelta() <= on - day < timedelta(days=SHOWN_WINDOW_DAYS):
            if event.action == "opened":
                return None
            days |= {day} if event.action == "shown" and day < on else set()
    if len(days) < SHOWN_ON_DAYS:
        return None
    return refused(
        "shown_enough",
        f"最近{SHOWN_WINDOW_DAYS}天内已在{len(days)}天里向您展示过该产品，暂不重复推荐。",
        f"It was shown to you on {len(days)} of the last {SHOWN_WINDOW_DAYS} days and is not repeated for now.",
    )


def spent(product_id: str, exhausted: Collection[str]) -> Verdict | None:
    """A product whose campaign has used up its budget is not offered until the campaign is renewed."""
    if product_id not in exhausted:
        return None
    return refused(
        "budget", "该产品的推广名额已用完。", "The campaign for this product has used up the offers it may make."
    )


def refused(code: str, zh: str, en: str) -> Verdict:
    """A verdict that refuses."""
    return Verdict(allowed=False, reason_code=code, reason_zh=zh, reason_en=en)
