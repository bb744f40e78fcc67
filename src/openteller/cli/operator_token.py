"""The token with which the operator of this machine speaks for a customer: a JSON Web Token under HS256 (RFC 7519).

`serving.security.Tokens` issues the same, and loading it with all settings takes longer than the whole of `teller ask`
otherwise does. Knows nothing about verifying: that is the server's.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from pathlib import Path

from openteller.cli.running import named_settings

SUBJECT = "cli"
_SECONDS = 300
_LONG_ENOUGH = 32  # characters; a shorter one is for the settings to judge
_ISSUER = "openteller"


def service_token(data_dir: Path) -> str:
    """A token for the role service that lasts five minutes.

    Raises:
        ConfigurationError: there is no secret to sign with.
    """
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "aud": _ISSUER,
        "sub": SUBJECT,
        "role": "service",
        "iat": now,
        "exp": now + _SECONDS,
        "jti": secrets.token_urlsafe(9),
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(_secret(data_dir).encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encoded(signature)}"


def _secret(data_dir: Path) -> str:
    """`Settings.signing_key`; where environment and data directory say it, without reading all settings."""
    named = named_settings()
    if named is not None:
        given, kept = named.get("OPENTELLER_SECRET_KEY", ""), data_dir / "dev-secret"
        if len(given) >= _LONG_ENOUGH:
            return given
        if not given and named.get("OPENTELLER_DEV") == "1" and kept.exists():
            return kept.read_text(encoding="ascii").strip()
    from openteller.settings import load

    return load().signing_key()


def _part(value: dict[str, object]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
