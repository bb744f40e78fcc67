from datetime import date
from decimal import Decimal

import pytest

from openteller.core.errors import NotAllowed
from openteller.core.records import Principal, Role
from openteller.products.records import Product
from openteller.products.repository import ProductRepository
from openteller.store.database import Database

VISITOR = Principal(subject="visitor:1", role=Role.VISITOR)
ADMIN = Principal(subject="admin", role=Role.ADMIN)


def test_products_come_back_as_they_went_in(clean: Database, catalogue: dict[str, Product]) -> None:
    repository = ProductRepository()
    with clean.session(ADMIN) as session:
        assert repository.upsert(session, list(catalogue.values())) == len(catalogue)
    with clean.session(VISITOR) as session:
        stored = {product.id: product for product in repository.all(session)}
        assert stored == catalogue
        assert repository.get(session, "TD-CNY") == catalogue["TD-CNY"]
        assert repository.get(session, "NO-SUCH") is None


def test_only_products_on_sale_that_day(clean: Database, catalogue: dict[str, Product]) -> None:
    repository = ProductRepository()
    with clean.owner_session() as session:
        repository.upsert(session, list(catalogue.values()))
        now = {product.id for product in repository.all(session, date(2026, 11, 24))}
        then = {product.id for product in repository.all(session, date(2025, 12, 31))}
    assert now == {product.id for product in catalogue.values() if product.on_sale(date(2026, 11, 24))}
    assert then == {"TD-OLD", "WM-2025"}


def test_upsert_writes_only_what_changed(clean: Database, catalogue: dict[str, Product]) -> None:
    repository = ProductRepository()
    products = list(catalogue.values())
    with clean.owner_session() as session:
        repository.upsert(session, products)
        assert repository.upsert(session, products) == 0
        dearer = catalogue["TD-LARGE"].model_copy(update={"min_amount": Decimal("300000.00")})
        assert repository.upsert(session, [dearer, *products[:3]]) == 1
        assert repository.get(session, "TD-LARGE") == dearer
        assert repository.upsert(session, []) == 0


def test_a_visitor_cannot_write(clean: Database, catalogue: dict[str, Product]) -> None:
    with pytest.raises(NotAllowed), clean.session(VISITOR) as session:
        ProductRepository().upsert(session, [catalogue["TD-CNY"]])
