"""Logging in, who I am, and the demo bank's logins. Knows nothing about how a password is checked."""

from fastapi import APIRouter, Request

from openteller.core.errors import NotAllowed, NotAuthenticated, NotFound
from openteller.serving import errors
from openteller.serving.deps import Member, Served, client, limit
from openteller.serving.wire import DemoLogin, DemoLogins, LoginBody, Me, TokenAnswer

router = APIRouter(prefix="/v1", tags=["auth"])


@router.post("/auth/login", summary="Log in", responses=errors.responses(400, 401, 403, 413, 422, 429, 503))
def login(body: LoginBody, serving: Served, request: Request) -> TokenAnswer:
    """A bearer token for a user name and its password. Ten attempts a minute for a name, and thirty for an address."""
    limit(request, serving.failures.wait(client(request)))
    limit(request, serving.logins.take(f"user:{body.username}"))
    try:
        principal = serving.application.accounts.authenticate(body.username, body.password)
    except (NotAuthenticated, NotAllowed):
        serving.failures.take(client(request))
        serving.metrics.logins.labels("refused").inc()
        raise
    serving.metrics.logins.labels("granted").inc()
    request.state.principal = principal
    return TokenAnswer(
        access_token=serving.tokens.issue(principal),
        expires_in=serving.tokens.seconds,
        role=principal.role,
        customer_id=principal.customer_id,
    )


@router.get("/auth/me", summary="Who am I", responses=errors.responses(401, 429))
def me(member: Member) -> Me:
    """On whose behalf the token speaks."""
    return Me(subject=member.subject, role=member.role, customer_id=member.customer_id)


@router.get("/demo/logins", summary="The demo bank's logins", responses=errors.responses(404))
def demo_logins(serving: Served) -> DemoLogins:
    """Users of the demo bank with their password, in dev mode only."""
    settings = serving.application.settings
    if not settings.dev:
        raise NotFound("Demo logins are off.", cause="They exist in dev mode only.", next_step="Set OPENTELLER_DEV=1.")
    password = settings.demo_password
    users = serving.application.accounts.sharing_password(password)
    return DemoLogins(
        logins=tuple(
            DemoLogin(username=user.username, password=password, role=user.role, customer_id=user.customer_id)
            for user in users
        )
    )
