"""Which product a figure is given of."""

from pathlib import Path

import pytest

from openteller.assistant.answering import Shelf, approved_text, cite, in_currency
from openteller.assistant.asked import currency_named, names_other_bank
from openteller.assistant.gate import Judged
from openteller.demo.load import BANK
from openteller.knowledge.records import Document, Hit
from openteller.products.catalogue import read_products
from openteller.products.names import ProductNames

PRODUCTS = {product.id: product for product in read_products(Path(BANK) / "products")}
SHELF = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一年定期利率多少", "TD-CNY"),
        ("美金存半年定期给几个点", "TD-USD"),
        ("euro fixed deposit for a year", "TD-EUR"),
        ("港币定期一年", "TD-HKD"),
    ],
)
def test_a_currency_chooses_the_sister_product(text: str, expected: str) -> None:
    product = in_currency(PRODUCTS["TD-CNY"], text, SHELF)
    # Structured deposits share the dollar: then no product is chosen rather than a wrong one.
    assert product is None or product.id == expected
    assert product is not PRODUCTS["TD-CNY"] or expected == "TD-CNY"


def test_two_currencies_name_none() -> None:
    assert currency_named("美元换人民币") is None
    assert currency_named("存点美金") == "USD"


@pytest.mark.parametrize("text", ["工行的金卡年费是多少", "what does HSBC charge", "招商银行理财收益"])
def test_another_banks_figures_are_not_ours(text: str) -> None:
    assert names_other_bank(text)


@pytest.mark.parametrize("text", ["金卡年费是多少", "what is the gold card annual fee"])
def test_our_own_are(text: str) -> None:
    assert not names_other_bank(text)


def test_a_figure_that_is_gone_is_no_error_and_no_guess() -> None:
    text = "年费{{GONE.fee.annual}}，定期{{TD-CNY.rate.12M}}。"
    document = Document(document_id="d:zh", group_id="d", category="fees", title="费用", language="zh", answer=text)
    hit = Hit(
        document=document, passage=text, passage_kind="body", evidence=text, dense=0.9, question_dense=None,
        body_dense=0.9, lexical=0.5, fused=0.9, relevance=None, rank=1,
    )  # fmt: skip
    assert approved_text(hit, SHELF, "zh") == "年费（请向本行查询），定期1.25%。"
    assert cite(Judged(hit, 0.9), SHELF, "zh").passage == "年费（请向本行查询），定期1.25%。"
