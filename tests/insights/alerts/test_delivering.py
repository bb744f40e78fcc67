"""The outbox: stored with the alert, tried until sent or dead, by one of many, and after kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import NotAllowed, Unavailable
from openteller.core.records import LocalText
from openteller.insights.alerts.delivering import ATTEMPTS, Courier, wait_after
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import Channel, Delivery, DeliveryStatus, NewAlert, Severity
from openteller.insights.alerts.webhook import WebhookSender, verify
from openteller.store import audit
from openteller.store.database import Database
from tests.insights.alerts.receivers import HttpReceiver, receiving
from tests.store.people import AGENT, ANN

SECRET = "a-secret-of-these-tests-0123456789-abcdef"
ROUTES = {Channel.EMAIL: Severity.CRITICAL, Channel.WEBHOOK: Severity.WARNING}


def new(severity: Severity = Severity.WARNING) -> NewAlert:
    return NewAlert(
        kind="trend.mood",
        key=f"test {uuid4()}",
        severity=severity,
        title=LocalText(zh="银行卡：负面情绪上升", en="Cards: the mood falls"),
        link="/console/trends?topic=card",
        detail={"since": 0.42},
    )


class Clock:
    """Ahead of the database's, however long a busy machine takes."""

    def __init__(self, ahead: timedelta = timedelta(minutes=10)) -> None:
        self.now = datetime.now(UTC) + ahead

    def __call__(self) -> datetime:
        return self.now


