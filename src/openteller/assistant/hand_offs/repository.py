"""Hand-offs and staff messages in the store, in the caller's transaction; row-level security decides who sees which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from openteller.assistant.hand_offs.records import SILENCE, Conversation, LedBy, StaffMessage
from openteller.core.records import Outcome
from openteller.store.tables import ConversationRow, HandOffRow, StaffMessageRow, TurnRow

_BY_STATUS = {"open": LedBy.WAITING, "taken": LedBy.PERSON, None: LedBy.ASSISTANT}


class HandOffRepository:
    """Every method works in the caller's transaction."""

    def standing(self, session: Session, conversation_id: UUID, now: datetime) -> LedBy:
        """Who answers in the conversation now: a person who has taken it, unless both were silent for `SILENCE`."""
        of_it = HandOffRow.conversation_id == conversation_id
        if session.scalar(select(exists().where(of_it, HandOffRow.status == "taken", _is_lively(now)))):
            return LedBy.PERSON
        waits = session.scalar(select(exists().where(of_it, HandOffRow.status == "open")))
        return LedBy.WAITING if waits else LedBy.ASSISTANT

    def live(self, session: Session, since: datetime, limit: int) -> tuple[Conversation, ...]:
        """Conversations with a turn since then, the latest first."""
        return self._conversations(
            session, _listed().where(_LAST.c.at >= since).order_by(_LAST.c.at.desc()).limit(limit)
        )

    def waiting(self, session: Session, limit: int) -> tuple[Conversation, ...]:
        """Conversations that wait for a person, the longest first, then those that a person leads."""
        query = _listed().where(_PENDING.c.status.is_not(None))
        return self._conversations(session, query.order_by(_PENDING.c.status, _PENDING.c.created_at).limit(limit))

    def get(self, session: Session, conversation_id: UUID) -> Conversation | None:
        """The conversation; None when there is none, or none with a turn."""
        found = self._conversations(session, _listed().where(ConversationRow.conversation_id == conversation_id))
        return found[0] if found else None

    def take(self, session: Session, conversation_id: UUID, who: str, now: datetime) -> UUID | None:
        """Give the oldest open hand-off of the conversation to somebody; None when none is open.

        The others that are open in it are closed with it. Of two people at once the database lets one through.
        """
        oldest = (
            select(HandOffRow.id)
            .where(HandOffRow.conversation_id == conversation_id, HandOffRow.status == "open")
            .order_by(HandOffRow.created_at, HandOffRow.id)
            .limit(1)
            .scalar_subquery()
        )
        statement = update(HandOffRow).where(HandOffRow.id == oldest, HandOffRow.status == "open")
        taken = session.scalar(statement.values(status="taken", taken_by=who, taken_at=now).returning(HandOffRow.id))
        if taken:
            others = update(HandOffRow).where(
                HandOffRow.conversation_id == conversation_id, HandOffRow.status == "open"
            )
            session.execute(others.values(status="closed", closed_at=now))
        return taken

    def take_unasked(
        self, session: Session, conversation_id: UUID, who: str, reason: str, now: datetime
    ) -> UUID | None:
        """Take a conversation in which nobody waits; None when it has no turn."""
        newest = select(TurnRow.trace_id, TurnRow.owner).where(TurnRow.conversation_id == conversation_id)
        turn = session.execute(newest.order_by(TurnRow.at.desc()).limit(1)).first()
        if turn is None:
            return None
        values = {
            "trace_id": turn.trace_id, "conversation_id": conversation_id, "owner": turn.owner, "reason": reason,
            "status": "taken", "taken_by": who, "taken_at": now,
        }  # fmt: skip
        return session.scalar(insert(HandOffRow).values(values).returning(HandOffRow.id))

    def say(self, session: Session, conversation_id: UUID, who: str, text: str, now: datetime) -> StaffMessage | None:
        """Store what the one who has taken the conversation writes; None when that is not `who`."""
        statement = update(HandOffRow).where(_led_by(conversation_id, who))
        hand_off = session.scalar(statement.values(answered_at=now).returning(HandOffRow.id))
        if hand_off is None:
            return None
        values = {"conversation_id": conversation_id, "hand_off_id": hand_off, "author": who, "text": text, "at": now}
        row = session.scalars(insert(StaffMessageRow).values(values).returning(StaffMessageRow)).one()
        return _message(row)

    def give_back(self, session: Session, conversation_id: UUID, who: str, now: datetime) -> UUID | None:
        """Close what `who` has taken in the conversation; None when they have not."""
        statement = update(HandOffRow).where(_led_by(conversation_id, who))
        return session.scalar(statement.values(status="closed", closed_at=now).returning(HandOffRow.id))

    def close_silent(self, session: Session, now: datetime) -> Sequence[tuple[UUID, UUID]]:
        """Close what was taken and has fallen silent; (hand-off, conversation) of each."""
        statement = update(HandOffRow).where(HandOffRow.status == "taken", ~_is_lively(now))
        closed = statement.values(status="closed", closed_at=now)
        rows = session.execute(closed.returning(HandOffRow.id, HandOffRow.conversation_id))
        return [(hand_off, conversation) for hand_off, conversation in rows]

    def messages(self, session: Session, conversation_id: UUID, after: int = 0) -> tuple[StaffMessage, ...]:
        """What staff wrote in the conversation after the message `after`, the oldest first."""
        query = select(StaffMessageRow).where(
            StaffMessageRow.conversation_id == conversation_id, StaffMessageRow.id > after
        )
        return tuple(_message(row) for row in session.scalars(query.order_by(StaffMessageRow.id)))

    def is_visible(self, session: Session, conversation_id: UUID) -> bool:
        """Whether the session may see such a conversation."""
        return session.get(ConversationRow, conversation_id) is not None

    def _conversations(self, session: Session, query: Select[Any]) -> tuple[Conversation, ...]:
        return tuple(_conversation(row._mapping) for row in session.execute(query))


