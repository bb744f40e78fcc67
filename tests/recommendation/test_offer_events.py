from datetime import timedelta

from openteller.core.records import Principal, Role
from openteller.recommendation.repository import OfferEventRepository
from openteller.store.database import Database
from openteller.store.tables import OfferEventRow
from tests.recommendation.given import NOON, ON

OWNER = Principal(subject="C000042", role=Role.CUSTOMER, customer_id="C000042")
OTHER = Principal(subject="C000043", role=Role.CUSTOMER, customer_id="C000043")
VISITOR = Principal(subject="visitor:1", role=Role.VISITOR)
AGENT = Principal(subject="agent", role=Role.AGENT, customer_id="C000042")


def test_recent_events_of_the_customer_only(clean: Database) -> None:
    rows = [
        ("C000042", "C000042", "TD-CNY", "dismissed", 90),
        ("C000042", "C000042", "TD-LARGE", "dismissed", 93),
        ("C000042", "C000042", "FUND-MM", "shown", 1),
        ("C000043", "C000043", "CARD-GOLD", "opened", 1),
        ("visitor:1", None, "INS-HOME", "dismissed", 2),
        ("agent", "C000043", "INS-AUTO", "dismissed", 2),
    ]
    with clean.owner_session() as session:
        for owner, customer, product, action, days in rows:
            at = NOON - timedelta(days=days)
            session.add(OfferEventRow(owner=owner, customer_id=customer, product_id=product, action=action, at=at))

    def recent(principal: Principal) -> list[str]:
        with clean.session(principal) as session:
            return [event.product_id for event in OfferEventRepository().recent(session, principal, ON)]

    assert recent(OWNER) == ["FUND-MM", "TD-CNY"]
    assert sorted(recent(OTHER)) == ["CARD-GOLD", "INS-AUTO"]
    assert recent(VISITOR) == ["INS-HOME"]
    assert recent(AGENT) == ["FUND-MM", "TD-CNY"]
