"""Figures come from the product table, exactly."""

import re
from datetime import date
from pathlib import Path

import pytest

import openteller.demo
from openteller.assistant.answering import Shelf, named_figure
from openteller.core.money import Money
from openteller.core.records import Answer
from openteller.products.catalogue import read_products
from openteller.products.figures import fee_text, percent
from openteller.products.names import ProductNames
from openteller.understanding.entities import parse

PRODUCTS = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}
SHELF = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))
TODAY = date(2026, 11, 23)
RATES = [(p.id, r.key) for p in PRODUCTS.values() for r in p.rates]
FEES = [(p.id, f.key) for p in PRODUCTS.values() for f in p.fees]


def ask(text: str, language: str) -> Answer | None:
    entities = parse(text, SHELF.names.find(text), TODAY, "Asia/Shanghai")
    return named_figure(text, entities, SHELF, language, TODAY)


def figures(answer: Answer | None) -> list[str]:
    assert answer is not None
    return re.findall(r"[\d.]+%", answer.text)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("product_id", "key"), RATES)
def test_each_rate_is_exactly_the_tables(product_id: str, key: str, language: str) -> None:
    product = PRODUCTS[product_id]
    rate = product.rate(key)
    assert rate is not None
    label, name = rate.label.of(language), product.name.of(language)
    text = f"{name}{label}利率是多少" if language == "zh" else f"What is the {label} rate of {name}?"
    assert figures(ask(text, language)) == [percent(rate.rate)]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("product_id", "key"), FEES)
def test_each_fee_asked_by_its_name(product_id: str, key: str, language: str) -> None:
    product = PRODUCTS[product_id]
    fee = product.fee(key)
    assert fee is not None
    label, name = fee.label.of(language), product.name.of(language)
    answer = ask(f"{name}的{label}是多少钱" if language == "zh" else f"How much is the {label} of {name}?", language)
    assert answer is not None
    assert fee_text(fee) in answer.text


@pytest.mark.parametrize("product_id", [p.id for p in PRODUCTS.values() if p.min_amount is not None])
def test_the_minimum(product_id: str) -> None:
    product = PRODUCTS[product_id]
    answer = ask(f"What is the minimum for {product.name.en}?", "en")
    assert answer is not None
    assert str(Money(product.min_amount or 0, product.currency)) in answer.text  # type: ignore[arg-type]


def test_a_term_beyond_a_line_is_not_answered_with_that_line() -> None:
    assert figures(ask("What is the housing fund loan rate for over 5 years?", "en")) == ["2.10%", "2.60%"]
    assert figures(ask("公积金贷款3年以上利率是多少", "zh")) == ["2.10%", "2.60%"]


@pytest.mark.parametrize(
    "text", ["What is the fixed deposit rate for 11 years?", "欧元定期半年利率多少", "美元定期存三年利率多少"]
)
def test_a_term_that_is_not_sold_gets_no_figure(text: str) -> None:
    assert ask(text, "zh") is None


@pytest.mark.parametrize(
    "text",
    [
        "You charge 600 for the gold card. How do I get out of paying it?",
        "金卡年费怎么免",
        "去年定期利率多少",
        "2024年定期存款利率是多少",
        "Will the mortgage rate fall next year?",
        "我的定期存款利率是多少",
        "工行定期存款利率多少",
        "公司定期存款利率多少",
        "怎么办理借记卡",
        "我的卡丢了",
    ],
)
def test_about_a_figure_but_not_for_todays_of_ours(text: str) -> None:
    assert ask(text, "zh") is None


def test_a_category_named_as_a_whole_gives_the_table_of_each_product() -> None:
    answer = ask("房贷利率现在多少", "zh")
    assert answer is not None
    assert {c.document_id for c in answer.citations} == {
        f"product:{p.id}:zh" for p in PRODUCTS.values() if p.category == "mortgage" and p.rates
    }
