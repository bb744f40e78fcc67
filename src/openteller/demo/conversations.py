"""What demo customers might have asked over the last months, as the road would have stored it: so that trends show something.

The utterances are written here, and their understanding with them: mood, need and intent are set, not read. One change is
planted: from `CHANGE` days before the last day on, questions about cards are in a bad mood three times as often, as after
a fault of the cash machines. That trends find it says that they work, and nothing about real customers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import numpy as np

from openteller.core.records import (
    Answer,
    Inquiry,
    IntentPrediction,
    Offer,
    Outcome,
    Principal,
    Reply,
    Role,
    Scored,
    Sentiment,
    Turn,
    Understanding,
)

DAYS = 90
CHANGE = 24
"""How many days before the last day the planted change begins."""
A_DAY = 60
"""Conversations on a working day, about; half as many at weekends."""
_SPACE = UUID("6f70656e-7465-4c6c-8572-64656d6f3031")
_SCORES = {"negative": -0.7, "neutral": 0.0, "positive": 0.7}
_FOLLOWS = 0.45
"""The chance that a conversation goes on after a turn."""


class Ask(NamedTuple):
    """What is asked about: its intent, its weight, how often the mood is bad, need and product, and words by mood."""

    intent: str
    weight: float
    negative: float
    need: str | None
    product: str | None
    words: dict[str, tuple[str, str]]


_ASKED: tuple[Ask, ...] = (
    Ask("card_atm_trouble", 3, 0.22, "service_repair", None, {
        "neutral": ("取款机没有吐钱怎么办", "The cash machine gave me no money, what now?"),
        "negative": ("卡又被取款机吞了，太气人了", "The machine swallowed my card again, this is infuriating"),
        "positive": ("卡已经取回来了，谢谢", "I have my card back, thank you")}),
    Ask("card_declined", 3, 0.18, "payments", None, {
        "neutral": ("刷卡没有成功，是什么原因", "Why was my card declined?"),
        "negative": ("刷卡总是失败，真丢人", "My card keeps being declined, how embarrassing"),
        "positive": ("现在可以刷了，很好", "It works now, great")}),
    Ask("deposit_rate", 6, 0.04, "saving", "TD-CNY", {
        "neutral": ("一年期定期利率是多少", "What does a one-year deposit pay?"),
        "negative": ("利率怎么又降了", "Why has the rate fallen again?"),
        "positive": ("利率不错，我想存一些", "A good rate, I would like to save some")}),
    Ask("transfer_pending", 4, 0.16, "payments", None, {
        "neutral": ("转账什么时候到账", "When will my transfer arrive?"),
        "negative": ("转账三天了还没到，急死了", "My transfer is three days late, I am worried"),
        "positive": ("已经到账了，谢谢", "It has arrived, thanks")}),
    Ask("credit_bill", 4, 0.08, "payments", None, {
        "neutral": ("这个月账单多少钱", "How much is my bill this month?"),
        "negative": ("账单上有一笔不是我消费的", "There is a charge on my bill that is not mine"),
        "positive": ("账单清楚，很好", "The bill is clear, good")}),
    Ask("loan_rate", 3, 0.08, "borrowing", "LOAN-CASH", {
        "neutral": ("消费贷款利率多少", "What is the rate of a consumer loan?"),
        "negative": ("贷款利率太高了", "The loan is far too expensive"),
        "positive": ("额度批得很快", "My limit was approved quickly")}),
    Ask("fund_buy", 3, 0.08, "investing", "FUND-MM", {
        "neutral": ("货币基金怎么买", "How do I buy a money market fund?"),
        "negative": ("基金又亏了，很失望", "The fund lost again, I am disappointed"),
        "positive": ("收益比我想的好", "The return is better than I thought")}),
    Ask("travel_abroad", 2, 0.05, "travel_fx", "CARD-TRAVEL", {
        "neutral": ("出国刷卡要手续费吗", "Is there a fee for paying abroad?"),
        "negative": ("在国外刷不了卡", "My card does not work abroad"),
        "positive": ("旅行卡很好用", "The travel card is handy")}),
    Ask("app_login", 3, 0.2, "service_repair", None, {
        "neutral": ("手机银行登录不了", "I cannot log in to the app"),
        "negative": ("手机银行天天崩溃", "The app crashes every day"),
        "positive": ("新版很好用", "The new version is nice")}),
    Ask("out_of_scope", 1, 0.05, None, None, {
        "neutral": ("明天会下雨吗", "Will it rain tomorrow?"),
        "negative": ("你听不懂我的话吗", "Do you not understand me?"),
        "positive": ("讲个笑话吧", "Tell me a joke")}),
)  # fmt: skip


@dataclass(frozen=True)
class ToldTurn:
    """A turn, whose it is, and what became of it."""

    owner: Principal
    turn: Turn
    rating: int | None
    actions: tuple[str, ...]

    @property
    def trace_id(self) -> UUID:
        """The turn's."""
        return self.turn.inquiry.trace_id


