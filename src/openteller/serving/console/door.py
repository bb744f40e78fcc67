"""The way into the console: log in, log out, and whoever has no login stays outside.

NiceGUI is loaded when somebody of the staff first comes through, so that a server nobody watches pays nothing for it.
Every request and every socket below `/console/` is checked here; a socket must also come from the console's own pages.
Knows nothing about what the pages show.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openteller.core.errors import NotAllowed, NotAuthenticated, OpenTellerError, TooManyRequests
from openteller.core.records import Role
from openteller.serving import errors
from openteller.serving.console.sessions import Login, Sessions
from openteller.serving.deps import Served, Serving
from openteller.serving.errors import status_and_code
from openteller.serving.profile_html import Page
from openteller.serving.profile_pages import COOKIE, forget_login, from_here, granted_to, html, keep_login, page_for

LOGIN = "console.login"
"""Where in the scope of a request its login lies; the other keys beside it: the app's own things."""
SERVING = "console.serving"
SESSIONS = "console.sessions"
LOOK_COOKIE = "openteller_console_language"
_HOME = "/console/"
_YEAR = 31_536_000
# NiceGUI writes its pages with inline scripts and compiles templates in the browser; nothing comes from elsewhere.
_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/console")
def language(request: Request, lang: str = "", to: str = _HOME) -> Response:
    """The console, from now on in the language that is asked for."""
    answer = RedirectResponse(_ours(to), 303)
    if lang in ("zh", "en"):
        answer.set_cookie(LOOK_COOKIE, lang, max_age=_YEAR, path="/console", samesite="lax")
    return answer


@router.get("/console/login")
def login_form(request: Request, serving: Served, to: str = _HOME) -> Response:
    """Where staff log in."""
    return html(_page(request, serving).login(_login_at(to)))


@router.post("/console/login")
def login(
    request: Request,
    serving: Served,
    to: str = _HOME,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Log in, and go on to where one was going."""
    try:
        granted = granted_to(request, serving, username, password)
        if not Role(granted.role).is_staff:
            raise _for_staff()
    except OpenTellerError as error:
        return html(_page(request, serving).login(_login_at(to), error), status_and_code(error)[0])
    answer = RedirectResponse(_ours(to), 303)
    keep_login(answer, granted, request)
    return answer


@router.post("/console/logout")
def logout(request: Request) -> Response:
    """Give the login up: in this browser, and in this server for whoever else holds it."""
    from_here(request)
    token = request.cookies.get(COOKIE)
    if token:
        sessions: Sessions = request.app.state.console.sessions
        sessions.leave(token)
    answer = RedirectResponse("/console/login", 303)
    forget_login(answer)
    return answer


class Door:
    """The ASGI app below `/console`: lets staff in, to pages that are loaded with the first of them."""

    def __init__(self, serving: Serving) -> None:
        self.sessions = Sessions(serving)
        self._serving = serving
        self._inner: ASGIApp | None = None
        self._opening = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        login = self.sessions.of(scope)
        if scope["type"] == "websocket":
            if login is None or not login.principal.role.is_staff or not _from_our_pages(scope):
                await send({"type": "websocket.close", "code": 4401})
                return
        else:
            refusal = self._refusal(Request(scope), login)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        scope.update({LOGIN: login, SERVING: self._serving, SESSIONS: self.sessions})
        await (await self._pages())(scope, receive, _Sent(send))

    async def close(self) -> None:
        """Let everybody go; when the server stops."""
        await self._open.aclose()

    def _refusal(self, request: Request, login: Login | None) -> Response | None:
        is_page = request.method == "GET" and "/_nicegui" not in request.url.path
        if login is None:
            if is_page:
                to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(_login_at(to), 303)
            return errors.response(NotAuthenticated("This needs a login.", next_step="Log in at /console/login."))
        request.state.principal = login.principal
        if not login.principal.role.is_staff:
            return html(_page(request, self._serving).failure(_for_staff(), "/me"), 403)
        wait = self._serving.callers.take(f"subject:{login.principal.subject}") if is_page else 0
        if wait:
            many = TooManyRequests("Too many requests in a short time.", next_step=f"Wait {wait} s and try again.")
            return errors.response(many, retry_after=wait)
        return None

    async def _pages(self) -> ASGIApp:
        async with self._opening:
            if self._inner is None:
                # NiceGUI takes a second and a half to load: elsewhere, so that customers are served meanwhile.
                running = await asyncio.to_thread(_engine)
                self._inner = await self._open.enter_async_context(running())
            return self._inner


class _Sent:
    """`send` with the headers of a console page."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", _CSP)
        await self._send(message)


def _engine() -> Callable[[], AbstractAsyncContextManager[ASGIApp]]:
    from openteller.serving.console.engine import running

    return running


def _from_our_pages(scope: Scope) -> bool:
    """Whether a socket was opened by a page of this host: browsers say where it comes from, and cannot be made to lie."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _ours(to: str) -> str:
    """Where to go on: a place of the console, never another site."""
    return to if to.startswith(_HOME) and not to.startswith("//") and "\\" not in to else _HOME


def _login_at(to: str) -> str:
    return f"/console/login?to={quote(_ours(to), safe='')}"


def _page(request: Request, serving: Serving) -> Page:
    return page_for(request, serving, request.cookies.get(LOOK_COOKIE))


def _for_staff() -> NotAllowed:
    return NotAllowed(
        "The console is for the bank's staff.", next_step="Your own page is /me; staff log in as who they are."
    )
