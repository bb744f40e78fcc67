"""Kill -9 during traffic: no acknowledged turn is lost, no half turn is stored, and the audit chain holds."""

import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import func, select

from openteller.store import audit
from openteller.store.database import Database
from openteller.store.embedded import EmbeddedPostgres
from openteller.store.tables import AuditRow, ConversationRow, HandOffRow, OfferEventRow, TurnRow
from tests.store.people import AGENT

TRAFFIC = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from openteller.core.records import Outcome
from openteller.store.database import Database
from openteller.store.embedded import EmbeddedPostgres
from tests.store.people import VISITOR
from tests.store.test_turns import a_turn, save

database = Database(*EmbeddedPostgres(Path(sys.argv[1])).start())
database.upgrade()

def serve(_):
    turn = save(database, VISITOR, a_turn(Outcome.HANDED_OFF))
    sys.stdout.write(f"{turn.inquiry.trace_id}\\n")
    sys.stdout.flush()

with ThreadPoolExecutor(3) as pool:
    list(pool.map(serve, range(100_000)))
"""


def acknowledged_until_killed(data_dir: Path, count: int) -> set[UUID]:
    """Trace ids that were acknowledged before the program and its database were killed in full traffic."""
    command = [sys.executable, "-c", TRAFFIC, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(count)]
        pid = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        everything = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for part in everything:
            if part.is_running():
                part.send_signal(signal.SIGKILL)
        process.kill()
        lines += process.stdout.readlines()
    psutil.wait_procs(everything, timeout=10)
    return {UUID(line.strip()) for line in lines if line.endswith("\n")}


def test_kill_9_in_full_traffic(short_dir: Path) -> None:
    acknowledged = acknowledged_until_killed(short_dir, 40)
    server = EmbeddedPostgres(short_dir)
    database = Database(*server.start())
    try:
        with database.session(AGENT) as session:
            stored = set(session.scalars(select(TurnRow.trace_id)))
            parts = [
                session.scalar(select(func.count()).select_from(table))
                for table in (ConversationRow, HandOffRow, OfferEventRow, AuditRow)
            ]
            check = audit.verify(session)
        assert len(acknowledged) >= 40
        assert acknowledged <= stored
        assert parts == [len(stored)] * 4
        assert (check.intact, check.rows) == (True, len(stored))
    finally:
        database.dispose()
        server.stop()
