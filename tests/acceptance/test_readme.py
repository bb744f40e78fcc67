"""Every command of the README's tour runs as written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.assembly import Application

ROOT = Path(__file__).parents[2]
TOUR = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
assert TOUR
COMMANDS = [line for line in TOUR[1].splitlines() if line.startswith("teller ")]


def test_the_tour_has_commands() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_tour(application: Application, environment: dict[str, str], command: str) -> None:
    arguments = [sys.executable, "-m", "openteller.cli.main", *shlex.split(command)[1:]]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
