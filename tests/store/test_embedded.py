"""The embedded server: what it creates, and what it survives."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from openteller.core.errors import ConfigurationError
from openteller.store.embedded import EmbeddedPostgres

HOLDER = """
import sys
from pathlib import Path
import psycopg
from sqlalchemy import make_url
from openteller.store.embedded import EmbeddedPostgres

server = EmbeddedPostgres(Path(sys.argv[1]))
_, owner = server.start()
url = make_url(owner)
with psycopg.connect(host=url.query["host"], dbname=url.database, user=url.username) as connection:
    connection.execute("SELECT pg_advisory_xact_lock(1)")
    connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
    connection.execute("INSERT INTO kept VALUES (7)")
print("ready", flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def other_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server of `data_dir`, has committed a row, and leaves when its stdin closes."""
    command = [sys.executable, "-c", HOLDER, str(data_dir)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    parts = make_url(url)
    return psycopg.connect(host=str(parts.query["host"]), dbname=parts.database, user=parts.username)


def ask(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a container without an init leaves zombies."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_it_creates_the_database_and_an_application_role_without_rights(short_dir: Path) -> None:
    server = EmbeddedPostgres(short_dir)
    app, owner = server.start()
    try:
        rights = "rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication"
        assert ask(app, "SELECT current_user || '@' || current_database()") == "openteller_app@openteller"
        assert ask(
            owner,
            f"SELECT ({rights}) = (false, false, false, false, false) FROM pg_roles WHERE rolname = 'openteller_app'",
        )
        assert ask(owner, "SHOW fsync") == "on"
        assert ask(owner, "SHOW listen_addresses") == ""
        assert ask(owner, "SHOW shared_buffers") == "64MB"
    finally:
        server.stop()


def test_nobody_else_on_the_machine_can_reach_the_socket(short_dir: Path) -> None:
    server = EmbeddedPostgres(short_dir)
    server.start()
    try:
        assert stat.S_IMODE((short_dir / "postgres").stat().st_mode) == 0o700
    finally:
        server.stop()


def test_stop_stops_it_and_a_second_start_keeps_the_data(short_dir: Path) -> None:
    server = EmbeddedPostgres(short_dir)
    _, owner = server.start()
    with connect(owner) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    process = postmaster(short_dir)
    server.stop()
    assert not alive(process)
    _, owner = server.start()
    try:
        assert ask(owner, "SELECT number FROM kept") == 7
    finally:
        server.stop()


def test_kill_9_of_the_program_leaves_a_server_that_the_next_start_joins(short_dir: Path) -> None:
    with other_process(short_dir) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = postmaster(short_dir)
    assert alive(left)
    server = EmbeddedPostgres(short_dir)
    _, owner = server.start()
    assert postmaster(short_dir).pid == left.pid
    assert ask(owner, "SELECT number FROM kept") == 7
    server.stop()
    assert not alive(left), "the killed process must not count as a user of the server"


def test_kill_9_of_everything_loses_nothing_committed(short_dir: Path) -> None:
    with other_process(short_dir) as process:
        everything = [postmaster(short_dir), *postmaster(short_dir).children(recursive=True)]
        process.send_signal(signal.SIGKILL)
        for part in everything:
            if part.is_running():
                part.send_signal(signal.SIGKILL)
        psutil.wait_procs(everything, timeout=10)
    server = EmbeddedPostgres(short_dir)
    _, owner = server.start()
    try:
        assert ask(owner, "SELECT number FROM kept") == 7
    finally:
        server.stop()


def test_kill_9_of_the_postmaster_alone_is_recovered_from(short_dir: Path) -> None:
    with other_process(short_dir):
        postmaster(short_dir).send_signal(signal.SIGKILL)
        server = EmbeddedPostgres(short_dir)
        _, owner = server.start()
        try:
            assert ask(owner, "SELECT number FROM kept") == 7
        finally:
            server.stop()


def test_a_pid_file_that_now_names_another_process_is_forgotten(short_dir: Path) -> None:
    server = EmbeddedPostgres(short_dir)
    server.start()
    pid_file = short_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    _, owner = server.start()
    try:
        assert ask(owner, "SELECT 1") == 1
    finally:
        server.stop()


def test_two_processes_share_one_server_and_the_last_one_stops_it(short_dir: Path) -> None:
    server = EmbeddedPostgres(short_dir)
    with other_process(short_dir) as process:
        shared = postmaster(short_dir)
        _, owner = server.start()
        assert postmaster(short_dir).pid == shared.pid
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0
        assert ask(owner, "SELECT number FROM kept") == 7
    server.stop()
    assert not alive(shared)


def test_a_start_that_was_cut_off_in_the_middle_is_begun_anew(short_dir: Path) -> None:
    (short_dir / "postgres.new").mkdir()
    (short_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(short_dir)
    _, owner = server.start()
    try:
        assert ask(owner, "SELECT 1") == 1
        assert not (short_dir / "postgres.new").exists()
    finally:
        server.stop()


def test_a_path_too_long_for_a_socket_works(short_dir: Path) -> None:
    data_dir = short_dir / ("a long name " * 10).strip()
    server = EmbeddedPostgres(data_dir)
    app, _ = server.start()
    try:
        assert ask(app, "SELECT 1") == 1
    finally:
        server.stop()


def test_data_of_another_version_is_refused_with_the_way_out(short_dir: Path) -> None:
    (short_dir / "postgres").mkdir()
    (short_dir / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="PostgreSQL 14") as caught:
        EmbeddedPostgres(short_dir).start()
    assert "OPENTELLER_DATA_DIR" in caught.value.next_step


def test_processes_that_start_at_once_get_one_server(short_dir: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(short_dir)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) for _ in range(3)]
    said = [process.communicate("", timeout=120)[0] for process in processes]
    assert said == ["ready\n"] * 3
    assert [process.returncode for process in processes] == [0, 0, 0]
    server = EmbeddedPostgres(short_dir)
    _, owner = server.start()
    try:
        assert ask(owner, "SELECT count(*) FROM kept") == 3
    finally:
        server.stop()
