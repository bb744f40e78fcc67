"""Fixtures with a real Chromium, for every room whose tests look at a page.

A page that throws, breaks its content security policy or asks another machine fails the test that opened it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:  # Serving's other tests run without a browser.
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

    OpenPage = Callable[..., Page]

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
)
_HOME = ("127.0.0.1", "localhost")
# Chromium writes these for every status of 400 or above and every socket refused, also for those that a test provokes.
_EXPECTED = ("Failed to load resource", "WebSocket connection to")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Chromium without a window, with more arguments than the usual."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="no browser: pip install playwright")
    executable = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(_CHROMIUM)} is installed (apt-get install chromium)")
    # Chromium's wrapper must not write into the home of whoever runs the tests.
    with (
        tempfile.TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as home,
        playwright_api.sync_playwright() as driver,
    ):
        environment = {**os.environ, "HOME": home}
        found = driver.chromium.launch(executable_path=executable, args=[*_ARGUMENTS, *arguments], env=environment)
        yield found
        found.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """It ends with the module: while Playwright runs, asyncio cannot run in this thread."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages, each in a context of its own; keywords go to Playwright's `new_context`.

    Defaults: 1280 × 800, Chinese, light, no motion.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_one(**wishes: Any) -> Page:
        settings = {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN", "reduced_motion": "reduce"}
        context = browser.new_context(**{**settings, **wishes})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        _watch(page, faults)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def browser_page(open_page: OpenPage) -> Page:
    """A watched page in a real Chromium: 1280 × 800, Chinese."""
    return open_page()


def _watch(page: Page, faults: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_EXPECTED):
            faults.append(f"console: {message.text}")

    def on_error(error: Error) -> None:
        faults.append(f"uncaught: {error}")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in _HOME:
            faults.append(f"request to another machine: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", on_request)
