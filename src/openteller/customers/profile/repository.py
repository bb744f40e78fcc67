"""Behaviour in the store: running states, what customers said of tags, and runs over all customers.

Every method works in the caller's transaction; row-level security decides what it sees. A movement and the state it
changes are written together, the customer's row being locked until the transaction ends.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Date,
    Integer,
    Numeric,
    Select,
    Subquery,
    and_,
    case,
    cast,
    delete,
    extract,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, NotFound
from openteller.core.records import Record
from openteller.customers.profile.categorising import all_categorised
from openteller.customers.profile.records import RfmCuts, RfmFigures, Stance, TagWord
from openteller.customers.profile.running import (
    HOME,
    VERSION,
    RunningState,
    Tally,
    from_json,
    month_named,
    reading,
    running_state,
    to_json,
)
from openteller.customers.profile.segments import rfm_figures, segment
from openteller.customers.records import UNCATEGORISED, Transaction
from openteller.store.tables import (
    AccountRow,
    BehaviourRunRow,
    BehaviourStateRow,
    ConsentRow,
    CustomerRow,
    CustomerTagRow,
    TransactionRow,
)

_FIFTHS = (0.2, 0.4, 0.6, 0.8)


class Run(Record):
    """A computation over all customers that is under way: it goes on after customer `after`."""

    id: int
    started_at: datetime
    after: str
    done: int


class BehaviourRepository:
    """What is kept of customers' behaviour.

    Args:
        zone: IANA name of the bank's time zone, in which days begin and end.
    """

    def __init__(self, zone: str = "Asia/Shanghai") -> None:
        self._zone = zone

    def state(self, session: Session, customer_id: str) -> RunningState:
        """The state that is kept, or, where there is none yet, the one computed from the stored movements."""
        query = select(BehaviourStateRow.state).where(
            BehaviourStateRow.customer_id == customer_id, BehaviourStateRow.version == VERSION
        )
        kept = session.scalar(query)
        return self._computed(session, [customer_id])[customer_id] if kept is None else from_json(kept)

    def book(self, session: Session, movements: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """Store new movements, categorised where the bank did not, and add them to their customers' states.

        Raises:
            NotFound: a customer does not exist, or not for this session.
            BadInput: an account is not the customer's.
        """
        ids = sorted({movement.customer_id for movement in movements})
        self._lock(session, ids)
        self._require_accounts(session, movements)
        states = {customer_id: self.state(session, customer_id) for customer_id in ids}
        booked = all_categorised(movements)
        rows = [TransactionRow(**movement.model_dump(exclude={"transaction_id"})) for movement in booked]
        session.add_all(rows)
        session.flush()
        for customer_id, state in states.items():
            state.merge(running_state([m for m in booked if m.customer_id == customer_id], self._zone))
        agreed, on = _agreed(session, ids), local_date(utc_now(), self._zone)
        _save(session, [_row(one, state, one in agreed, on) for one, state in states.items()])
        pairs = zip(booked, rows, strict=True)
        return tuple(m.model_copy(update={"transaction_id": row.transaction_id}) for m, row in pairs)

    def recompute(self, session: Session, customer_ids: Sequence[str], on: date) -> int:
        """Compute the states of these customers anew from all their movements; how many movements there were."""
        self._lock(session, customer_ids)
        agreed, states = _agreed(session, customer_ids), self._computed(session, customer_ids)
        _save(session, [_row(one, state, one in agreed, on) for one, state in states.items()])
        return sum(state.movements for state in states.values())

    def customer_ids(self, session: Session, after: str, limit: int) -> list[str]:
        """Up to `limit` customer numbers in order, from the one after `after` on."""
        query = select(CustomerRow.customer_id).where(CustomerRow.customer_id > after)
        return list(session.scalars(query.order_by(CustomerRow.customer_id).limit(limit)))

    def count(self, session: Session) -> int:
        """How many customers there are."""
        return session.scalar(select(func.count()).select_from(CustomerRow)) or 0

    def begin_run(self, session: Session, *, anew: bool = False) -> Run:
        """The run that was cut off, to go on with, or a new one."""
        query = select(BehaviourRunRow).where(BehaviourRunRow.finished_at.is_(None)).order_by(BehaviourRunRow.id.desc())
        row = None if anew else session.scalars(query.limit(1)).first()
        if row is None:
            row = BehaviourRunRow()
            session.add(row)
            session.flush()
            session.refresh(row)
        return Run(id=row.id, started_at=row.started_at, after=row.after, done=row.done)

    def advance(self, session: Session, run: Run, after: str, done: int) -> Run:
        """Note how far the run has come."""
        session.execute(update(BehaviourRunRow).where(BehaviourRunRow.id == run.id).values(after=after, done=done))
        return run.model_copy(update={"after": after, "done": done})

    def finish_run(self, session: Session, run: Run, on: date) -> RfmCuts | None:
        """End the run with the bank's quintiles over those who agreed to personalisation; None without any.

        The cut points stay out of reach of a single person: below five customers there are none.
        """
        values: dict[str, Any] = {"finished_at": utc_now()}
        counted = _quintiles(session, on)
        session.execute(update(BehaviourRunRow).where(BehaviourRunRow.id == run.id).values(values | counted))
        return self.cuts(session)

    def cuts(self, session: Session) -> RfmCuts | None:
        """The quintiles of the latest finished run that has some."""
        row = session.scalars(
            select(BehaviourRunRow)
            .where(BehaviourRunRow.finished_at.is_not(None), BehaviourRunRow.customers.is_not(None))
            .order_by(BehaviourRunRow.finished_at.desc())
            .limit(1)
        ).first()
        if row is None:
            return None
        names = ("recency", "frequency", "monetary", "customers")
        return RfmCuts.model_validate({name: getattr(row, name) for name in names} | {"at": row.finished_at})

    def segments(self, session: Session, on: date) -> dict[str, int]:
        """Segment → how many customers are in it on day `on`, of those who agreed; empty without the bank's cut points."""
        cuts, row = self.cuts(session), BehaviourStateRow
        agreed = select(ConsentRow.customer_id).where(ConsentRow.purpose == "personalisation", ConsentRow.granted)
        query = select(row.last_purchase_on, row.frequency, row.monetary).where(
            row.last_purchase_on.is_not(None), row.customer_id.in_(agreed)
        )
        found: Counter[str] = Counter()
        for last, frequency, monetary in session.execute(query.execution_options(yield_per=5_000)):
            figures = RfmFigures(last_purchase_on=last, frequency=frequency or 0, monetary=monetary or Decimal(0))
            of_it = segment(figures, cuts, on)
            if of_it:
                found[of_it.code] += 1
        return dict(found)

    def words(self, session: Session, customer_id: str) -> tuple[TagWord, ...]:
        """What the customer said of tags, by name."""
        query = select(CustomerTagRow).where(CustomerTagRow.customer_id == customer_id).order_by(CustomerTagRow.tag)
        return tuple(
            TagWord.model_validate({"tag": r.tag, "stance": r.stance, "at": r.at}) for r in session.scalars(query)
        )

    def words_of(self, session: Session, customer_ids: Sequence[str]) -> dict[str, tuple[TagWord, ...]]:
        """Customer → what they said of tags, by name; of those who said something."""
        row = CustomerTagRow
        query = select(row.customer_id, row.tag, row.stance, row.at).where(row.customer_id.in_(customer_ids))
        found: dict[str, tuple[TagWord, ...]] = {}
        for customer_id, tag, stance, at in session.execute(query.order_by(row.tag)):
            found[customer_id] = (*found.get(customer_id, ()), TagWord(tag=tag, stance=stance, at=at))
        return found

    def states(self, session: Session, customer_ids: Sequence[str]) -> dict[str, RunningState]:
        """Customer → the state that is kept, of those who have one."""
        query = select(BehaviourStateRow.customer_id, BehaviourStateRow.state).where(
            BehaviourStateRow.customer_id.in_(customer_ids), BehaviourStateRow.version == VERSION
        )
        return {customer_id: from_json(state) for customer_id, state in session.execute(query)}

    def say(self, session: Session, customer_id: str, tag: str, stance: Stance) -> None:
        """Keep what the customer says of a tag, in place of what they said before."""
        statement = insert(CustomerTagRow).values(customer_id=customer_id, tag=tag, stance=stance, at=utc_now())
        keys = [CustomerTagRow.customer_id, CustomerTagRow.tag]
        changed = {"stance": statement.excluded.stance, "at": statement.excluded.at}
        session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

    def unsay(self, session: Session, customer_id: str, tag: str | None = None) -> None:
        """Delete what the customer said of one tag, or of all."""
        statement = delete(CustomerTagRow).where(CustomerTagRow.customer_id == customer_id)
        session.execute(statement if tag is None else statement.where(CustomerTagRow.tag == tag))

    def _computed(self, session: Session, customer_ids: Sequence[str]) -> dict[str, RunningState]:
        """The states of these customers from all their stored movements, tallied in the database."""
        states = {customer_id: RunningState() for customer_id in customer_ids}
        read = _movements(customer_ids, self._zone)
        journeys: set[str] = set()
        # By the connection: rows of the ORM would cost a fifth more.
        rows = session.connection().execute(_tallied(read, "month")).all()
        for row in rows:
            one = Tally._make(row[2:])
            states[row[0]].add(one)
            if one.sign < 0 and reading(one).travels:
                journeys.add(one.merchant)
        # Only journeys are told day by day: the few merchants that they are paid to.
        by_day = _tallied(read, "day").where(read.c.sign < 0, read.c.merchant == func.any(sorted(journeys)))
        for customer_id, _, *tally in session.execute(by_day) if journeys else ():
            states[customer_id].add_travel(Tally(*tally))
        for customer_id, month, channel, times in session.execute(_channels(read)):
            states[customer_id].add_channel(month_named(month), channel, times)
        return states

    def _lock(self, session: Session, customer_ids: Sequence[str]) -> None:
        """Hold the customers' rows, always in one order, so that booking and computing wait for each other."""
        query = select(CustomerRow.customer_id).where(CustomerRow.customer_id.in_(customer_ids))
        found = set(session.scalars(query.order_by(CustomerRow.customer_id).with_for_update(key_share=True)))
        missing = [customer_id for customer_id in customer_ids if customer_id not in found]
        if missing:
            raise NotFound(f"There is no customer {missing[0]}.", next_step="Check the customer number.")

    def _require_accounts(self, session: Session, movements: Iterable[Transaction]) -> None:
        wanted = {(movement.account_id, movement.customer_id) for movement in movements}
        query = select(AccountRow.account_id, AccountRow.customer_id).where(
            AccountRow.account_id.in_({account_id for account_id, _ in wanted})
        )
        for account_id, customer_id in sorted(wanted - {(a, c) for a, c in session.execute(query)}):
            raise BadInput(
                f"The account {account_id} is not the customer {customer_id}'s.", next_step="Correct the movement."
            )


