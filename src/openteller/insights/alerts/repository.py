"""Alerts in the store, in the caller's transaction; row-level security lets staff alone see them."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.records import LocalText
from openteller.insights.alerts.records import Alert, NewAlert, Severity
from openteller.store.tables import AlertRow


class AlertRepository:
    """Every method works in the caller's transaction."""

    def add(self, session: Session, new: NewAlert) -> Alert | None:
        """Store an alert; None when one with its key was raised before."""
        values = new.model_dump(mode="json", exclude={"title"}) | {"title_zh": new.title.zh, "title_en": new.title.en}
        query = insert(AlertRow).values(values).on_conflict_do_nothing(index_elements=[AlertRow.key])
        row = session.scalars(query.returning(AlertRow)).one_or_none()
        return _alert(row) if row else None

    def page(self, session: Session, *, open_only: bool, limit: int, offset: int) -> tuple[Alert, ...]:
        """Alerts, the newest first; `open_only`: those that nobody has acknowledged."""
        query = select(AlertRow).order_by(AlertRow.raised_at.desc(), AlertRow.id)
        if open_only:
            query = query.where(AlertRow.acknowledged_at.is_(None))
        return tuple(_alert(row) for row in session.scalars(query.limit(limit).offset(offset)))

    def latest(self, session: Session, kind: str, subject: str) -> Alert | None:
        """The newest alert of a kind about a subject."""
        query = select(AlertRow).where(AlertRow.kind == kind, AlertRow.subject == subject)
        row = session.scalars(query.order_by(AlertRow.raised_at.desc(), AlertRow.id).limit(1)).first()
        return _alert(row) if row else None

    def acknowledge(self, session: Session, alert_id: UUID, who: str) -> Alert | None:
        """Note that somebody has seen it; the first keeps it. None when there is no such alert."""
        values = {
            "acknowledged_by": func.coalesce(AlertRow.acknowledged_by, who),
            "acknowledged_at": func.coalesce(AlertRow.acknowledged_at, func.now()),
        }
        query = update(AlertRow).where(AlertRow.id == alert_id).values(values).returning(AlertRow)
        row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        return _alert(row) if row else None


def _alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id,
        kind=row.kind,
        key=row.key,
        severity=Severity(row.severity),
        title=LocalText(zh=row.title_zh, en=row.title_en),
        subject=row.subject,
        link=row.link,
        detail=row.detail,
        raised_at=row.raised_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
    )
