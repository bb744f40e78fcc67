"""Every command of the README's tour, and of the guide's pages listed here, runs as written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.assembly import Application

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guide/models.md")


def commands(page: str) -> list[str]:
    """The commands of a page's first block of console text."""
    tour = re.search(r"```console\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    assert tour
    return [line for line in tour[1].splitlines() if line.startswith("teller ")]


COMMANDS = [command for page in PAGES for command in commands(page)]


@pytest.mark.parametrize("page", PAGES)
def test_the_tour_has_commands(page: str) -> None:
    assert len(commands(page)) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_tour(application: Application, environment: dict[str, str], command: str) -> None:
    arguments = [sys.executable, "-m", "openteller.cli.main", *shlex.split(command)[1:]]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
