"""The audit log: appended by anyone, changed by no one, and a change by force shows."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from openteller.core.errors import NotAllowed
from openteller.store import audit
from openteller.store.audit import AuditCheck
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from tests.store.people import AGENT, ANN, VISITOR

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def append(database: Database, count: int) -> None:
    for number in range(count):
        with database.session(VISITOR) as session:
            audit.record(session, "visitor:one", "turn.saved", f"turn {number}", {"第": number, "rate": 1.50})


def check(database: Database) -> AuditCheck:
    with database.session(AGENT) as session:
        return audit.verify(session)


def force(database: Database, statement: str) -> None:
    """What somebody with the owner's rights could do, having lifted the trigger."""
    with database.owner_session() as session:
        session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        session.execute(text(statement))
        session.execute(text("ALTER TABLE audit_log ENABLE ALWAYS TRIGGER append, ENABLE ALWAYS TRIGGER refuse"))


def test_an_empty_log_is_intact(clean: Database) -> None:
    assert check(clean) == AuditCheck(intact=True, rows=0, head="00" * 32)


def test_each_row_continues_the_one_before(clean: Database) -> None:
    append(clean, 3)
    found = check(clean)
    assert (found.intact, found.rows) == (True, 3)
    with clean.session(AGENT) as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.previous_hash for row in rows] == [bytes(32), rows[0].hash, rows[1].hash]
    assert found.head == rows[2].hash.hex()


@given(actor=TEXT, action=TEXT, subject=TEXT, detail=st.dictionaries(TEXT, JSON, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_recorded_verifies(
    clean: Database, actor: str, action: str, subject: str, detail: dict[str, Any]
) -> None:
    with clean.session(None) as session:
        audit.record(session, actor, action, subject, detail)
    assert check(clean).intact


def test_a_transaction_taken_back_leaves_no_gap(clean: Database) -> None:
    append(clean, 1)
    with clean.session(VISITOR) as session:
        audit.record(session, "visitor:one", "turn.saved", "lost", {})
        session.rollback()
    append(clean, 1)
    found = check(clean)
    assert (found.intact, found.rows) == (True, 2)


def test_concurrent_writers_make_one_chain(clean: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: append(clean, 10), range(4)))
    found = check(clean)
    assert (found.intact, found.rows, found.reason) == (True, 40, "")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_even_the_owner_cannot_change_it(clean: Database, statement: str) -> None:
    append(clean, 1)
    with pytest.raises(NotAllowed, match="append-only"), clean.owner_session() as session:
        session.execute(text(f"SET LOCAL session_replication_role = replica; {statement}"))
    assert check(clean).rows == 1


def test_the_trigger_decides_number_moment_and_hash(clean: Database) -> None:
    append(clean, 1)
    forged = "INSERT INTO audit_log VALUES (99, '2001-01-01', 'a', 'b', 'c', '{}', 'x', 'y')"
    with clean.session(VISITOR) as session:
        session.execute(text(forged))
    assert check(clean).intact
    with clean.session(AGENT) as session:
        row = session.get_one(AuditRow, 2)
        assert row.at.year > 2001


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("UPDATE audit_log SET actor = 'nobody' WHERE seq = 2", 2, "changed"),
        ("UPDATE audit_log SET detail = '{}' WHERE seq = 3", 3, "changed"),
        ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE seq = 1", 1, "changed"),
        ("UPDATE audit_log SET action = subject, subject = action WHERE seq = 2", 2, "changed"),
        ("UPDATE audit_log SET previous_hash = hash WHERE seq = 2", 2, "continue"),
        ("DELETE FROM audit_log WHERE seq = 2", 3, "missing"),
        ("DELETE FROM audit_log WHERE seq = 1", 2, "missing"),
    ],
)
def test_a_change_by_force_shows(clean: Database, statement: str, broken_at: int, reason: str) -> None:
    append(clean, 4)
    force(clean, statement)
    found = check(clean)
    assert (found.intact, found.broken_at) == (False, broken_at)
    assert reason in found.reason


def test_only_staff_reads_and_verifies(clean: Database) -> None:
    append(clean, 1)
    for principal in (None, VISITOR, ANN):
        with clean.session(principal) as session:
            assert session.scalars(select(AuditRow)).all() == []
            with pytest.raises(NotAllowed):
                audit.verify(session)


def test_a_page_is_the_latest_rows_that_fit(clean: Database) -> None:
    append(clean, 3)
    with clean.session(AGENT) as session:
        audit.record(session, "agent.li", "hand_off.taken", "turn 1", {})
    with clean.session(AGENT) as session:
        assert [entry.seq for entry in audit.page(session)] == [4, 3, 2, 1]
        assert [entry.seq for entry in audit.page(session, limit=2, before=4)] == [3, 2]
        assert [entry.seq for entry in audit.page(session, action="hand_off")] == [4]
        assert [entry.seq for entry in audit.page(session, subject="turn 1")] == [4, 2]
        assert [entry.seq for entry in audit.page(session, actor="visitor:one", subject="turn 1")] == [2]
        assert audit.page(session, action="hand%") == []
    with clean.session(ANN) as session:
        assert audit.page(session) == []
