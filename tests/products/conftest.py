"""The demo bank's catalogue, read from its files."""

from pathlib import Path

import pytest

import openteller.demo
from openteller.products.catalogue import read_products
from openteller.products.records import Product

BANK = Path(openteller.demo.__file__).parent / "bank"


@pytest.fixture(scope="session")
def catalogue() -> dict[str, Product]:
    return {product.id: product for product in read_products(BANK / "products")}
