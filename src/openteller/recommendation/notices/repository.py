"""Notices in the store, in the caller's transaction; row-level security lets customers see and read their own alone."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.clock import utc_now
from openteller.core.records import LocalText
from openteller.products.records import RiskGrade
from openteller.recommendation.notices.records import Channel, NewNotice, RegradeNotice, Told
from openteller.store.tables import NoticeRow

_KEY = (NoticeRow.customer_id, NoticeRow.product_id, NoticeRow.from_on, NoticeRow.codes)


class NoticeRepository:
    """Every method works in the caller's transaction."""

    def add(self, session: Session, notices: Sequence[NewNotice]) -> int:
        """Write those that were not written before; how many. Two who write at once write each notice once."""
        if not notices:
            return 0
        written = insert(NoticeRow).values([_values(one) for one in notices])
        query = written.on_conflict_do_nothing(index_elements=_KEY).returning(NoticeRow.id)
        return len(session.scalars(query).all())

    def of_product(
        self, session: Session, product_id: str, *, unsent: bool, limit: int, offset: int
    ) -> tuple[RegradeNotice, ...]:
        """Notices about a product, the newest first; `unsent`: those that nobody has handed over."""
        query = select(NoticeRow).where(NoticeRow.product_id == product_id)
        query = query.where(NoticeRow.sent_at.is_(None)) if unsent else query
        return _page(session, query, limit, offset)

    def told(self, session: Session) -> tuple[Told, ...]:
        """What was told of each grade of each product, and what became of it; the latest first."""
        last = func.max(NoticeRow.at)
        by = (NoticeRow.product_id, NoticeRow.from_on, NoticeRow.grade_before, NoticeRow.grade)
        query = select(
            *by,
            func.max(NoticeRow.product_zh).label("zh"),
            func.max(NoticeRow.product_en).label("en"),
            func.min(NoticeRow.at).label("first_at"),
            last.label("last_at"),
            func.count(NoticeRow.customer_id.distinct()).label("customers"),
            func.count().label("notices"),
            func.count().filter(NoticeRow.sent_at.is_(None)).label("unsent"),
            func.count(NoticeRow.read_at).label("read"),
        )
        found = session.execute(query.group_by(*by).order_by(last.desc(), *by)).mappings()
        return tuple(
            Told.model_validate(
                {name: row[name] for name in Told.model_fields if name != "product"}
                | {"product": LocalText(zh=row["zh"], en=row["en"])}
            )
            for row in found
        )

    def of_customer(self, session: Session, customer_id: str, limit: int) -> tuple[RegradeNotice, ...]:
        """A customer's notices, the newest first."""
        return _page(session, select(NoticeRow).where(NoticeRow.customer_id == customer_id), limit, 0)

    def mark(self, session: Session, notice_id: UUID, column: str) -> tuple[RegradeNotice, bool] | None:
        """Note the moment in `sent_at` or `read_at` where none is; the notice, and whether this call did it."""
        field = {"sent_at": NoticeRow.sent_at, "read_at": NoticeRow.read_at}[column]
        query = update(NoticeRow).where(NoticeRow.id == notice_id, field.is_(None)).values({field: func.now()})
        row = session.scalars(query.returning(NoticeRow)).one_or_none()
        if row is not None:
            return _notice(row), True
        known = session.get(NoticeRow, notice_id)
        return None if known is None else (_notice(known), False)


def _page(session: Session, query: Select[Any], limit: int, offset: int) -> tuple[RegradeNotice, ...]:
    rows = session.scalars(query.order_by(NoticeRow.at.desc(), NoticeRow.id).limit(limit).offset(offset))
    return tuple(_notice(row) for row in rows)


def _values(notice: NewNotice) -> dict[str, Any]:
    values = notice.model_dump(exclude={"product", "text"}) | {"codes": list(notice.codes)}
    for name, text in (("product", notice.product), ("text", notice.text)):
        values |= {f"{name}_zh": text.zh, f"{name}_en": text.en}
    return values | {"sent_at": utc_now() if notice.channel is Channel.INBOX else None}


def _notice(row: NoticeRow) -> RegradeNotice:
    return RegradeNotice(
        id=row.id,
        customer_id=row.customer_id,
        product_id=row.product_id,
        product=LocalText(zh=row.product_zh, en=row.product_en),
        grade_before=RiskGrade(row.grade_before),
        grade=RiskGrade(row.grade),
        from_on=row.from_on,
        codes=tuple(row.codes),
        text=LocalText(zh=row.text_zh, en=row.text_en),
        channel=Channel(row.channel),
        at=row.at,
        sent_at=row.sent_at,
        read_at=row.read_at,
    )
