from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from openteller.customers.behaviour import CustomerFile
from openteller.customers.profile.records import EventKind, Evidence, LifeEvent, Tag, Wording
from openteller.customers.profile.tags import TAGS
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.signals import NEEDS, observed, stated
from tests.recommendation.given import ON, PRODUCTS, file, understood

TAXONOMY = Path(__file__).parents[2] / "recipes" / "data" / "understanding" / "TAXONOMY.yaml"


def test_the_needs_are_those_of_the_taxonomy() -> None:
    assert list(NEEDS) == yaml.safe_load(TAXONOMY.read_text(encoding="utf-8"))["needs"]


def test_unlikely_needs_do_not_count() -> None:
    understanding = understood("saving", "home")
    unsure = understanding.needs[1].model_copy(update={"probability": 0.39})
    signals = list(stated(understanding.model_copy(update={"needs": (understanding.needs[0], unsure)})))
    assert [signal.code for signal in signals] == ["need:saving"]
    assert all(signal.stated for signal in signals)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, set()),
        ({"idle": 4_999}, set()),
        ({"idle": 5_000}, {"idle_balance"}),
        ({"spending": {"travel": 300}}, {"spending:travel"}),
        ({"spending": {"travel": 299}}, set()),
        ({"spending": {"housing": 1_500}}, {"rent"}),
        (
            {"spending": {"housing": 1_500}, "accounts": (("mortgage", "MTG-FIRST"), ("credit", "CARD-GOLD"))},
            {"mortgage"},
        ),
        ({"spending": {"dining": 2_000}, "accounts": (("savings", "SAV-CNY"),)}, {"no_credit_card"}),
        ({"card_use": 0.4}, {"card_use"}),
        ({"salary": 1}, {"salary"}),
        ({"age": 45}, {"age_retirement"}),
        ({"age": 59}, set()),
    ],
)
def test_behaviour_rules(given: dict[str, object], codes: set[str]) -> None:
    signals = list(observed(file(**given), ON))  # type: ignore[arg-type]
    assert {signal.code for signal in signals} == codes
    for signal in signals:
        assert 0 < signal.weight < 1
        assert not signal.stated
        assert signal.phrase.zh != signal.phrase.en


def told(*own: str, derived: tuple[str, ...] = (), denied: tuple[str, ...] = (), life: tuple[LifeEvent, ...] = (), **given: Any) -> CustomerFile:  # fmt: skip
    """A customer with tags and life events."""
    tags = [Tag(tag=tag, name=TAGS[tag], source="own", reason=TAGS[tag]) for tag in own]
    tags += [Tag(tag=tag, name=TAGS[tag], source="derived", reason=TAGS[tag]) for tag in derived]
    return file(**given).model_copy(update={"tags": tuple(tags), "denied": frozenset(denied), "life_events": life})


def event(kind: EventKind, days: int = 10) -> LifeEvent:
    words = Wording(zh="孕婴店", en="the baby shop")
    return LifeEvent(
        kind=kind, on=ON - timedelta(days=days), confidence=0.9, text=words, evidence=(Evidence(on=ON, text=words),)
    )


def codes(who: CustomerFile) -> set[str]:
    return {signal.code for signal in observed(who, ON)}


def test_what_a_customer_says_of_themselves_speaks_and_is_said_back() -> None:
    (signal,) = observed(told("has_small_child"), ON)
    assert (signal.code, signal.weight) == ("told:has_small_child", 0.5)
    assert signal.clause("en") == "you told us: has a small child"
    offers = Recommender().offers(told("planning_retirement"), understood(), PRODUCTS, on=ON, language="zh")
    assert any("您说过自己在规划养老" in offer.reason for offer in offers)


def test_every_tag_that_speaks_is_one_that_there_is() -> None:
    for tag in TAGS:
        own, derived = codes(told(tag)), codes(told(derived=(tag,)))
        assert own <= {f"told:{tag}"}
        assert derived <= {f"tag:{tag}"}
        assert codes(told(tag, denied=(tag,))) == set()
    assert codes(told("shops_much")) == set()


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_what_is_inferred_of_a_life_is_never_said(kind: EventKind) -> None:
    who = told(derived=("has_small_child", "renting", "home_owner"), life=(event(kind),))
    said = [signal.clause(language) for signal in observed(who, ON) for language in ("zh", "en")]
    assert said
    for word in ("孩", "child", "baby", "婴", "母", "搬", "mov", "离", "divorc", "病", "ill", "salary", "工资", "rent"):
        assert not any(word in text for text in said)
    assert ("life:" + kind in codes(who)) is (kind in ("child", "moving", "travel"))
    assert codes(told(life=(event(kind, days=181),))) == set()


@pytest.mark.parametrize(
    ("given", "tag", "gone"),
    [
        ({"spending": {"housing": 1_500}}, "renting", "rent"),
        ({"spending": {"travel": 900}}, "frequent_traveller", "spending:travel"),
        ({"salary": 9_000}, "salary_here", "salary"),
        ({"life": (event("child"),)}, "has_small_child", "life:child"),
    ],
)
def test_what_was_said_no_to_does_not_come_back_by_another_way(given: dict[str, Any], tag: str, gone: str) -> None:
    assert gone in codes(told(**given))
    assert codes(told(denied=(tag,), **given)) == set()


def test_which_tag_it_was_is_not_logged() -> None:
    who = told("planning_retirement", derived=("has_small_child",), life=(event("child"),))
    decision = Recommender().decide(who, understood(), PRODUCTS, on=ON, language="zh")
    names = {name for shown in decision.impressions for name in shown.features if name.startswith("signal")}
    assert names
    assert names <= {"signals", "signal: told", "signal: tag", "signal: life"}


def test_without_consent_no_tag_brings_an_offer() -> None:
    who = told("planning_retirement", "buying_car", consent=False)
    assert Recommender().offers(who, understood(), PRODUCTS, on=ON, language="zh") == ()
