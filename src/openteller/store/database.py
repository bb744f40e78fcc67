"""Connections and transactions: who asks decides what is seen.

`Database.session(principal)` is one transaction of the application role, with the principal written into settings
local to the transaction; the row-level security policies of the migrations read just those. The application role can
set any principal: naming the right one is the application's duty. `owner_session` is for migrations and bulk work.

With one URL only, or a login other than `openteller_app`, each application connection does SET ROLE; such a login can
go back to its own rights by RESET ROLE, so a bank gives the application a login of its own.
Knows nothing about tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateSchema

from openteller.core.errors import (
    BadInput,
    ConfigurationError,
    Conflict,
    NotAllowed,
    OpenTellerError,
    Unavailable,
)
from openteller.core.records import Principal, Role
from openteller.store import migrations

APP_ROLE = "openteller_app"
_OWNER = Principal(subject="owner", role=Role.SERVICE)
_MIGRATION_LOCK = 0x6F70656E74656C6C


class Database:
    """The application's and the owner's way into one PostgreSQL database. Connects when first used.

    Args:
        app_url: URL of the application login (`postgresql://…`).
        owner_url: URL of the login that owns the tables; None when `app_url` is that login.

    Raises:
        ConfigurationError: a URL is malformed or not PostgreSQL.
    """

    def __init__(self, app_url: str, owner_url: str | None = None) -> None:
        self._app = _engine(app_url, pool_size=10)
        self._owner = _engine(owner_url or app_url, pool_size=2)
        event.listen(self._app, "connect", _as_application)
        event.listen(self._owner, "connect", _in_utc)

    @contextmanager
    def session(self, principal: Principal | None) -> Iterator[Session]:
        """One transaction on behalf of `principal`; commits on success, rolls back on error.

        None sees no customer-owned row. Filter by customer_id or owner all the same: the policies guard, an index
        serves only the filter.

        Raises:
            NotAllowed: a row-level security policy or a missing grant refused a statement.
            Conflict: a row that exists already, or a reference to one that does not.
            BadInput: a value the database cannot hold.
            Unavailable: the database does not answer, or the tables are missing.
        """
        with _transaction(self._app, principal) as session:
            yield session

    @contextmanager
    def owner_session(self) -> Iterator[Session]:
        """One transaction as the owner of the tables, seeing every row: bulk loading, jobs.

        COPY needs an owner that is superuser or has BYPASSRLS, as the embedded one has.
        """
        with _transaction(self._owner, _OWNER) as session:
            yield session

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema up to `revision`, in one transaction; concurrent callers wait for each other."""
        with self._migrating() as connection:
            migrations.upgrade(connection, revision)

    def downgrade(self, revision: str = "base") -> None:
        """Take the schema down to `revision`, in one transaction. Data in dropped tables is lost."""
        with self._migrating() as connection:
            migrations.downgrade(connection, revision)

    def revision(self) -> str | None:
        """The revision of the schema as it stands; None when nothing was migrated yet."""
        with _translated(), self._owner.connect() as connection:
            return migrations.current(connection)

    def is_current(self) -> bool:
        """Whether the schema is at the newest revision."""
        return self.revision() == migrations.head()

    def ping(self) -> str:
        """The server's version, asked over an application connection. Raises Unavailable when it does not answer."""
        with self.session(None) as session:
            return str(session.scalar(text("SHOW server_version")))

    def side_schema(self, name: str) -> str:
        """The owner's URL for a library that keeps tables of its own: they land in the schema `name`, made if need be."""
        with self._owner.begin() as connection:
            connection.execute(CreateSchema(name, if_not_exists=True))
        return self._owner.url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(False)

    def side_conninfo(self, name: str) -> str:
        """How the application's role reaches the schema `name` on connections that a library opens for itself (libpq)."""
        url = self._app.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return make_conninfo(url, options=f"-c search_path={name} -c role={APP_ROLE}", application_name="openteller")

    def app_url(self) -> str:
        """The application's URL with its password, for worker processes that open connections of their own."""
        return self._app.url.render_as_string(hide_password=False)

    def dispose(self) -> None:
        """Close every connection."""
        self._app.dispose()
        self._owner.dispose()

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        with _translated(), self._owner.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            yield connection


