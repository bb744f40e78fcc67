"""Turns with a given mood, said at a given moment by somebody."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from openteller.core.records import (
    IntentPrediction,
    Principal,
    Role,
    Scored,
    Sentiment,
    Turn,
)
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from tests.store.test_turns import a_turn

_SCORES = {"negative": -0.8, "neutral": 0.0, "positive": 0.8}


def person(number: int) -> Principal:
    """A visitor."""
    return Principal(subject=f"visitor:{number}", role=Role.VISITOR)


def said(
    database: Database,
    whose: Principal,
    at: datetime,
    mood: str = "neutral",
    *,
    intent: str = "card_declined",
    need: str | None = None,
    probability: float = 0.9,
    conversation: UUID | None = None,
    **changes: Any,
) -> Turn:
    """Store one turn."""
    turn = a_turn(at=at, conversation_id=conversation or uuid4())
    understanding = turn.understanding.model_copy(
        update={
            "sentiment": Sentiment(label=mood, probability=0.9, score=_SCORES[mood]),
            "intent": IntentPrediction(label=intent, probability=probability),
            "needs": (Scored(label=need, probability=0.8),) if need else (),
        }
    )
    turn = turn.model_copy(update={"understanding": understanding} | changes)
    with database.session(whose) as session:
        TurnRepository().save(session, whose, turn)
    return turn
