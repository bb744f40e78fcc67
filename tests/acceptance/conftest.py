"""The demo bank, loaded once for every test that walks the real road."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openteller.assembly import Application
from openteller.cli.commands.demo import load_demo
from openteller.settings import load


@pytest.fixture(scope="session")
def bank_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ot", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def environment(bank_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENTELLER_")}
    return kept | {"OPENTELLER_DATA_DIR": str(bank_dir), "OPENTELLER_DEV": "1"}


@pytest.fixture(scope="session")
def application(bank_dir: Path) -> Iterator[Application]:
    application = Application(load(data_dir=bank_dir, dev=True))
    load_demo(application, 50)
    application.warm()
    yield application
    application.close()
