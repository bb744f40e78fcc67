"""Answers to a class: complete, bounded by the caps, never lower for a bolder answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from openteller.core.errors import BadInput
from openteller.core.records import InvestorClass
from openteller.customers.assessment.questionnaire import Questionnaire, questionnaire
from openteller.customers.assessment.scoring import Scored, changed, checked, contradictions, scored
from tests.customers.assessment.answers import BALANCED, BOLD, CAUTIOUS

ASKED = questionnaire()
ANSWERS = st.fixed_dictionaries({q.id: st.sampled_from([o.id for o in q.options]) for q in ASKED.questions})
AGES = st.integers(18, 100)


def score(answers: dict[str, str], age: int = 40) -> Scored:
    return scored(ASKED, checked(ASKED, answers), age)


def test_the_three_investors_and_their_classes() -> None:
    assert [score(answers).investor_class.value for answers in (CAUTIOUS, BALANCED, BOLD)] == ["C2", "C3", "C5"]
    assert [contradictions(ASKED, checked(ASKED, answers)) for answers in (CAUTIOUS, BALANCED, BOLD)] == [()] * 3
    assert score(BOLD).score == 100


def test_who_can_bear_no_loss_is_c1_whatever_the_rest() -> None:
    result = score(BOLD | {"loss": "none"})
    assert result.investor_class is InvestorClass.C1
    assert result.reasons[-1].code == "cap:loss"
    assert "C1" in result.reasons[-1].text.zh


@given(ANSWERS, AGES)
def test_no_cap_is_broken_and_every_step_has_a_reason(answers: dict[str, str], age: int) -> None:
    result = score(answers, age)
    caps = [option.cap.number for option in checked(ASKED, answers).values() if option.cap]
    assert result.investor_class.number <= min(caps, default=5)
    assert 0 <= result.score <= 100
    assert result.reasons[0].code == "score"
    assert all(reason.text.zh and reason.text.en for reason in result.reasons)


@given(ANSWERS, AGES, st.sampled_from([q.id for q in ASKED.questions]))
def test_a_bolder_answer_never_lowers_the_class(answers: dict[str, str], age: int, question: str) -> None:
    options = [option.id for option in next(q for q in ASKED.questions if q.id == question).options]
    place = options.index(answers[question])
    if place + 1 < len(options):
        bolder = score(answers | {question: options[place + 1]}, age)
        assert bolder.investor_class.number >= score(answers, age).investor_class.number
        assert bolder.score >= score(answers, age).score


def test_every_class_can_be_reached() -> None:
    timid = {q.id: q.options[0].id for q in ASKED.questions}
    found = {score(timid).investor_class, score(CAUTIOUS).investor_class, score(BALANCED).investor_class}
    found |= {score(BOLD | {"loss": "much"}).investor_class, score(BOLD).investor_class}
    assert found == set(InvestorClass)


@pytest.mark.parametrize("conflict", ASKED.conflicts, ids=lambda conflict: conflict.code)
def test_each_contradiction_is_found(conflict: Any) -> None:
    answers = BALANCED | {question: options[0] for question, options in conflict.given.items()}
    assert conflict.code in {found.code for found in contradictions(ASKED, checked(ASKED, answers))}


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ({}, "without an answer: source, income"),
        ({k: v for k, v in BALANCED.items() if k != "loss"}, "without an answer: loss"),
        (BALANCED | {"loss": "a bit"}, "no such answer: loss"),
        (BALANCED | {"shoe size": "43"}, "not asked: shoe size"),
        (BALANCED | {"x" * 10_000: "43"}, "not asked: " + "x" * 40 + "."),
    ],
)
def test_what_is_missing_or_unknown_is_named(answers: dict[str, str], cause: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(ASKED, answers)
    assert cause in caught.value.cause
    assert caught.value.next_step


def test_a_change_names_the_questions_that_were_answered_differently() -> None:
    remark = changed(ASKED, InvestorClass.C2, InvestorClass.C3, CAUTIOUS, CAUTIOUS | {"loss": "some"})
    assert (remark.code, "C2" in remark.text.zh, "C3" in remark.text.en) == ("class_changed", True, True)
    loss = ASKED.question("loss")
    assert loss is not None
    assert loss.text.zh in remark.text.zh
    assert "改变" not in changed(ASKED, InvestorClass.C2, InvestorClass.C3, {}, CAUTIOUS).text.zh


def test_a_questionnaire_that_contradicts_itself_is_refused() -> None:
    raw = ASKED.model_dump(mode="json")
    unasked = raw | {"conflicts": [{"code": "x", "given": {"loss": ["none"], "hat": ["red"]}, "text": {"zh": "帽", "en": "hat"}}]}  # fmt: skip
    with pytest.raises(ValidationError, match="hat"):
        Questionnaire.model_validate(unasked)
    with pytest.raises(ValidationError, match="do not rise"):
        Questionnaire.model_validate(raw | {"classes": {"C2": 50, "C3": 40, "C4": 60, "C5": 80}})