_LAST = (
    select(TurnRow)
    .where(TurnRow.conversation_id == ConversationRow.conversation_id)
    .order_by(TurnRow.at.desc(), TurnRow.trace_id)
    .limit(1)
    .lateral("last_turn")
)
_PENDING = (
    select(HandOffRow)
    .where(HandOffRow.conversation_id == ConversationRow.conversation_id, HandOffRow.status.in_(("open", "taken")))
    .order_by(HandOffRow.status.desc(), HandOffRow.created_at)
    .limit(1)
    .lateral("pending")
)


def _listed() -> Select[Any]:
    counted = select(func.count()).where(TurnRow.conversation_id == ConversationRow.conversation_id).scalar_subquery()
    return (
        select(
            ConversationRow.conversation_id,
            ConversationRow.customer_id,
            ConversationRow.channel,
            ConversationRow.started_at,
            _LAST.c.at.label("last_at"),
            counted.label("turns"),
            _LAST.c.inquiry["text"].astext.label("text"),
            _LAST.c.language,
            _LAST.c.intent,
            _LAST.c.sentiment,
            _LAST.c.outcome,
            _PENDING.c.id.label("hand_off"),
            _PENDING.c.status,
            _PENDING.c.reason,
            _PENDING.c.created_at.label("waiting_since"),
            _PENDING.c.taken_by,
        )
        .select_from(ConversationRow)
        .join(_LAST, literal(True))
        .outerjoin(_PENDING, literal(True))
    )


def _is_lively(now: datetime) -> ColumnElement[bool]:
    """Whether something was said in a taken hand-off's conversation lately, by either side."""
    spoke = exists().where(TurnRow.conversation_id == HandOffRow.conversation_id, TurnRow.at > now - SILENCE)
    return or_(func.coalesce(HandOffRow.answered_at, HandOffRow.taken_at) > now - SILENCE, spoke)


def _led_by(conversation_id: UUID, who: str) -> ColumnElement[bool]:
    return and_(HandOffRow.conversation_id == conversation_id, HandOffRow.status == "taken", HandOffRow.taken_by == who)


def _conversation(row: Any) -> Conversation:
    names = set(Conversation.model_fields) - {"standing", "outcome", "reason"}
    return Conversation(
        **{name: row[name] for name in names},
        outcome=Outcome(row["outcome"]),
        reason=row["reason"] or "",
        standing=_BY_STATUS[row["status"]],
    )


def _message(row: StaffMessageRow) -> StaffMessage:
    return StaffMessage(id=row.id, author=row.author, text=row.text, at=row.at)
