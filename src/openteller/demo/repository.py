"""Demo customers into the store by COPY, a batch a transaction, as the owner of the tables.

Knows nothing about how customers are made. What is not covered: an owner whom row-level security binds; PostgreSQL
lets nobody COPY into a table whose policies hold for them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.orm import Session

from openteller.core.errors import ConfigurationError, Unavailable
from openteller.core.records import Principal, Record
from openteller.demo.conversations import ToldTurn
from openteller.demo.customers import CustomerBundle
from openteller.store import audit
from openteller.store.tables import (
    AccountRow,
    AuditRow,
    Base,
    BillRow,
    CardRow,
    ConsentRow,
    ConversationRow,
    CustomerRow,
    HoldingRow,
    OfferEventRow,
    RiskAssessmentRow,
    SatisfactionRow,
    ScheduledPaymentRow,
    TransactionRow,
    TurnRow,
)
from openteller.store.turns import turn_row

_LOCK = 0x64656D6F
_LOADED = "demo.documents_loaded"
_GIVEN_BY_STORE = frozenset({"transaction_id"})
_PARTS: tuple[tuple[type[Base], str], ...] = (
    (RiskAssessmentRow, "assessments"),
    (ConsentRow, "consents"),
    (AccountRow, "accounts"),
    (CardRow, "cards"),
    (TransactionRow, "transactions"),
    (ScheduledPaymentRow, "scheduled_payments"),
    (BillRow, "bills"),
    (HoldingRow, "holdings"),
)


class DemoRepository:
    """Bulk loading. Every method works in the caller's transaction: the owner's, for the audit log a service's."""

    def begin(self, session: Session) -> None:
        """Let one loader work at a time, until the transaction ends."""
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def phones(self, session: Session, customer_ids: Sequence[str]) -> dict[str, str]:
        """Which of these customers are stored, with their telephone numbers."""
        query = select(CustomerRow.customer_id, CustomerRow.phone).where(CustomerRow.customer_id.in_(customer_ids))
        return {customer_id: phone for customer_id, phone in session.execute(query)}

    def copy(self, session: Session, bundles: Sequence[CustomerBundle]) -> None:
        """Write whole customers that are not stored yet.

        Raises:
            ConfigurationError: row-level security binds the owner.
            Unavailable: PostgreSQL refused the rows.
        """
        try:
            _copy(session, CustomerRow, [bundle.customer for bundle in bundles])
            for table, part in _PARTS:
                _copy(session, table, [record for bundle in bundles for record in getattr(bundle, part)])
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported) as error:
            raise ConfigurationError(
                "The demo customers cannot be copied into the tables.",
                cause=str(error).strip(),
                next_step="Set OPENTELLER_DATABASE_OWNER_URL to a login that is superuser or has BYPASSRLS.",
            ) from error
        except psycopg.Error as error:
            raise Unavailable(
                "PostgreSQL refused the demo customers.",
                cause=str(error).strip(),
                next_step="Run `teller db upgrade`, then load again: what is stored already stays.",
            ) from error

    def loaded(self, session: Session) -> set[tuple[str, str]]:
        """(document_id, fingerprint) of every text that a load of the bank ever wrote, as the audit log has it."""
        details = session.scalars(select(AuditRow.detail).where(AuditRow.action == _LOADED))
        return {pair for detail in details for pair in detail["documents"].items()}

    def note_loaded(self, session: Session, fingerprints: Mapping[str, str]) -> None:
        """Note in the audit log, once, what a load is about to write: document_id → fingerprint."""
        known = self.loaded(session)
        new = {name: text for name, text in fingerprints.items() if (name, text) not in known}
        if new:
            audit.record(session, "demo", _LOADED, "bank", {"documents": new})

    def open_offers(self, session: Session, principal: Principal, product_ids: Sequence[str], at: datetime) -> None:
        """Note that a customer opened these offers at that moment, in no turn."""
        if product_ids:
            same = {"owner": principal.subject, "customer_id": principal.customer_id, "action": "opened", "at": at}
            session.execute(insert(OfferEventRow), [same | {"product_id": name} for name in product_ids])

    def customer_ids(self, session: Session, limit: int) -> list[str]:
        """The first customers, by number."""
        return list(session.scalars(select(CustomerRow.customer_id).order_by(CustomerRow.customer_id).limit(limit)))

    def has_no_turns(self, session: Session) -> bool:
        """Whether nobody has asked anything yet."""
        return session.scalar(select(TurnRow.trace_id).limit(1)) is None

    def add_turns(self, session: Session, told: Sequence[ToldTurn]) -> int:
        """Write what customers said on earlier days with what became of it, no audit row each; how many turns were new."""
        known = set(session.scalars(select(TurnRow.trace_id).where(TurnRow.trace_id.in_([t.trace_id for t in told]))))
        new = [t for t in told if t.trace_id not in known]
        if not new:
            return 0
        session.execute(insert_or_leave(ConversationRow).on_conflict_do_nothing(), [_conversation(t) for t in new])
        session.execute(insert(TurnRow), [turn_row(t.owner, t.turn) for t in new])
        ratings = [_rating(t) for t in new if t.rating is not None]
        events = [_event(t, offer.product_id, action) for t in new for offer in t.turn.offers for action in t.actions]
        for table, rows in ((SatisfactionRow, ratings), (OfferEventRow, events)):
            if rows:
                session.execute(insert(table), rows)
        return len(new)

    def analyse(self, session: Session) -> None:
        """Tell the planner how large the tables are now."""
        names = [CustomerRow.__tablename__, *(table.__tablename__ for table, _ in _PARTS)]
        session.execute(text(f"ANALYZE {', '.join(names)}"))


def _copy(session: Session, table: type[Base], records: Sequence[Record]) -> None:
    if not records:
        return
    names = [name for name in type(records[0]).model_fields if name not in _GIVEN_BY_STORE]
    driver: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.__tablename__), columns)
    fields = attrgetter(*names)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for record in records:
            # A tuple would be written as a composite value, a list is an array.
            copy.write_row([list(value) if isinstance(value, tuple) else value for value in fields(record)])


def _conversation(told: ToldTurn) -> dict[str, Any]:
    inquiry, owner = told.turn.inquiry, told.owner
    return {
        "conversation_id": inquiry.conversation_id,
        "owner": owner.subject,
        "customer_id": owner.customer_id,
        "channel": inquiry.channel,
        "started_at": inquiry.at,
    }


def _rating(told: ToldTurn) -> dict[str, Any]:
    return {"trace_id": told.trace_id, "owner": told.owner.subject, "rating": told.rating, "at": told.turn.inquiry.at}


def _event(told: ToldTurn, product_id: str, action: str) -> dict[str, Any]:
    owner = told.owner
    return {
        "owner": owner.subject,
        "customer_id": owner.customer_id,
        "product_id": product_id,
        "action": action,
        "trace_id": told.trace_id,
        "at": told.turn.inquiry.at,
    }
