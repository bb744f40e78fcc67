"""What staff see of public opinion and may change: items, topics, bursts, trends, the list of entities, sources; and the push.

Agents, analysts, administrators and services look; analysts, administrators and services change the list and the sources;
services (and administrators) push. Knows nothing about how items are read.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.insights.opinion.records import (
    Burst,
    Entity,
    EntityTone,
    RawItem,
    SourceKind,
    SourceState,
    StoredItem,
    Topic,
    TopicGrowth,
    TrendPoint,
)
from openteller.insights.opinion.reporting import Frame, report_of
from openteller.insights.opinion.repository import ItemFilter, ListeningRepository, OpinionRepository
from openteller.insights.reports.records import Report, ReportLanguage
from openteller.store import audit
from openteller.store.database import Database

MAX_PUSHED = 500
_LOOK = (Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE)
_CHANGE = (Role.ANALYST, Role.ADMIN, Role.SERVICE)
_PUSH = (Role.SERVICE, Role.ADMIN)


class OpinionDesk:
    """Look, list, push. Safe to share between threads.

    Args:
        database: the store.
        timezone: IANA zone of days in trends.
    """

    def __init__(self, database: Database, timezone: str) -> None:
        self._database, self._timezone = database, timezone
        self._opinion, self._listening = OpinionRepository(), ListeningRepository()

    def items(self, principal: Principal, wanted: ItemFilter, *, limit: int = 50, offset: int = 0) -> list[StoredItem]:
        """Items, the newest first. Raises NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            return self._opinion.items(session, wanted, limit, offset)

    def item(self, principal: Principal, item_id: int) -> StoredItem:
        """One item. Raises NotFound, NotAllowed."""
        found = self.items(principal, ItemFilter(ids=(item_id,)), limit=1)
        if not found:
            raise NotFound("There is no such item.", next_step="Retention may have taken it; take an id from the list.")
        return found[0]

    def topics(
        self, principal: Principal, *, live_only: bool = False, least: int = 3, limit: int = 50, offset: int = 0
    ) -> list[Topic]:
        """Topics of at least so many items, the latest first. Raises NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            return self._opinion.topics(session, live_only=live_only, least=least, limit=limit, offset=offset)

    def topic(self, principal: Principal, topic_id: int) -> Topic:
        """One topic. Raises NotFound, NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            if (found := self._opinion.topic(session, topic_id)) is None:
                raise NotFound("There is no such topic.", next_step="Take an id from the list of topics.")
        return found

    def bursts(
        self, principal: Principal, *, since: datetime | None = None, limit: int = 50, offset: int = 0
    ) -> list[Burst]:
        """Bursts, the newest first. Raises NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            return self._opinion.bursts(session, since=since, until=None, limit=limit, offset=offset)

    def burst(self, principal: Principal, burst_id: int) -> Burst:
        """One burst. Raises NotFound, NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            if (found := self._opinion.burst(session, burst_id)) is None:
                raise NotFound("There is no such burst.", next_step="Take an id from the list of bursts.")
        return found

    def growing(self, principal: Principal, *, days: int = 1, least: int = 2, limit: int = 20) -> list[TopicGrowth]:
        """Topics of the last days, those first that grew most against as many days before. Raises NotAllowed."""
        _require(principal, _LOOK)
        since = utc_now() - timedelta(days=days)
        with self._database.session(principal) as session:
            return self._opinion.growing(session, since - timedelta(days=days), since, least=least, limit=limit)

    def tones(self, principal: Principal, *, days: int = 7) -> list[EntityTone]:
        """What is said of each entity in the last days and how much was before, the most named first. Raises NotAllowed."""
        _require(principal, _LOOK)
        since = utc_now() - timedelta(days=days)
        earlier = ItemFilter(since=since - timedelta(days=days), until=since, counted=True)
        with self._database.session(principal) as session:
            now = self._opinion.toward(session, ItemFilter(since=since, counted=True))
            past = self._opinion.toward(session, earlier)
        counts: dict[str, dict[str, int]] = {}
        for entity_id, sentiment, number in now:
            counts.setdefault(entity_id, {})[sentiment] = number
        before = Counter[str]()
        for entity_id, _, number in past:
            before[entity_id] += number
        tones = [EntityTone(entity_id=one, before=before[one], **by) for one, by in counts.items()]
        return sorted(tones, key=lambda tone: (-tone.items, tone.entity_id))

    def trend(
        self, principal: Principal, *, entity_id: str | None = None, days: int = 7, step: str = "day"
    ) -> list[TrendPoint]:
        """Counted items of the last days by sentiment, by hour or day of the bank's zone. Raises NotAllowed."""
        _require(principal, _LOOK)
        wanted = ItemFilter(entity_id=entity_id, since=utc_now() - timedelta(days=days))
        with self._database.session(principal) as session:
            return self._opinion.trend(session, wanted, step, self._timezone)

    def report(self, principal: Principal, first: date, last: date, language: ReportLanguage, bank: str) -> Report:
        """What was said from `first` to `last`, both included, days of the bank's zone.

        Raises:
            BadInput: the period ends before it begins, or is longer than a year.
            NotAllowed: not staff.
        """
        _require(principal, _LOOK)
        if not 0 <= (last - first).days <= 366:
            raise BadInput(
                "The period is not of 1 to 367 days.", next_step="Name an earlier first day, or a shorter period."
            )
        with self._database.session(principal) as session:
            figures = self._opinion.figures(session, first, last, self._timezone)
        return report_of(figures, Frame(language, bank, self._timezone, utc_now()))

    def entities(self, principal: Principal) -> list[Entity]:
        """The list. Raises NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            return self._opinion.entities(session)

    def replace_entities(self, principal: Principal, entities: Sequence[Entity]) -> None:
        """Make these the whole list, from the next items on. Raises NotAllowed."""
        _require(principal, _CHANGE)
        with self._database.session(principal) as session:
            self._opinion.replace_entities(session, entities)
            audit.record(session, principal.subject, "opinion.entities_replaced", "list", {"entities": len(entities)})

    def push(self, principal: Principal, source: str, items: Sequence[RawItem]) -> int:
        """Take items in to be read; how many are new. Sending the same again changes nothing: each goes by its external id.

        Raises:
            BadInput: too many, none, or one without an external id.
            Conflict: a source of this name is one that we ask.
            NotAllowed: not a service.
        """
        _require(principal, _PUSH)
        if not 0 < len(items) <= MAX_PUSHED:
            raise BadInput(f"A batch has 1 to {MAX_PUSHED} items.", next_step="Split it.")
        if not all(item.external_id for item in items):
            raise BadInput(
                "An item has no external_id.", next_step="Name each, so that it is counted once when sent again."
            )
        unique = {item.external_id: item for item in items}
        with self._database.session(principal) as session:
            state = self._listening.source(session, source)
            if state is not None and state.kind is not SourceKind.PUSH:
                raise Conflict(f"{source} is a source that is asked.", next_step="Push under another name.")
            return self._listening.push(session, source, list(unique.values()))

    def sources(self, principal: Principal) -> list[SourceState]:
        """All sources and how they are. Raises NotAllowed."""
        _require(principal, _LOOK)
        with self._database.session(principal) as session:
            return self._listening.sources(session)

    def add_source(self, principal: Principal, state: SourceState) -> None:
        """List a source. Raises Conflict when its name is taken, NotAllowed."""
        _require(principal, _CHANGE)
        with self._database.session(principal) as session:
            if self._listening.source(session, state.name) is not None:
                raise Conflict(
                    f"There is a source called {state.name}.", next_step="Remove it first, or take another name."
                )
            self._listening.save_source(session, state)
            detail = {"kind": state.kind, "location": state.location}
            audit.record(session, principal.subject, "opinion.source_added", state.name, detail)

    def remove_source(self, principal: Principal, name: str) -> None:
        """Ask a source no more; its items stay. Raises NotFound, NotAllowed."""
        _require(principal, _CHANGE)
        with self._database.session(principal) as session:
            if not self._listening.remove_source(session, name):
                raise NotFound(f"There is no source called {name}.", next_step="teller opinion sources lists them.")
            audit.record(session, principal.subject, "opinion.source_removed", name, {})

    def forget(self, principal: Principal, before: datetime) -> int:
        """Delete what came before then; how many items. Raises NotAllowed."""
        _require(principal, _CHANGE)
        with self._database.session(principal) as session:
            count = self._listening.forget(session, before)
            if count:
                audit.record(
                    session,
                    principal.subject,
                    "opinion.forgotten",
                    "items",
                    {"items": count, "before": before.isoformat()},
                )
        return count


def _require(principal: Principal, roles: tuple[Role, ...]) -> None:
    if principal.role not in roles:
        listed = ", ".join(role.value for role in roles)
        raise NotAllowed("This login may not do that with public opinion.", next_step=f"Log in as one of: {listed}.")
