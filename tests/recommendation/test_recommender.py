from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.core.records import Offer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product, RiskGrade
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import OfferEvent
from openteller.recommendation.rules import DISMISSED_DAYS, silent
from openteller.recommendation.signals import NEEDS
from tests.recommendation.given import NOON, ON, PRODUCTS, file, understood

CATALOGUE = {product.id: product for product in PRODUCTS}
NEED = st.sampled_from(sorted(NEEDS))
TRAVELLER = {"travel": 2_000, "dining": 1_000}


def offered(
    who: CustomerFile | None,
    understanding: Understanding,
    events: tuple[OfferEvent, ...] = (),
    on: date = ON,
    language: str = "zh",
    limit: int = 3,
) -> tuple[Offer, ...]:
    return Recommender().offers(who, understanding, PRODUCTS, events=events, on=on, language=language, limit=limit)


def ids(offers: tuple[Offer, ...]) -> set[str]:
    return {offer.product_id for offer in offers}


@st.composite
def files(draw: st.DrawFn) -> CustomerFile:
    return file(
        age=draw(st.integers(16, 90)),
        income=draw(st.sampled_from([0, 3_000, 9_000, 40_000, 200_000])),
        segments=tuple(
            draw(st.sets(st.sampled_from(["student", "payroll", "private", "business", "senior", "youth"])))
        ),
        investor=draw(st.none() | st.sampled_from(["C1", "C2", "C3", "C4", "C5"])),
        expires_in=draw(st.integers(-3, 400)),
        consent=draw(st.sampled_from([True, True, True, False, None])),
        held=tuple(draw(st.sets(st.sampled_from(sorted(CATALOGUE)), max_size=3))),
        spending=draw(
            st.dictionaries(st.sampled_from(["travel", "housing", "health", "education"]), st.integers(0, 9_000))
        ),
        idle=draw(st.sampled_from([0, 4_999, 60_000, 3_000_000])),
        salary=draw(st.sampled_from([0, 12_000])),
        card_use=draw(st.floats(0, 1)),
    )


@st.composite
def understandings(draw: st.DrawFn) -> Understanding:
    return understood(
        *draw(st.sets(NEED, max_size=3)),
        mood=draw(st.sampled_from(["negative", "neutral", "positive"])),
        intent=draw(
            st.sampled_from(["deposit_rate", "fund_buy", "product_recommendation", "complaint_file", "card_declined"])
        ),
        products=tuple(draw(st.sets(st.sampled_from(sorted(CATALOGUE)), max_size=2))),
    )


EVENTS = st.lists(
    st.builds(
        OfferEvent,
        product_id=st.sampled_from(sorted(CATALOGUE)),
        action=st.sampled_from(["shown", "opened", "dismissed"]),
        at=st.integers(0, 200).map(lambda days: NOON - timedelta(days=days)),
    ),
    max_size=5,
).map(tuple)


@settings(max_examples=300)
@given(files(), understandings(), EVENTS, st.integers(0, 6))
def test_no_offer_passes_a_wall(
    who: CustomerFile, understanding: Understanding, events: tuple[OfferEvent, ...], limit: int
) -> None:
    offers = offered(who, understanding, events, limit=limit)
    assert len(offers) <= limit
    assert [offer.score for offer in offers] == sorted((offer.score for offer in offers), reverse=True)
    if offers:
        assert any(consent.granted for consent in who.consents)
        assert not silent(understanding)
    dismissed = {
        e.product_id for e in events if e.action == "dismissed" and NOON - e.at <= timedelta(days=DISMISSED_DAYS)
    }
    for offer in offers:
        product, age = CATALOGUE[offer.product_id], who.customer.age(ON)
        conditions = product.eligibility
        assert product.on_sale(ON)
        assert product.id not in who.product_ids | dismissed
        assert (conditions.min_age or 0) <= age <= (conditions.max_age or 200)
        assert who.customer.monthly_income >= (conditions.min_monthly_income or 0)
        assert not conditions.segments or set(conditions.segments) & set(who.customer.segment)
        assessment = who.assessment
        in_force = assessment is not None and assessment.expires_at.date() > ON
        if product.risk_grade is not RiskGrade.R1:
            assert assessment is not None
            assert in_force
            assert product.risk_grade.number <= int(assessment.investor_class[1])
        if conditions.requires_risk_assessment:
            assert in_force
        assert product.risk_grade.number < 4 or age < 65
        assert 0 < offer.score <= 1
        assert offer.reason


