"""Corrections and the queue in the store, in the caller's transaction; row-level security decides what is visible."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.feedback.queue import INTENT_BELOW, RATED_AT_MOST, UNANSWERED, with_reasons
from openteller.feedback.records import Correction, Head, QueuedTurn, Status
from openteller.store.tables import CorrectionRow, SatisfactionRow, TurnRow


class CorrectionRepository:
    """Every method works in the caller's transaction."""

    def add(
        self, session: Session, *, trace_id: UUID | None, text: str, head: Head, labels: Sequence[str], author: str
    ) -> Correction:
        """Store a correction that waits for review."""
        values = {"trace_id": trace_id, "text": text, "head": head.value, "labels": list(labels), "author": author}
        row = session.scalars(insert(CorrectionRow).values(values).returning(CorrectionRow)).one()
        return _correction(row)

    def get(self, session: Session, correction_id: UUID) -> Correction | None:
        """The correction; None when there is none that the session may see."""
        row = session.get(CorrectionRow, correction_id)
        return _correction(row) if row else None

    def beginning(self, session: Session, text: str, limit: int) -> tuple[UUID, ...]:
        """The ids that begin with `text`, hexadecimal digits and dashes; at most `limit`."""
        begins = cast(CorrectionRow.id, String).startswith(text, autoescape=True)
        return tuple(session.scalars(select(CorrectionRow.id).where(begins).limit(limit)))

    def page(self, session: Session, status: Status | None, limit: int, offset: int) -> tuple[Correction, ...]:
        """Those with `status`, or all, the newest first."""
        query = select(CorrectionRow).order_by(CorrectionRow.created_at.desc(), CorrectionRow.id)
        if status is not None:
            query = query.where(CorrectionRow.status == status.value)
        return tuple(_correction(row) for row in session.scalars(query.limit(limit).offset(offset)))

    def accepted(self, session: Session, heads: Sequence[Head]) -> tuple[Correction, ...]:
        """Every accepted correction of these heads, in the order of acceptance."""
        of = CorrectionRow.head.in_([head.value for head in heads])
        query = select(CorrectionRow).where(CorrectionRow.status == Status.ACCEPTED.value, of)
        return tuple(_correction(row) for row in session.scalars(query.order_by(CorrectionRow.reviewed_at)))

    def decide(
        self, session: Session, correction_id: UUID, status: Status, reviewer: str, note: str
    ) -> Correction | None:
        """Write the decision on a correction that waits for one; None when it does not any more.

        Of two reviewers at once the second waits here for the first, and then finds nothing that waits.
        """
        waiting = (CorrectionRow.id == correction_id, CorrectionRow.status == Status.PENDING.value)
        decided = {"status": status.value, "reviewer": reviewer, "reviewed_at": func.clock_timestamp(), "note": note}
        query = update(CorrectionRow).where(*waiting).values(decided).returning(CorrectionRow)
        row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        return _correction(row) if row else None

    def queue(self, session: Session, limit: int, offset: int) -> tuple[QueuedTurn, ...]:
        """Turns worth a look that nobody has corrected, or whose corrections were rejected; the newest first."""
        query = (
            select(TurnRow, SatisfactionRow.rating, SatisfactionRow.comment)
            .outerjoin(SatisfactionRow, SatisfactionRow.trace_id == TurnRow.trace_id)
            .where(_worth_a_look(), ~_corrected())
            .order_by(TurnRow.at.desc(), TurnRow.trace_id)
        )
        rows = session.execute(query.limit(limit).offset(offset))
        return tuple(with_reasons(_queued(turn, rating, comment or "")) for turn, rating, comment in rows)


def _worth_a_look() -> ColumnElement[bool]:
    """The conditions whose reasons `queue.with_reasons` words."""
    return or_(
        SatisfactionRow.rating <= RATED_AT_MOST,
        TurnRow.understanding["intent"]["probability"].as_float() < INTENT_BELOW,
        TurnRow.outcome.in_([outcome.value for outcome in UNANSWERED]),
    )


def _corrected() -> ColumnElement[bool]:
    said = (CorrectionRow.trace_id == TurnRow.trace_id, CorrectionRow.status != Status.REJECTED.value)
    return select(CorrectionRow.id).where(*said).exists()


def _correction(row: CorrectionRow) -> Correction:
    return Correction.model_validate({name: getattr(row, name) for name in Correction.model_fields})


def _queued(row: TurnRow, rating: int | None, comment: str) -> QueuedTurn:
    intent, sentiment = ({name: row.understanding[head][name] for name in ("label", "probability")}
                         for head in ("intent", "sentiment"))  # fmt: skip
    return QueuedTurn.model_validate(
        {
            "trace_id": row.trace_id,
            "at": row.at,
            "text": row.inquiry["text"],
            "language": row.language,
            "intent": intent,
            "sentiment": sentiment,
            "needs": row.understanding["needs"],
            "outcome": row.outcome,
            "rating": rating,
            "comment": comment,
        }
    )
