"""A two-layer encoder's file, written once a run; skips the room when the extra `train` is not installed."""

from pathlib import Path

import pytest

for _package in ("torch", "transformers", "peft", "sklearn"):
    pytest.importorskip(_package)

from tests.runtime.encoders import small_catalogue  # noqa: E402 - after the check

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose catalogue has the weights ``small``."""
    folder = tmp_path_factory.mktemp("data")
    small_catalogue(folder)
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
