"""Where staff read trends, and where a customer's own mood is read.

Figures about groups are for agents, analysts, administrators and services, and none of them rests on fewer than five
people. A customer's own mood asks for the consent to personalisation; row-level security shows customers none but their
own. Knows nothing about HTTP or how a chart is drawn.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, NotAllowed, NotFound
from openteller.core.records import Principal
from openteller.customers.core_banking import customer_of
from openteller.customers.repository import CustomerRepository
from openteller.insights.trends import moods
from openteller.insights.trends.intervals import shrunk, spread, too_few, wilson
from openteller.insights.trends.records import (
    STAGE_NAMES,
    Cell,
    CustomerMood,
    Every,
    Funnel,
    FunnelStage,
    MoodPoint,
    MoodTrend,
    NeedShare,
    Overview,
    Recovery,
    Span,
    Stage,
)
from openteller.insights.trends.repository import FunnelCounts, TrendRepository
from openteller.insights.trends.topics import TOPICS, name_of
from openteller.store import audit
from openteller.store.database import Database

LEAST_PEOPLE = 5
"""No figure about a group rests on fewer."""
MAX_DAYS = 730
PRIOR_CONVERSATIONS = 20.0
"""How many conversations the bank's mean is worth beside a topic's own of one period."""
_CUSTOMER_DAYS = 365


class TrendDesk:
    """Trends over what is stored. Safe to share between threads.

    Args:
        database: where turns are.
        zone: IANA name of the bank's time zone.
        now: the clock.
    """

    def __init__(self, database: Database, zone: str = "Asia/Shanghai", now: Callable[[], datetime] = utc_now) -> None:
        self._database, self._zone, self._now = database, zone, now
        self._trends, self._customers = TrendRepository(zone), CustomerRepository(zone)

    def span(
        self, days: int = 90, *, every: Every | None = None, topic: str | None = None, language: str | None = None
    ) -> Span:
        """The last `days` days with today, by day up to 31 of them and by week beyond.

        Raises:
            BadInput: so many days cannot be looked at.
            NotFound: there is no such topic.
        """
        if not 1 <= days <= MAX_DAYS:
            raise BadInput(f"{days} days cannot be looked at.", next_step=f"Ask for 1 to {MAX_DAYS}.")
        if topic is not None and topic not in TOPICS:
            raise NotFound(f"There is no topic {topic!r}.", next_step=f"The topics are {', '.join(TOPICS)}.")
        until = local_date(self._now(), self._zone) + timedelta(days=1)
        every = every or (Every.DAY if days <= 31 else Every.WEEK)
        return Span(since=until - timedelta(days=days), until=until, every=every, topic=topic, language=language)

    def overview(self, principal: Principal, span: Span) -> Overview:
        """Mood of the bank and of topics, needs, the funnel and recoveries, in one transaction. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return Overview(
                span=span,
                bank=self._bank(session, span),
                topics=self._topics(session, span),
                needs=self._needs(session, span),
                funnel=self._funnel(session, span),
                recovery=self._recovery(session, span),
            )

    def topics(self, principal: Principal, span: Span) -> tuple[MoodTrend, ...]:
        """The mood of each topic, the worst first. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._topics(session, span)

    def needs(self, principal: Principal, span: Span) -> tuple[NeedShare, ...]:
        """How many conversations named each need, by period. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._needs(session, span)

    def funnel(self, principal: Principal, span: Span) -> Funnel:
        """From inquiry to feedback. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return self._funnel(session, span)

    def customer(self, principal: Principal) -> CustomerMood:
        """The mood of the customer whom the principal stands for; staff looking at one leave an audit row.

        Raises:
            NotAuthenticated: the principal stands for no customer.
            NotFound: there is no such customer, or not for this principal.
        """
        customer_id, now = customer_of(principal), self._now()
        with self._database.session(principal) as session:
            if self._customers.get(session, customer_id) is None:
                raise NotFound(f"There is no customer {customer_id}.", next_step="Check the customer number.")
            if principal.role.is_staff:
                audit.record(session, principal.subject, "trends.customer_viewed", customer_id, {})
            consents = self._customers.consents(session, customer_id)
            if not any(c.granted for c in consents if c.purpose == "personalisation"):
                return CustomerMood(customer_id=customer_id, personalised=False)
            found = self._trends.of_customer(session, customer_id, self.span(_CUSTOMER_DAYS))
        known = tuple(moods.conversation_mood(conversation) for conversation in found)
        # A neutral prior: the bank's own mean is for staff, and a customer reads this too.
        return CustomerMood(
            customer_id=customer_id,
            personalised=True,
            mood=moods.customer_mood(known, now, 0.0) if known else None,
            points=moods.customer_points(known, now, 0.0, self._zone),
            conversations=known[::-1],
        )

    def _bank(self, session: Session, span: Span) -> MoodTrend:
        cells = self._trends.cells(session, span, by_topic=False)
        whole = _added(cells, self._trends.people(session, span))
        return _trend(span.topic, cells, whole, _means(whole))

    def _topics(self, session: Session, span: Span) -> tuple[MoodTrend, ...]:
        whole_bank = span.model_copy(update={"topic": None})
        bank = _added(self._trends.cells(session, whole_bank, by_topic=False), 0)
        hidden = _hidden(cells := self._trends.cells(session, span, by_topic=True))
        shown: dict[str, list[Cell]] = {}
        for cell in cells:
            shown.setdefault(str(cell.topic), []).append(cell)
        trends = []
        for topic, its in shown.items():
            # The whole of a topic adds up what is shown only, so that it tells nothing of the rest.
            kept = [cell for cell in its if (cell.begins, cell.topic) not in hidden]
            if kept:
                whole = _added(kept, max(cell.people for cell in kept))
                trends.append(_trend(topic, its, whole, _means(bank), hidden))
        return tuple(sorted(trends, key=_worst_first))

    def _needs(self, session: Session, span: Span) -> tuple[NeedShare, ...]:
        counts = self._trends.needs(session, span)
        asked = {cell.begins: cell.conversations for cell in self._trends.cells(session, span, by_topic=False)}
        all_asked = sum(asked.values())
        means: dict[str, float] = {}
        for count in counts:
            means[count.need] = means.get(count.need, 0.0) + count.named / all_asked
        return tuple(
            NeedShare(
                need=count.need,
                begins=count.begins,
                conversations=count.named if count.people >= LEAST_PEOPLE else None,
                share=shrunk(count.named, asked[count.begins], min(means[count.need], 1.0), PRIOR_CONVERSATIONS)
                if count.people >= LEAST_PEOPLE
                else None,
            )
            for count in counts
        )

    def _funnel(self, session: Session, span: Span) -> Funnel:
        counts = self._trends.funnel(session, span)
        if counts.people < LEAST_PEOPLE:
            return Funnel(people_enough=False, stages=None, rated=None, rating=None, opened=None, dismissed=None)
        return Funnel(people_enough=True, stages=_stages(counts), rated=counts.rated, rating=counts.rating,
                      opened=counts.opened, dismissed=counts.dismissed)  # fmt: skip

    def _recovery(self, session: Session, span: Span) -> Recovery:
        counts = self._trends.recovery(session, span)
        if counts.people < LEAST_PEOPLE:
            return Recovery(turned_bad=None, recovered=None)
        return Recovery(turned_bad=counts.turned_bad, recovered=wilson(counts.recovered, counts.turned_bad))


def _require_staff(principal: Principal) -> None:
    if not principal.role.is_staff:
        raise NotAllowed("Trends are for the bank's staff.", next_step="Log in as an agent, analyst or administrator.")


def _added(cells: Sequence[Cell], people: int) -> Cell | None:
    """Several cells as one; None without any. A conversation over two periods counts in both."""
    if not cells:
        return None
    names = ("conversations", "messages", "negative", "mood", "confidence", "out_of_scope")
    sums: dict[str, Any] = {name: sum(getattr(cell, name) for cell in cells) for name in names}
    return Cell(begins=cells[0].begins, topic=cells[0].topic, people=people, **sums)


def _means(cell: Cell | None) -> tuple[float, float]:
    """Mean negative share and mean mood on 0–1."""
    return (cell.negative / cell.conversations, cell.mood / cell.conversations) if cell else (0.5, 0.5)


def _hidden(cells: Sequence[Cell]) -> set[tuple[date, str | None]]:
    """Which topics of which periods are not shown."""
    hidden: set[tuple[date, str | None]] = set()
    for begins in {cell.begins for cell in cells}:
        group = [cell for cell in cells if cell.begins == begins]
        places = too_few([cell.people for cell in group], LEAST_PEOPLE)
        hidden |= {(begins, group[place].topic) for place in places}
    return hidden


def _trend(
    topic: str | None,
    cells: Sequence[Cell],
    whole: Cell | None,
    means: tuple[float, float],
    hidden: set[tuple[date, str | None]] | None = None,
) -> MoodTrend:
    if hidden is None:
        few = too_few([cell.people for cell in cells], LEAST_PEOPLE)
        hidden = {(cells[place].begins, topic) for place in few}
    points = tuple(_point(cell, means, (cell.begins, topic) in hidden) for cell in cells)
    summed = _point(whole, means, whole.people < LEAST_PEOPLE) if whole else None
    return MoodTrend(topic=topic, name=name_of(topic), points=points, whole=summed)


def _point(cell: Cell, means: tuple[float, float], is_hidden: bool) -> MoodPoint:
    if is_hidden:
        return MoodPoint(begins=cell.begins, conversations=None, negative=None, mood=None)
    negative, mood = means
    return MoodPoint(
        begins=cell.begins,
        conversations=cell.conversations,
        negative=shrunk(cell.negative, cell.conversations, negative, PRIOR_CONVERSATIONS),
        mood=spread(shrunk(cell.mood, cell.conversations, mood, PRIOR_CONVERSATIONS), -1.0, 1.0),
    )


def _worst_first(trend: MoodTrend) -> tuple[float, str]:
    return (-trend.whole.negative.value if trend.whole and trend.whole.negative else 1.0, trend.topic or "")


def _stages(counts: FunnelCounts) -> tuple[FunnelStage, ...]:
    found, before = [], counts.reached[Stage.INQUIRY]
    for stage in Stage:
        through = counts.through[stage]
        found.append(
            FunnelStage(
                stage=stage,
                name=STAGE_NAMES[stage],
                reached=counts.reached[stage],
                through=through,
                rate=wilson(through, before),
            )
        )
        before = through
    return tuple(found)
