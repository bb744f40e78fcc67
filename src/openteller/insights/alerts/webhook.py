"""Alerts by HTTP to one address of the bank's own, signed so that the receiver can tell them from anybody else's.

A POST of JSON with three headers:

    X-OpenTeller-Delivery    id of the delivery, the same at every attempt
    X-OpenTeller-Timestamp   seconds since 1970, UTC, when this attempt was signed
    X-OpenTeller-Signature   v1=<HMAC-SHA256 of "<timestamp>.<body>" under the shared secret, hexadecimal>

Any 2xx says that it was received. Redirects are not followed, and the address comes from the settings alone, so an alert
can be sent nowhere else. Knows nothing about attempts.
"""

import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from openteller.core.errors import ConfigurationError, NotAuthenticated, Unavailable
from openteller.insights.alerts.records import Delivery

DELIVERY, TIMESTAMP, SIGNATURE = "X-OpenTeller-Delivery", "X-OpenTeller-Timestamp", "X-OpenTeller-Signature"
REPLAY_SECONDS = 300
"""A receiver refuses what was signed longer ago than this."""
SHORTEST_SECRET = 32
_TIMEOUT = 15.0


class WebhookSender:
    """Sends to one URL.

    Args:
        url: https, or http within the machine or the bank's own network.
        secret: shared with the receiver, at least 32 characters.
        client: for tests; None: one of its own.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: the URL is none that alerts can be sent to, or the secret is too short.
    """

    def __init__(
        self, url: str, secret: str, client: httpx.Client | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment:
            raise ConfigurationError(
                "Alerts cannot be sent to the webhook's URL.",
                cause="It is no http(s) URL, or it holds a user or a fragment.",
                next_step="Set OPENTELLER_ALERT_WEBHOOK_URL like https://alerts.bank.example/openteller.",
            )
        if len(secret) < SHORTEST_SECRET:
            raise ConfigurationError(
                "Alerts cannot be signed.",
                cause=f"The webhook's secret has fewer than {SHORTEST_SECRET} characters.",
                next_step="Set OPENTELLER_ALERT_WEBHOOK_SECRET to what `openssl rand -base64 48` prints.",
            )
        self._url, self._secret, self._clock = url, secret, clock
        self._client = client or httpx.Client(trust_env=False, verify=ssl.create_default_context())

    def send(self, delivery: Delivery) -> None:
        """Send one alert. Raises Unavailable when the receiver does not answer with 2xx."""
        body = body_of(delivery)
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            DELIVERY: str(delivery.id),
            TIMESTAMP: stamp,
            SIGNATURE: sign(self._secret, stamp, body),
        }
        try:
            answer = self._client.post(
                self._url, content=body, headers=headers, timeout=_TIMEOUT, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise Unavailable("The webhook's receiver does not answer.", cause=type(error).__name__) from error
        if not answer.is_success:
            raise Unavailable("The webhook's receiver refused the alert.", cause=f"It answered {answer.status_code}.")


def body_of(delivery: Delivery) -> bytes:
    """What is sent: the delivery's id and the alert, as JSON in UTF-8 with sorted keys."""
    alert = delivery.alert.model_dump(mode="json", exclude={"key", "acknowledged_by", "acknowledged_at"})
    sent = {"delivery": str(delivery.id), "alert": alert}
    return json.dumps(sent, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature's header."""
    return "v1=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """What a receiver does first: the id of the delivery, when the message is ours, whole, and new.

    Keep ids for `REPLAY_SECONDS` and longer, and take a message whose id is known for received.

    Args:
        secret: as set at the sender.
        headers: of the request, by names as above or in lower case.
        body: as it came, byte for byte.
        now: seconds since 1970.

    Raises:
        NotAuthenticated: it is not.
    """
    given = {name.lower(): value for name, value in headers.items()}
    stamp, signature = given.get(TIMESTAMP.lower(), ""), given.get(SIGNATURE.lower(), "")
    if not hmac.compare_digest(sign(secret, stamp, body).encode(), signature.encode()):
        raise NotAuthenticated("The signature is not ours.", next_step="Check the secret on both sides.")
    # Only what carries our signature is read on.
    if abs(now - int(stamp)) > REPLAY_SECONDS:
        raise NotAuthenticated("The message was signed too long ago.", next_step="Check the clocks on both sides.")
    delivery = given.get(DELIVERY.lower(), "")
    if json.loads(body).get("delivery") != delivery:
        raise NotAuthenticated("The delivery's id is not the one that was signed.")
    return delivery