def told_on(day: date, changed: bool, customer_ids: Sequence[str], seed: int, zone: str) -> Iterator[ToldTurn]:
    """What was asked on one day, the same whenever it is made. changed: whether the planted change has begun."""
    rng = np.random.default_rng((seed, day.toordinal()))
    weights = np.array([ask.weight for ask in _ASKED])
    for number in range(int(rng.poisson(A_DAY if day.weekday() < 5 else A_DAY / 2))):
        ask = _ASKED[int(rng.choice(len(_ASKED), p=weights / weights.sum()))]
        customer = customer_ids[int(rng.integers(len(customer_ids)))]
        name = f"{seed} {day} {number}"
        at = datetime.combine(day, time(9), ZoneInfo(zone)) + timedelta(minutes=int(rng.integers(0, 600)))
        yield from _conversation(name, ask, customer, at.astimezone(UTC), changed, rng)


def _conversation(
    name: str, ask: Ask, customer: str, at: datetime, changed: bool, rng: np.random.Generator
) -> Iterator[ToldTurn]:
    bad = min(0.9, ask.negative * (3 if changed and ask.intent.startswith("card_") else 1))
    english = rng.random() < 0.3
    owner = Principal(subject=customer, role=Role.CUSTOMER, customer_id=customer)
    moods = ["negative" if rng.random() < bad else "neutral"]
    while len(moods) < 5 and rng.random() < _FOLLOWS:
        again = 0.6 if moods[-1] == "negative" else bad
        draw = rng.random()
        moods.append("negative" if draw < again else "positive" if draw > 0.8 else "neutral")
    for place, mood in enumerate(moods):
        last = place == len(moods) - 1
        ids = {"conversation_id": uuid5(_SPACE, name), "trace_id": uuid5(_SPACE, f"{name} {place}")}
        turn = _turn(ask, mood, english, at + timedelta(minutes=place), ids, float(rng.normal(0, 0.1)))
        rating = _rating(moods[-1], rng) if last and rng.random() < 0.25 else None
        opened = bool(turn.offers) and rng.random() < (0.08 if mood == "negative" else 0.2)
        yield ToldTurn(owner, turn, rating, ("shown", "opened") if opened else ("shown",))


def _rating(mood: str, rng: np.random.Generator) -> int:
    middle = {"negative": 2.0, "neutral": 3.8, "positive": 4.6}[mood]
    return int(np.clip(round(rng.normal(middle, 0.7)), 1, 5))


def _turn(ask: Ask, mood: str, english: bool, at: datetime, ids: dict[str, UUID], noise: float) -> Turn:
    text = ask.words[mood][1 if english else 0]
    understanding = Understanding(
        language=Scored(label="en" if english else "zh-Hans", probability=0.99),
        intent=IntentPrediction(label=ask.intent, probability=round(min(0.99, max(0.3, 0.88 + noise)), 3)),
        sentiment=Sentiment(label=mood, probability=0.85, score=round(float(np.clip(_SCORES[mood] + noise, -1, 1)), 3)),
        needs=(Scored(label=ask.need, probability=0.8),) if ask.need else (),
        entities=(),
        personal_data=(),
        risk_flags=(),
    )
    said = "This is an answer of the demo." if english else "这是演示数据里的回答。"
    offers: tuple[Offer, ...] = ()
    if ask.product and mood != "negative":
        why = "You asked about it." if english else "您在咨询这类产品。"
        offers = (Offer(product_id=ask.product, name=ask.product, reason=why, score=0.6),)
    outcome = Outcome.REFUSED if ask.intent == "out_of_scope" else Outcome.ANSWERED
    return Turn(
        inquiry=Inquiry(text=text, channel="widget", at=at, **ids),
        understanding=understanding,
        answer=Answer(text=said, outcome=outcome, confidence=0.9),
        offers=offers,
        reply=Reply(text=said),
    )
