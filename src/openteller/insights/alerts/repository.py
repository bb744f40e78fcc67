"""Alerts in the store, in the caller's transaction; row-level security lets staff alone see them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.records import LocalText
from openteller.insights.alerts.records import Alert, Channel, Delivery, DeliveryStatus, NewAlert, Severity
from openteller.store.tables import AlertRow, DeliveryRow


class AlertRepository:
    """Every method works in the caller's transaction."""

    def add(self, session: Session, new: NewAlert) -> Alert | None:
        """Store an alert; None when one with its key was raised before."""
        values = new.model_dump(mode="json", exclude={"title"}) | {"title_zh": new.title.zh, "title_en": new.title.en}
        query = insert(AlertRow).values(values).on_conflict_do_nothing(index_elements=[AlertRow.key])
        row = session.scalars(query.returning(AlertRow)).one_or_none()
        return _alert(row) if row else None

    def page(self, session: Session, *, open_only: bool, limit: int, offset: int, part: str = "") -> tuple[Alert, ...]:
        """Alerts, the newest first; `open_only`: those that nobody has acknowledged; `part`: of kinds that begin so."""
        query = select(AlertRow).order_by(AlertRow.raised_at.desc(), AlertRow.id)
        if part:
            query = query.where(AlertRow.kind.startswith(f"{part}.", autoescape=True))
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

    def send(self, session: Session, alert_id: UUID, channels: Collection[Channel]) -> None:
        """Put an alert into the outbox, once a channel."""
        if channels:
            rows = [{"alert_id": alert_id, "channel": channel.value} for channel in channels]
            session.execute(insert(DeliveryRow), rows)

    def claim(
        self, session: Session, now: datetime, lease: timedelta, channels: Collection[Channel]
    ) -> Delivery | None:
        """Take the delivery of these channels that is due longest, begin an attempt, and keep others off it for `lease`.

        None when none is due.
        """
        due = (
            select(DeliveryRow.id)
            .where(DeliveryRow.status == DeliveryStatus.WAITING.value, DeliveryRow.next_at <= now)
            .where(DeliveryRow.channel.in_(channels))
            .order_by(DeliveryRow.next_at, DeliveryRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        found = session.scalar(due)
        if found is None:
            return None
        begun = {"attempts": DeliveryRow.attempts + 1, "next_at": now + lease}
        session.execute(update(DeliveryRow).where(DeliveryRow.id == found).values(begun))
        row, alert = session.execute(_deliveries().where(DeliveryRow.id == found)).one()
        return _delivery(row, alert)

    def settle(
        self,
        session: Session,
        delivery: Delivery,
        status: DeliveryStatus,
        *,
        error: str = "",
        next_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> None:
        """Note how an attempt ended, unless a later one has begun since."""
        values = {"status": status.value, "last_error": error, "ended_at": ended_at}
        if next_at:
            values["next_at"] = next_at
        same = (DeliveryRow.id == delivery.id, DeliveryRow.attempts == delivery.attempts)
        session.execute(update(DeliveryRow).where(*same, DeliveryRow.ended_at.is_(None)).values(values))

    def deliveries(self, session: Session, *, status: DeliveryStatus | None, limit: int) -> tuple[Delivery, ...]:
        """Deliveries, the newest first; of one status or all."""
        query = _deliveries().order_by(DeliveryRow.created_at.desc(), DeliveryRow.id)
        if status:
            query = query.where(DeliveryRow.status == status.value)
        return tuple(_delivery(row, alert) for row, alert in session.execute(query.limit(limit)))


def _deliveries() -> Select[DeliveryRow, AlertRow]:
    query = select(DeliveryRow, AlertRow).join(AlertRow, AlertRow.id == DeliveryRow.alert_id)
    return query.execution_options(populate_existing=True)


def _delivery(row: DeliveryRow, alert: AlertRow) -> Delivery:
    return Delivery(
        id=row.id,
        alert=_alert(alert),
        channel=Channel(row.channel),
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        next_at=row.next_at,
        last_error=row.last_error,
        ended_at=row.ended_at,
    )


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
