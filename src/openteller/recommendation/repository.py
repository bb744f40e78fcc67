"""What recommendation reads and writes in the store, in the caller's transaction; row-level security guards it.

What became of earlier offers, impressions with their propensities, campaigns, experiments, and who has which product.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    Text,
    and_,
    any_,
    cast,
    distinct,
    exists,
    func,
    insert,
    inspect,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotFound
from openteller.core.records import Principal, Record, Understanding
from openteller.customers.behaviour import CustomerFile, Movement, observe, window
from openteller.customers.profile.filed import with_profile, with_words
from openteller.customers.profile.profile import profile
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.records import Account, Card, Consent, Customer, Holding, Purpose, RiskAssessment
from openteller.recommendation.experiments import assigned
from openteller.recommendation.general import LEAST_HOLDERS
from openteller.recommendation.records import (
    Campaign,
    Experiment,
    Impression,
    ImpressionCount,
    LoggedImpression,
    OfferEvent,
)
from openteller.recommendation.rules import DISMISSED_DAYS
from openteller.store import audit
from openteller.store.tables import (
    AccountRow,
    Base,
    CampaignRow,
    CardRow,
    ConsentRow,
    CustomerRow,
    ExperimentRow,
    HoldingRow,
    ImpressionRow,
    OfferEventRow,
    RiskAssessmentRow,
    TransactionRow,
    TurnRow,
)

_OPENED_DAYS = 30
_PERSONAL: tuple[Purpose, ...] = ("personalisation",)
R = TypeVar("R", bound=Record)


class OfferEventRepository:
    """The events that the recommender looks back on."""

    def recent(self, session: Session, principal: Principal, on: date) -> tuple[OfferEvent, ...]:
        """The customer's or visitor's events of the last `DISMISSED_DAYS` days and one, newest first."""
        # Staff who look at a customer have dismissed nothing for themselves.
        own = OfferEventRow.owner == principal.subject
        mine = own if principal.customer_id is None else OfferEventRow.customer_id == principal.customer_id
        query = select(OfferEventRow.product_id, OfferEventRow.action, OfferEventRow.at).where(
            mine, OfferEventRow.at >= on - timedelta(days=DISMISSED_DAYS + 1)
        )
        rows = session.execute(query.order_by(OfferEventRow.at.desc(), OfferEventRow.id.desc()))
        return tuple(OfferEvent.model_validate(row, from_attributes=True) for row in rows)

    def recent_of(self, session: Session, customer_ids: Sequence[str], on: date) -> dict[str, tuple[OfferEvent, ...]]:
        """Customer → their events as `recent` gives them."""
        query = select(
            OfferEventRow.customer_id, OfferEventRow.product_id, OfferEventRow.action, OfferEventRow.at
        ).where(
            OfferEventRow.customer_id.in_(customer_ids), OfferEventRow.at >= on - timedelta(days=DISMISSED_DAYS + 1)
        )
        found: defaultdict[str, list[OfferEvent]] = defaultdict(list)
        for customer, product, action, at in session.execute(query.order_by(OfferEventRow.at.desc())):
            found[str(customer)].append(OfferEvent(product_id=product, action=action, at=at))
        return {customer: tuple(events) for customer, events in found.items()}


class ImpressionRepository:
    """What was shown."""

    def add(
        self,
        session: Session,
        principal: Principal,
        impressions: Sequence[Impression],
        *,
        trace_id: UUID | None = None,
        arm: tuple[str, str] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Keep what one customer or visitor was shown.

        Args:
            session: of `principal`.
            principal: to whom.
            impressions: one list.
            trace_id: of the turn; None when it is shown in none.
            arm: the experiment and the arm they are in, if any.
            at: when; None: now.
        """
        if not impressions:
            return
        experiment, name = arm or (None, None)
        same = {
            "owner": principal.subject,
            "customer_id": principal.customer_id,
            "trace_id": trace_id,
            "experiment": experiment,
            "arm": name,
            "at": at or utc_now(),
        }
        session.execute(insert(ImpressionRow), [same | shown.model_dump() for shown in impressions])

    def logged(
        self, session: Session, *, since: datetime | None = None, until: datetime | None = None, experiment: str = ""
    ) -> Iterator[LoggedImpression]:
        """The impressions that the session may see, oldest first, each with whether the offer was opened."""
        opened = or_(_opened_in_its_turn(), _opened_later())
        names = [name for name in LoggedImpression.model_fields if name != "opened"]
        query: Select[Any] = select(*(getattr(ImpressionRow, name) for name in names), opened.label("opened"))
        query = _within(query, since, until)
        if experiment:
            query = query.where(ImpressionRow.experiment == experiment)
        rows = session.execute(query.order_by(ImpressionRow.at, ImpressionRow.id).execution_options(yield_per=5_000))
        return (LoggedImpression.model_validate(row, from_attributes=True) for row in rows)

    def counted(self, session: Session, since: datetime) -> tuple[ImpressionCount, ...]:
        """Impressions since then by product and policy, the most shown first."""
        opened = or_(_opened_in_its_turn(), _opened_later())
        one = select(ImpressionRow.product_id, ImpressionRow.policy, opened.label("opened"))
        rows = one.where(ImpressionRow.at >= since).subquery()
        shown = func.count().label("shown")
        query = select(rows.c.product_id, rows.c.policy, shown, func.count().filter(rows.c.opened).label("opened"))
        found = session.execute(
            query.group_by(rows.c.product_id, rows.c.policy).order_by(shown.desc(), rows.c.product_id)
        )
        return tuple(ImpressionCount.model_validate(row, from_attributes=True) for row in found)


