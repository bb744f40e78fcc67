"""Writes what demo customers might have asked into the store, a day a transaction. Knows nothing about what they ask."""

from collections.abc import Callable
from datetime import date, timedelta

from openteller.core.errors import BadInput, NotFound
from openteller.core.records import Principal, Record, Role
from openteller.demo.conversations import CHANGE, DAYS, told_on
from openteller.demo.repository import DemoRepository
from openteller.store import audit
from openteller.store.database import Database

_SELF = Principal(subject="demo", role=Role.SERVICE)
_CUSTOMERS, _MAX_DAYS = 500, 730


class PastReport(Record):
    """What was made up."""

    days: int
    turns: int

    @property
    def summary(self) -> str:
        """The report in one sentence."""
        return f"{self.turns:,} messages of demo customers over {self.days} days; what was there already stays."


def make_past(
    database: Database,
    until: date,
    *,
    days: int = DAYS,
    seed: int = 1,
    zone: str = "Asia/Shanghai",
    progress: Callable[[int, int, str], None] | None = None,
) -> PastReport:
    """Write the conversations of the `days` days before `until`; the same days again add nothing.

    Raises:
        BadInput: so many days are not made.
        NotFound: there is no customer who could have asked.
    """
    if not 1 <= days <= _MAX_DAYS:
        raise BadInput(f"{days} days are not made.", next_step=f"Ask for 1 to {_MAX_DAYS}.")
    with database.session(_SELF) as session:
        customers = DemoRepository().customer_ids(session, _CUSTOMERS)
    if not customers:
        raise NotFound("There are no customers who could have asked.", next_step="Run `teller demo load` first.")
    turns = 0
    for back in range(days, 0, -1):
        told = list(told_on(until - timedelta(days=back), back <= CHANGE, customers, seed, zone))
        with database.session(_SELF) as session:
            turns += DemoRepository().add_turns(session, told)
        if progress:
            progress(days - back + 1, days, "conversations of the demo")
    report = PastReport(days=days, turns=turns)
    if turns:
        with database.session(_SELF) as session:
            audit.record(session, "demo", "demo.conversations_made", f"seed {seed}", report.model_dump(mode="json"))
    return report
