"""The token in a link to a survey: which link it is, and a signature that nobody can make without the bank's key.

HMAC-SHA-256 (RFC 2104), cut to 128 bits. Whether the link may still be used is the store's to say.
"""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from openteller.core.errors import NotFound

_PURPOSE = b"openteller survey link\0"
_SIGNATURE_BYTES = 16


def token(link_id: UUID, key: str) -> str:
    """43 letters, digits, - and _ that stand in an address."""
    return base64.urlsafe_b64encode(link_id.bytes + _signature(link_id, key)).rstrip(b"=").decode()


def link_of(text: str, key: str) -> UUID:
    """The link that a token names. Raises NotFound for what was not made with the key."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    if len(raw) == 16 + _SIGNATURE_BYTES:
        link_id = UUID(bytes=raw[:16])
        if hmac.compare_digest(raw[16:], _signature(link_id, key)):
            return link_id
    raise NotFound("There is no such survey.", next_step="Open the link as you received it, whole.")


def _signature(link_id: UUID, key: str) -> bytes:
    return hmac.new(key.encode(), _PURPOSE + link_id.bytes, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
