"""The turns of the road: stored whole, in the caller's one transaction, under the principal's name.

Row-level security decides what is visible; what is not visible is answered as not found.
Knows nothing about how a turn is made.
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.errors import Conflict, NotFound
from openteller.core.records import Outcome, Principal, Satisfaction, Turn
from openteller.core.text import normalise
from openteller.store import audit
from openteller.store.tables import ConversationRow, HandOffRow, OfferEventRow, SatisfactionRow, TurnRow, TurnTimingRow

OfferAction = Literal["shown", "opened", "dismissed"]


class TurnRepository:
    """Conversations, turns, ratings, hand-offs and offer events. Every method works in the caller's transaction."""

    def save(self, session: Session, principal: Principal, turn: Turn) -> None:
        """Store a turn, its conversation when new, its offers as shown, its hand-off unless a person has it already, and an audit row.

        Raises:
            NotFound: the conversation belongs to somebody else.
            Conflict: a turn with this trace id is stored already.
        """
        self._open(session, principal, turn)
        stored = session.execute(
            insert(TurnRow).values(turn_row(principal, turn)).on_conflict_do_nothing().returning(TurnRow.trace_id)
        )
        if stored.first() is None:
            raise Conflict(
                f"The turn {turn.inquiry.trace_id} is stored already.",
                next_step="Leave the trace id out.",
            )
        for offer in turn.offers:
            self._event(session, principal, offer.product_id, "shown", turn.inquiry.trace_id)
        if turn.answer.outcome is Outcome.HANDED_OFF and not self._is_taken(session, turn.inquiry.conversation_id):
            self._hand_off(session, principal, turn)
        audit.record(session, principal.subject, "turn.saved", str(turn.inquiry.trace_id), _audit_detail(turn))

    def get(self, session: Session, trace_id: UUID) -> Turn | None:
        """The turn with this trace id; None when there is none that the session may see."""
        row = session.get(TurnRow, trace_id)
        return _turn(row) if row else None

    def recent(self, session: Session, conversation_id: UUID, limit: int) -> tuple[Turn, ...]:
        """The last `limit` turns of a conversation, oldest first."""
        query = select(TurnRow).where(TurnRow.conversation_id == conversation_id)
        rows = session.scalars(query.order_by(TurnRow.at.desc(), TurnRow.trace_id).limit(limit)).all()
        return tuple(_turn(row) for row in reversed(rows))

    def state(self, session: Session, conversation_id: UUID) -> dict[str, Any]:
        """What waits in the conversation for the next turn; empty when nothing does or the conversation is new."""
        query = select(ConversationRow.state).where(ConversationRow.conversation_id == conversation_id)
        return session.scalar(query) or {}

    def set_state(self, session: Session, conversation_id: UUID, state: dict[str, Any]) -> None:
        """Replace what waits in the conversation.

        Raises:
            NotFound: no conversation that the session may change; save its first turn before.
        """
        row = session.get(ConversationRow, conversation_id)
        if row is None:
            raise NotFound(f"There is no conversation {conversation_id}.", next_step="Save its first turn before.")
        row.state = state
        session.flush()

    def rate(self, session: Session, principal: Principal, satisfaction: Satisfaction) -> None:
        """Store a rating, replacing an earlier one of the same turn.

        Raises:
            NotFound: no turn with this trace id that the principal may see.
        """
        self._require_turn(session, satisfaction.trace_id)
        values = satisfaction.model_dump() | {"owner": principal.subject, "comment": normalise(satisfaction.comment)}
        changed = {name: values[name] for name in ("rating", "comment", "at")}
        session.execute(
            insert(SatisfactionRow)
            .values(values)
            .on_conflict_do_update(index_elements=[SatisfactionRow.trace_id], set_=changed)
        )
        detail = {"rating": satisfaction.rating, "commented": bool(satisfaction.comment)}
        audit.record(session, principal.subject, "turn.rated", str(satisfaction.trace_id), detail)

    def time(self, session: Session, principal: Principal, trace_id: UUID, seconds: Mapping[str, float]) -> None:
        """Store how long each step of a spoken turn of the principal's took; what was stored first stays."""
        values = {"trace_id": trace_id, "owner": principal.subject, "seconds": dict(seconds)}
        session.execute(insert(TurnTimingRow).values(values).on_conflict_do_nothing())

    def timing(self, session: Session, trace_id: UUID) -> dict[str, float]:
        """Seconds of each step, by its name; empty for a turn that was typed, or that the session may not see."""
        query = select(TurnTimingRow.seconds).where(TurnTimingRow.trace_id == trace_id)
        return session.scalar(query) or {}

    def offer_event(
        self, session: Session, principal: Principal, product_id: str, action: OfferAction, trace_id: UUID | None = None
    ) -> None:
        """Store what became of an offer.

        Raises:
            NotFound: a trace id is given and no such turn is visible to the principal.
        """
        if trace_id is not None:
            self._require_turn(session, trace_id)
        self._event(session, principal, product_id, action, trace_id)
        detail = {"action": action, "trace_id": str(trace_id) if trace_id else None}
        audit.record(session, principal.subject, f"offer.{action}", product_id, detail)

    def _open(self, session: Session, principal: Principal, turn: Turn) -> None:
        inquiry = turn.inquiry
        session.execute(
            insert(ConversationRow)
            .values(
                conversation_id=inquiry.conversation_id,
                owner=principal.subject,
                customer_id=principal.customer_id,
                channel=inquiry.channel,
                started_at=inquiry.at,
            )
            .on_conflict_do_nothing()
        )
        if session.get(ConversationRow, inquiry.conversation_id) is None:
            raise NotFound(
                f"There is no conversation {inquiry.conversation_id} of yours.",
                next_step="Start a new one by leaving out the conversation id.",
            )

    def _is_taken(self, session: Session, conversation_id: UUID) -> bool:
        taken = exists().where(HandOffRow.conversation_id == conversation_id, HandOffRow.status == "taken")
        return bool(session.scalar(select(taken)))

    def _hand_off(self, session: Session, principal: Principal, turn: Turn) -> None:
        session.add(
            HandOffRow(
                trace_id=turn.inquiry.trace_id,
                conversation_id=turn.inquiry.conversation_id,
                owner=principal.subject,
                reason=hand_off_reason(turn),
            )
        )
        session.flush()

    def _event(
        self, session: Session, principal: Principal, product_id: str, action: OfferAction, trace_id: UUID | None
    ) -> None:
        session.add(
            OfferEventRow(
                owner=principal.subject,
                customer_id=principal.customer_id,
                product_id=product_id,
                action=action,
                trace_id=trace_id,
            )
        )
        session.flush()

    def _require_turn(self, session: Session, trace_id: UUID) -> None:
        if session.scalar(select(TurnRow.trace_id).where(TurnRow.trace_id == trace_id)) is None:
            raise NotFound(f"There is no turn {trace_id} of yours.", next_step="Use the trace id of a reply of yours.")


