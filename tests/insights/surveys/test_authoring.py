import json
import re
from pathlib import Path

import pytest
import yaml

import openteller.demo
from openteller.core.errors import BadInput, TooLarge, UnreadableFile
from openteller.insights.surveys.answering import checked
from openteller.insights.surveys.authoring import read
from openteller.understanding.personal_data import redacted
from tests.insights.surveys.asked import SURVEY

DEMO = Path(openteller.demo.__file__).parent / "bank/surveys/service.yaml"


def test_the_demo_banks_survey_can_be_asked() -> None:
    survey = read(DEMO.read_bytes(), DEMO.name)
    assert survey.outcome is not None
    assert [question.id for question in survey.drivers] == ["satisfied", "easy", "price"]


def test_a_survey_survives_its_file() -> None:
    assert read(json.dumps(SURVEY.model_dump(mode="json")).encode(), "s.json") == SURVEY
    assert read(yaml.safe_dump(SURVEY.model_dump(mode="json"), allow_unicode=True).encode(), "s.yaml") == SURVEY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "describes no survey"),
        ("- a", "describes no survey"),
        ("name: A", "name:.*title:.*questions:"),
        ("&a [*a]", "describes no survey"),
        ("name: s\ntitle: {zh: a, en: b}\nquestions: [{id: q, kind: csat, text: {zh: a}}]", "questions.0.text.en"),
        (
            "name: s\ntitle: {zh: a, en: b}\nquestions: [{id: q, kind: scale, text: {zh: a, en: b}}]",
            "needs low and high",
        ),
        ("name: s\ntitle: {zh: a, en: b}\nquestions: [{id: q, kind: choice, text: {zh: a, en: b}}]", "options belong"),
        (
            "name: s\ntitle: {zh: a, en: b}\nquestions:\n"
            "- {id: q, kind: text, text: {zh: a, en: b}}\n- {id: q, kind: text, text: {zh: a, en: b}}",
            "stand twice: q",
        ),
        (
            "name: s\nhand_off_at: 3\ntitle: {zh: a, en: b}\nquestions: [{id: q, kind: text, text: {zh: a, en: b}}]",
            "nps",
        ),
    ],
)
def test_faults_are_named_by_their_place(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text.encode(), "s.yaml")
    assert re.search(message, str(caught.value), re.S)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read(b"\xff\xfe\x00", "s.yaml")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read(b"a: [", "s.yaml")
    with pytest.raises(TooLarge):
        read(b" " * 300_000, "s.yaml")


def test_answers_are_read_as_people_give_them() -> None:
    raw = {
        "recommend": " 9分 ",
        "branch_ok": "★★★★",
        "easy": "N/A",
        "price": 3,
        "reason": "贷款；OPEN",
        "words": "我的手机号是13812345678",
    }
    assert checked(SURVEY, raw, redacted) == {
        "recommend": 9,
        "branch_ok": 4,
        "price": 3,
        "reason": ("loan", "open"),
        "words": redacted("我的手机号是13812345678"),
    }
    assert "13812345678" not in str(checked(SURVEY, raw, redacted))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"recommend": 11}, "whole number from 0 to 10"),
        ({"recommend": "非常满意"}, "whole number"),
        ({"recommend": True}, "whole number"),
        ({"recommend": "8.5"}, "whole number"),
        ({"recommend": 5, "reason": "x"}, "Choose of: open, loan, other"),
        ({"recommend": 5, "words": "好" * 2_001}, "2,001 characters"),
        ({"recommend": 5, "nothing": 1}, "does not ask 'nothing'"),
        ({"easy": 3}, "recommend has no answer"),
        ({}, "recommend has no answer"),
    ],
)
def test_what_is_no_answer_is_refused(raw: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        checked(SURVEY, raw, redacted)