@settings(max_examples=100)
@given(understandings(), EVENTS)
def test_visitors_see_generic_r1_products_for_the_need_they_named(
    understanding: Understanding, events: tuple[OfferEvent, ...]
) -> None:
    needs = {need.label for need in understanding.needs}
    named = {entity.value for entity in understanding.entities}
    for offer in offered(None, understanding, events):
        product = CATALOGUE[offer.product_id]
        assert product.risk_grade is RiskGrade.R1
        assert not product.eligibility.segments
        assert not product.eligibility.requires_risk_assessment
        assert set(product.needs) & needs or product.id in named


@pytest.mark.parametrize("grade", list(RiskGrade))
@pytest.mark.parametrize("investor", ["C1", "C2", "C3", "C4", "C5"])
def test_every_class_and_grade(investor: str, grade: RiskGrade) -> None:
    who = file(age=40, income=200_000, segments=("private",), investor=investor)
    products = [
        product for product in PRODUCTS if product.risk_grade is grade and product.category in ("fund", "wealth")
    ]
    passed = [p.id for p in products if p.on_sale(ON) and Recommender().allowed(p, who, (), ON)]
    assert bool(passed) is (grade.number <= int(investor[1]))


@pytest.mark.parametrize(("age", "found"), [(64, True), (65, False)])
def test_r4_ends_at_65(age: int, found: bool) -> None:
    who = file(age=age, investor="C5", segments=())
    grades = {CATALOGUE[name].risk_grade for name in ids(offered(who, understood(products=("FUND-INDEX",))))}
    assert (RiskGrade.R4 in grades) is found


@pytest.mark.parametrize(("expires_in", "found"), [(1, True), (0, False), (-1, False)])
def test_the_day_of_expiry_is_blocked(expires_in: int, found: bool) -> None:
    who = file(investor="C3", expires_in=expires_in)
    offers = offered(who, understood("investing"), limit=10)
    assert bool({name for name in ids(offers) if CATALOGUE[name].risk_grade is not RiskGrade.R1}) is found


def test_idle_money_leads_to_deposits_it_can_open() -> None:
    poor = offered(file(idle=60_000), understood(intent="account_balance"))
    rich = offered(file(idle=600_000), understood(intent="account_balance"))
    assert ids(poor)
    assert {CATALOGUE[name].category for name in ids(poor)} == {"deposit"}
    assert "TD-LARGE" not in ids(poor)
    assert "TD-LARGE" in ids(rich)
    assert not offered(file(idle=0), understood(intent="account_balance"))


def test_travel_spending_leads_to_the_travel_card() -> None:
    offers = offered(file(spending=TRAVELLER), understood(intent="spending_analysis"))
    assert offers[0].product_id == "CARD-TRAVEL"
    assert "CARD-TRAVEL" not in ids(
        offered(file(spending=TRAVELLER, accounts=(("credit", "CARD-TRAVEL"),)), understood())
    )


def test_rent_leads_to_a_first_mortgage_and_an_own_home_does_not() -> None:
    asked = understood("home", intent="product_recommendation")
    tenant = offered(file(spending={"housing": 4_000}), asked)
    assert "MTG-FIRST" in ids(tenant)
    assert "¥4,000" in next(offer.reason for offer in tenant if offer.product_id == "MTG-FIRST")
    owner = offered(
        file(spending={"housing": 4_000}, accounts=(("mortgage", "MTG-FIRST"),)), understood(intent="next_payment")
    )
    assert not any(CATALOGUE[name].category == "mortgage" for name in ids(owner))


def test_a_salary_supports_the_payroll_loan() -> None:
    asked = understood("borrowing", intent="loan_apply")
    first = offered(file(salary=15_000), asked)[0]
    assert first.product_id == "LOAN-PAYROLL"
    assert "工资" in first.reason
    assert "LOAN-PAYROLL" not in ids(offered(file(salary=15_000, segments=()), asked, limit=20))


def test_a_full_card_leads_to_instalments() -> None:
    assert "CARD-INSTAL" in ids(offered(file(card_use=0.8), understood(intent="credit_bill")))


