"""Takes alerts out of the outbox and hands them to what sends them, until each is sent or dead.

An attempt is noted before it begins, and how it ended after: a process that is killed in between leaves a delivery that is
tried again when its lease is over, under the same id. So nothing is lost, and what arrives twice can be told by its id.
Waits between attempts grow by two and are drawn evenly from the upper half ("equal jitter"; Brooker, AWS, 2015).
Knows nothing about channels.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from openteller.core.clock import utc_now
from openteller.core.errors import OpenTellerError
from openteller.core.records import Principal, Role
from openteller.insights.alerts.records import Channel, Delivery, DeliveryStatus
from openteller.insights.alerts.repository import AlertRepository
from openteller.store import audit
from openteller.store.database import Database

ATTEMPTS = 10
"""After so many a delivery is dead: one to two hours after the first."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(hours=1)
_LEASE = timedelta(minutes=2)  # longer than any sender waits
_COURIER = Principal(subject="courier", role=Role.SERVICE)
_MAX_ERROR = 500


class Sender(Protocol):
    """One channel. Sends, or raises an error of the family."""

    def send(self, delivery: Delivery) -> None: ...


class Courier:
    """Delivers what is due. Several may work at once: no delivery is taken by two.

    Args:
        database: where the outbox is.
        senders: by channel; what goes over another waits until somebody has it.
        now: the clock.
        chance: a number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        database: Database,
        senders: Mapping[Channel, Sender],
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database, self._senders, self._now, self._chance = database, dict(senders), now, chance
        self._alerts = AlertRepository()

    def deliver(self, limit: int = 100) -> int:
        """Try up to `limit` deliveries that are due; how many were sent."""
        sent = 0
        for _ in range(limit):
            with self._database.session(_COURIER) as session:
                delivery = self._alerts.claim(session, self._now(), _LEASE, list(self._senders))
            if delivery is None:
                break
            sent += self._try(delivery)
        return sent

    def _try(self, delivery: Delivery) -> bool:
        try:
            self._senders[delivery.channel].send(delivery)
        except OpenTellerError as error:
            self._failed(delivery, f"{error.message} {error.cause}".strip()[:_MAX_ERROR])
            return False
        with self._database.session(_COURIER) as session:
            self._alerts.settle(session, delivery, DeliveryStatus.SENT, ended_at=self._now())
        return True

    def _failed(self, delivery: Delivery, error: str) -> None:
        with self._database.session(_COURIER) as session:
            if delivery.attempts < ATTEMPTS:
                next_at = self._now() + wait_after(delivery.attempts, self._chance())
                self._alerts.settle(session, delivery, DeliveryStatus.WAITING, error=error, next_at=next_at)
                return
            self._alerts.settle(session, delivery, DeliveryStatus.DEAD, error=error, ended_at=self._now())
            detail = {"channel": delivery.channel, "attempts": delivery.attempts, "error": error}
            audit.record(session, _COURIER.subject, "alert.undeliverable", str(delivery.alert.id), detail)


def wait_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts; `chance` in 0–1."""
    longest = min(_FIRST_WAIT * (1 << (attempts - 1)), _LONGEST_WAIT)
    return longest * (0.5 + chance / 2)
