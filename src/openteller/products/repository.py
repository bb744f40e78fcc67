"""Products in the store. The whole record is kept as JSON; the columns beside it serve filters.

Every method works in the caller's transaction: reading is open to everyone, writing to staff and the owner.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.products.records import Product
from openteller.store.tables import ProductRow


class ProductRepository:
    """The catalogue in the database."""

    def all(self, session: Session, on: date | None = None) -> tuple[Product, ...]:
        """Every product sold on `on`, by id; with None also those withdrawn or not yet sold."""
        query = select(ProductRow.data).order_by(ProductRow.product_id)
        if on is not None:
            ends = or_(ProductRow.valid_to.is_(None), ProductRow.valid_to >= on)
            query = query.where(ProductRow.valid_from <= on, ends)
        return tuple(Product.model_validate(data) for data in session.scalars(query))

    def get(self, session: Session, product_id: str) -> Product | None:
        """The product with this id, on sale or not; None when there is none."""
        data = session.scalar(select(ProductRow.data).where(ProductRow.product_id == product_id))
        return None if data is None else Product.model_validate(data)

    def upsert(self, session: Session, products: Sequence[Product]) -> int:
        """Insert the new products and replace the changed ones. Returns how many rows were written."""
        if not products:
            return 0
        statement = insert(ProductRow)
        new = statement.excluded
        changed = {name: new[name] for name in ("category", "risk_grade", "data", "valid_from", "valid_to")}
        upsert = statement.on_conflict_do_update(
            index_elements=[ProductRow.product_id],
            set_={**changed, "updated_at": func.now()},
            where=ProductRow.data.is_distinct_from(new.data),
        ).returning(ProductRow.product_id)
        written = session.scalars(upsert, [_row(product) for product in products]).all()
        return len(written)


def _row(product: Product) -> dict[str, object]:
    return {
        "product_id": product.id,
        "category": product.category,
        "risk_grade": product.risk_grade.value,
        "data": product.model_dump(mode="json"),
        "valid_from": product.valid_from,
        "valid_to": product.valid_to,
    }