def test_no_offers_without_consent() -> None:
    asked = understood("saving")
    assert offered(file(idle=90_000), asked)
    for consent in (False, None):
        assert offered(file(idle=90_000, consent=consent), asked) == ()


@pytest.mark.parametrize("need", ["service_repair", "security"])
def test_no_offers_in_a_bad_mood_over_something_broken(need: str) -> None:
    assert offered(file(idle=90_000), understood(need, "saving", mood="negative")) == ()
    assert offered(None, understood(need, "saving", mood="negative")) == ()
    assert offered(file(idle=90_000), understood(need, "saving", mood="neutral"))
    assert offered(file(idle=90_000), understood("saving", mood="negative"))


@pytest.mark.parametrize("intent", ["fraud_report", "complaint_file", "loan_overdue", "human_agent"])
def test_no_offers_when_somebody_is_in_trouble(intent: str) -> None:
    assert offered(file(idle=90_000), understood("borrowing", intent=intent)) == ()


def test_no_offers_with_a_risk_flag() -> None:
    assert offered(file(idle=90_000), understood("saving", flag="scam")) == ()


@pytest.mark.parametrize(("days", "found"), [(0, False), (90, False), (91, True)])
def test_what_was_dismissed_rests_for_ninety_days(days: int, found: bool) -> None:
    event = OfferEvent(product_id="TD-CNY", action="dismissed", at=NOON - timedelta(days=days))
    assert ("TD-CNY" in ids(offered(None, understood("saving"), (event,), limit=20))) is found


def test_what_was_only_shown_may_come_again() -> None:
    event = OfferEvent(product_id="TD-CNY", action="shown", at=datetime(2026, 11, 23, tzinfo=UTC))
    assert "TD-CNY" in ids(offered(None, understood("saving"), (event,)))


def test_withdrawn_products_are_not_offered_even_by_name() -> None:
    asked = understood("saving", "investing", products=("TD-OLD", "WM-2025"))
    assert not ids(offered(file(), asked, limit=50)) & {"TD-OLD", "WM-2025"}
    assert "TD-OLD" in ids(offered(None, understood(products=("TD-OLD",)), on=date(2025, 6, 1)))


def test_a_visitor_who_names_no_need_gets_nothing() -> None:
    assert offered(None, understood(intent="branch_info")) == ()


def test_paying_is_no_wish_to_buy() -> None:
    assert offered(file(), understood("payments", intent="transfer_how")) == ()


def test_reasons_in_both_languages_name_what_fired() -> None:
    who = file(idle=157_074)
    zh = offered(who, understood("saving"), language="zh")[0]
    en = offered(who, understood("saving"), language="en")[0]
    assert zh.product_id == en.product_id
    assert zh.reason == "您在咨询储蓄，您的活期账户约有¥160,000暂时不用，这款产品或许适合您。"
    assert (
        en.reason
        == "You asked about saving and about ¥160,000 sits idle in your savings account, so this may suit you."
    )
    assert (zh.name, en.name) == (CATALOGUE[zh.product_id].name.zh, CATALOGUE[en.product_id].name.en)


def test_caveats_for_risk_and_credit() -> None:
    fund = offered(file(investor="C5"), understood(products=("FUND-INDEX",)), language="en")[0]
    loan = offered(file(salary=9_000), understood("borrowing"), language="en")[0]
    assert fund.reason.endswith("Returns are not guaranteed.")
    assert loan.reason.endswith("Subject to approval.")


def test_what_was_asked_for_comes_before_what_was_observed() -> None:
    offers = offered(file(spending=TRAVELLER, idle=90_000), understood("protection", intent="insurance_buy"))
    assert "protection" in CATALOGUE[offers[0].product_id].needs


def test_at_most_two_of_one_category() -> None:
    offers = offered(file(idle=900_000), understood("saving", "investing"), limit=6)
    categories = [CATALOGUE[offer.product_id].category for offer in offers]
    assert len(offers) > 2
    assert max(categories.count(category) for category in categories) == 2


def test_the_same_records_give_the_same_offers_in_any_order() -> None:
    backwards: list[Product] = PRODUCTS[::-1]
    who, asked = file(idle=90_000, spending=TRAVELLER), understood("saving", "investing")
    forwards = Recommender().offers(who, asked, PRODUCTS, on=ON, language="zh")
    assert forwards == Recommender().offers(who, asked, backwards, on=ON, language="zh")
