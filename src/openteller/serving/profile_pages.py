"""The pages about a customer, for a browser without scripts: `/me` for themselves, `/staff/customers` for staff.

A login here is a cookie that scripts cannot read and other sites cannot send; a form from another site is refused. The
API never reads that cookie. Knows nothing about what is derived.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from starlette.responses import Response

from openteller.core.errors import BadInput, NotAllowed, NotAuthenticated, OpenTellerError
from openteller.core.records import Principal, Role
from openteller.core.text import normalise
from openteller.serving.api.auth import login as log_in
from openteller.serving.deps import Served, Serving, limit, on_behalf, serves_customers
from openteller.serving.errors import status_and_code
from openteller.serving.profile_html import Page
from openteller.serving.wire import LoginBody, TokenAnswer

COOKIE = "openteller_session"
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OWN, _STAFF = "/me", "/staff/customers"

router = APIRouter(include_in_schema=False)

_Language = Annotated[Literal["zh", "en"] | None, Form()]
Shown = Callable[[Page], str | Response]


@router.get(_OWN)
def own_page(request: Request, serving: Served, lang: str = "") -> Response:
    """The customer's own page; the login form for whoever is not logged in."""

    def shown(page: Page) -> str | Response:
        principal = _principal(request, serving)
        if principal is None:
            return page.login("/me/login")
        if principal.role is not Role.CUSTOMER:
            return page.search()
        return page.own(serving.application.profiles.profile(principal))

    return _answer(request, serving, lang, _OWN, shown)


@router.get(_STAFF)
def search_page(request: Request, serving: Served, customer: str = "", lang: str = "") -> Response:
    """Where staff say whose profile they need."""
    if customer.strip():
        return _go(f"{_STAFF}/{_plain(customer)}", lang)

    def shown(page: Page) -> str | Response:
        principal = _principal(request, serving)
        if principal is None:
            return page.login(f"{_STAFF}/login")
        if not serves_customers(principal):
            return html(page.refusal(principal.role), 403)
        return page.search()

    return _answer(request, serving, lang, _STAFF, shown)


@router.get(f"{_STAFF}/{{customer_id}}")
def staff_page(customer_id: str, request: Request, serving: Served, lang: str = "") -> Response:
    """A customer's profile, for those who serve them."""

    def shown(page: Page) -> str | Response:
        principal = _principal(request, serving)
        if principal is None:
            return page.login(f"{_STAFF}/login")
        if not principal.role.is_staff:
            raise NotAllowed("This is for the bank's staff.", next_step="Your own page is /me.")
        if not serves_customers(principal):
            return html(page.refusal(principal.role), 403)
        served, desk = on_behalf(serving, principal, normalise(customer_id)), serving.application.profiles
        return page.staff(desk.profile(served), desk.customer(served))

    return _answer(request, serving, lang, _STAFF, shown)


@router.post("/me/login")
@router.post(f"{_STAFF}/login")
def login(
    request: Request,
    serving: Served,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    lang: _Language = None,
) -> Response:
    """Log in, and go on to one's page."""
    page = page_for(request, serving, lang)
    try:
        granted = granted_to(request, serving, username, password)
    except OpenTellerError as error:
        return html(page.login(request.url.path, error), status_and_code(error)[0])
    answer = _go(_OWN if granted.role is Role.CUSTOMER else _STAFF, lang or "")
    keep_login(answer, granted, request)
    return answer


@router.post("/me/logout")
def logout(request: Request, serving: Served, lang: _Language = None) -> Response:
    """Forget the login in this browser."""
    from_here(request)
    answer = _go(_OWN, lang or "")
    forget_login(answer)
    return answer