class CampaignRepository:
    """How often products may be offered."""

    def put(self, session: Session, campaign: Campaign, *, by: str) -> None:
        """Begin a campaign, or give one that runs another budget or time; what it has spent stays.

        Raises:
            BadInput: it has spent more than the new budget already.
        """
        spent = session.scalar(
            select(CampaignRow.spent).where(CampaignRow.product_id == campaign.product_id).with_for_update()
        )
        if spent is not None and spent > campaign.budget:
            raise BadInput(
                f"The campaign for {campaign.product_id} has made {spent} offers already.",
                next_step=f"Give it a budget of {spent} or more, or end it by its last day.",
            )
        changed = campaign.model_dump(exclude={"spent"})
        statement = upsert(CampaignRow).values(**changed, created_by=by)
        session.execute(statement.on_conflict_do_update(index_elements=[CampaignRow.product_id], set_=changed))
        audit.record(session, by, "campaign.put", campaign.product_id, campaign.model_dump(mode="json"))

    def all(self, session: Session) -> tuple[Campaign, ...]:
        """Every campaign, by product."""
        columns = (getattr(CampaignRow, name) for name in Campaign.model_fields)
        rows = session.execute(select(*columns).order_by(CampaignRow.product_id))
        return tuple(Campaign.model_validate(row, from_attributes=True) for row in rows)

    def exhausted(self, session: Session, on: date) -> frozenset[str]:
        """The products whose campaign is used up, has not begun, or is over on day `on`."""
        runs = and_(CampaignRow.valid_from <= on, or_(CampaignRow.valid_to.is_(None), CampaignRow.valid_to >= on))
        query = select(CampaignRow.product_id).where(or_(~runs, CampaignRow.spent >= CampaignRow.budget))
        return frozenset(session.scalars(query))

    def spend(self, session: Session, product_ids: Collection[str], on: date) -> frozenset[str]:
        """Count one offer of each product; which of them may be made: those without a campaign, or with budget left."""
        if not product_ids:
            return frozenset()
        ids = cast(sorted(product_ids), ARRAY(Text))
        with_campaign = frozenset(
            session.scalars(select(CampaignRow.product_id).where(CampaignRow.product_id.in_(sorted(product_ids))))
        )
        if not with_campaign:
            return frozenset(product_ids)
        granted = frozenset(session.scalars(select(func.openteller_spend(ids, cast(literal(on), Date)))))
        return frozenset(product_ids) - (with_campaign - granted)


