"""The append-only audit log: who did what to what, each row chained to the one before by SHA-256.

A trigger in the database numbers and hashes each row under a lock that lasts until the transaction ends, so call
`record` late in a transaction; updates, deletions and truncation raise for everyone. `verify` computes the hashes anew
in Python, so that a changed trigger shows too.

What is not covered: a superuser who drops the last rows, or rewrites every row from some point on, leaves a chain that
fits. Keep `AuditCheck.rows` and `AuditCheck.head` outside the database to notice that.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import Text, cast, func, insert, select
from sqlalchemy.orm import Session

from openteller.core.errors import NotAllowed
from openteller.core.records import Record, Role
from openteller.store.tables import AuditRow

GENESIS = bytes(32)


class AuditCheck(Record):
    """What walking the chain found."""

    intact: bool
    rows: int = Field(description="rows walked, up to and with the first bad one")
    head: str = Field(description="hash of the last good row, hexadecimal; zeros for an empty log")
    broken_at: int | None = Field(default=None, description="seq of the first row that does not fit")
    reason: str = ""


def record(session: Session, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Append one row in the caller's transaction.

    Args:
        session: the caller's; any principal may append.
        actor: who did it (a principal's subject).
        action: what was done, as `thing.verb` (`turn.saved`).
        subject: to what it was done (an identifier).
        detail: what a person needs to follow it, as JSON; no secrets and no personal data in clear.
    """
    # Without RETURNING: whoever appends may not be allowed to read.
    row = {"actor": actor, "action": action, "subject": subject, "detail": detail}
    session.execute(insert(AuditRow.__table__).values(**row).inline())  # type: ignore[arg-type]


class AuditEntry(Record):
    """One row as it was recorded."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def entries(session: Session, actions: Collection[str], subject: str | None = None) -> list[AuditEntry]:
    """The rows of these actions, of one subject or of all, the oldest first; none unless the principal is staff."""
    columns = (AuditRow.seq, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject, AuditRow.detail)
    query = select(*columns).where(AuditRow.action.in_(actions)).order_by(AuditRow.seq)
    rows = session.execute(query if subject is None else query.where(AuditRow.subject == subject))
    return [AuditEntry.model_validate(row, from_attributes=True) for row in rows]


def page(
    session: Session,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    limit: int = 100,
    before: int | None = None,
) -> list[AuditEntry]:
    """The latest rows, the newest first; none unless the principal is staff.

    Args:
        session: the caller's.
        actor: who did it, exactly; empty: anybody.
        action: how the action begins (`hand_off`); empty: any.
        subject: to what it was done, exactly; empty: to anything.
        limit: most rows to give.
        before: only rows numbered below this one; None: from the last.
    """
    columns = (AuditRow.seq, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject, AuditRow.detail)
    query = select(*columns).order_by(AuditRow.seq.desc()).limit(limit)
    if actor:
        query = query.where(AuditRow.actor == actor)
    if action:
        query = query.where(AuditRow.action.startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditRow.subject == subject)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return [AuditEntry.model_validate(row, from_attributes=True) for row in session.execute(query)]


def verify(session: Session) -> AuditCheck:
    """Walk the whole chain.

    Raises:
        NotAllowed: the session's principal is not staff and would see an empty log.
    """
    if session.scalar(select(func.current_setting("openteller.role", True))) not in {r for r in Role if r.is_staff}:
        raise NotAllowed("Only staff may verify the audit log.", next_step="Use a staff login.")
    columns = (AuditRow.seq, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject)
    stored = (cast(AuditRow.detail, Text), AuditRow.previous_hash, AuditRow.hash)
    query = select(*columns, *stored).order_by(AuditRow.seq).execution_options(yield_per=5_000)
    count, head = 0, GENESIS
    with session.execute(query) as rows:
        for seq, at, actor, action, subject, detail, previous, stored_hash in rows:
            count += 1
            reason = ""
            if seq != count:
                reason = f"Row {count} is missing."
            elif previous != head:
                reason = "The row does not continue the one before."
            elif stored_hash != row_hash(previous, seq, at, actor, action, subject, detail):
                reason = "The row was changed after it was written."
            if reason:
                return AuditCheck(intact=False, rows=count, head=head.hex(), broken_at=seq, reason=reason)
            head = stored_hash
    return AuditCheck(intact=True, rows=count, head=head.hex())


def row_hash(previous: bytes, seq: int, at: datetime, actor: str, action: str, subject: str, detail: str) -> bytes:
    """SHA-256 over the previous hash and the row's fields as netstrings (D. J. Bernstein, 1997), in this order.

    Args:
        previous: hash of the row before, 32 bytes; zeros for the first.
        seq: number of the row, from 1.
        at: moment in UTC, written as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``.
        actor: as stored.
        action: as stored.
        subject: as stored.
        detail: PostgreSQL's text form of the jsonb value.
    """
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = (part.encode() for part in (str(seq), moment, actor, action, subject, detail))
    return hashlib.sha256(previous + b"".join(b"%d:%s," % (len(field), field) for field in fields)).digest()
