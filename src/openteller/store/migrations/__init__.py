"""Schema migrations by Alembic, run from code on an open connection. Knows nothing about where the database is.

Alembic is imported when something has to be migrated: at most starts nothing has, and importing it takes half a second.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from alembic.config import Config

_VERSIONS = Path(__file__).with_name("versions")


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate up to `revision` in the connection's transaction."""
    if revision == "head" and current(connection) == head():
        return
    from alembic import command

    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Migrate down to `revision` in the connection's transaction."""
    from alembic import command

    command.downgrade(_config(connection), revision)


def current(connection: Connection) -> str | None:
    """The revision the database stands at; None before the first."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


def head() -> str | None:
    """The newest revision there is: files are named by theirs, in order."""
    return max((file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py")), default=None)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    # A literal % would be read as interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