class Recording:
    """Fails as often as it is told to, then takes everything."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.sent, self.tried = failures, list[UUID](), 0

    def send(self, delivery: Delivery) -> None:
        self.tried += 1
        if self.tried <= self.failures:
            raise Unavailable("Nobody is there.", cause="refused")
        self.sent.append(delivery.id)


@pytest.fixture
def desk(clean: Database) -> AlertDesk:
    return AlertDesk(clean, ROUTES)


@pytest.mark.parametrize(
    ("severity", "channels"),
    [(Severity.INFO, set()), (Severity.WARNING, {Channel.WEBHOOK}), (Severity.CRITICAL, set(Channel))],
)
def test_what_is_grave_enough_goes_out(desk: AlertDesk, severity: Severity, channels: set[Channel]) -> None:
    alert = new(severity)
    assert desk.raise_alert(alert) is not None
    assert desk.raise_alert(alert) is None
    found = desk.deliveries(AGENT)
    assert {delivery.channel for delivery in found} == channels
    assert len(found) == len(channels)
    with pytest.raises(NotAllowed):
        desk.deliveries(ANN)


def test_an_alert_that_is_rolled_back_is_not_sent(desk: AlertDesk, clean: Database) -> None:
    with suppress(RuntimeError), clean.session(AGENT) as session:
        desk.raise_in(session, new(Severity.CRITICAL))
        raise RuntimeError("what led to it failed")
    assert desk.deliveries(AGENT) == ()


def test_attempts_wait_longer_and_longer(desk: AlertDesk, clean: Database) -> None:
    clock, sender = Clock(), Recording(failures=2)
    courier = Courier(clean, {Channel.WEBHOOK: sender}, clock, lambda: 1.0)
    desk.raise_alert(new())
    assert courier.deliver() == 0
    (failed,) = desk.deliveries(AGENT)
    assert (failed.status, failed.attempts, failed.last_error) == (
        DeliveryStatus.WAITING,
        1,
        "Nobody is there. refused",
    )
    assert failed.next_at - clock.now == timedelta(seconds=15)
    assert courier.deliver() == 0
    assert sender.tried == 1
    clock.now += timedelta(seconds=16)
    courier.deliver()
    assert desk.deliveries(AGENT)[0].next_at - clock.now == timedelta(seconds=30)
    clock.now += timedelta(seconds=31)
    assert courier.deliver() == 1
    (sent,) = desk.deliveries(AGENT, status=DeliveryStatus.SENT)
    assert (sent.attempts, sent.ended_at, sender.sent) == (3, clock.now, [sent.id])
    clock.now += timedelta(days=1)
    assert courier.deliver() == 0


def test_what_cannot_be_delivered_ends_and_is_told(desk: AlertDesk, clean: Database) -> None:
    clock, sender = Clock(), Recording(failures=1_000)
    courier = Courier(clean, {Channel.WEBHOOK: sender}, clock)
    raised = desk.raise_alert(new())
    assert raised is not None
    for _ in range(ATTEMPTS + 3):
        courier.deliver()
        clock.now += timedelta(hours=2)
    (dead,) = desk.deliveries(AGENT, status=DeliveryStatus.DEAD)
    assert (dead.attempts, sender.tried) == (ATTEMPTS, ATTEMPTS)
    with clean.session(AGENT) as session:
        (told,) = audit.entries(session, ["alert.undeliverable"], str(raised.id))
    assert told.detail == {"channel": "webhook", "attempts": ATTEMPTS, "error": "Nobody is there. refused"}


def test_no_delivery_is_taken_by_two(desk: AlertDesk, clean: Database) -> None:
    for _ in range(12):
        desk.raise_alert(new())
    sender = Recording()
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: Courier(clean, {Channel.WEBHOOK: sender}, Clock()).deliver(), range(4)))
    assert sum(counts) == 12
    assert len(set(sender.sent)) == len(sender.sent) == 12


def test_a_channel_without_a_sender_waits(desk: AlertDesk, clean: Database) -> None:
    desk.raise_alert(new(Severity.CRITICAL))
    assert Courier(clean, {}, Clock()).deliver() == 0
    assert Courier(clean, {Channel.WEBHOOK: Recording()}, Clock()).deliver() == 1
    (waiting,) = desk.deliveries(AGENT, status=DeliveryStatus.WAITING)
    assert (waiting.channel, waiting.attempts) == (Channel.EMAIL, 0)


@given(st.integers(1, ATTEMPTS), st.floats(0, 1))
def test_waits_are_within_bounds(attempts: int, chance: float) -> None:
    assert timedelta(seconds=7) < wait_after(attempts, chance) <= timedelta(hours=1)
    assert wait_after(attempts + 1, 1.0) >= wait_after(attempts, 1.0)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with receiving() as found:
        yield found


def test_a_receiver_that_fails_first(desk: AlertDesk, clean: Database, receiver: HttpReceiver) -> None:
    receiver.answers += [500, 302, 204]
    clock = Clock()
    courier = Courier(clean, {Channel.WEBHOOK: WebhookSender(receiver.url, SECRET)}, clock)
    desk.raise_alert(new())
    for expected in (0, 0, 1):
        assert courier.deliver() == expected
        clock.now += timedelta(minutes=5)
    assert len(receiver.asked) == 3
    now = datetime.now(UTC).timestamp()
    ids = {verify(SECRET, headers, body, now) for headers, body in receiver.asked}
    assert ids == {str(desk.deliveries(AGENT)[0].id)}


DIES = """
import os, signal, sys
from openteller.insights.alerts.delivering import Courier
from openteller.insights.alerts.records import Channel
from openteller.insights.alerts.webhook import WebhookSender
from openteller.store.database import Database

class Dying(WebhookSender):
    def send(self, delivery):
        super().send(delivery)
        os.kill(os.getpid(), signal.SIGKILL)

Courier(Database(*sys.argv[1:3]), {Channel.WEBHOOK: Dying(sys.argv[3], sys.argv[4])}).deliver()
"""


def test_kill_9_after_sending_repeats_under_the_same_id(
    desk: AlertDesk, clean: Database, database_urls: tuple[str, str], receiver: HttpReceiver
) -> None:
    desk.raise_alert(new())
    command = [sys.executable, "-c", DIES, *database_urls, receiver.url, SECRET]
    done = subprocess.run(command, env=os.environ, cwd=Path(__file__).parents[3], timeout=60)
    assert done.returncode == -signal.SIGKILL
    (waiting,) = desk.deliveries(AGENT)
    assert (waiting.status, waiting.attempts) == (DeliveryStatus.WAITING, 1)
    clock = Clock(timedelta())
    courier = Courier(clean, {Channel.WEBHOOK: WebhookSender(receiver.url, SECRET)}, clock)
    assert courier.deliver() == 0
    clock.now += timedelta(minutes=3)
    assert courier.deliver() == 1
    now = datetime.now(UTC).timestamp()
    assert [verify(SECRET, *asked, now) for asked in receiver.asked] == [str(waiting.id)] * 2