def hand_off_reason(turn: Turn) -> str:
    """Why a person is needed, for the person: intent, mood, risk flags, the answer's confidence; no personal data."""
    meaning = turn.understanding
    parts = [
        f"intent {meaning.intent.label} ({meaning.intent.probability:.2f})",
        f"sentiment {meaning.sentiment.label} ({meaning.sentiment.score:+.2f})",
        *(f"risk {flag.label} ({flag.probability:.2f})" for flag in meaning.risk_flags),
        f"answer confidence {turn.answer.confidence:.2f}",
    ]
    return "; ".join(parts)


def turn_row(principal: Principal, turn: Turn) -> dict[str, Any]:
    """The columns of a turn, for its row."""
    data = turn.model_dump(mode="json")
    return {
        "trace_id": turn.inquiry.trace_id,
        "conversation_id": turn.inquiry.conversation_id,
        "owner": principal.subject,
        "customer_id": principal.customer_id,
        "at": turn.inquiry.at,
        "language": turn.understanding.language.label,
        "intent": turn.understanding.intent.label,
        "sentiment": turn.understanding.sentiment.label,
        "outcome": turn.answer.outcome.value,
        **{part: data[part] for part in ("inquiry", "understanding", "answer", "offers", "reply")},
    }


def _turn(row: TurnRow) -> Turn:
    return Turn.model_validate(
        {
            "inquiry": row.inquiry,
            "understanding": row.understanding,
            "answer": row.answer,
            "offers": row.offers,
            "reply": row.reply,
        }
    )


def _audit_detail(turn: Turn) -> dict[str, Any]:
    return {
        "conversation_id": str(turn.inquiry.conversation_id),
        "channel": turn.inquiry.channel,
        "intent": turn.understanding.intent.label,
        "risk_flags": [flag.label for flag in turn.understanding.risk_flags],
        "outcome": turn.answer.outcome.value,
        "confidence": round(turn.answer.confidence, 4),
        "citations": [citation.document_id for citation in turn.answer.citations],
        "skill": turn.answer.skill,
        "generated": turn.answer.generated,
        "offers": [{"product_id": offer.product_id, "reason": offer.reason} for offer in turn.offers],
    }
