"""Customers' questions for a figure: exact, or no figure at all. The bounds are what was reached; they only go up.

`dev` was tuned on, `held` was not: what it shows is what a new customer meets when a product is named.
"""

from datetime import date
from pathlib import Path

import pytest
import yaml

import openteller.demo
from openteller.assistant.answering import Shelf, named_figure
from openteller.core.text import han_share
from openteller.products.catalogue import read_products
from openteller.products.figures import fill
from openteller.products.names import ProductNames
from openteller.understanding.entities import parse

TODAY = date(2026, 11, 23)
PRODUCTS = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}
SHELF = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))
QUESTIONS = yaml.safe_load(Path(__file__).with_name("figure_questions.yaml").read_text("utf-8"))


def said(text: str, language: str) -> str | None:
    """What is answered directly, without retrieval; None for no figure."""
    entities = parse(text, SHELF.names.find(text), TODAY, "Asia/Shanghai")
    answer = named_figure(text, entities, SHELF, language, TODAY)
    return answer.text if answer else None


@pytest.mark.parametrize(
    ("part", "least_exact", "most_wrong", "most_needless"), [("dev", 120, 0, 0), ("held", 113, 0, 0)]
)
def test_figures_are_exact_or_not_given(part: str, least_exact: int, most_wrong: int, most_needless: int) -> None:
    exact, wrong, needless = [], [], []
    for question in QUESTIONS[part]:
        text = question["question"]
        language = "zh" if han_share(text) >= 0.3 else "en"
        found = said(text, language)
        if found is None:
            continue
        if "none" in question:
            needless.append(text)
            continue
        expected = fill(f"{{{{{question['product']}.{question['key']}}}}}", PRODUCTS, language)
        (exact if expected in found else wrong).append(text)
    assert len(exact) >= least_exact
    assert len(wrong) <= most_wrong, wrong
    assert len(needless) <= most_needless, needless


@pytest.mark.parametrize("text", ["日元定期存款利率多少", "Australian dollar fixed deposit, 6 months, interest rate?"])
def test_a_currency_that_the_bank_has_no_product_in_gets_no_figure(text: str) -> None:
    assert said(text, "en") is None
