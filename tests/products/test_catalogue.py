from datetime import date
from pathlib import Path

import pytest
import yaml

from openteller.core.errors import BadInput, NotFound, UnreadableFile
from openteller.products.catalogue import read_products
from openteller.products.records import Product, RiskGrade

TAXONOMY = Path(__file__).parents[2] / "recipes" / "data" / "understanding" / "TAXONOMY.yaml"
ENTRY = """
- id: TD-X
  category: deposit
  name: {zh: 定期, en: Deposit}
  summary: {zh: 定期, en: A deposit.}
  valid_from: 2026-01-01
"""


def test_the_demo_catalogue_is_large_and_graded(catalogue: dict[str, Product]) -> None:
    on_sale = [product for product in catalogue.values() if product.on_sale(date(2026, 11, 24))]
    assert len(on_sale) >= 60
    assert {product.risk_grade for product in on_sale} == set(RiskGrade)


def test_every_need_is_of_the_taxonomy(catalogue: dict[str, Product]) -> None:
    needs = set(yaml.safe_load(TAXONOMY.read_text(encoding="utf-8"))["needs"])
    assert {need for product in catalogue.values() for need in product.needs} <= needs


def test_above_r1_an_assessment_is_asked_for(catalogue: dict[str, Product]) -> None:
    for product in catalogue.values():
        if product.risk_grade is not RiskGrade.R1:
            assert product.eligibility.requires_risk_assessment, product.id


def test_on_sale_includes_both_ends(catalogue: dict[str, Product]) -> None:
    old = catalogue["TD-OLD"]
    assert old.on_sale(date(2025, 12, 31))
    assert not old.on_sale(date(2026, 1, 1))
    assert old.on_sale(date(2025, 1, 1))
    assert not old.on_sale(date(2024, 12, 31))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.replace("category: deposit", "category: deposit\n  colour: red"), "colour"),
        (ENTRY.replace("TD-X", "td x"), "id"),
        (ENTRY + ENTRY.lstrip(), "TD-X"),
        (ENTRY + "  rates: [{key: 1M, rate: NaN, kind: interest, label: {zh: 一, en: one}}]\n", "rates.0.rate"),
        (ENTRY + "  valid_to: 2025-01-01\n", "valid_to"),
        ("id: TD-X\n", "list"),
    ],
)
def test_a_bad_entry_is_named(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "deposits.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        read_products(tmp_path)


def test_broken_yaml_and_wrong_encoding(tmp_path: Path) -> None:
    file = tmp_path / "deposits.yaml"
    file.write_text("- id: [", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"deposits\.yaml"):
        read_products(tmp_path)
    file.write_bytes("- id: 定期".encode("gbk"))
    with pytest.raises(UnreadableFile):
        read_products(tmp_path)


def test_an_empty_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_products(tmp_path)