def _movements(customer_ids: Sequence[str], zone: str) -> Subquery:
    """What the state reads of each movement, with its local day and the number of its month (running.month_number)."""
    row, day = TransactionRow, cast(func.timezone(zone, TransactionRow.booked_at), Date)
    unread = and_(row.category == UNCATEGORISED, row.category_confidence.is_(None))
    words = (row.merchant, row.counterparty, case((unread, null()), else_=row.category).label("given"))
    sums = ((row.currency == HOME).label("home"), cast(func.sign(row.amount), Integer).label("sign"), row.amount)
    dated = select(row.customer_id, *words, *sums, row.channel, day.label("day"))
    inner = dated.where(row.customer_id == func.any(list(customer_ids))).subquery()
    month = cast(extract("year", inner.c.day) * 12 + extract("month", inner.c.day) - 1, Integer)
    return select(inner, month.label("month")).subquery()


def _tallied(read: Subquery, period: str) -> Select[Any]:
    """Customer, period, and the fields of a `Tally`: movements of one period that read alike, as one row."""
    c = read.c
    alike = (c.customer_id, c[period], c.merchant, c.counterparty, c.given, c.home, c.sign)
    amounts = (func.count(), func.sum(c.amount), func.min(c.amount), func.max(c.amount))
    return select(*alike, *amounts, func.min(c.day), func.max(c.day)).group_by(*alike)


