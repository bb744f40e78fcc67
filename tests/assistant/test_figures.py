"""Figures come from the product table, exactly."""

import re
from datetime import date
from pathlib import Path

import pytest

import openteller.demo
from openteller.assistant.asked import asks_for_figure
from openteller.assistant.figures import figure_answer
from openteller.core.money import Money
from openteller.core.records import Answer
from openteller.products.catalogue import read_products
from openteller.products.figures import fee_text, percent
from openteller.products.names import ProductNames
from openteller.products.records import Product
from openteller.understanding.entities import parse

PRODUCTS = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}
NAMES = ProductNames(list(PRODUCTS.values()))
RATES = [(p.id, r.key) for p in PRODUCTS.values() for r in p.rates]
FEES = [(p.id, f.key) for p in PRODUCTS.values() for f in p.fees]


def ask(text: str, product: Product, language: str) -> Answer | None:
    entities = parse(text, NAMES.find(text), date(2026, 11, 23), "Asia/Shanghai")
    return figure_answer(text, product, entities, language, 0.9)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("product_id", "key"), RATES)
def test_each_rate_is_exactly_the_tables(product_id: str, key: str, language: str) -> None:
    product = PRODUCTS[product_id]
    rate = product.rate(key)
    assert rate is not None
    label, name = rate.label.of(language), product.name.of(language)
    text = f"{name}{label}利率是多少" if language == "zh" else f"What is the {label} rate of {name}?"
    answer = ask(text, product, language)
    assert answer is not None
    assert re.findall(r"[\d.]+%", answer.text) == [percent(rate.rate)]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("product_id", "key"), FEES)
def test_each_fee_asked_by_its_name(product_id: str, key: str, language: str) -> None:
    product = PRODUCTS[product_id]
    fee = product.fee(key)
    assert fee is not None
    label, name = fee.label.of(language), product.name.of(language)
    answer = ask(
        f"{name}的{label}是多少钱" if language == "zh" else f"How much is the {label} of {name}?", product, language
    )
    assert answer is not None
    assert fee_text(fee) in answer.text


@pytest.mark.parametrize("product_id", [p.id for p in PRODUCTS.values() if p.min_amount is not None])
def test_the_minimum(product_id: str) -> None:
    product = PRODUCTS[product_id]
    answer = ask(f"What is the minimum for {product.name.en}?", product, "en")
    assert answer is not None
    assert str(Money(product.min_amount or 0, product.currency)) in answer.text  # type: ignore[arg-type]


def test_a_term_beyond_a_line_is_not_answered_with_that_line() -> None:
    fund = PRODUCTS["MTG-PROVIDENT"]
    answer = ask("What is the housing fund loan rate for over 5 years?", fund, "en")
    assert answer is not None
    assert {"2.10%", "2.60%"} <= set(re.findall(r"[\d.]+%", answer.text))


def test_a_term_that_is_not_sold_gets_no_figure() -> None:
    assert ask("What is the fixed deposit rate for 11 years?", PRODUCTS["TD-CNY"], "en") is None
    assert ask("欧元定期半年利率多少", PRODUCTS["TD-EUR"], "zh") is None


@pytest.mark.parametrize(
    "text",
    [
        "You charge 600 for the gold card. How do I get out of paying it?",
        "金卡年费怎么免",
        "去年定期利率多少",
        "Will the mortgage rate fall next year?",
    ],
)
def test_about_a_figure_but_not_for_it(text: str) -> None:
    assert not asks_for_figure(text)


def test_no_figure_is_asked_for() -> None:
    assert not asks_for_figure("我的卡丢了")
    assert ask("怎么办理", PRODUCTS["CARD-DEBIT"], "zh") is None
