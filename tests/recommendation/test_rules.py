from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.records import Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.recommendation import rules
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import OfferEvent, WhyNot
from tests.recommendation.given import NOON, ON, PRODUCTS, file, understood
from tests.recommendation.test_recommender import CATALOGUE, EVENTS, files, offered, understandings

PRODUCT = st.sampled_from(sorted(CATALOGUE))


def events(action: str, *days: int, product: str = "TD-CNY") -> tuple[OfferEvent, ...]:
    return tuple(
        OfferEvent.model_validate({"product_id": product, "action": action, "at": NOON - timedelta(days=day)})
        for day in days
    )


def why(
    product: str,
    who: CustomerFile | None,
    understanding: Understanding,
    past: tuple[OfferEvent, ...] = (),
    exhausted: frozenset[str] = frozenset(),
    language: str = "en",
) -> WhyNot:
    return Recommender().why_not(
        CATALOGUE[product], who, understanding, PRODUCTS, events=past, exhausted=exhausted, on=ON, language=language
    )


@pytest.mark.parametrize(
    ("past", "rests"),
    [
        (events("shown", 1, 2, 3), True),
        (events("shown", 1, 2), False),
        (events("shown", 1, 1, 1, 1), False),
        (events("shown", 1, 2, 13), True),
        (events("shown", 1, 2, 14), False),
        (events("shown", 0, 1, 2), False),
        (events("shown", 1, 2, 3) + events("opened", 3), False),
        (events("shown", 1, 2, 3, product="TD-LARGE"), False),
    ],
)
def test_what_was_shown_on_three_days_rests(past: tuple[OfferEvent, ...], rests: bool) -> None:
    assert bool(rules.shown_enough("TD-CNY", past, ON, "Asia/Shanghai")) is rests
    offers = {offer.product_id for offer in offered(file(idle=600_000), understood("saving"), past, limit=20)}
    assert ("TD-CNY" in offers) is not rests


@pytest.mark.parametrize(
    ("code", "product", "found"),
    [
        ("consent", "TD-CNY", lambda: why("TD-CNY", file(consent=None), understood("saving"))),
        ("moment", "TD-CNY", lambda: why("TD-CNY", file(), understood("saving", flag="scam"))),
        ("held", "TD-CNY", lambda: why("TD-CNY", file(held=("TD-CNY",)), understood("saving"))),
        ("dismissed", "TD-CNY", lambda: why("TD-CNY", file(), understood("saving"), events("dismissed", 10))),
        ("shown_enough", "TD-CNY", lambda: why("TD-CNY", file(), understood("saving"), events("shown", 1, 2, 3))),
        ("budget", "TD-CNY", lambda: why("TD-CNY", file(), understood("saving"), exhausted=frozenset({"TD-CNY"}))),
        ("login", "FUND-INDEX", lambda: why("FUND-INDEX", None, understood("investing"))),
        ("no_reason", "MTG-FIRST", lambda: why("MTG-FIRST", file(), understood("saving"))),
        ("offered", "CARD-TRAVEL", lambda: why("CARD-TRAVEL", file(spending={"travel": 2_000}), understood())),
    ],
)
def test_why_not_names_the_rule(code: str, product: str, found: object) -> None:
    said = found()  # type: ignore[operator]
    assert (said.code, said.product_id) == (code, product)
    assert said.offered is (code == "offered")


def test_others_come_first_and_are_named() -> None:
    who, asked = file(idle=600_000), understood("saving")
    first = offered(who, asked, language="en")
    said = [why(product, who, asked) for product in CATALOGUE]
    behind = [found for found in said if found.code == "others_first"]
    assert len(behind) > 1
    assert all(offer.name in found.reason for offer in first for found in behind)


@given(files(), understandings(), EVENTS, PRODUCT, st.sampled_from(["zh", "en"]))
def test_why_not_agrees_with_the_offers(
    who: CustomerFile, understanding: Understanding, past: tuple[OfferEvent, ...], product: str, language: str
) -> None:
    said = why(product, who, understanding, past, language=language)
    assert said.offered is (product in {offer.product_id for offer in offered(who, understanding, past)})
    assert said.reason
    assert any("一" <= letter <= "鿿" for letter in said.reason) is (language == "zh")


@given(files(), files(), understandings())
def test_nobody_is_named_another_price(one: CustomerFile, other: CustomerFile, understanding: Understanding) -> None:
    """Parity: an offer names no rate, fee or limit of its own; what a product costs stands in the catalogue alone."""
    before = [product.model_dump_json() for product in PRODUCTS]
    for who in (one, other):
        decision = Recommender().decide(who, understanding, PRODUCTS, on=ON, language="en", limit=20)
        for offer, impression in zip(decision.offers, decision.impressions, strict=True):
            product = CATALOGUE[offer.product_id]
            assert offer.name == product.name.en
            assert not any(f"{rate.rate:f}%" in offer.reason for rate in product.rates)
            assert not {"rate", "fee", "price"} & {name.partition(":")[0] for name in impression.features}
    assert [product.model_dump_json() for product in PRODUCTS] == before


@given(files(), understandings())
def test_gender_city_and_name_change_nothing(who: CustomerFile, understanding: Understanding) -> None:
    customer = who.customer.model_copy(update={"gender": "male", "name": "王强", "name_en": "Wang Qiang"})
    assert offered(who.model_copy(update={"customer": customer}), understanding) == offered(who, understanding)


def test_a_reason_does_not_say_that_somebody_is_ill() -> None:
    offers = offered(file(spending={"health": 3_000}), understood(intent="spending_analysis"), language="en", limit=20)
    assert offers
    assert not any("health" in offer.reason or "3,000" in offer.reason for offer in offers)