def _channels(read: Subquery) -> Select[Any]:
    """Customer, month, channel, and how many movements."""
    c = read.c
    counted = select(c.customer_id, c.month, c.channel, func.count()).where(c.channel != "")
    return counted.group_by(c.customer_id, c.month, c.channel)


def _save(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(BehaviourStateRow)
    kept = {name: statement.excluded[name] for name in rows[0] if name != "customer_id"}
    session.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=kept), rows)


def _agreed(session: Session, customer_ids: Sequence[str]) -> set[str]:
    query = select(ConsentRow.customer_id).where(
        ConsentRow.customer_id.in_(customer_ids), ConsentRow.purpose == "personalisation", ConsentRow.granted
    )
    return set(session.scalars(query))


def _row(customer_id: str, state: RunningState, agreed: bool, on: date) -> dict[str, Any]:
    figures = rfm_figures(state, on)
    return {
        "customer_id": customer_id,
        "version": VERSION,
        "state": to_json(state),
        "updated_at": utc_now(),
        "last_purchase_on": figures.last_purchase_on if agreed else None,
        "frequency": figures.frequency if agreed else None,
        "monetary": figures.monetary if agreed else None,
    }


def _quintiles(session: Session, on: date) -> dict[str, Any]:
    def cut(column: Any) -> Any:
        return func.percentile_disc(cast(list(_FIFTHS), ARRAY(Numeric))).within_group(column)

    row = BehaviourStateRow
    # Asked again: somebody may have said no since the state was written.
    agreed = select(ConsentRow.customer_id).where(ConsentRow.purpose == "personalisation", ConsentRow.granted)
    query = select(func.count(), cut(literal(on) - row.last_purchase_on), cut(row.frequency), cut(row.monetary))
    query = query.where(row.last_purchase_on.is_not(None), row.customer_id.in_(agreed))
    customers, recency, frequency, monetary = session.execute(query).one()
    if customers < len(_FIFTHS) + 1:
        return {}
    return {"customers": customers, "recency": recency, "frequency": frequency, "monetary": monetary}
