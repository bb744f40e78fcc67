"""Finds the server that runs on this data directory, so that a command can use it instead of starting everything anew.

`teller serve` leaves ``server.json`` while it runs; only the operating-system user who may read the secret can use it.
"""

import http.client
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openteller.core.errors import BadInput, Unavailable

_FILE = "server.json"


def named_settings() -> dict[str, str] | None:
    """The environment by upper-case names, where it alone says the settings; None where a .env file has a say too.

    Reading all settings takes 0.1 s, which a question from the terminal need not wait for.
    """
    return None if Path(".env").exists() else {name.upper(): value for name, value in os.environ.items()}


def data_dir() -> Path:
    """`Settings.data_dir`."""
    named = named_settings()
    if named is None:
        from openteller.settings import load

        return load().data_dir
    return Path(named.get("OPENTELLER_DATA_DIR", "var"))


def announce(data_dir: Path, url: str) -> None:
    """Write where the server listens."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / _FILE).write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")


def withdraw(data_dir: Path) -> None:
    """Take the announcement back, if it is this process's."""
    with suppress(OSError, ValueError):
        if json.loads((data_dir / _FILE).read_text(encoding="utf-8"))["pid"] == os.getpid():
            (data_dir / _FILE).unlink()


def find(data_dir: Path) -> str | None:
    """The URL of the server that runs here; None when none does."""
    try:
        found = json.loads((data_dir / _FILE).read_text(encoding="utf-8"))
        os.kill(int(found["pid"]), 0)
        return str(found["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def post(url: str, path: str, body: dict[str, Any], token: str | None) -> dict[str, Any]:
    """POST JSON and read JSON.

    Raises:
        BadInput: the server refused, with its own words.
        Unavailable: it does not answer.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request("POST", path, json.dumps(body).encode("utf-8", "replace"), headers)
        response = connection.getresponse()
        data: dict[str, Any] = json.loads(response.read() or b"{}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unavailable(
            f"The server at {url} does not answer.", cause=str(error), next_step="Restart it with `teller serve`."
        ) from error
    finally:
        connection.close()
    if response.status >= 400:
        fault = data.get("error", {})
        raise BadInput(
            fault.get("message", f"The server answered {response.status}."),
            cause=fault.get("cause", ""),
            next_step=fault.get("next_step", ""),
        )
    return data
