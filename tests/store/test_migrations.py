"""The migrations: up, down, up again, and the same schema as the tables say."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, inspect, text

from openteller.store import migrations
from openteller.store.database import Database
from openteller.store.embedded import EmbeddedPostgres
from openteller.store.tables import Base


@pytest.fixture
def blank(short_dir: Path) -> Iterator[tuple[Database, str]]:
    """A database without any table, and its owner's URL."""
    server = EmbeddedPostgres(short_dir)
    urls = server.start()
    database = Database(*urls)
    yield database, urls[1]
    database.dispose()
    server.stop()


def objects(url: str) -> dict[str, int]:
    """How many tables, functions and policies of ours there are."""
    engine = create_engine(url)
    counts = {
        "tables": "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
        "functions": "SELECT count(*) FROM pg_proc WHERE proname LIKE 'openteller%'",
        "policies": "SELECT count(*) FROM pg_policies",
        "extensions": "SELECT count(*) FROM pg_extension WHERE extname = 'vector'",
    }
    with engine.connect() as connection:
        found = {name: int(connection.scalar(text(query)) or 0) for name, query in counts.items()}
    engine.dispose()
    return found


def test_up_down_and_up_again(blank: tuple[Database, str]) -> None:
    database, owner_url = blank
    assert database.revision() is None
    database.upgrade()
    first = objects(owner_url)
    assert database.is_current()
    assert first["tables"] == len(Base.metadata.tables)
    assert first["extensions"] == 1
    assert first["policies"] > 0
    revisions = [
        revision.revision for revision in ScriptDirectory(migrations.__path__[0]).walk_revisions()
    ]  # the newest first
    assert migrations.head() == revisions[0]
    below = [objects(owner_url)]
    for revision in revisions[1:]:
        database.downgrade(revision)
        assert database.revision() == revision
        below.append(objects(owner_url))
    for revision, objects_then in list(zip(revisions, below, strict=True))[::-1]:
        database.upgrade(revision)
        assert objects(owner_url) == objects_then, revision
    database.upgrade()
    assert objects(owner_url) == first
    database.downgrade()
    assert database.revision() is None
    assert set(objects(owner_url).values()) == {0}
    database.upgrade()
    assert objects(owner_url) == first


def test_upgrading_what_is_current_changes_nothing(database: Database, database_urls: tuple[str, str]) -> None:
    before = objects(database_urls[1])
    database.upgrade()
    assert objects(database_urls[1]) == before


def test_the_migrated_schema_is_what_the_tables_say(database: Database, database_urls: tuple[str, str]) -> None:
    assert database.is_current()
    engine = create_engine(database_urls[1])
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        difference = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert difference == []


def test_checks_and_index_methods_are_what_the_tables_say(database: Database, database_urls: tuple[str, str]) -> None:
    """Alembic compares neither."""
    assert database.is_current()
    engine = create_engine(database_urls[1])
    inspector = inspect(engine)
    for name, table in Base.metadata.tables.items():
        checks = (constraint for constraint in table.constraints if isinstance(constraint, CheckConstraint))
        declared = {engine.dialect.identifier_preparer.format_constraint(check) for check in checks}
        assert {str(c["name"]) for c in inspector.get_check_constraints(name)} == declared
    methods = {i["name"]: i.get("dialect_options", {}) for i in inspector.get_indexes("passages")}
    engine.dispose()
    assert methods["ix_passages_embedding"]["postgresql_using"] == "hnsw"
    assert methods["ix_passages_lexemes"]["postgresql_using"] == "gin"


def test_upgrades_at_the_same_time_wait_for_each_other(blank: tuple[Database, str]) -> None:
    database, owner_url = blank
    others = [Database(owner_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(other.upgrade) for other in others]:
            done.result()
    for other in others:
        other.dispose()
    assert database.is_current()
