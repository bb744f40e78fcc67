"""Who is at the console: the login's cookie, held against the accounts, until it expires or is given up.

The cookie is the one of the pages about a customer (serving/profile_pages.py): one login opens both. What is not covered:
a log-out is known to this process alone; another process of the same installation lets the cookie in until it expires.
Knows nothing about pages.
"""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from threading import Lock

from starlette.types import Scope

from openteller.core.clock import utc_now
from openteller.core.errors import NotAuthenticated
from openteller.core.records import Principal, Role
from openteller.serving.deps import Serving
from openteller.serving.profile_pages import COOKIE


@dataclass(frozen=True)
class Login:
    """A cookie that is good: whom it proves, and the token itself. `expires`: seconds since 1970."""

    principal: Principal
    token: str
    expires: float


class Sessions:
    """Checks logins, and remembers those that were given up. Safe to share between threads."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._left: dict[str, float] = {}
        self._lock = Lock()

    def of(self, scope: Scope) -> Login | None:
        """The login of a request or a socket; None without one that is good."""
        token = _cookie(scope)
        return self.check(token) if token else None

    def check(self, token: str) -> Login | None:
        """The login that a token proves now."""
        with self._lock:
            if token in self._left:
                return None
        try:
            principal, expires = self._serving.tokens.verify_until(token)
        except NotAuthenticated:
            return None
        if principal.role is Role.VISITOR:
            return None
        return Login(principal, token, expires)

    def is_open(self, login: Login) -> bool:
        """Whether the account behind it still exists, with this role. Asks the store."""
        return self._serving.application.accounts.is_open(login.principal)

    def leave(self, token: str) -> None:
        """Let the token in no more."""
        now = utc_now().timestamp()
        with self._lock:
            self._left = {old: until for old, until in self._left.items() if until > now}
            self._left[token] = now + self._serving.tokens.seconds


def _cookie(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if morsel:
                return morsel.value
    return None
