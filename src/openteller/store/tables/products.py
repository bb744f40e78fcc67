"""The product catalogue as stored: one row a product, the whole record in `data`; and its grades. Not customer-owned.

Knows nothing about what is inside `data`; products/ does.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of


class ProductRow(Base):
    """A product, on sale from `valid_from` to `valid_to` inclusive (open-ended when null); risk grade R1–R5."""

    __tablename__ = "products"
    __table_args__ = (one_of("risk_grade", "R1", "R2", "R3", "R4", "R5"),)

    product_id: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(index=True)
    risk_grade: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProductGradeRow(Base):
    """What issuer or bank said of a product's risk from `from_on` on. Rows are added; none is changed or deleted."""

    __tablename__ = "product_grades"
    __table_args__ = (
        one_of("graded_by", "issuer", "bank"),
        one_of("grade", "R1", "R2", "R3", "R4", "R5"),
        CheckConstraint("because <> ''", name="because"),
        Index("ix_product_grades_product_id_from_on", "product_id", "from_on"),
    )

    id: Mapped[BigId]
    product_id: Mapped[str] = mapped_column(ForeignKey("products.product_id"))
    graded_by: Mapped[str]
    grade: Mapped[str]
    from_on: Mapped[date]
    because: Mapped[str]
    author: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
