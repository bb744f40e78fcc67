"""Fixtures of serving's tests: a real Chromium, and the API with recorded answers."""

from collections.abc import Iterator

import pytest

from tests.browser import browser, browser_page, open_page
from tests.serving.recorded_api import RecordedApi, serve_recorded

__all__ = ["browser", "browser_page", "open_page", "recorded_api"]


@pytest.fixture
def recorded_api() -> Iterator[RecordedApi]:
    """The demo page, the widget and the API with recorded answers, on loopback."""
    with serve_recorded() as api:
        yield api
