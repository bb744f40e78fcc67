"""What every test may stand on: one embedded PostgreSQL for the whole run, migrated, on a directory of its own.

Nobody's own settings reach a test: OPENTELLER_* variables are cleared before the first module is imported.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from openteller.store.database import Database
from openteller.store.embedded import EmbeddedPostgres
from openteller.store.tables import Base

# No settings of an installation: where training data lies, and the switch that rewrites recorded files.
_KEPT = frozenset({"OPENTELLER_DATA", "OPENTELLER_REFRESH"})


def pytest_configure() -> None:
    """Clear the settings of whoever runs the tests, for this process and those it starts."""
    # No property is timed: the machine may be busy.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Threads of two workers on two cores wait for each other's: many times slower than one thread each.
        os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for name in [name for name in os.environ if name.upper().startswith("OPENTELLER_") and name not in _KEPT]:
        del os.environ[name]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Deal out whole files, and as one piece all that walks the real road: it stands on one loaded bank."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, _ = nodeid.partition("::")
            return "tests/acceptance" if file.startswith("tests/acceptance/") else file

    return ByFixture(config, log)


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A temporary directory whose path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def database_urls() -> Iterator[tuple[str, str]]:
    """Application and owner URL of the run's embedded server."""
    with tempfile.TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as directory:
        server = EmbeddedPostgres(Path(directory))
        urls = server.start()
        _hurry(urls[1])
        yield urls
        server.stop()


def _hurry(owner_url: str) -> None:
    """Let this server skip the disk: its data need not outlive the run (tests of survival start their own)."""
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    """The run's database, migrated. Take `clean` as well when the test writes or counts rows."""
    database = Database(*database_urls)
    database.upgrade()
    yield database
    database.dispose()


@pytest.fixture
def clean(database: Database) -> Database:
    """The run's database with every table of ours emptied, identities restarted."""
    names = [table.name for table in Base.metadata.sorted_tables]
    holds_rows = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
    with database.owner_session() as session:
        filled = list(session.scalars(text(holds_rows)))
        if "audit_log" in filled:
            # The audit log refuses truncation; its owner, and only its owner, can lift that.
            session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER refuse"))
        if filled:
            session.execute(text(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE"))
        if "audit_log" in filled:
            session.execute(text("ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse"))
    return database
