"""Where alerts are raised and acknowledged, each step with its row in the audit log.

Agents, analysts, administrators and services see alerts. What leaves the console is put into the outbox in the transaction
that stores the alert, and sent later (`delivering`). Knows nothing about what is watched, or how alerts are sent.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.insights.alerts.records import Alert, Delivery, DeliveryStatus, NewAlert, Routes
from openteller.insights.alerts.repository import AlertRepository
from openteller.store import audit
from openteller.store.database import Database

_WATCH = Principal(subject="watch", role=Role.SERVICE)
_STAFF = (Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE)


class AlertDesk:
    """Raise, list, acknowledge. Safe to share between threads.

    Args:
        database: where alerts are.
        routes: channels, and from which severity on each is used.
    """

    def __init__(self, database: Database, routes: Routes | None = None) -> None:
        self._database, self._alerts, self._routes = database, AlertRepository(), dict(routes or {})

    def raise_alert(self, new: NewAlert) -> Alert | None:
        """Store an alert in a transaction of its own; None when one with its key was raised before."""
        with self._database.session(_WATCH) as session:
            return self.raise_in(session, new)

    def raise_in(self, session: Session, new: NewAlert) -> Alert | None:
        """The same within the caller's transaction (of a staff principal): stored with what led to it, or not at all."""
        raised = self._alerts.add(session, new)
        if raised:
            channels = [c for c, least in self._routes.items() if raised.severity.number >= least.number]
            self._alerts.send(session, raised.id, channels)
            detail = {"kind": raised.kind, "severity": raised.severity, "subject": raised.subject}
            audit.record(session, _WATCH.subject, "alert.raised", str(raised.id), detail)
        return raised

    def latest_in(self, session: Session, kind: str, subject: str) -> Alert | None:
        """The newest alert of a kind about a subject, as the caller's transaction sees it."""
        return self._alerts.latest(session, kind, subject)

    def list(
        self, principal: Principal, *, open_only: bool = False, limit: int = 50, offset: int = 0, part: str = ""
    ) -> tuple[Alert, ...]:
        """Alerts, the newest first; `part`: those of one part, as ``trend``. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._alerts.page(session, open_only=open_only, limit=limit, offset=offset, part=part)

    def deliveries(
        self, principal: Principal, *, status: DeliveryStatus | None = None, limit: int = 50
    ) -> tuple[Delivery, ...]:
        """What was and will be sent, the newest first. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._alerts.deliveries(session, status=status, limit=limit)

    def acknowledge(self, principal: Principal, alert_id: UUID) -> Alert:
        """Note that the principal has seen it; whoever was first stays noted. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            seen = self._alerts.acknowledge(session, alert_id, principal.subject)
            if seen is None:
                raise NotFound("There is no such alert.", next_step="Take an id from the list of alerts.")
            audit.record(session, principal.subject, "alert.acknowledged", str(alert_id), {"kind": seen.kind})
        return seen


def _require_staff(principal: Principal) -> None:
    if principal.role not in _STAFF:
        raise NotAllowed("Alerts are for the bank's staff.", next_step="Log in as an agent, analyst or administrator.")