@router.post("/me/tags")
def say(
    request: Request,
    serving: Served,
    tag: Annotated[str, Form(max_length=100)],
    say: Annotated[Literal["mine", "not_me", "remove", "forget"], Form()],
    lang: _Language = None,
) -> Response:
    """What the customer says of one tag."""
    desk = serving.application.profiles

    def change(principal: Principal) -> None:
        if say == "remove":
            desk.remove(principal, tag)
        elif say == "forget":
            desk.forget(principal, tag)
        else:
            desk.say(principal, tag, say)

    return _change(request, serving, lang, change, "#tags")


@router.post("/me/personalisation")
def personalise(
    request: Request, serving: Served, granted: Annotated[Literal["yes", "no"], Form()], lang: _Language = None
) -> Response:
    """Switch personalisation."""
    desk = serving.application.profiles
    return _change(
        request, serving, lang, lambda one: desk.agree(one, "personalisation", granted == "yes"), "#personalisation"
    )


def _change(
    request: Request, serving: Serving, lang: str | None, change: Callable[[Principal], object], anchor: str
) -> Response:
    page = page_for(request, serving, lang)
    try:
        from_here(request)
        principal = _principal(request, serving)
        if principal is None:
            return html(page.login("/me/login"), 401)
        change(principal)
    except OpenTellerError as error:
        return html(page.failure(error, _OWN), status_and_code(error)[0])
    return _go(_OWN, lang or "", anchor)


def _answer(request: Request, serving: Serving, lang: str, back: str, shown: Shown) -> Response:
    page = page_for(request, serving, lang)
    try:
        found = shown(page)
        return found if isinstance(found, Response) else html(found)
    except OpenTellerError as error:
        return html(page.failure(error, back), status_and_code(error)[0])


def _principal(request: Request, serving: Serving) -> Principal | None:
    """Whom the cookie proves, within the limit of requests a minute; None without one that is good."""
    token = request.cookies.get(COOKIE)
    try:
        found = serving.tokens.verify(token) if token else None
    except NotAuthenticated:
        return None
    if found is None or found.role is Role.VISITOR:
        return None
    request.state.principal = found
    limit(request, serving.callers.take(f"subject:{found.subject}"))
    return found


def granted_to(request: Request, serving: Serving, username: str, password: str) -> TokenAnswer:
    """The login that a form of ours asks for. Raises as logging in does, and NotAllowed for another site's form."""
    from_here(request)
    try:
        body = LoginBody(username=username, password=password)
    except ValidationError as error:
        raise BadInput("A user name and a password are needed.") from error
    return log_in(body, serving, request)


def keep_login(answer: Response, granted: TokenAnswer, request: Request) -> None:
    """Leave the login in the browser, where neither scripts nor other sites reach it."""
    answer.set_cookie(
        COOKIE,
        granted.access_token,
        max_age=granted.expires_in,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def forget_login(answer: Response) -> None:
    """Take the login out of the browser."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")


def from_here(request: Request) -> None:
    """Refuse a form that another site sent: browsers say where one comes from.

    Raises:
        NotAllowed: it came from another site.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This form came from another site.", next_step="Open the page itself and try again.")


def page_for(request: Request, serving: Serving, lang: str | None) -> Page:
    """Writes pages in the language that is asked for, or the browser's."""
    settings, first = serving.application.settings, request.headers.get("accept-language", "zh")
    language = lang if lang in ("zh", "en") else ("zh" if first.lower().startswith("zh") else "en")
    return Page(language, settings.bank_name_en if language == "en" else settings.bank_name_zh)


def _go(path: str, lang: str, anchor: str = "") -> RedirectResponse:
    query = f"?lang={lang}" if lang in ("zh", "en") else ""
    return RedirectResponse(f"{path}{query}{anchor}", 303)


def _plain(text: str) -> str:
    """A customer number as a piece of a path."""
    from urllib.parse import quote

    return quote(normalise(text)[:64], safe="")


def html(text: str, status: int = 200) -> HTMLResponse:
    """A page that runs nothing and is kept nowhere."""
    return HTMLResponse(text, status, headers={"Content-Security-Policy": _CSP, "Cache-Control": "no-store"})
