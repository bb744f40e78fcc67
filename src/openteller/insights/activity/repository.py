"""Activity counted in the store, in the caller's transaction; row-level security lets staff alone count everybody's."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from openteller.core.records import Outcome
from openteller.insights.activity.records import Activity
from openteller.store.tables import HandOffRow, SatisfactionRow, TurnRow


class ActivityRepository:
    """Counts of turns."""

    def read(self, session: Session, since: datetime, until: datetime) -> Activity:
        """The turns from `since` to before `until`, and where hand-offs stand now."""
        within = (TurnRow.at >= since, TurnRow.at < until)
        hour = func.date_trunc("hour", TurnRow.at)
        hours: defaultdict[datetime, dict[Outcome, int]] = defaultdict(dict)
        outcomes = dict.fromkeys(Outcome, 0)
        counted = select(hour, TurnRow.outcome, func.count()).where(*within).group_by(hour, TurnRow.outcome)
        for begin, outcome, count in session.execute(counted.order_by(hour)):
            hours[begin][Outcome(outcome)] = count
            outcomes[Outcome(outcome)] += count
        rated = select(SatisfactionRow.rating, func.count()).join(TurnRow, TurnRow.trace_id == SatisfactionRow.trace_id)
        ratings = session.execute(rated.where(*within).group_by(SatisfactionRow.rating))
        standing = select(HandOffRow.status, func.count(HandOffRow.conversation_id.distinct()))
        waiting = {status: count for status, count in session.execute(standing.group_by(HandOffRow.status))}
        return Activity(
            since=since,
            until=until,
            outcomes=outcomes,
            hours=dict(hours),
            ratings={rating: count for rating, count in ratings},
            hand_offs_open=waiting.get("open", 0),
            hand_offs_taken=waiting.get("taken", 0),
        )