class ExperimentRepository:
    """Which ways are compared."""

    def start(self, session: Session, name: str, arms: Mapping[str, float], *, by: str) -> Experiment:
        """Begin an experiment, or go on with one of the same arms that was ended: who is in which arm is for good.

        Raises:
            BadInput: the arms do not share out everybody.
            Conflict: another runs, or one of that name had other arms.
        """
        assigned(name, "", arms)
        running, known = self.running(session), self._found(session, name)
        if running is not None and running.name != name:
            raise Conflict(
                f"The experiment {name} cannot begin.",
                cause=f"{running.name} runs.",
                next_step=f"End it first: teller recommend experiment end {running.name}",
            )
        if known is None:
            pairs = [[arm, share] for arm, share in arms.items()]
            session.execute(insert(ExperimentRow).values(name=name, arms=pairs, created_by=by))
            audit.record(session, by, "experiment.started", name, {"arms": dict(arms)})
        elif list(known.arms.items()) != list(arms.items()):
            raise Conflict(
                f"The experiment {name} cannot begin.",
                cause=f"One of that name had other arms: {', '.join(f'{a}={s:g}' for a, s in known.arms.items())}.",
                next_step="Take a name that was never used.",
            )
        elif known.ended_at is not None:
            session.execute(update(ExperimentRow).where(ExperimentRow.name == name).values(ended_at=None))
            audit.record(session, by, "experiment.resumed", name, {})
        return self.get(session, name)

    def end(self, session: Session, name: str, *, by: str) -> Experiment:
        """End an experiment. Raises NotFound when none of that name runs."""
        statement = update(ExperimentRow).where(ExperimentRow.name == name, ExperimentRow.ended_at.is_(None))
        ended = session.scalar(statement.values(ended_at=utc_now()).returning(ExperimentRow.name))
        if ended is None:
            raise NotFound(f"No experiment called {name} runs.", next_step="See which there are.")
        audit.record(session, by, "experiment.ended", name, {})
        return self.get(session, name)

    def running(self, session: Session) -> Experiment | None:
        """The one that runs; None when none does."""
        query = _experiments().where(ExperimentRow.ended_at.is_(None)).order_by(ExperimentRow.started_at).limit(1)
        row = session.execute(query).first()
        return None if row is None else Experiment.model_validate(row, from_attributes=True)

    def all(self, session: Session) -> tuple[Experiment, ...]:
        """Every experiment, the latest first."""
        rows = session.execute(_experiments().order_by(ExperimentRow.started_at.desc()))
        return tuple(Experiment.model_validate(row, from_attributes=True) for row in rows)

    def get(self, session: Session, name: str) -> Experiment:
        """The experiment called `name`. Raises NotFound."""
        found = self._found(session, name)
        if found is None:
            raise NotFound(f"There is no experiment called {name}.", next_step="Start it first.")
        return found

    def _found(self, session: Session, name: str) -> Experiment | None:
        row = session.execute(_experiments().where(ExperimentRow.name == name)).first()
        return None if row is None else Experiment.model_validate(row, from_attributes=True)


def possessions(session: Session) -> Iterator[tuple[str, str, float, float]]:
    """Who has which product since when, as `Interactions.of` takes them; of all customers the session may see."""
    for customer, product, day in session.execute(_possessions()):
        yield customer, product, datetime.combine(day, time(), UTC).timestamp(), 1.0


