"""What routes ask for, as named types: the caller, the rights, the limits.

A caller is whoever the `Authorization` header proves; without one, the visitor whom `X-OpenTeller-Visitor` or the
cookie proves; else a visitor without a name, who may read what is public. Knows nothing about routes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import NotAllowed, NotAuthenticated, TooManyRequests
from openteller.core.records import Principal, Role, visitor
from openteller.serving.contract import Application
from openteller.serving.limits import TokenBuckets, network
from openteller.serving.observation import Metrics
from openteller.serving.security import VISITOR_HOURS, Tokens

if TYPE_CHECKING:
    from openteller.serving.calls import CallDesk

VISITOR_HEADER = "X-OpenTeller-Visitor"
VISITOR_COOKIE = "openteller_visitor"
LOGINS_PER_MINUTE = 10
FAILURES_PER_MINUTE = 30
NAMELESS = visitor("")

_AGENTS = (Role.AGENT, Role.ADMIN, Role.SERVICE)
_EDITORS = (Role.ANALYST, Role.ADMIN, Role.SERVICE)


@dataclass(frozen=True)
class Serving:
    """What one app holds for its routes."""

    application: Application
    tokens: Tokens
    metrics: Metrics
    callers: TokenBuckets
    logins: TokenBuckets
    failures: TokenBuckets
    calls: "CallDesk"

    @property
    def today(self) -> date:
        """The bank's date."""
        return local_date(utc_now(), self.application.settings.timezone)


def _serving(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


Served = Annotated[Serving, Depends(_serving)]


# For OpenAPI; the header itself is read in `proven`, which also refuses other schemes.
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="from POST /v1/auth/login")


