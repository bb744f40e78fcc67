"""Complaints and their events in the store, in the caller's transaction; row-level security decides what is visible."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, select, update
from sqlalchemy.dialects.postgresql import TEXT, insert
from sqlalchemy.orm import Session

from openteller.core.records import Record
from openteller.insights.complaints.records import Complaint, Event, NewComplaint, Status, Step
from openteller.store.tables import ComplaintEventRow, ComplaintRow, TurnRow


class Heard(Record):
    """A turn in which somebody complained."""

    trace_id: UUID
    customer_id: str | None
    at: datetime
    language: str
    text: str


class ComplaintRepository:
    """Every method works in the caller's transaction."""

    def add(self, session: Session, new: NewComplaint, due_on: date, actor: str) -> Complaint | None:
        """Store a complaint; None when one of its source is there already."""
        values = new.model_dump() | {"due_on": due_on, "opened_by": actor}
        known = insert(ComplaintRow).values(values).on_conflict_do_nothing(constraint="uq_complaints_source_source_id")
        row = session.scalars(known.returning(ComplaintRow)).one_or_none()
        return _complaint(row) if row else None

    def of_source(self, session: Session, new: NewComplaint) -> Complaint:
        """The complaint of the same source, which is there."""
        same = (ComplaintRow.source == new.source.value, ComplaintRow.source_id == new.source_id)
        return _complaint(session.scalars(select(ComplaintRow).where(*same)).one())

    def get(self, session: Session, number: int, *, lock: bool = False) -> Complaint | None:
        """The complaint, locked until the transaction ends if asked; None when there is none that may be seen."""
        query = select(ComplaintRow).where(ComplaintRow.number == number)
        row = session.scalars(query.with_for_update() if lock else query).one_or_none()
        return _complaint(row) if row else None

    def change(self, session: Session, number: int, **values: Any) -> Complaint:
        """Write columns of a complaint that is there."""
        query = update(ComplaintRow).where(ComplaintRow.number == number).values(values).returning(ComplaintRow)
        return _complaint(session.scalars(query.execution_options(populate_existing=True)).one())

    def page(
        self, session: Session, statuses: Sequence[Status], owner: str | None, limit: int, offset: int
    ) -> tuple[Complaint, ...]:
        """Those with one of the statuses, and of an owner if one is named; those due first come first."""
        query = select(ComplaintRow).where(ComplaintRow.status.in_([status.value for status in statuses]))
        if owner is not None:
            query = query.where(ComplaintRow.owner == owner)
        rows = session.scalars(query.order_by(ComplaintRow.due_on, ComplaintRow.number).limit(limit).offset(offset))
        return tuple(_complaint(row) for row in rows)

    def running(self, session: Session, until: date) -> tuple[Complaint, ...]:
        """Those not closed whose last day is `until` or before, the most urgent first."""
        of = (ComplaintRow.status != Status.CLOSED.value, ComplaintRow.due_on <= until)
        query = select(ComplaintRow).where(*of).order_by(ComplaintRow.due_on, ComplaintRow.number)
        return tuple(_complaint(row) for row in session.scalars(query))

    def note(
        self,
        session: Session,
        number: int,
        kind: Step,
        actor: str,
        note: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Add an event."""
        values = {"complaint": number, "kind": kind.value, "actor": actor, "note": note, "detail": detail or {}}
        session.execute(insert(ComplaintEventRow).values(values))

    def events(self, session: Session, number: int) -> tuple[Event, ...]:
        """What was done about a complaint, the oldest first."""
        query = select(ComplaintEventRow).where(ComplaintEventRow.complaint == number).order_by(ComplaintEventRow.id)
        rows = session.scalars(query)
        return tuple(Event.model_validate({name: getattr(row, name) for name in Event.model_fields}) for row in rows)

    def heard(self, session: Session, trace_id: UUID) -> Heard | None:
        """A turn as a complaint; None when there is none that the session may see."""
        row = session.get(TurnRow, trace_id)
        return _heard(row) if row else None

    def unheard(self, session: Session, intent: str, since: datetime) -> tuple[Heard, ...]:
        """The turns of this intent since a moment of which there is no complaint, the oldest first."""
        opened = select(ComplaintRow.number).where(
            ComplaintRow.source == "conversation", ComplaintRow.source_id == cast(TurnRow.trace_id, TEXT)
        )
        query = select(TurnRow).where(TurnRow.intent == intent, TurnRow.at >= since, ~opened.exists())
        return tuple(_heard(row) for row in session.scalars(query.order_by(TurnRow.at)))


def _complaint(row: ComplaintRow) -> Complaint:
    return Complaint.model_validate({name: getattr(row, name) for name in Complaint.model_fields})


def _heard(row: TurnRow) -> Heard:
    language = "en" if row.language.startswith("en") else "zh"
    return Heard(
        trace_id=row.trace_id, customer_id=row.customer_id, at=row.at, language=language, text=row.inquiry["text"]
    )
