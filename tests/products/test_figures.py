import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import openteller.demo
from openteller.core.errors import BadInput
from openteller.products.figures import fee_text, fill, percent, placeholders, rate_lines
from openteller.products.records import Product

ARTICLES = sorted((Path(openteller.demo.__file__).parent / "bank" / "articles").glob("*.yaml"))


def test_each_kind_of_placeholder_is_filled(catalogue: dict[str, Product]) -> None:
    text = "{{TD-CNY.name}}: {{TD-CNY.rate.12M}}, {{CARD-GOLD.fee.annual}}, {{TD-LARGE.min_amount}}, {{TD-USD.min_amount}}, {{FUND-INDEX.risk_grade}}"
    filled = fill(text, catalogue, "en")
    product = catalogue["TD-CNY"]
    rate = product.rate("12M")
    assert rate is not None
    assert filled == f"{product.name.en}: {rate.rate}%, ¥600.00, ¥200,000.00, $500.00, R4"


def test_the_whole_rate_table_in_one_line(catalogue: dict[str, Product]) -> None:
    assert fill("{{LOAN-PERSONAL.rates}}。", catalogue, "zh") == "一年 3.65%、三年 4.10%。"
    assert fill("{{LOAN-PERSONAL.rates}}.", catalogue, "en") == "1 year 3.65%, 3 years 4.10%."
    assert rate_lines(catalogue["LOAN-PERSONAL"], "zh") == ["一年 3.65%", "三年 4.10%"]


def test_a_percent_fee_and_a_money_fee(catalogue: dict[str, Product]) -> None:
    late, annual = catalogue["CARD-GOLD"].fee("late"), catalogue["CARD-GOLD"].fee("annual")
    assert late is not None
    assert annual is not None
    assert (fee_text(late), fee_text(annual)) == ("4.80%", "¥600.00")


@pytest.mark.parametrize(
    "text",
    [
        "{{NO-SUCH.rate.12M}}",
        "{{TD-CNY.rate.99M}}",
        "{{TD-CNY.fee.annual}}",
        "{{TD-CNY.max_amount}}",
        "{{CARD-DEBIT.rates}}",
        "{{TD-CNY.popularity}}",
        "{{TD-CNY}}",
        "{{td-cny.rate.12M}}",
        "{{TD-CNY.rate.12M",
        "TD-CNY.rate.12M}}",
    ],
)
def test_what_cannot_be_filled_is_an_error(text: str, catalogue: dict[str, Product]) -> None:
    with pytest.raises(BadInput) as raised:
        fill(f"The rate is {text}.", catalogue, "en")
    assert raised.value.cause
    assert raised.value.next_step


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{NO-SUCH.rate.12M}} and {{CARD-GOLD.fee.annual}}", "(ask) and ¥600.00"),
        ("{{TD-CNY}}, {{ TD-CNY.popularity }}", "(ask), (ask)"),
        ("}} and {{ alone", "}} and {{ alone"),
    ],
)
def test_words_may_stand_for_what_cannot_be_filled(text: str, shown: str, catalogue: dict[str, Product]) -> None:
    assert fill(text, catalogue, "en", unknown="(ask)") == shown


@given(st.text(st.characters(exclude_characters="{}")))
def test_text_without_placeholders_is_unchanged(text: str) -> None:
    assert fill(text, {}, "zh") == text


@given(st.decimals(min_value=0, max_value=100, allow_nan=False, places=4))
def test_percent_keeps_the_value_and_two_decimals(value: Decimal) -> None:
    text = percent(value)
    assert Decimal(text.removesuffix("%")) == value
    assert re.fullmatch(r"\d+\.\d{2,4}%", text)


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_every_placeholder_of_the_articles_resolves(path: Path, catalogue: dict[str, Product]) -> None:
    for article in yaml.safe_load(path.read_text(encoding="utf-8")):
        for language in ("zh", "en"):
            answer = article["answer"][language]
            filled = fill(answer, catalogue, language)
            assert "{{" not in filled, article["id"]
            assert set(placeholders(answer)) <= set(catalogue)
        assert set(article.get("products", [])) <= set(catalogue), article["id"]
        assert sorted(placeholders(article["answer"]["zh"])) == sorted(placeholders(article["answer"]["en"])), article[
            "id"
        ]