def _engine(url: str, pool_size: int) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "The database URL cannot be read.",
            next_step="Write it like postgresql://user:password@host:5432/openteller.",
        ) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"The store needs PostgreSQL, not {parsed.get_backend_name()}.",
            next_step="Set OPENTELLER_DATABASE_URL to a postgresql:// URL, or leave it out for the embedded server.",
        )
    arguments = {"application_name": "openteller", "connect_timeout": 10}
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args=arguments,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
    )


def _in_utc(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.autocommit = True
    connection.execute("SET TIME ZONE 'UTC'")
    connection.autocommit = False


def _as_application(connection: psycopg.Connection[Any], record: object) -> None:
    """Make a new connection the application role's, and refuse one that row-level security would not hold."""
    _in_utc(connection, record)
    connection.autocommit = True
    try:
        if connection.info.user != APP_ROLE:
            connection.execute(f"SET ROLE {APP_ROLE}")
        unbound = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        row = connection.execute(unbound).fetchone()
        # Filtered vector searches go on until enough rows pass the filter, nearest first.
        connection.execute("SET hnsw.iterative_scan = strict_order")
    except psycopg.Error as error:
        raise ConfigurationError(
            f"The application role {APP_ROLE} cannot be used: {str(error).strip()}.",
            cause="The database was not prepared, or its login is not a member of that role.",
            next_step="Run `teller db upgrade` with OPENTELLER_DATABASE_OWNER_URL set to the owner's login.",
        ) from error
    if row is None or row[0]:
        raise ConfigurationError(
            f"The application role {APP_ROLE} may bypass row-level security.",
            next_step=f"As a superuser run: ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS.",
        )
    connection.autocommit = False


@contextmanager
def _transaction(engine: Engine, principal: Principal | None) -> Iterator[Session]:
    with _translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        # All three every time: a setting that somebody made for a whole connection must not outlive its owner.
        session.execute(
            select(
                func.set_config("openteller.subject", principal.subject if principal else "", True),
                func.set_config("openteller.role", principal.role.value if principal else "", True),
                func.set_config("openteller.customer_id", (principal.customer_id or "") if principal else "", True),
            )
        )
        yield session


@contextmanager
def _translated() -> Iterator[None]:
    """Database errors in the words of the error family."""
    try:
        yield
    except DBAPIError as error:
        raise _in_our_words(error) from error


def _in_our_words(error: DBAPIError) -> OpenTellerError:
    origin = error.orig
    diagnosis = origin.diag.message_primary if isinstance(origin, psycopg.Error) else None
    cause = diagnosis or type(origin).__name__
    if isinstance(origin, psycopg.errors.InsufficientPrivilege):
        return NotAllowed("The database refused this for whoever asked.", cause=cause)
    if isinstance(origin, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return Unavailable("The database lacks tables.", cause=cause, next_step="Run `teller db upgrade`.")
    if isinstance(origin, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        return Conflict("Two changes met in the database.", cause=cause, next_step="Try again.")
    if isinstance(error, IntegrityError):
        return Conflict("The change does not fit what is stored.", cause=cause, next_step="Read it again and retry.")
    if isinstance(error, DataError):
        return BadInput("A value cannot be stored.", cause=cause)
    step = "Check that PostgreSQL runs and that OPENTELLER_DATABASE_URL is right (`teller doctor`)."
    if isinstance(error, OperationalError):
        return Unavailable("The database does not answer.", cause=cause, next_step=step)
    return Unavailable("The database failed at a statement.", cause=cause, next_step=step)
