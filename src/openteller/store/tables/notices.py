"""Notices to holders of a product that was graded anew. Under row-level security; knows nothing about grades."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, one_of


class NoticeRow(Base):
    """What a customer is told of a grade: added once for each set of reasons, then handed over and read; never changed."""

    __tablename__ = "notices"
    __table_args__ = (
        one_of("grade_before", "R1", "R2", "R3", "R4", "R5"),
        one_of("grade", "R1", "R2", "R3", "R4", "R5"),
        one_of("channel", "inbox", "sms", "letter", "phone"),
        UniqueConstraint("customer_id", "product_id", "from_on", "codes"),
        Index("ix_notices_product_id_at", "product_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id", ondelete="CASCADE"))
    product_id: Mapped[str] = mapped_column(ForeignKey("products.product_id"))
    product_zh: Mapped[str]
    product_en: Mapped[str]
    grade_before: Mapped[str]
    grade: Mapped[str]
    from_on: Mapped[date]
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text_zh: Mapped[str]
    text_en: Mapped[str]
    channel: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
