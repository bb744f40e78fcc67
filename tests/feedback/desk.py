"""A desk over the run's database, people of the bank, and turns to correct."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from openteller.core.clock import utc_now
from openteller.core.records import Outcome, Principal, Role, Satisfaction
from openteller.feedback.desk import LabelDesk
from openteller.feedback.records import Correction, Curated, Head, Status
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from openteller.understanding.personal_data import redacted
from tests.store.people import ANN
from tests.store.test_turns import a_turn, save

LABELS = {
    "intent": ("card_lost_stolen", "card_atm_trouble", "loan_rate"),
    "sentiment": ("negative", "neutral", "positive"),
    "needs": ("saving", "borrowing", "security"),
    "tags": ("O",),
}
LI = Principal(subject="analyst.li", role=Role.ANALYST)
WANG = Principal(subject="admin.wang", role=Role.ADMIN)
ZHOU = Principal(subject="agent.zhou", role=Role.AGENT)
CORE = Principal(subject="core", role=Role.SERVICE)


def a_desk(database: Database) -> LabelDesk:
    return LabelDesk(database, lambda: LABELS, redacted)


def asked(
    database: Database,
    text: str = "卡被吞了",
    *,
    rating: int | None = None,
    intent: float = 0.9,
    outcome: Outcome = Outcome.ANSWERED,
    principal: Principal = ANN,
    comment: str = "",
    **inquiry: Any,
) -> UUID:
    """A stored turn, rated or not; its trace id."""
    turn = a_turn(outcome, text, **inquiry)
    surer = turn.understanding.intent.model_copy(update={"probability": intent})
    turn = turn.model_copy(update={"understanding": turn.understanding.model_copy(update={"intent": surer})})
    trace_id = save(database, principal, turn).inquiry.trace_id
    if rating is not None:
        with database.session(principal) as session:
            TurnRepository().rate(session, principal, Satisfaction(trace_id=trace_id, rating=rating, comment=comment))
    return trace_id


def agreed(desk: LabelDesk, text: str, *labels: str, head: Head = Head.INTENT) -> Correction:
    """A correction that Li wrote and Wang accepted."""
    made = desk.correct(LI, head, labels, text=text)
    return desk.review(WANG, made.id, Status.ACCEPTED)


def example(text: str, *labels: str, head: Head = Head.INTENT, at: datetime | None = None) -> Curated:
    """A curated example without a store."""
    return Curated(id=uuid4(), text=text, head=head, labels=labels, reviewed_at=at or utc_now())
