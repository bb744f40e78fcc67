from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from openteller.knowledge.records import Document, clean, language_of


def test_the_approved_wording_keeps_its_punctuation_and_its_powers() -> None:
    document = Document(
        document_id="a", title="费用？", language="zh", group_id="a", answer="每 10² 平方米，\u200b收￥５。"
    )
    assert document.answer == "每 10² 平方米，收￥５。"
    assert document.title == "费用？"


@given(st.text())
def test_clean_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


def test_lone_surrogates_are_replaced() -> None:
    assert clean("a\ud800b") == "a?b"


@pytest.mark.parametrize(
    "change",
    [
        {"answer": None, "body": ""},
        {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 31)},
        {"title": " \u200b "},
        {"questions": ("",)},
        {"language": "fr"},
    ],
)
def test_a_document_that_cannot_serve_is_refused(change: dict[str, object]) -> None:
    whole: dict[str, object] = {"document_id": "a", "title": "t", "language": "en", "group_id": "a", "answer": "x"}
    Document.model_validate(whole)
    with pytest.raises(ValidationError):
        Document.model_validate(whole | change)


def test_validity_includes_its_first_and_last_day() -> None:
    document = Document(
        document_id="a",
        title="t",
        language="en",
        group_id="a",
        body="x",
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 1, 31),
    )
    days = {day: document.is_current(date(2026, *day)) for day in ((1, 1), (1, 31), (2, 1))}
    assert days == {(1, 1): True, (1, 31): True, (2, 1): False}
    assert not document.is_current(date(2025, 12, 31))
    assert not document.model_copy(update={"status": "withdrawn"}).is_current(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我的card被拒了", "zh"),
        ("How do I open a 储蓄 account with you today please", "en"),
        ("網路銀行", "zh"),
        ("123", "en"),
    ],
)
def test_language_is_the_one_most_is_written_in(text: str, language: str) -> None:
    assert language_of(text) == language
