"""From messages to a conversation, from conversations to a customer: pure functions over scores.

Knows nothing about the store. What is not covered: why a mood changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from openteller.core.clock import local_date
from openteller.insights.trends.intervals import Estimate, shrunk, spread
from openteller.insights.trends.records import ConversationMood, ConversationScores, CustomerPoint
from openteller.insights.trends.topics import topic_of

HALF_LIFE = timedelta(days=30)
"""After this long a conversation counts half."""
PRIOR_CONVERSATIONS = 2.0
"""How many conversations the bank's mean is worth beside a customer's own."""


def conversation_mood(conversation: ConversationScores) -> ConversationMood:
    """How the mood went."""
    scores = np.asarray(conversation.scores)
    places = np.arange(len(scores)) - (len(scores) - 1) / 2
    slope = float(places @ scores / (places @ places)) if len(scores) > 1 else 0.0
    return ConversationMood(
        conversation_id=conversation.conversation_id,
        at=conversation.at,
        topic=topic_of(conversation.intent),
        messages=len(scores),
        mean=float(scores.mean()),
        first=float(scores[0]),
        last=float(scores[-1]),
        slope=slope,
        worst=float(scores.min()),
        recovery=float(scores[-1] - scores.min()),
    )


def customer_mood(conversations: Sequence[ConversationMood], now: datetime, bank: float) -> Estimate:
    """A customer's mood at `now`, −1 to 1: conversations weighted by 2^(−age / half-life), drawn towards the bank's mean.

    Args:
        conversations: of one customer; later ones than `now` do not count.
        now: with its time zone.
        bank: mean mood of the bank, −1 to 1.
    """
    known = [c for c in conversations if c.at <= now]
    weights = [2 ** -((now - c.at) / HALF_LIFE) for c in known]
    total = sum(weight * (c.mean + 1) / 2 for weight, c in zip(weights, known, strict=True))
    return spread(shrunk(total, sum(weights), (bank + 1) / 2, PRIOR_CONVERSATIONS), -1.0, 1.0)


def customer_points(
    conversations: Sequence[ConversationMood], now: datetime, bank: float, zone: str, weeks: int = 12
) -> tuple[CustomerPoint, ...]:
    """The same at the end of each of the last `weeks` weeks, the oldest first; weeks before the first conversation are left out."""
    moments = [now - timedelta(weeks=back) for back in reversed(range(weeks))]
    return tuple(
        CustomerPoint(on=local_date(moment, zone), mood=customer_mood(conversations, moment, bank))
        for moment in moments
        if any(conversation.at <= moment for conversation in conversations)
    )
