"""What somebody is shown who switched personalisation off: the same as everybody whom the same products admit."""

import pytest
from hypothesis import given, settings

from openteller.core.records import Offer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.customers.records import Consent
from openteller.demo.load import load
from openteller.products.eligibility import Applicant, eligible, generic
from openteller.recommendation import general
from openteller.recommendation.batch import offers_of
from openteller.recommendation.learning import report_of
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import LoggedImpression, OfferEvent
from openteller.recommendation.repository import popularity
from openteller.recommendation.rules import silent
from openteller.store.database import Database
from tests.recommendation.given import NOON, ON, PRODUCTS, file, understood
from tests.recommendation.test_learning import impressions
from tests.recommendation.test_recommender import EVENTS, files, understandings
from tests.store.people import AGENT, ANN

POPULAR = {product.id: 0.9 - 0.01 * place for place, product in enumerate(PRODUCTS)}
CATALOGUE = {product.id: product for product in PRODUCTS}
ASKED = understood("saving", "investing", "home")


def switched_off(who: CustomerFile, *, offers: bool = True) -> CustomerFile:
    """The same customer without personalisation, who agrees to offers or does not."""
    said = (("personalisation", False), ("marketing", offers))
    consents = [Consent.model_validate({"customer_id": "C000042", "purpose": p, "granted": g, "at": NOON}) for p, g in said]  # fmt: skip
    return who.model_copy(update={"consents": tuple(consents)})


def offered(
    who: CustomerFile, understanding: Understanding = ASKED, events: tuple[OfferEvent, ...] = (), limit: int = 5
) -> tuple[Offer, ...]:
    return Recommender().offers(
        who, understanding, PRODUCTS, events=events, popular=POPULAR, on=ON, language="en", limit=limit
    )  # fmt: skip


@settings(max_examples=40)
@given(files(), files(), understandings(), understandings(), EVENTS, EVENTS)
def test_two_whom_the_same_products_admit_get_the_same(
    one: CustomerFile,
    other: CustomerFile,
    asked: Understanding,
    asked_otherwise: Understanding,
    seen: tuple[OfferEvent, ...],
    seen_otherwise: tuple[OfferEvent, ...],
) -> None:
    # Equal in what conditions look at, different in money, holdings, needs, mood and what became of offers.
    same = {"birth_date": one.customer.birth_date, "monthly_income": one.customer.monthly_income, "segment": one.customer.segment}  # fmt: skip
    other = other.model_copy(update={"customer": other.customer.model_copy(update=same), "assessment": one.assessment})
    first = offered(switched_off(one), asked, seen)
    second = offered(switched_off(other), asked_otherwise, seen_otherwise)
    # Where there is danger or a complaint nothing is offered to anybody.
    if silent(asked) == silent(asked_otherwise):
        assert first == second


@settings(max_examples=40)
@given(files(), understandings())
def test_only_what_a_stranger_may_be_shown_and_the_person_may_have(who: CustomerFile, asked: Understanding) -> None:
    for offer in offered(switched_off(who), asked):
        product = CATALOGUE[offer.product_id]
        person = Applicant(
            age=who.customer.age(ON), monthly_income=who.customer.monthly_income, region=who.customer.city,
            segments=frozenset(who.customer.segment),
        )  # fmt: skip
        assert generic(product, ON)
        assert eligible(product, person, ON).allowed
        assert not product.invests
        assert "not chosen from your data" in offer.reason


def test_no_wish_for_offers_is_none_at_all() -> None:
    assert offered(switched_off(file(idle=90_000)))
    assert offered(switched_off(file(idle=90_000), offers=False)) == ()
    assert offered(file(idle=90_000, consent=None)) == ()
    assert not general.wanted(file())
    assert not general.wanted(None)


def test_the_most_held_comes_first_and_what_few_have_never() -> None:
    offers = offered(switched_off(file()), limit=20)
    assert [offer.score for offer in offers] == sorted((offer.score for offer in offers), reverse=True)
    rare = {offers[0].product_id: 0.5}
    again = Recommender().offers(switched_off(file()), ASKED, PRODUCTS, popular=rare, on=ON, language="zh")
    assert [offer.product_id for offer in again] == list(rare)
    assert again[0].reason.startswith("本行许多客户都有这款产品；这是通用推荐，并非根据您的资料挑选。")


def test_silence_and_campaigns_count_for_general_offers_too() -> None:
    who = switched_off(file())
    first = offered(who)[0].product_id
    assert offered(who, understood(intent="complaint_file")) == ()
    left = Recommender().offers(
        who, ASKED, PRODUCTS, popular=POPULAR, exhausted={first}, on=ON, language="zh"
    )  # fmt: skip
    assert first not in {offer.product_id for offer in left}


@pytest.mark.parametrize(
    ("product_id", "code"), [("FUND-INDEX", "general"), ("CARD-GOLD", "income"), ("TD-OLD", "general")]
)
def test_why_not(product_id: str, code: str) -> None:
    who = switched_off(file(income=100))
    answer = Recommender().why_not(
        CATALOGUE[product_id], who, ASKED, PRODUCTS, popular=POPULAR, on=ON, language="en"
    )  # fmt: skip
    assert (answer.code, answer.offered) == (code, False)
    last = offered(who, limit=50)[-1].product_id
    others = Recommender().why_not(
        CATALOGUE[last], who, ASKED, PRODUCTS, popular=POPULAR, on=ON, language="en", limit=1
    )
    assert others.code == "others_first"


def test_it_is_logged_as_general_and_nothing_is_learnt_from_it() -> None:
    decision = Recommender().decide(switched_off(file()), ASKED, PRODUCTS, popular=POPULAR, on=ON, language="zh")
    assert {(shown.policy, shown.propensity) for shown in decision.impressions} == {(general.POLICY, 1.0)}
    assert not any(shown.features for shown in decision.impressions)
    known = impressions(300)
    shown = [
        LoggedImpression(**one.model_dump(), customer_id="C000042", at=known[-1].at, opened=True)
        for one in decision.impressions
    ]
    assert report_of(known + shown * 50) == report_of(known)


def test_in_a_batch_both_kinds_stand_side_by_side() -> None:
    people = [file(idle=90_000), switched_off(file(idle=90_000))]
    found = list(offers_of(Recommender(), people, PRODUCTS, ON, popular=POPULAR))
    assert "idle" not in found[1].offers[0].reason
    assert "暂时不用" in found[0].offers[0].reason
    assert found[1].offers == Recommender().offers(people[1], ASKED, PRODUCTS, popular=POPULAR, on=ON, language="zh")


def test_what_is_popular_is_counted_over_the_bank_and_not_below_a_crowd(clean: Database) -> None:
    load(clean, 60, today=ON)
    with clean.session(AGENT) as session:
        found, all_of_them = popularity(session), popularity(session, least=1)
    assert 0 < min(found.values()) <= max(found.values()) <= 1
    assert set(found) < set(all_of_them)
    assert min(found.values()) * 60 >= general.LEAST_HOLDERS - 1
    with clean.session(ANN) as session:
        assert popularity(session) == {}  # nobody counts others through their own login
