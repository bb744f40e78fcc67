"""The demo bank, loaded once for every test that walks the real road, and a server over it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from openteller.assembly import Application
from openteller.cli.commands.demo import load_demo, take_in_speech
from openteller.settings import load
from tests.browser import browser, browser_page, open_page

__all__ = ["browser", "browser_page", "open_page"]


@pytest.fixture(scope="session")
def bank_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ot", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def environment(bank_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENTELLER_")}
    # Nobody calls but who is tested; speech is made when it is wanted.
    return kept | {"OPENTELLER_DATA_DIR": str(bank_dir), "OPENTELLER_DEV": "1", "OPENTELLER_VOICE_AHEAD": "0"}


@pytest.fixture(scope="session")
def application(bank_dir: Path) -> Iterator[Application]:
    application = Application(load(data_dir=bank_dir, dev=True))
    load_demo(application, 50)
    take_in_speech(application)
    application.warm()
    yield application
    application.close()


def start_server(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """A server process on a free port, answering, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "openteller.cli.main", "serve", "--port", str(port)]
    log = (Path(environment["OPENTELLER_DATA_DIR"]) / "server.log").open("ab")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    log.close()
    url = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            httpx.get(f"{url}/health").raise_for_status()
            return process, url
        except httpx.HTTPError:
            assert process.poll() is None, "the server ended while starting; see server.log"
            time.sleep(0.25)
    raise AssertionError("the server did not start within a minute")


@pytest.fixture
def server(application: Application, environment: dict[str, str]) -> Iterator[str]:
    process, url = start_server(environment)
    yield url
    process.terminate()
    process.wait(30)


def login(url: str, username: str) -> dict[str, str]:
    """The headers of a demo login."""
    answer = httpx.post(f"{url}/v1/auth/login", json={"username": username, "password": "pinebay-demo"})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
