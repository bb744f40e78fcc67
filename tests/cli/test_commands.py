"""The command line as a person meets it: usage, help, errors without a traceback, the schema, the doctor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.cli import running
from openteller.cli.main import COMMANDS, USAGE, run
from openteller.cli.operator_token import service_token
from openteller.core.errors import ConfigurationError, NotAuthenticated
from openteller.core.records import Role
from openteller.serving.security import Tokens
from openteller.settings import dev_secret, load


def teller(data_dir: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENTELLER_")}
    environment = kept | {"OPENTELLER_DATA_DIR": str(data_dir), "OPENTELLER_DEV": "1"} | extra
    command = [sys.executable, "-m", "openteller.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_usage_and_unknown_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert (run([]), run(["--help"]), run(["nonsense"])) == (2, 0, 2)
    shown = capsys.readouterr()
    assert shown.out == USAGE * 2
    assert "'nonsense'" in shown.err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run([command, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "example" in shown
    assert f"teller {command}" in shown.split("example")[1]


def test_errors_are_said_without_a_traceback(short_dir: Path) -> None:
    done = teller(short_dir, "serve", OPENTELLER_DEV="0", OPENTELLER_SECRET_KEY="short")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The settings cannot be used.")
    assert "OPENTELLER_SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_read_is_named(short_dir: Path) -> None:
    done = teller(short_dir, "db", "status", OPENTELLER_PORT="many")
    assert done.returncode == 1
    assert "port: " in done.stderr
    assert "Traceback" not in done.stderr


def test_only_what_signs_tokens_needs_the_secret(short_dir: Path) -> None:
    up = teller(short_dir, "db", "upgrade", OPENTELLER_DEV="0")
    assert (up.returncode, "(current)" in up.stdout) == (0, True), up.stderr
    missing = teller(short_dir, "finetune", str(short_dir / "none.yaml"), OPENTELLER_DEV="0")
    assert "none.yaml" in missing.stderr
    assert "SECRET_KEY" not in missing.stderr
    doctor = teller(short_dir, "doctor", "--json", OPENTELLER_DEV="0")
    checks = {f["check"]: f for f in json.loads(doctor.stdout)}
    assert {"settings", "secret", "store"} <= set(checks)
    assert (checks["settings"]["ok"], checks["secret"]["ok"], checks["store"]["ok"]) == (True, False, True)
    assert "OPENTELLER_SECRET_KEY" in checks["secret"]["advice"]
    assert doctor.returncode == 1
    assert not (short_dir / "dev-secret").exists()


@pytest.mark.parametrize("secret", ["", "s" * 40])
def test_the_operators_token_is_one_that_the_server_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("OPENTELLER_DEV", "1")
    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPENTELLER_SECRET_KEY", secret)
    made = [service_token(tmp_path), service_token(tmp_path)]  # the first makes the dev secret, the second reads it
    for token in made:
        found = Tokens(load()).verify(token)
        assert (found.subject, found.role, found.customer_id) == ("cli", Role.SERVICE, None)
    monkeypatch.setenv("OPENTELLER_SECRET_KEY", "t" * 40)
    with pytest.raises(NotAuthenticated):
        Tokens(load()).verify(made[1])


def test_without_a_safe_secret_the_operator_gets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev_secret(tmp_path)
    monkeypatch.setenv("OPENTELLER_DEV", "0")
    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPENTELLER_SECRET_KEY", "short")
    with pytest.raises(ConfigurationError):
        service_token(tmp_path)


def test_schema_up_and_down_and_the_doctor(short_dir: Path) -> None:
    up = teller(short_dir, "db", "upgrade")
    assert (up.returncode, "(current)" in up.stdout) == (0, True), up.stderr
    assert teller(short_dir, "db", "status").stdout == up.stdout
    down = teller(short_dir, "db", "downgrade", "--yes")
    assert (down.returncode, "schema: empty" in down.stdout) == (0, True), down.stderr
    doctor = teller(short_dir, "doctor", "--json")
    checks = {f["check"]: f for f in json.loads(doctor.stdout)}
    assert {"settings", "disk", "store", "knowledge"} <= set(checks)
    assert doctor.returncode == 1
    assert checks["knowledge"]["advice"]


def test_the_data_directory_is_the_one_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENTELLER_DATA_DIR", raising=False)
    assert running.data_dir() == load().data_dir == Path("var")
    monkeypatch.setenv("openteller_data_dir", "lower")
    assert running.data_dir() == load().data_dir == Path("lower")
    (tmp_path / ".env").write_text("OPENTELLER_DATA_DIR=from-file\n")
    assert running.data_dir() == load().data_dir == Path("lower")
    monkeypatch.delenv("openteller_data_dir")
    assert running.data_dir() == load().data_dir == Path("from-file")


def test_a_server_is_found_only_while_it_runs(tmp_path: Path) -> None:
    assert running.find(tmp_path) is None
    running.announce(tmp_path, "http://127.0.0.1:1")
    assert running.find(tmp_path) == "http://127.0.0.1:1"
    running.withdraw(tmp_path)
    assert running.find(tmp_path) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "server.json").write_text(json.dumps({"url": "http://x", "pid": ended.pid}))
    assert running.find(tmp_path) is None
