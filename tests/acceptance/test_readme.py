"""Every command of the README's tour, and of the guide's pages listed here, runs as written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.assembly import Application

ROOT = Path(__file__).parents[2]
GUIDES = (
    "models",
    "training",
    "retraining",
    "suitability",
    "customers",
    "recommendation",
    "trends",
    "opinion",
    "surveys",
)
PAGES = ("README.md", *(f"docs/guide/{name}.md" for name in GUIDES))


def block(page: str) -> list[str]:
    """The lines of a page's blocks of console text."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines()]


def commands(page: str) -> list[str]:
    """The commands of a page's tour."""
    return [line for line in block(page) if line.startswith("teller ")]


def exported(page: str) -> dict[str, str]:
    """The variables that a page's tour sets."""
    words = [word for line in block(page) if line.startswith("export ") for word in shlex.split(line)[1:]]
    return dict(word.split("=", 1) for word in words)


COMMANDS = [(page, command) for page in PAGES for command in commands(page)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository, in which a tour may write."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "recipes", "docs", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_tour_has_commands(page: str) -> None:
    assert len(commands(page)) >= 6


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_of_the_tour(
    application: Application, environment: dict[str, str], checkout: Path, page: str, command: str
) -> None:
    arguments = [sys.executable, "-m", "openteller.cli.main", *shlex.split(command)[1:]]
    surroundings = exported(page) | environment  # the data directory is the one in which the bank is loaded
    done = subprocess.run(arguments, env=surroundings, capture_output=True, text=True, timeout=240, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
