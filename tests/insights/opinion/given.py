"""What the tests of public opinion share: a list of entities, a reader with the model that ships, items and a clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.linking import EntityLinker
from openteller.insights.opinion.model import shipped_model
from openteller.insights.opinion.pipeline import Pipeline
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.records import Alias, Batch, Entity, EntityKind, RawItem
from openteller.store.database import Database

ANALYST = Principal(subject="ana", role=Role.ANALYST)
SERVICE = Principal(subject="crawler", role=Role.SERVICE)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

OWN = Entity(
    id="pinebay",
    kind=EntityKind.OWN,
    name=LocalText(zh="松湾银行", en="Pinebay Bank"),
    aliases=(Alias(text="松湾", needs_context=True), Alias(text="Pinebay")),
    context=("银行", "存款", "手机银行"),
)
PEER = Entity(
    id="larkfield",
    kind=EntityKind.PEER,
    name=LocalText(zh="青禾证券", en="Larkfield Securities"),
    aliases=(Alias(text="青禾"),),
)
ENTITIES = (OWN, PEER)


def reader() -> OpinionReader:
    return OpinionReader(shipped_model(), EntityLinker(ENTITIES))


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def pipeline(database: Database, clock: Callable[[], datetime], *, alerts: bool = True) -> Pipeline:
    return Pipeline(database, reader, AlertDesk(database) if alerts else None, clock=clock, window=500)


def raw(title: str, external_id: str = "", text: str = "", at: datetime | None = None) -> RawItem:
    return RawItem(title=title, external_id=external_id, text=text, published_at=at)


def batch(*titles: str, cursor: int = 0) -> Batch:
    items = tuple(raw(title, f"{cursor}-{place}") for place, title in enumerate(titles))
    return Batch(items=items, cursor={"at": cursor})
