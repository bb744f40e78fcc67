"""Bearer tokens: JSON Web Tokens (RFC 7519), ours under HS256, a bank's OpenID provider under RS256.

Each algorithm has its own keys and its own decoding call: a token's header chooses between the two, never an algorithm
(RFC 8725 §3.1). A visitor's token proves only that two requests come from one browser.

What is not covered: revocation. A token runs until it expires, `token_minutes` after login.
Knows nothing about passwords or HTTP.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import jwt
from pydantic import ValidationError

from openteller.core.clock import utc_now
from openteller.core.errors import ConfigurationError, NotAuthenticated, Unavailable
from openteller.core.records import Principal, Role, visitor

if TYPE_CHECKING:  # the protocol alone would load the store into every `teller ask`
    from openteller.serving.contract import ServingSettings

ISSUER = "openteller"
VISITOR_HOURS = 24
_LEEWAY_SECONDS = 10
_REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
_LONGEST_SUBJECT = 200


class Tokens:
    """Issues and verifies bearer tokens.

    A provider's token must carry `sub`, the claim `role` (customer, agent, analyst, admin or service), and
    `customer_id` when the role is customer.

    Raises:
        ConfigurationError: the secret is unsafe, or some of the three OIDC settings are given and others not.
    """

    def __init__(self, settings: "ServingSettings") -> None:
        self._secret = settings.signing_key()
        self._lifetime = timedelta(minutes=settings.token_minutes)
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._jwks_url = settings.oidc_jwks_url
        given = [bool(value) for value in (self._issuer, self._audience, self._jwks_url)]
        if any(given) and not all(given):
            raise ConfigurationError(
                "The OpenID provider is described in part only.",
                next_step="Set OPENTELLER_OIDC_ISSUER, OPENTELLER_OIDC_AUDIENCE and OPENTELLER_OIDC_JWKS_URL, or none.",
            )

    @property
    def seconds(self) -> int:
        """How long a token of a login lasts."""
        return int(self._lifetime.total_seconds())

    def issue(self, principal: Principal) -> str:
        """A token for somebody who has logged in."""
        return self._sign(principal, self._lifetime)

    def visitor(self, known: Principal | None = None) -> tuple[Principal, str]:
        """A visitor with a token that lasts 24 hours; a new one, or the `known` one again."""
        principal = known or visitor(token_urlsafe(18))
        return principal, self._sign(principal, timedelta(hours=VISITOR_HOURS))

    def verify(self, token: str) -> Principal:
        """Whom the token speaks for.

        Raises:
            NotAuthenticated: forged, expired, not yet valid, of another issuer or audience, or not a token.
            Unavailable: the provider's keys cannot be fetched.
        """
        return self.verify_until(token)[0]

    def verify_until(self, token: str) -> tuple[Principal, float]:
        """The same, and when the token expires, in seconds since 1970. Raises as `verify` does."""
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
            if algorithm == "RS256" and self._jwks_url:
                claims = self._verify_provider(token)
                return _principal(claims, theirs=True), float(claims["exp"])
            if algorithm == "HS256":
                claims = self._verify_own(token)
                return _principal(claims, theirs=False), float(claims["exp"])
        except jwt.ExpiredSignatureError as error:
            raise NotAuthenticated("The login has expired.", next_step="Log in again.") from error
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable(
                "The identity provider's keys cannot be fetched.", next_step="Try again in a minute."
            ) from error
        except (jwt.PyJWTError, ValidationError, ValueError) as error:
            raise _forged() from error
        raise _forged()

    def _sign(self, principal: Principal, lifetime: timedelta) -> str:
        now = utc_now()
        claims = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": principal.subject,
            "role": principal.role.value,
            "iat": now,
            "exp": now + lifetime,
            "jti": token_urlsafe(9),
        }
        if principal.customer_id:
            claims["customer_id"] = principal.customer_id
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def _verify_own(self, token: str) -> Mapping[str, Any]:
        return jwt.decode(
            token,
            self._secret,
            algorithms=["HS256"],
            issuer=ISSUER,
            audience=ISSUER,
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )

    def _verify_provider(self, token: str) -> Mapping[str, Any]:
        return jwt.decode(
            token,
            self._provider_keys.get_signing_key_from_jwt(token).key,
            algorithms=["RS256"],
            issuer=self._issuer,
            audience=self._audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )

    @cached_property
    def _provider_keys(self) -> jwt.PyJWKClient:
        assert self._jwks_url is not None
        return jwt.PyJWKClient(self._jwks_url, cache_jwk_set=True, lifespan=300, timeout=5)


def _principal(claims: Mapping[str, Any], *, theirs: bool) -> Principal:
    role = Role(str(claims.get("role", "")))
    customer_id = claims.get("customer_id")
    subject = str(claims["sub"])
    if (role is Role.CUSTOMER) != bool(customer_id) or len(subject) > _LONGEST_SUBJECT:
        raise ValueError("a customer's token names the customer, and no other does")
    if theirs and role is Role.VISITOR:
        raise ValueError("a provider vouches for no visitors")
    # The rows that a customer owns bear the customer id; a provider's own subject would not find them.
    return Principal(subject=str(customer_id or subject), role=role, customer_id=customer_id)


def _forged() -> NotAuthenticated:
    return NotAuthenticated(
        "The access token is not valid.",
        cause="It is damaged, forged or of another issuer.",
        next_step="Log in again.",
    )