def popularity(session: Session, least: int = LEAST_HOLDERS) -> dict[str, float]:
    """Product → the share, 0–1, of the customers the session may see who have it, if at least `least` have."""
    customers = session.scalar(select(func.count()).select_from(CustomerRow)) or 0
    had = _possessions().subquery()
    holders = func.count(distinct(had.c.customer_id))
    query = select(had.c.product_id, holders).group_by(had.c.product_id).having(holders >= max(least, 1))
    return {product: count / customers for product, count in session.execute(query)}


def last_understanding(session: Session, customer_id: str, since: datetime) -> Understanding | None:
    """Of the customer's last turn since then; None when there was none."""
    query = select(TurnRow.understanding).where(TurnRow.customer_id == customer_id, TurnRow.at >= since)
    found = session.scalar(query.order_by(TurnRow.at.desc()).limit(1))
    return None if found is None else Understanding.model_validate(found)


class CustomerFileReader:
    """Files of many customers in a few statements, as `CustomerRepository.file` gives them one by one.

    Movements are summed by category in the database; `observe` sees one movement a category, at the moment of the last.

    Args:
        zone: IANA name of the bank's time zone.
        profiles: whether what is derived of tags and life events is read as well, which takes some five times as long;
            what customers said of tags is always read.
    """

    def __init__(self, zone: str = "Asia/Shanghai", *, profiles: bool = False) -> None:
        self._zone, self._profiles, self._behaviour = zone, profiles, BehaviourRepository(zone)

    def ids(self, session: Session, size: int, purposes: Collection[Purpose] = _PERSONAL) -> Iterator[list[str]]:
        """The numbers of all customers who agreed to one of the purposes, `size` at a time; without more: to personal offers."""
        agreed = select(ConsentRow.customer_id).where(ConsentRow.purpose.in_(sorted(purposes)), ConsentRow.granted)
        found = list(session.scalars(agreed.distinct().order_by(ConsentRow.customer_id)))
        return (found[at : at + size] for at in range(0, len(found), size))

    def files(self, session: Session, customer_ids: Sequence[str], on: date) -> list[CustomerFile]:
        """The files of those of the customers that there are, by number."""
        # `window` begins a day earlier than what `observe` counts.
        since, until = window(on + timedelta(days=1), self._zone)[0], window(on, self._zone)[1]
        accounts = self._of(Account, AccountRow, session, customer_ids)
        cards = self._of(Card, CardRow, session, customer_ids)
        holdings = self._of(Holding, HoldingRow, session, customer_ids)
        consents = self._of(Consent, ConsentRow, session, customer_ids)
        assessments = self._of(RiskAssessment, RiskAssessmentRow, session, customer_ids)
        movements = self._movements(session, customer_ids, since, until)
        people = self._of(Customer, CustomerRow, session, customer_ids)
        files = [
            CustomerFile(
                customer=person,
                assessment=max(assessments[customer_id], key=lambda a: a.assessed_at, default=None),
                consents=tuple(consents[customer_id]),
                accounts=tuple(accounts[customer_id]),
                cards=tuple(cards[customer_id]),
                holdings=tuple(sorted(holdings[customer_id], key=lambda held: -held.amount)),
                behaviour=observe(accounts[customer_id], holdings[customer_id], movements[customer_id], on, self._zone),
            )
            for customer_id, (person,) in people.items()
        ]
        return self._told(session, customer_ids, files, on)

    def _told(
        self, session: Session, customer_ids: Sequence[str], files: Sequence[CustomerFile], on: date
    ) -> list[CustomerFile]:
        """With what customers said of tags, and with what is derived where that is asked for."""
        words = self._behaviour.words_of(session, customer_ids)
        if not self._profiles:
            return [with_words(file, words.get(file.customer.customer_id, ())) for file in files]
        states, found = self._behaviour.states(session, customer_ids), []
        for file in files:
            name, agreed = file.customer.customer_id, file.granted("personalisation")
            state = states.pop(name, None) or self._behaviour.state(session, name)
            found.append(with_profile(file, profile(name, state, on, personalised=agreed, words=words.get(name, ()))))
        return found

    def _of(
        self, kind: type[R], rows: type[Base], session: Session, customer_ids: Sequence[str]
    ) -> defaultdict[str, list[R]]:
        found: defaultdict[str, list[R]] = defaultdict(list)
        names = list(kind.model_fields)
        owner = rows.customer_id  # type: ignore[attr-defined]
        query = select(owner, *(getattr(rows, name) for name in names)).where(owner == any_(_texts(customer_ids)))
        # Rows rather than objects of the mapper: a batch reads many and changes none.
        for customer_id, *values in session.execute(query.order_by(*inspect(rows).primary_key)):
            found[customer_id].append(kind.model_validate(dict(zip(names, values, strict=True))))
        return found

    def _movements(
        self, session: Session, customer_ids: Sequence[str], since: datetime, until: datetime
    ) -> defaultdict[str, list[Movement]]:
        by = (TransactionRow.customer_id, TransactionRow.category, TransactionRow.currency)
        total, latest = func.sum(TransactionRow.amount), func.max(TransactionRow.booked_at)
        query = (
            select(*by, total.label("amount"), latest.label("booked_at"))
            .where(
                TransactionRow.customer_id == any_(_texts(customer_ids)),
                TransactionRow.booked_at >= since,
                TransactionRow.booked_at < until,
            )
            .group_by(*by)
        )
        found: defaultdict[str, list[Movement]] = defaultdict(list)
        for row in session.execute(query):
            found[row.customer_id].append(row)
        return found


