from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from pydantic import ValidationError

from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.store.database import Database

ANALYST = Principal(subject="ana", role=Role.ANALYST)
AGENT = Principal(subject="agnes", role=Role.AGENT)
CUSTOMER = Principal(subject="C1", role=Role.CUSTOMER, customer_id="C1")


def new(key: str) -> NewAlert:
    return NewAlert(
        kind="opinion.burst",
        key=key,
        severity=Severity.CRITICAL,
        title=LocalText(zh="话题突增", en="A topic bursts"),
        subject="topic 12",
        detail={"items": 10},
    )


@pytest.fixture
def desk(database: Database) -> AlertDesk:
    return AlertDesk(database)


def test_an_alert_is_raised_once_however_many_raise_it(desk: AlertDesk) -> None:
    key = f"burst {uuid4()}"
    with ThreadPoolExecutor(4) as pool:
        raised = [alert for alert in pool.map(lambda _: desk.raise_alert(new(key)), range(8)) if alert]
    assert len(raised) == 1
    assert [a for a in desk.list(ANALYST, limit=500) if a.key == key] == raised
    assert raised[0].model_dump(include=set(NewAlert.model_fields)) == new(key).model_dump()


def test_alerts_of_one_part_alone(desk: AlertDesk) -> None:
    burst = desk.raise_alert(new(f"burst {uuid4()}"))
    shift = desk.raise_alert(new(f"shift {uuid4()}").model_copy(update={"kind": "trend.mood"}))
    found = desk.list(ANALYST, limit=500, part="trend")
    assert shift in found
    assert burst not in found
    assert {alert.kind.partition(".")[0] for alert in found} == {"trend"}


def test_who_was_first_to_see_it_stays_noted(desk: AlertDesk) -> None:
    raised = desk.raise_alert(new(f"burst {uuid4()}"))
    assert raised is not None
    assert raised in desk.list(AGENT, open_only=True, limit=500)
    seen = desk.acknowledge(AGENT, raised.id)
    assert desk.acknowledge(ANALYST, raised.id) == seen
    assert (seen.acknowledged_by, seen.acknowledged_at is None) == ("agnes", False)
    assert raised.id not in {a.id for a in desk.list(AGENT, open_only=True, limit=500)}


def test_alerts_are_for_staff(desk: AlertDesk, database: Database) -> None:
    raised = desk.raise_alert(new(f"burst {uuid4()}"))
    assert raised is not None
    for asked in (lambda: desk.list(CUSTOMER), lambda: desk.acknowledge(CUSTOMER, raised.id)):
        with pytest.raises(NotAllowed, match="staff"):
            asked()
    with pytest.raises(NotFound, match="no such alert"):
        desk.acknowledge(ANALYST, uuid4())
    with pytest.raises(NotAllowed), database.session(CUSTOMER) as session:
        desk.raise_in(session, new(f"burst {uuid4()}"))


def test_a_kind_is_a_dotted_name() -> None:
    with pytest.raises(ValidationError, match="kind"):
        NewAlert.model_validate(new("k").model_dump() | {"kind": "Burst!"})
