"""Signed webhooks: what is ours, whole and new is taken; anything else is not."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import ConfigurationError, NotAuthenticated, Unavailable
from openteller.insights.alerts.records import Alert, Channel, Delivery, DeliveryStatus
from openteller.insights.alerts.webhook import (
    DELIVERY,
    REPLAY_SECONDS,
    SIGNATURE,
    TIMESTAMP,
    WebhookSender,
    body_of,
    sign,
    verify,
)
from tests.insights.alerts.test_delivering import SECRET, new

NOW = 1_800_000_000.0
URL = "https://alerts.bank.example/hook"


def delivery() -> Delivery:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    alert = Alert(id=uuid4(), raised_at=at, **new().model_dump())
    return Delivery(id=uuid4(), alert=alert, channel=Channel.WEBHOOK, status=DeliveryStatus.WAITING, attempts=1,
                    next_at=at, last_error="", ended_at=None)  # fmt: skip


def headers(made: Delivery, stamp: str = str(int(NOW))) -> dict[str, str]:
    return {DELIVERY: str(made.id), TIMESTAMP: stamp, SIGNATURE: sign(SECRET, stamp, body_of(made))}


def test_what_is_sent_can_be_verified() -> None:
    seen: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    made = delivery()
    client = httpx.Client(transport=httpx.MockTransport(receive))
    WebhookSender(URL, SECRET, client, lambda: NOW).send(made)
    (request,) = seen
    assert verify(SECRET, request.headers, request.content, NOW + 10) == str(made.id)
    sent = json.loads(request.content)
    assert sent["alert"]["title"] == {"zh": "银行卡：负面情绪上升", "en": "Cards: the mood falls"}
    assert "key" not in sent["alert"]


@pytest.mark.parametrize("late", [-REPLAY_SECONDS - 1, REPLAY_SECONDS + 1])
def test_a_replay_is_refused(late: float) -> None:
    made = delivery()
    with pytest.raises(NotAuthenticated, match="too long ago"):
        verify(SECRET, headers(made), body_of(made), NOW + late)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 200))
def test_what_was_changed_is_refused(other: bytes, place: int) -> None:
    made = delivery()
    body = body_of(made)
    changed = body[:place] + other + body[place + len(other) :]
    if changed != body:
        with pytest.raises(NotAuthenticated, match="not ours"):
            verify(SECRET, headers(made), changed, NOW)


@pytest.mark.parametrize("name", [TIMESTAMP, SIGNATURE])
def test_a_header_that_is_missing_or_another_is_refused(name: str) -> None:
    made = delivery()
    given = headers(made)
    for wrong in (given | {name: "v1=é"}, {n: v for n, v in given.items() if n != name}):
        with pytest.raises(NotAuthenticated, match="not ours"):
            verify(SECRET, wrong, body_of(made), NOW)


def test_the_id_is_the_one_that_was_signed() -> None:
    made = delivery()
    with pytest.raises(NotAuthenticated, match="delivery's id"):
        verify(SECRET, headers(made) | {DELIVERY: str(uuid4())}, body_of(made), NOW)


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "file:///etc/passwd", "https://", "alerts", "https://u:p@x/", "https://x/#y"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook's URL"):
        WebhookSender(url, SECRET)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="signed"):
        WebhookSender(URL, "short")


def test_a_receiver_that_does_not_answer() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        WebhookSender("http://127.0.0.1:1/x", SECRET).send(delivery())