def _possessions() -> CompoundSelect[Any]:
    """Customer, product, since when."""
    parts = (
        select(AccountRow.customer_id, AccountRow.product_id, AccountRow.opened_on).where(
            AccountRow.status != "closed"
        ),
        select(HoldingRow.customer_id, HoldingRow.product_id, HoldingRow.since),
        select(CardRow.customer_id, CardRow.product_id, AccountRow.opened_on)
        .join(AccountRow, AccountRow.account_id == CardRow.account_id)
        .where(CardRow.status != "expired"),
    )
    return union_all(*parts)


def _texts(values: Sequence[str]) -> ColumnElement[Any]:
    """As one parameter: a list of hundreds is slow to read as hundreds."""
    return cast(list(values), ARRAY(Text))


def _opened_in_its_turn() -> ColumnElement[bool]:
    return exists().where(
        OfferEventRow.trace_id == ImpressionRow.trace_id,
        OfferEventRow.product_id == ImpressionRow.product_id,
        OfferEventRow.action == "opened",
    )


def _opened_later() -> ColumnElement[bool]:
    """What was offered in no turn and opened in none, within `_OPENED_DAYS` days and before it was offered again."""
    again = aliased(ImpressionRow)
    repeated = (
        exists()
        .where(
            again.customer_id == ImpressionRow.customer_id,
            again.product_id == ImpressionRow.product_id,
            again.at > ImpressionRow.at,
            again.at <= OfferEventRow.at,
        )
        .correlate(ImpressionRow, OfferEventRow)
    )
    return exists().where(
        ~repeated,
        ImpressionRow.trace_id.is_(None),
        OfferEventRow.trace_id.is_(None),
        OfferEventRow.customer_id == ImpressionRow.customer_id,
        OfferEventRow.product_id == ImpressionRow.product_id,
        OfferEventRow.action == "opened",
        OfferEventRow.at >= ImpressionRow.at,
        OfferEventRow.at < ImpressionRow.at + timedelta(days=_OPENED_DAYS),
    )


def _experiments() -> Select[Any]:
    return select(*(getattr(ExperimentRow, name) for name in Experiment.model_fields))


def _within(query: Select[Any], since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        query = query.where(ImpressionRow.at >= since)
    return query if until is None else query.where(ImpressionRow.at < until)
