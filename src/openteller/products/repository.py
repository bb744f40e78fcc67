"""Products and their grades in the store. The whole record is kept as JSON; the columns beside it serve filters.

Every method works in the caller's transaction: reading is open to everyone, writing to staff and the owner.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.clock import utc_now
from openteller.products.grades import GradedBy, Grading, grade_on
from openteller.products.records import Product, RiskGrade
from openteller.store.tables import ProductGradeRow, ProductRow


class ProductRepository:
    """The catalogue in the database."""

    def all(self, session: Session, on: date | None = None) -> tuple[Product, ...]:
        """Every product sold on `on`, by id, with the risk grade that counts that day.

        With None also those withdrawn or not yet sold, graded as the catalogue has it.
        """
        query = select(ProductRow.data).order_by(ProductRow.product_id)
        if on is not None:
            ends = or_(ProductRow.valid_to.is_(None), ProductRow.valid_to >= on)
            query = query.where(ProductRow.valid_from <= on, ends)
        products = tuple(Product.model_validate(data) for data in session.scalars(query))
        return products if on is None else _graded(products, GradeRepository().all(session), on)

    def get(self, session: Session, product_id: str, on: date | None = None) -> Product | None:
        """The product with this id, on sale or not, with the grade that counts on `on`; None when there is none.

        Without a day it is graded as the catalogue has it.
        """
        data = session.scalar(select(ProductRow.data).where(ProductRow.product_id == product_id))
        if data is None:
            return None
        product = Product.model_validate(data)
        return product if on is None else _graded((product,), GradeRepository().of(session, product_id), on)[0]

    def upsert(self, session: Session, products: Sequence[Product]) -> int:
        """Insert the new products and replace the changed ones. Returns how many rows were written.

        The grade goes in as the catalogue's: hand in no product that was read as of a day.
        """
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


class GradeRepository:
    """What issuer and bank said about products' risk. Rows are added and stay."""

    def all(self, session: Session) -> tuple[Grading, ...]:
        """Every grading, in the order in which they were recorded."""
        return tuple(_grading(row) for row in session.scalars(select(ProductGradeRow).order_by(ProductGradeRow.id)))

    def of(self, session: Session, product_id: str) -> tuple[Grading, ...]:
        """Those of one product, in the order in which they were recorded."""
        query = select(ProductGradeRow).where(ProductGradeRow.product_id == product_id)
        return tuple(_grading(row) for row in session.scalars(query.order_by(ProductGradeRow.id)))

    def add(
        self,
        session: Session,
        product_id: str,
        graded_by: GradedBy,
        grade: RiskGrade,
        *,
        from_on: date,
        because: str,
        author: str,
    ) -> Grading:
        """Record a grading. Row-level security holds `author` to who asks."""
        grading = Grading(
            product_id=product_id,
            graded_by=graded_by,
            grade=grade,
            from_on=from_on,
            because=because,
            author=author,
            at=utc_now(),
        )
        session.execute(insert(ProductGradeRow).values(grading.model_dump()))
        return grading


def _graded(products: Sequence[Product], gradings: Sequence[Grading], on: date) -> tuple[Product, ...]:
    """The products with the grade that counts on `on`."""
    by_product: dict[str, list[Grading]] = defaultdict(list)
    for grading in gradings:
        by_product[grading.product_id].append(grading)
    return tuple(
        product.model_copy(update={"risk_grade": grade_on(product.risk_grade, by_product[product.id], on).effective})
        if product.id in by_product
        else product
        for product in products
    )


def _grading(row: ProductGradeRow) -> Grading:
    return Grading.model_validate({name: getattr(row, name) for name in Grading.model_fields})


def _row(product: Product) -> dict[str, object]:
    return {
        "product_id": product.id,
        "category": product.category,
        "risk_grade": product.risk_grade.value,
        "data": product.model_dump(mode="json"),
        "valid_from": product.valid_from,
        "valid_to": product.valid_to,
    }
