"""NiceGUI, begun once a process: its routes over the console's pages. Importing this module loads it.

Knows nothing about who may come in (door.py).
"""

import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from nicegui import app, ui
from starlette.types import ASGIApp

from openteller.serving.console import frame
from openteller.serving.console.registry import PAGES
from openteller.serving.observation import log_fault

_MARK = Path(__file__).parents[1] / "widget" / "mark.svg"


@asynccontextmanager
async def running() -> AsyncIterator[ASGIApp]:
    """The console's ASGI app while it runs; in one event loop at a time."""
    shell = _shell()
    async with AsyncExitStack() as stack:
        with warnings.catch_warnings():
            # NiceGUI looks for its server among all objects of the process, and some of torch's warn when they are looked at.
            warnings.simplefilter("ignore", FutureWarning)
            await stack.enter_async_context(shell.router.lifespan_context(shell))
        yield shell


@cache
def _shell() -> FastAPI:
    # NiceGUI logs whole messages of exceptions, which may hold what a customer wrote.
    logging.getLogger("nicegui").addFilter(lambda record: record.levelno < logging.ERROR)
    app.on_exception(lambda error: log_fault(error, "console"))
    # NiceGUI keeps one app a process, which takes its routes and layers once.
    for page in PAGES:
        ui.page(f"/{page.path}", response_timeout=30, reconnect_timeout=10)(frame.drawn(page))
        if page.item:
            ui.page(f"/{page.path}/{{{page.item}}}", response_timeout=30, reconnect_timeout=10)(frame.drawn(page))
    ui.page("/{name:path}", response_timeout=30)(frame.unknown)
    shell = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    # The styles are ours (console.css): no Tailwind, which would be compiled in every browser.
    ui.run_with(
        shell, title="OpenTeller", favicon=_MARK, dark=None, tailwind=False, show_welcome_message=False,
        binding_refresh_interval=None,
    )  # fmt: skip
    return shell
