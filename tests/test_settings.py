"""Settings: what the environment may say, and who is refused an unsafe secret."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.core.errors import ConfigurationError
from openteller.serving.security import Tokens
from openteller.settings import Settings, load


def plain(**changes: object) -> Settings:
    return Settings(_env_file=None, **changes)


def test_the_settings_of_whoever_runs_the_tests_are_out_of_sight() -> None:
    kept = {"OPENTELLER_DATA", "OPENTELLER_REFRESH"}
    assert {name for name in os.environ if name.upper().startswith("OPENTELLER_")} <= kept


def test_they_are_cleared_before_any_test_runs() -> None:
    this = f"{__file__}::{test_the_settings_of_whoever_runs_the_tests_are_out_of_sight.__name__}"
    settings = {"OPENTELLER_DEV": "1", "openteller_port": "many", "OPENTELLER_DATA": "kept"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", this]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_outside_dev_mode_only_tokens_refuse_an_unsafe_secret(secret: str) -> None:
    settings = plain(secret_key=secret)
    with pytest.raises(ConfigurationError) as raised:
        Tokens(settings)
    assert "32" in raised.value.cause
    assert "OPENTELLER_SECRET_KEY" in (raised.value.next_step)


def test_a_long_secret_signs() -> None:
    assert plain(secret_key="x" * 32).signing_key() == "x" * 32


def test_dev_mode_makes_one_secret_for_its_owner_only_when_it_is_needed(tmp_path: Path) -> None:
    settings = plain(dev=True, data_dir=tmp_path / "new")
    assert not settings.data_dir.exists()
    secret = settings.signing_key()
    assert len(secret) >= 32
    assert plain(dev=True, data_dir=settings.data_dir).signing_key() == secret
    assert stat.S_IMODE((settings.data_dir / "dev-secret").stat().st_mode) == 0o600


def test_a_setting_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(port=70_000)
    assert "port" in raised.value.cause