def _caller(
    request: Request, serving: Served, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Who asks, within the limit of requests a minute."""
    principal = proven(request, serving)
    request.state.principal = principal
    key = client(request) if principal.role is Role.VISITOR else f"subject:{principal.subject}"
    limit(request, serving.callers.take(key))
    return principal


def _known(caller: Annotated[Principal, Depends(_caller)]) -> Principal:
    if caller == NAMELESS:
        raise NotAuthenticated(
            "This needs the login or the visitor token that the answer came with.",
            next_step=f"Send Authorization: Bearer …, or {VISITOR_HEADER} as it was received.",
        )
    return caller


def _member(caller: Annotated[Principal, Depends(_caller)]) -> Principal:
    if caller.role is Role.VISITOR:
        raise _must_log_in()
    return caller


def may_edit(principal: Principal) -> bool:
    """Whether documents are the principal's to change, and so to be read with their placeholders."""
    return principal.role in _EDITORS


def _editor(member: Annotated[Principal, Depends(_member)]) -> Principal:
    if not may_edit(member):
        raise NotAllowed(
            "Only analysts, administrators and services may change documents.",
            cause=f"This login's role is {member.role.value}.",
            next_step="Ask an analyst to make the change.",
        )
    return member


def _staff(member: Annotated[Principal, Depends(_member)]) -> Principal:
    if not member.role.is_staff:
        raise NotAllowed(
            "This is for the bank's staff.",
            cause=f"This login's role is {member.role.value}.",
            next_step="Log in as an agent, analyst, administrator or service.",
        )
    return member


def _owner(member: Annotated[Principal, Depends(_member)]) -> Principal:
    if member.role is not Role.CUSTOMER:
        raise NotAllowed(
            "This is for customers.",
            cause=f"This login's role is {member.role.value}.",
            next_step="Staff read a customer's profile at /v1/customers/{customer_id}/profile.",
        )
    return member


Caller = Annotated[Principal, Depends(_caller)]
"""Anybody, visitors without a name included."""
Known = Annotated[Principal, Depends(_known)]
"""Somebody who logged in, or a visitor with a token."""
Member = Annotated[Principal, Depends(_member)]
"""Somebody who logged in."""
Editor = Annotated[Principal, Depends(_editor)]
"""Staff who may change documents."""
Owner = Annotated[Principal, Depends(_owner)]
"""A customer, for what is their own."""
Staff = Annotated[Principal, Depends(_staff)]
"""Anybody of the bank."""


def limit(request: HTTPConnection, seconds: int) -> None:
    """Let the request pass when `seconds` to wait are 0.

    Raises:
        TooManyRequests: they are not; the answer's Retry-After says them.
    """
    if seconds:
        request.state.retry_after = seconds
        raise TooManyRequests("Too many requests in a short time.", next_step=f"Wait {seconds} s and try again.")


def client(request: HTTPConnection) -> str:
    """The key of the network address that asks; behind a proxy, uvicorn's --proxy-headers makes it the customer's."""
    return "address:" + (network(request.client.host) if request.client else "local")


def serve_visitor(request: Request, serving: Serving, principal: Principal) -> tuple[Principal, str | None]:
    """A name for a visitor, with the token to send back; others stay who they are, with None."""
    if principal.role is not Role.VISITOR:
        return principal, None
    named, token = serving.tokens.visitor(None if principal == NAMELESS else principal)
    request.state.principal = named
    return named, token


def hand_token(request: Request, response: Response, token: str | None) -> None:
    """Send a visitor's token, as the header and as a cookie that scripts cannot read."""
    if token is None:
        return
    response.headers[VISITOR_HEADER] = token
    response.set_cookie(
        VISITOR_COOKIE,
        token,
        max_age=VISITOR_HOURS * 3_600,
        path="/v1",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def serves_customers(principal: Principal) -> bool:
    """Whether the principal's role looks at single customers. Analysts work on the bank as a whole and do not."""
    return principal.role in _AGENTS


def on_behalf(serving: Serving, principal: Principal, customer_id: str | None) -> Principal:
    """The principal, with the customer whom staff serve.

    Raises:
        NotAuthenticated: a customer is named and nobody is logged in.
        NotAllowed: the customer is another one, or the role serves no customers.
        NotFound: staff name a customer who does not exist.
    """
    if customer_id is None or customer_id == principal.customer_id:
        return principal
    if principal.role is Role.VISITOR:
        raise _must_log_in()
    if not serves_customers(principal):
        raise NotAllowed(
            "This login may not ask on that customer's behalf.",
            cause="Customers ask for themselves; agents, administrators and services ask for customers they serve.",
            next_step="Ask an agent or an administrator, or leave customer_id out.",
        )
    return serving.application.acting_for(principal, customer_id)


def proven(request: Request, serving: Serving) -> Principal:
    """Whom the request's tokens prove, before any limit on callers.

    Raises:
        NotAuthenticated: an `Authorization` header that is not a valid bearer token.
        TooManyRequests: this address sent too many of those.
    """
    header = request.headers.get("authorization")
    if header is None:
        return _visitor(request, serving)
    scheme, _, token = header.partition(" ")
    with failures_counted(request, serving):
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated(
                "The Authorization header is not a bearer token.", next_step="Send Authorization: Bearer …."
            )
        return serving.tokens.verify(token.strip())


@contextmanager
def failures_counted(connection: HTTPConnection, serving: Serving) -> Iterator[None]:
    """A block that proves who somebody is: not entered by an address that failed too often, and counted when it fails.

    Raises:
        TooManyRequests: this address sent too many tokens that are not valid.
    """
    key = client(connection)
    limit(connection, serving.failures.wait(key))
    try:
        yield
    except NotAuthenticated:
        serving.failures.take(key)
        raise


def _visitor(request: Request, serving: Serving) -> Principal:
    return visitor_of(serving, request.headers.get(VISITOR_HEADER), request.cookies.get(VISITOR_COOKIE))


def visitor_of(serving: Serving, *tokens: str | None) -> Principal:
    """The visitor of the first token that proves one; a token that has run out or is not a visitor's makes a new one."""
    for token in tokens:
        if token:
            try:
                principal = serving.tokens.verify(token)
            except NotAuthenticated:
                continue
            if principal.role is Role.VISITOR:
                return principal
    return NAMELESS


def _must_log_in() -> NotAuthenticated:
    return NotAuthenticated("This needs a login.", next_step="Log in with POST /v1/auth/login and send the token.")
