"""The desk of complaints: open, assign, extend, note, close, and see what is due. Each step is an event and an audit row.

All staff open and work on complaints; analysts, administrators and services assign. The second extension needs the word of
somebody else who is an analyst or administrator (the rule: of somebody higher; the bank says who holds those roles).
Knows nothing about HTTP or schedules.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooLarge
from openteller.core.records import MAX_INQUIRY_CHARACTERS, LocalText, Principal, Role
from openteller.core.text import han_share
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.insights.complaints import clock
from openteller.insights.complaints.records import Complaint, Event, NewComplaint, Origin, Status, Step
from openteller.insights.complaints.repository import ComplaintRepository, Heard
from openteller.store import audit
from openteller.store.database import Database

INTENT = "complaint_file"  #: of turns that are complaints
MAX_NOTE_CHARACTERS = 2_000
RUNNING = (Status.OPEN, Status.ASSIGNED)
_MANAGERS = (Role.ANALYST, Role.ADMIN, Role.SERVICE)
_APPROVERS = (Role.ANALYST, Role.ADMIN)
_CLOCK = Principal(subject="complaint-clock", role=Role.SERVICE)


class ComplaintDesk:
    """Complaints and their clock. Safe to share between threads.

    Args:
        database: where they are kept.
        alerts: where those that are due are raised.
        redact: drops secrets from a text and masks personal data in it.
        zone: IANA zone in which days are counted.
    """

    def __init__(self, database: Database, alerts: AlertDesk, *, redact: Callable[[str], str], zone: str) -> None:
        self._database, self._alerts, self._complaints = database, alerts, ComplaintRepository()
        self._redact, self._zone = redact, zone

    @property
    def today(self) -> date:
        """The bank's date."""
        return local_date(utc_now(), self._zone)

    def open(
        self,
        principal: Principal,
        text: str,
        *,
        customer_id: str | None = None,
        source: Origin = Origin.STAFF,
        source_id: str | None = None,
        received_on: date | None = None,
    ) -> Complaint:
        """Open a complaint; the one of the same source when there is one already.

        Args:
            principal: the member of staff who opens it.
            text: what the complainant said; personal data in it is masked.
            customer_id: whose it is, if known.
            source: where it was heard.
            source_id: what of that it came from, such as the answer to a survey.
            received_on: the day of receipt; None: today.

        Raises:
            BadInput: the text is empty, or the day lies ahead.
            TooLarge: the text is over 4,000 characters.
            NotAllowed: the principal is no staff.
        """
        _require_staff(principal)
        said = self._redact(_short_enough(text, MAX_INQUIRY_CHARACTERS, "complaint"))
        received = received_on or self.today
        if not said:
            raise BadInput("The complaint is empty.", next_step="Write what the complainant said.")
        if received > self.today:
            raise BadInput("The day of receipt lies ahead.", next_step="Give the day on which it came in.")
        language = "zh" if han_share(said) >= 0.5 else "en"
        new = NewComplaint(
            source=source,
            source_id=source_id,
            customer_id=customer_id,
            language=language,
            text=said,
            received_on=received,
        )
        with self._database.session(principal) as session:
            return self._open(session, principal, new)

    def open_from_turn(self, principal: Principal, trace_id: UUID) -> Complaint:
        """Open the complaint that somebody made in a turn. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            heard = self._complaints.heard(session, trace_id)
            if heard is None:
                raise NotFound("There is no such turn.", next_step="Take the trace id of a turn.")
            return self._open(session, principal, self._of_turn(heard))

    def collect(self, since: datetime) -> tuple[Complaint, ...]:
        """Open a complaint for every turn since a moment (UTC) that was understood as one; for schedules."""
        with self._database.session(_CLOCK) as session:
            heard = self._complaints.unheard(session, INTENT, since)
            return tuple(self._open(session, _CLOCK, self._of_turn(one)) for one in heard)

    def list(
        self,
        principal: Principal,
        *,
        statuses: tuple[Status, ...] = RUNNING,
        owner: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Complaint, ...]:
        """Complaints, those due first come first. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._complaints.page(session, statuses, owner, limit, offset)

    def get(self, principal: Principal, number: int) -> tuple[Complaint, tuple[Event, ...]]:
        """A complaint and what was done about it, the oldest first. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return _known(self._complaints.get(session, number)), self._complaints.events(session, number)

    def assign(self, principal: Principal, number: int, owner: str) -> Complaint:
        """Give a complaint to somebody, or to somebody else.

        Raises:
            NotFound: there is no such complaint.
            Conflict: it is closed.
            BadInput: the owner has no name.
            NotAllowed: the principal may not assign; an agent may take one for themselves.
        """
        _require_staff(principal)
        if principal.role not in _MANAGERS and owner != principal.subject:
            raise NotAllowed(
                "An agent takes complaints, and gives none away.", next_step="Ask an analyst to assign it."
            )
        if not owner.strip() or len(owner) > 200:
            raise BadInput("This is no name of an owner.", next_step="Give the user name of a member of staff.")
        with self._database.session(principal) as session:
            self._changeable(session, number)
            changed = self._complaints.change(session, number, owner=owner, status=Status.ASSIGNED.value)
            self._step(session, principal, number, Step.ASSIGNED, "", {"owner": owner})
        return changed

    def note(self, principal: Principal, number: int, note: str) -> Complaint:
        """Add what was done or said. Raises NotFound, Conflict (it is closed), BadInput, TooLarge, NotAllowed."""
        _require_staff(principal)
        said = self._said(note, "note")
        with self._database.session(principal) as session:
            found = self._changeable(session, number)
            self._step(session, principal, number, Step.NOTED, said, {})
        return found

    def extend(
        self,
        principal: Principal,
        number: int,
        reason: str,
        *,
        asked_by: str = "",
        informed: bool = False,
    ) -> Complaint:
        """Give a complaint more time: to 30 days from receipt, then to 60 (clock.py has the rule).

        Args:
            principal: who extends it; the second time who approves that: an analyst or administrator.
            number: the complaint.
            reason: why; kept with it.
            asked_by: who asked for the second extension: somebody else than who approves it.
            informed: that the complainant was told of the second.

        Raises:
            NotFound: there is no such complaint.
            Conflict: it is closed, its time is over, or was extended twice.
            BadInput: no reason; or the second lacks who asked for it, or notice.
            NotAllowed: the principal may not approve the second.
        """
        _require_staff(principal)
        why = self._said(reason, "reason")
        with self._database.session(principal) as session:
            found = self._changeable(session, number)
            _extendable(found, self.today)
            if clock.needs_approval(found.extensions):
                _approved(principal, asked_by, informed)
            due = clock.due_on(found.received_on, found.extensions + 1)
            changed = self._complaints.change(session, number, due_on=due, extensions=found.extensions + 1)
            detail = {
                "due_on": due.isoformat(),
                "asked_by": asked_by,
                "informed": informed,
            }
            self._step(session, principal, number, Step.EXTENDED, why, detail)
        return changed

    def close(self, principal: Principal, number: int, decision: str, *, informed: bool) -> Complaint:
        """Close a complaint with what was decided, once the complainant has been told.

        Raises:
            NotFound: there is no such complaint.
            Conflict: it is closed.
            BadInput: no decision, or the complainant was not told.
            TooLarge: the decision is over 2,000 characters.
            NotAllowed: the principal is no staff.
        """
        _require_staff(principal)
        decided = self._said(decision, "decision")
        if not informed:
            raise BadInput("The complainant has not been told.", next_step="Tell them the decision, then close it.")
        now = utc_now()
        with self._database.session(principal) as session:
            found = self._changeable(session, number)
            changed = self._complaints.change(
                session, number, status=Status.CLOSED.value, closed_at=now, decision=decided
            )
            detail = {"days": (self.today - found.received_on).days, "late": self.today > found.due_on}
            self._step(session, principal, number, Step.CLOSED, decided, detail)
        return changed

    def due(self, today: date | None = None) -> tuple[Complaint, ...]:
        """Those that are overdue or due within three days, each raised as an alert once for each last day; for schedules."""
        now = today or self.today
        with self._database.session(_CLOCK) as session:
            found = self._complaints.running(session, now + timedelta(days=clock.WARN_DAYS))
            for one in found:
                self._alerts.raise_in(session, _alert(one, now))
        return found

    def _open(self, session: Session, principal: Principal, new: NewComplaint) -> Complaint:
        made = self._complaints.add(session, new, clock.due_on(new.received_on, 0), principal.subject)
        if made is None:
            return self._complaints.of_source(session, new)
        detail = {"source": new.source.value, "due_on": made.due_on.isoformat()}
        self._step(session, principal, made.number, Step.OPENED, "", detail)
        return made

    def _of_turn(self, heard: Heard) -> NewComplaint:
        # Masked when the turn was stored, and again: the rules may have learned since.
        return NewComplaint(
            source=Origin.CONVERSATION,
            source_id=str(heard.trace_id),
            customer_id=heard.customer_id,
            language=heard.language,
            text=self._redact(heard.text),
            received_on=local_date(heard.at, self._zone),
        )

    def _changeable(self, session: Session, number: int) -> Complaint:
        """The complaint, locked: of two who change it at once, the second sees what the first did."""
        found = _known(self._complaints.get(session, number, lock=True))
        if found.status is Status.CLOSED:
            raise Conflict("This complaint is closed.", next_step="If there is something new, open another one.")
        return found

    def _step(
        self, session: Session, principal: Principal, number: int, kind: Step, note: str, detail: dict[str, Any]
    ) -> None:
        self._complaints.note(session, number, kind, principal.subject, note, detail)
        audit.record(session, principal.subject, f"complaint.{kind}", str(number), detail)

    def _said(self, text: str, what: str) -> str:
        said = self._redact(_short_enough(text, MAX_NOTE_CHARACTERS, what))
        if not said:
            raise BadInput(f"The {what} is empty.", next_step="Write it: it is kept with the complaint.")
        return said


def _extendable(found: Complaint, today: date) -> None:
    if not clock.may_extend(found.extensions):
        raise Conflict("This complaint was extended twice.", next_step=f"Decide it by {found.due_on}.")
    if today > found.due_on:
        raise Conflict(
            "Its time is over, and cannot be extended any more.", next_step="Decide it now and tell the complainant."
        )


def _approved(approver: Principal, asked_by: str, informed: bool) -> None:
    if approver.role not in _APPROVERS or asked_by == approver.subject:
        raise NotAllowed(
            "The second extension needs approval.",
            cause="It takes an analyst or administrator, and not whoever asked for it.",
            next_step="Ask one of them to extend it for you.",
        )
    if not asked_by.strip():
        raise BadInput("Nobody has asked for this extension.", next_step="Name who did: somebody else approves it.")
    if not informed:
        raise BadInput("The complainant has not been told.", next_step="Tell them that it takes longer, then extend.")


def _alert(one: Complaint, today: date) -> NewAlert:
    left = one.days_left(today)
    late = left < 0
    zh = f"投诉 {one.number} 已超期 {-left} 天" if late else f"投诉 {one.number} 还剩 {left} 天"
    en = f"Complaint {one.number} is {-left} days late" if late else f"Complaint {one.number} is due in {left} days"
    return NewAlert(
        kind="complaint.overdue" if late else "complaint.due",
        key=f"complaint {one.number} {'overdue' if late else 'due'} {one.due_on}",
        severity=Severity.CRITICAL if late else Severity.WARNING,
        title=LocalText(zh=zh, en=en),
        subject=str(one.number),
        link=f"/console/complaints/{one.number}",
        detail={"due_on": one.due_on.isoformat(), "owner": one.owner, "extensions": one.extensions},
    )


def _known(found: Complaint | None) -> Complaint:
    if found is None:
        raise NotFound("There is no such complaint.", next_step="See those that there are: teller complaints list.")
    return found


def _short_enough(text: str, most: int, what: str) -> str:
    if len(text) > most:
        raise TooLarge(
            f"The {what} has {len(text):,} characters.", cause=f"At most {most:,} are taken.", next_step="Shorten it."
        )
    return text


def _require_staff(principal: Principal) -> None:
    if not principal.role.is_staff:
        raise NotAllowed(
            "Complaints are for the bank's staff.", next_step="Log in as an agent, analyst or administrator."
        )
