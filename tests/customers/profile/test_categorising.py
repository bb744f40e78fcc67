from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from openteller.customers.profile.categorising import categorise, categorised, features, merchant_model, ruled
from openteller.customers.records import UNCATEGORISED
from tests.customers.profile.lives import movement

DATA = Path(__file__).parents[3] / "recipes/data/merchants"


@pytest.mark.parametrize(
    ("text", "sign", "category"),
    [
        ("支付宝-青禾超市(中山路店)", -1, "groceries"),
        ("POS 4411 SQ *COFFEE HSE LONDON", -1, "dining"),
        ("代发工资 2月", 1, "salary"),
        ("季度结息入账", 1, "interest"),
        ("ATM取款 手续费0.00", -1, "cash"),
        ("信用卡还款", -1, "transfer"),
        ("跨行轉賬手續費", -1, "fees"),
        ("飛鷺航空 機票", -1, "travel"),
        ("MERCHANT 99213", -1, UNCATEGORISED),
        ("", 0, UNCATEGORISED),
        ("⚘✿ 4411", -1, UNCATEGORISED),
    ],
)
def test_what_a_text_says(text: str, sign: int, category: str) -> None:
    assert categorise(text, sign).category == category


def test_on_texts_it_was_not_fitted_on_it_is_right_and_knows_when_it_is_not() -> None:
    lines = yaml.safe_load((DATA / "held_out.yaml").read_text("utf-8"))
    signs = {"salary": 1, "interest": 1, "transfer": 0, "investment": 0}
    for language in ("zh", "en"):
        judged = [
            (categorise(text, signs.get(category, -1)).category, category)
            for category, texts in lines[language].items()
            for text in texts
        ]
        said = [(given, category) for given, category in judged if given != UNCATEGORISED]
        assert sum(given == category for given, category in said) / len(said) > 0.93
        assert len(said) / len(judged) > 0.85


def test_nothing_held_out_is_fitted_on() -> None:
    held, names, lexicon = (
        yaml.safe_load((DATA / f"{n}.yaml").read_text("utf-8")) for n in ("held_out", "names", "lexicon")
    )
    for language in ("zh", "en"):
        fitted = {name.lower() for part in (names, lexicon) for ones in part[language].values() for name in ones}
        assert fitted.isdisjoint(text.lower() for ones in held[language].values() for text in ones)
        assert held[language].keys() == names[language].keys() == lexicon[language].keys()


@given(st.text(max_size=60), st.sampled_from([-1, 0, 1]))
def test_any_text_has_a_category_and_a_confidence(text: str, sign: int) -> None:
    found = categorise(text, sign)
    assert 0 <= found.confidence <= 1
    if ruled(text, sign) is None:
        assert (found.category == UNCATEGORISED) or found.confidence >= merchant_model().threshold
        assert merchant_model().probabilities(text).sum() == pytest.approx(1)


def test_numbers_and_ways_of_paying_say_nothing() -> None:
    assert features("支付宝-咖啡馆 0231") == features("咖啡馆") == features("POS消费 88 咖啡馆")


def test_a_banks_own_category_stands() -> None:
    own = movement(date(2026, 11, 1), -30, "青禾超市", "dining")
    assert categorised(own) is own
    read = categorised(movement(date(2026, 11, 1), -30, "青禾超市", UNCATEGORISED))
    assert read.category == "groceries"
    assert read.category_confidence is not None
    assert categorised(read) is read
    unsure = categorised(movement(date(2026, 11, 1), -30, "商户 22", UNCATEGORISED))
    assert (unsure.category, categorised(unsure)) == (UNCATEGORISED, unsure)
