"""What the tests of several commands share."""

from pathlib import Path

import pytest

from openteller.store.database import Database


@pytest.fixture
def data_dir(clean: Database, tmp_path: Path, database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of its own that commands use, over the run's empty database."""
    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", database_urls[0])
    monkeypatch.setenv("OPENTELLER_DATABASE_OWNER_URL", database_urls[1])
    return tmp_path / "data"
