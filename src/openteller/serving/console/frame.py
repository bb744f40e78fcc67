"""What surrounds every page: header, navigation, language, light and dark, log-out; and the words when a page is closed.

Knows nothing about what a page shows.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui
from starlette.responses import Response

from openteller.core.clock import utc_now
from openteller.core.errors import NotAllowed, NotFound, OpenTellerError
from openteller.core.records import LocalText, Role
from openteller.serving.console.door import LOGIN, LOOK_COOKIE, SERVING, SESSIONS
from openteller.serving.console.page import STAFF, ConsolePage, Visit, go, link
from openteller.serving.observation import log_fault

_CSS = Path(__file__).with_name("console.css")
_DARK_COOKIE = "openteller_console_dark"
ROLE_WORDS = {
    Role.AGENT: LocalText(zh="坐席", en="agent"),
    Role.ANALYST: LocalText(zh="分析员", en="analyst"),
    Role.ADMIN: LocalText(zh="管理员", en="administrator"),
    Role.SERVICE: LocalText(zh="系统服务", en="service"),
}


def drawn(page: ConsolePage) -> Callable[[Request], Awaitable[Response | None]]:
    """The route of a page."""

    async def route(request: Request) -> Response | None:
        return await _draw(page, request)

    return route


async def unknown(request: Request) -> Response | None:
    """The route of every address that is none."""

    async def draw(visit: Visit) -> None:
        step = visit.say("请从左侧选择。", "Choose one on the left.")
        raise NotFound(visit.say("没有这个页面。", "There is no such page."), next_step=step)

    title = LocalText(zh="没有这个页面", en="No such page")
    return await _draw(ConsolePage("?", title, "help_outline", STAFF, draw), request)


async def _draw(page: ConsolePage, request: Request) -> Response | None:
    visit = _visit(page, request)
    if not await visit.read(lambda: visit.sessions.is_open(visit.login)):
        visit.sessions.leave(visit.login.token)
        return RedirectResponse("/console/login", 303)
    dark = request.cookies.get(_DARK_COOKIE, "")
    _look(visit, page, dark)
    _header(visit, page, dark)
    with ui.column().classes("page") as column:
        ui.label(visit.of(page.title)).classes("page-title").props("role=heading aria-level=1")
        if visit.principal.role not in page.roles:
            _refuse(visit, page)
            return None
        try:
            await page.draw(visit)
        except OpenTellerError as error:
            with column:
                failure(error)
        except Exception as error:  # its message may hold what a customer wrote
            log_fault(error, f"console {page.path}")
            with column:
                failure(_unforeseen(visit))
    _leave_at_the_end(visit)
    return None


def _visit(page: ConsolePage, request: Request) -> Visit:
    scope = request.scope
    chosen = request.cookies.get(LOOK_COOKIE) or request.headers.get("accept-language", "zh")[:2].lower()
    language = "zh" if chosen == "zh" else "en"
    item = {page.item: str(request.path_params[page.item])} if page.item in request.path_params else {}
    return Visit(scope[SERVING], scope[SESSIONS], scope[LOGIN], language, dict(request.query_params) | item)


def _look(visit: Visit, page: ConsolePage, dark: str) -> None:
    settings = visit.serving.application.settings
    bank = visit.say(settings.bank_name_zh, settings.bank_name_en)
    ui.page_title(f"{visit.of(page.title)} · {bank}")
    ui.dark_mode({"dark": True, "light": False}.get(dark))
    ui.add_head_html(f'<script>document.documentElement.lang = "{visit.say("zh-Hans", "en")}"</script>')
    ui.add_css(_CSS.read_text(encoding="utf-8"))


def _header(visit: Visit, page: ConsolePage, dark: str) -> None:
    from openteller.serving.console.registry import PAGES  # the pages stand on this module's neighbours

    say = visit.say
    # Shown where there is room; asking the browser whether it is, as NiceGUI would, fails on a slow line.
    with ui.left_drawer(value=False, bordered=True).props("width=208 breakpoint=900 show-if-above") as drawer:
        drawer.classes("nav")
        for other in PAGES:
            allowed = visit.principal.role in other.roles
            with link("", visit.link(other.path)).classes("nav-link") as entry:
                ui.icon(other.icon)
                ui.label(visit.of(other.title))
            if other.path == page.path:
                entry.classes("here").props("aria-current=page")
            if not allowed:
                entry.classes("closed").tooltip(_who_may(visit, other))
    with ui.header(bordered=True).classes("top"):
        menu = ui.button(icon="menu", on_click=drawer.toggle).props("flat dense round")
        menu.props(f'aria-label="{say("菜单", "Menu")}"')
        settings = visit.serving.application.settings
        ui.label(say(settings.bank_name_zh, settings.bank_name_en)).classes("brand")
        ui.label(f"{visit.principal.subject} · {visit.of(ROLE_WORDS[visit.principal.role])}").classes("who")
        other_language = say("en", "zh")
        here = visit.link(page.path if page.path != "?" else "", **visit.query)
        to = f"/console?lang={other_language}&to={_quoted(here)}"
        link(say("EN", "中文"), to).classes("switch").props(f"hreflang={other_language}")
        _dark_switch(visit, dark)
        with ui.element("form").props('method=post action="/console/logout"').classes("logout"):
            button = ui.button(icon="logout").props("flat dense round type=submit")
            button.props(f'aria-label="{say("退出", "Log out")}"').tooltip(say("退出", "Log out"))


def _dark_switch(visit: Visit, dark: str) -> None:
    following = {"": "dark", "dark": "light", "light": ""}[dark if dark in ("dark", "light") else ""]
    icon = {"": "brightness_auto", "dark": "dark_mode", "light": "light_mode"}[
        dark if dark in ("dark", "light") else ""
    ]
    script = f'document.cookie = "{_DARK_COOKIE}={following}; path=/console; max-age=31536000; samesite=lax"; location.reload()'
    name = visit.say("浅色／深色", "Light or dark")
    button = ui.button(icon=icon, on_click=lambda: ui.run_javascript(script)).props("flat dense round")
    button.props(f'aria-label="{name}"').tooltip(name)


def failure(error: OpenTellerError) -> None:
    """An error in the page's own place."""
    with ui.element("div").classes("fault").props("role=alert"):
        ui.label(error.message).classes("strong")
        for part in (error.cause, error.next_step):
            if part:
                ui.label(part)


def _unforeseen(visit: Visit) -> OpenTellerError:
    say = visit.say
    return OpenTellerError(
        say("服务器出错，已记录。", "Something failed on the server; it is in the log."),
        next_step=say("请稍后再试。", "Try again in a moment."),
    )


def _refuse(visit: Visit, page: ConsolePage) -> None:
    say = visit.say
    role = visit.of(ROLE_WORDS[visit.principal.role])
    failure(
        NotAllowed(
            say("您的角色不能看这个页面。", "Your role may not see this page."),
            cause=say(f"您的角色是{role}。", f"Your role is {role}."),
            next_step=_who_may(visit, page),
        )
    )


def _who_may(visit: Visit, page: ConsolePage) -> str:
    roles = [visit.of(ROLE_WORDS[role]) for role in Role if role in page.roles and role is not Role.SERVICE]
    return visit.say("可以查看的角色：" + "、".join(roles) + "。", "Open to: " + ", ".join(roles) + ".")


def _leave_at_the_end(visit: Visit) -> None:
    """Lead to the door when the login runs out while the page is open."""
    remaining = visit.login.expires - utc_now().timestamp()
    ui.timer(max(1.0, remaining + 1), lambda: go("/console/login"), once=True)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
