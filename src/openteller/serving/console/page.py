"""What a page of the console is, and what it is drawn with: the visit of one member of staff to one page.

Knows nothing about any one page, or how a visitor was let in.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from nicegui import ui
from starlette.datastructures import URL

from openteller.core.clock import local_date, local_text, utc_now
from openteller.core.errors import BadInput, NotAuthenticated, OpenTellerError
from openteller.core.records import LocalText, Principal, Role
from openteller.core.text import normalise
from openteller.insights.reports.records import ReportLanguage
from openteller.serving.console.sessions import Login, Sessions
from openteller.serving.deps import Serving
from openteller.serving.observation import log_fault

R = TypeVar("R")


@dataclass(frozen=True)
class Visit:
    """One page as one member of staff has it open."""

    serving: Serving
    sessions: Sessions
    login: Login
    language: str
    query: Mapping[str, str]

    @property
    def principal(self) -> Principal:
        """On whose behalf the page reads and acts."""
        return self.login.principal

    @property
    def zone(self) -> str:
        """The IANA time zone of what is shown."""
        return self.serving.application.settings.timezone

    @property
    def report_language(self) -> ReportLanguage:
        """The language of reports made from the page."""
        return "en" if self.language == "en" else "zh"

    @property
    def today(self) -> date:
        """The day it is on the bank's clock."""
        return local_date(utc_now(), self.zone)

    def say(self, zh: str, en: str) -> str:
        """One of two texts, by the page's language."""
        return en if self.language == "en" else zh

    def of(self, text: LocalText) -> str:
        """The text in the page's language."""
        return text.of(self.language)

    def local(self, moment: datetime) -> str:
        """A moment as ``YYYY-MM-DD HH:MM`` on the bank's clock."""
        return local_text(moment, self.zone)

    def clock(self, moment: datetime) -> str:
        """A moment as ``HH:MM`` on the bank's clock."""
        return moment.astimezone(ZoneInfo(self.zone)).strftime("%H:%M")

    def day(self, text: str) -> date | None:
        """A day written as ``2026-12-31``; None when nothing is. Raises BadInput."""
        written = normalise(text)
        try:
            return date.fromisoformat(written) if written else None
        except ValueError as error:
            raise BadInput(
                self.say("日期不能用。", "The day cannot be used."),
                next_step=self.say("写作 2026-12-31。", "Write it as 2026-12-31."),
            ) from error

    async def read(self, work: Callable[[], R]) -> R:
        """Do what asks the store in a thread, for somebody whose login still holds. Raises what `work` does."""
        if self.sessions.check(self.login.token) is None:
            raise NotAuthenticated("The login has expired.", next_step="Log in again.")
        return await asyncio.to_thread(work)

    async def act(self, work: Callable[[], R], done: str = "") -> R | None:
        """The same for a button: says `done` when it succeeded, what went wrong when it did not, with None."""
        try:
            found = await self.read(work)
        except OpenTellerError as error:
            self.complain(error)
            return None
        except Exception as error:  # its message may hold what a customer wrote
            log_fault(error, "console")
            ui.notify(
                self.say("服务器出错，已记录。", "Something failed on the server; it is in the log."), type="negative"
            )
            return None
        if done:
            ui.notify(done, type="positive", position="top")
        return found

    def complain(self, error: OpenTellerError) -> None:
        """Show what went wrong; someone whose login has ended is led to the door."""
        ui.notify(str(error), type="negative", position="top", multi_line=True, timeout=8_000, close_button=True)
        if isinstance(error, NotAuthenticated):
            go("/console/login")

    def link(self, path: str, **query: str) -> str:
        """The address of a page of the console."""
        return str(URL(f"/console/{path}").include_query_params(**query))


def go(address: str, *, new: bool = False) -> None:
    """Lead the browser to an address of this server. NiceGUI's own way would put every address below `/console`."""
    where = json.dumps(address)
    ui.run_javascript(f"window.open({where})" if new else f"location.assign({where})")


def link(text: str, address: str, *, new: bool = False) -> ui.element:
    """A link to an address of this server, with what is put into it behind its text."""
    found = ui.element("a")
    found.props["href"] = address
    if new:
        found.props["target"] = "_blank"
    if text:
        with found:
            ui.label(text)
    return found


@dataclass(frozen=True)
class ConsolePage:
    """A page: where it stands below `/console/`, its title, its icon (Material), who may see it, and what draws it.

    `item` names the part of the address behind the page's own (``/console/complaints/7``), which stands in `Visit.query`;
    empty: there is none. `draw` is called inside the frame's column and may await; it raises an error of the family to say why it cannot.
    """

    path: str
    title: LocalText
    icon: str
    roles: frozenset[Role]
    draw: Callable[[Visit], Awaitable[None]]
    item: str = ""


AGENTS = frozenset({Role.AGENT, Role.ADMIN, Role.SERVICE})
"""Who serves customers."""
ANALYSTS = frozenset({Role.ANALYST, Role.ADMIN, Role.SERVICE})
"""Who looks after what the assistant knows and does."""
STAFF = AGENTS | ANALYSTS
