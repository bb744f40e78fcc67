from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from openteller.core.text import fold
from openteller.products.names import ProductNames
from openteller.products.records import LocalText, Product

TRAVEL_CARD = ProductNames(
    [
        Product(
            id="CARD-TRAVEL",
            category="card",
            name=LocalText(zh="旅行卡", en="Travel Card"),
            summary=LocalText(zh="卡", en="A card."),
            valid_from=date(2026, 1, 1),
        )
    ]
)


def ids(names: ProductNames, text: str) -> list[str]:
    return [mention.product_id for mention in names.find(text)]


def test_chinese_and_english_names(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    assert ids(names, "大额存单和旅行卡哪个好") == ["TD-LARGE", "CARD-TRAVEL"]
    assert ids(names, "Compare the Gold Card with travel  cards, please") == ["CARD-GOLD", "CARD-TRAVEL"]
    assert ids(names, "大額存單利率") == ["TD-LARGE"]
    assert ids(names, "标准信用卡（普卡）年费") == ["CARD-CLASSIC"]
    assert ids(names, "TD-CNY rates") == ["TD-CNY"]


def test_the_longest_name_wins(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    assert ids(names, "七天通知存款") == ["TD-NOTICE"]
    assert ids(names, "黄金ETF联接基金") == ["FUND-GOLD"]
    assert ids(names, "首套房贷款怎么申请") == ["MTG-FIRST"]


def test_a_name_with_words_left_out_counts_if_only_one_product_can_be_meant(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    (mention,) = names.find("请问科技股票基金，一年管理费收多少")
    assert (mention.product_id, mention.text) == ("FUND-TECH", "科技股票基金")
    assert ids(names, "losing money on this small cap fund") == ["FUND-SMALLCAP"]


def test_a_kind_of_product_is_no_shortened_name(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    for text in ("close my credit card please", "home loan", "公积金账户余额", "还信用卡，卡在半路", "一笔个人贷款"):
        assert ids(names, text) == [], text


def test_latin_names_end_at_word_boundaries(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    assert ids(names, "REITs are new") == ["FUND-REIT"]
    assert ids(names, "REITERATE this") == []


def test_every_name_finds_its_product(catalogue: dict[str, Product]) -> None:
    names = ProductNames(catalogue.values())
    for product in catalogue.values():
        for name in (product.name.zh, product.name.en, *product.aliases.zh, *product.aliases.en):
            assert ids(names, f"请问 {name} 怎么办") == [product.id], name


def test_no_two_demo_products_share_a_name(catalogue: dict[str, Product]) -> None:
    owners = Counter(
        name
        for product in catalogue.values()
        for name in {fold(n) for n in (product.name.zh, product.name.en, *product.aliases.zh, *product.aliases.en)}
    )
    assert [name for name, count in owners.items() if count > 1] == []


def test_an_empty_catalogue_finds_nothing() -> None:
    assert ProductNames([]).find("定期存款") == []


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_offsets_point_into_the_text_as_given(before: str, after: str) -> None:
    text = f"{before} 旅行卡 {after}"
    mentions = TRAVEL_CARD.find(text)
    assert any(mention.text == "旅行卡" for mention in mentions)
    for mention in mentions:
        assert text[mention.start : mention.end] == mention.text
