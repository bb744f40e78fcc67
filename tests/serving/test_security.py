"""Tokens: ours, and those of a bank's OpenID provider, whose keys come over HTTP."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from openteller.core.clock import utc_now
from openteller.core.errors import ConfigurationError, NotAuthenticated, Unavailable
from openteller.core.records import Principal, Role
from openteller.serving.security import Tokens
from openteller.settings import Settings
from tests.serving.api.house import SECRET, settings

ISSUER, AUDIENCE = "https://id.bank.example", "openteller-bank"
ANN = Principal(subject="C000001", role=Role.CUSTOMER, customer_id="C000001")


class Provider:
    """An OpenID provider that publishes one RSA key on loopback."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self.fetched = 0
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True) | {"kid": "one", "use": "sig", "alg": "RS256"}
        body = json.dumps({"keys": [jwk]}).encode()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetched += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def token(self, key: Any = None, kid: str = "one", **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "8d2f",
            "role": "customer",
            "customer_id": "C000001",
            "iat": utc_now(),
            "exp": utc_now() + timedelta(minutes=5),
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": kid})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def _settings(url: str) -> Settings:
    return settings(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks_url=url)


def test_our_own_token_comes_back_as_who_it_was_issued_to() -> None:
    tokens = Tokens(settings())
    assert tokens.verify(tokens.issue(ANN)) == ANN


def test_a_token_of_another_installation_is_forged() -> None:
    other = Tokens(settings().model_copy(update={"secret_key": SECRET[::-1]}))
    with pytest.raises(NotAuthenticated):
        Tokens(settings()).verify(other.issue(ANN))


def test_visitors_differ_and_stay_who_they_are() -> None:
    tokens = Tokens(settings())
    first, token = tokens.visitor()
    second, _ = tokens.visitor()
    assert first.subject != second.subject
    assert tokens.verify(token) == first == tokens.visitor(first)[0]


def test_a_providers_customer_owns_the_rows_of_the_customer_id(provider: Provider) -> None:
    assert Tokens(_settings(provider.url)).verify(provider.token()) == ANN


def test_a_providers_staff_and_our_own_tokens_both_work(provider: Provider) -> None:
    tokens = Tokens(_settings(provider.url))
    found = tokens.verify(provider.token(sub="li", role="agent", customer_id=None))
    assert found == Principal(subject="li", role=Role.AGENT)
    assert tokens.verify(tokens.issue(ANN)) == ANN


def test_the_keys_are_fetched_once(provider: Provider) -> None:
    tokens = Tokens(_settings(provider.url))
    before = provider.fetched
    for _ in range(5):
        tokens.verify(provider.token())
    with pytest.raises(NotAuthenticated):
        tokens.verify(provider.token(kid="unknown"))
    assert provider.fetched == before + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"sub": None},
        {"role": None},
        {"role": "visitor", "customer_id": None},
        {"role": "root", "customer_id": None},
        {"role": "admin"},
        {"customer_id": None},
        {"role": ["admin"], "customer_id": None},
        {"sub": "x" * 201, "role": "agent", "customer_id": None},
    ],
    ids=str,
)
def test_a_providers_token_that_proves_nothing(provider: Provider, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        Tokens(_settings(provider.url)).verify(provider.token(**changes))


def test_a_token_signed_with_another_key_is_forged(provider: Provider) -> None:
    stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with pytest.raises(NotAuthenticated):
        Tokens(_settings(provider.url)).verify(provider.token(key=stranger))


def test_the_providers_public_key_is_no_secret_of_ours(provider: Provider) -> None:
    """The classic confusion: HS256 keyed with the RSA public key (RFC 8725 §2.1)."""
    public = provider.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, payload, _ = provider.token().split(".")
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}').decode()
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{header}.{payload}".encode(), public)
    forged = ".".join([header, payload, jwt.utils.base64url_encode(signature).decode()])
    with pytest.raises(NotAuthenticated):
        Tokens(_settings(provider.url)).verify(forged)


def test_a_provider_that_does_not_answer_is_not_the_callers_fault(provider: Provider) -> None:
    with pytest.raises(Unavailable):
        Tokens(_settings("http://127.0.0.1:9/jwks")).verify(provider.token())


def test_a_provider_described_in_part_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        Tokens(settings(oidc_issuer=ISSUER))
