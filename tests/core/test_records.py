"""Records: frozen, strict about fields and ranges."""

import inspect
import math
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError

from openteller.core import records
from openteller.core.records import Audience, Citation, Inquiry, Language, Principal, Record, Role, Satisfaction, Scored

KINDS = [kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_is_frozen_and_knows_its_fields(kind: type[Record]) -> None:
    assert kind.model_config["frozen"] is True
    assert kind.model_config["extra"] == "forbid"


def test_a_record_cannot_be_changed_or_extended() -> None:
    scored = Scored(label="gold", probability=0.5)
    with pytest.raises(ValidationError, match="frozen"):
        scored.label = "silver"
    with pytest.raises(ValidationError, match="Extra inputs"):
        Scored.model_validate({"label": "gold", "probability": 0.5, "colour": "yellow"})


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan, math.inf])
def test_a_probability_lies_in_0_to_1(probability: float) -> None:
    with pytest.raises(ValidationError):
        Scored(label="gold", probability=probability)
    with pytest.raises(ValidationError):
        Citation(document_id="d", title="t", passage="p", score=probability)


def test_an_inquiry_has_ids_a_moment_and_a_limit() -> None:
    first, second = Inquiry(text="余额"), Inquiry(text="余额")
    assert first.trace_id != second.trace_id
    assert first.at.utcoffset() == timedelta(0)
    assert len(Inquiry(text="字" * records.MAX_INQUIRY_CHARACTERS).text) == 4000
    for text in ("", "字" * (records.MAX_INQUIRY_CHARACTERS + 1)):
        with pytest.raises(ValidationError):
            Inquiry(text=text)


@pytest.mark.parametrize("rating", [0, 6])
def test_a_rating_is_1_to_5(rating: int) -> None:
    with pytest.raises(ValidationError):
        Satisfaction(trace_id=uuid4(), rating=rating)


@pytest.mark.parametrize("role", Role)
def test_who_reads_what(role: Role) -> None:
    may_read = Principal(subject="x", role=role).audiences
    assert Audience.PUBLIC in may_read
    assert (Audience.STAFF in may_read) == role.is_staff
    assert (Audience.CUSTOMER in may_read) == (role is not Role.VISITOR)


def test_the_language_to_reply_in() -> None:
    assert {language: language.spoken for language in Language} == {
        Language.ZH_HANS: "zh",
        Language.ZH_HANT: "zh",
        Language.MIXED: "zh",
        Language.EN: "en",
    }


def test_a_record_survives_json() -> None:
    inquiry = Inquiry(text="怎么开户", language=Language.ZH_HANS)
    assert Inquiry.model_validate_json(inquiry.model_dump_json()) == inquiry
