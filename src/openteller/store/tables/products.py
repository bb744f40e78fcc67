"""The product catalogue as stored: one row a product, the whole record in `data`. Not customer-owned.

Knows nothing about what is inside `data`; products/ does.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, one_of


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
