"""Activity: counts of turns, for staff."""

from datetime import timedelta
from uuid import uuid4

from openteller.assistant.dialogue import inquiry_of
from openteller.core.clock import utc_now
from openteller.core.records import Outcome, Principal, Role, Satisfaction
from openteller.insights.activity.records import Activity
from openteller.insights.activity.repository import ActivityRepository
from openteller.store.database import Database
from tests.assistant.test_dialogue import road
from tests.store.people import AGENT, OTHER_VISITOR, VISITOR


def read(database: Database, principal: Principal = AGENT, hours: int = 1) -> Activity:
    now = utc_now()
    with database.session(principal) as session:
        return ActivityRepository().read(session, now - timedelta(hours=hours), now)


def test_turns_are_counted_by_outcome_and_hour(clean: Database) -> None:
    rated = inquiry_of("卡丢了")
    road(clean).walk(rated, VISITOR)
    road(clean, outcome=Outcome.REFUSED).walk(inquiry_of("天气"), VISITOR)
    waiting = uuid4()
    for _ in range(2):
        road(clean).walk(inquiry_of("转人工", conversation_id=waiting), OTHER_VISITOR)
    road(clean).rate(VISITOR, Satisfaction(trace_id=rated.trace_id, rating=4))
    found = read(clean)
    assert found.outcomes == {
        Outcome.ANSWERED: 1, Outcome.CLARIFY: 0, Outcome.REFUSED: 1, Outcome.HANDED_OFF: 2,
    }  # fmt: skip
    assert found.turns == sum(count for hour in found.hours.values() for count in hour.values()) == 4
    assert (found.rating, found.ratings) == (4.0, {4: 1})
    # Two hand-offs of one conversation are one who waits.
    assert (found.hand_offs_open, found.hand_offs_taken) == (1, 0)


def test_nothing_happened_or_nothing_may_be_seen(clean: Database) -> None:
    assert (read(clean).turns, read(clean).rating) == (0, None)
    road(clean).walk(inquiry_of("卡丢了"), VISITOR)
    assert read(clean, Principal(subject="visitor:x", role=Role.VISITOR)).turns == 0
    assert read(clean, OTHER_VISITOR).turns == 0
