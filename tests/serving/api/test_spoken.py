"""Asking with a recording, as a form; JSON bodies of the same path are tested beside."""

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from openteller.core.errors import Unavailable
from openteller.core.records import Language
from openteller.runtime.protocols import Recognition
from openteller.runtime.scripted_hearing import ScriptedTranscriber
from openteller.voice.hearing import Hearing
from tests.serving.api.conftest import Headers
from tests.serving.api.house import House, error_of
from tests.store.people import ANN
from tests.voice.sounds import ZH_FILE, ZH_SAID

SPEECH = ZH_FILE.read_bytes()


@pytest.fixture
def engine(house: House) -> ScriptedTranscriber:
    """What the house hears with: always the same."""
    engine = ScriptedTranscriber(lambda _: Recognition(ZH_SAID, "zh", 0.8))
    house.hearing = Hearing(engine)  # type: ignore[attr-defined]
    return engine


def _ask(client: TestClient, audio: bytes = SPEECH, headers: Headers | None = None, **fields: str) -> Any:
    files = {"audio": ("question.ogg", audio, "audio/ogg")}
    return client.post("/v1/inquiries", files=files, data=fields, headers=headers)


def _wav(seconds: float) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, np.zeros(int(seconds * 16_000), np.int16), 16_000, format="WAV")
    return made.getvalue()


def test_a_recording_is_answered_with_its_transcript(
    client: TestClient, house: House, engine: ScriptedTranscriber
) -> None:
    response = _ask(client)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["transcript"] == {
        "text": ZH_SAID,
        "probability": 0.8,
        "seconds": pytest.approx(3.9, abs=0.1),
        "language": "zh",
    }
    inquiry, _ = house.dialogue.asked[0]
    assert (inquiry.text, inquiry.channel, inquiry.language) == (ZH_SAID, "voice", Language.ZH_HANS)
    assert body["inquiry"]["text"] == ZH_SAID
    assert client.get(f"/v1/inquiries/{body['trace_id']}").json()["reply"] == body["reply"]


def test_the_other_fields_are_those_of_text(
    client: TestClient, house: House, engine: ScriptedTranscriber, ann: Headers
) -> None:
    first = _ask(client, headers=ann, language="zh-TW").json()
    again = _ask(client, headers=ann, conversation_id=first["conversation_id"], customer_id=str(ANN.customer_id))
    assert again.json()["conversation_id"] == first["conversation_id"]
    assert [asked.language for asked in engine.requests] == ["zh", None]
    assert house.dialogue.asked[0][0].language is Language.ZH_HANT


def test_others_customers_stay_apart(client: TestClient, engine: ScriptedTranscriber, ben: Headers) -> None:
    assert _ask(client, headers=ben, customer_id=str(ANN.customer_id)).status_code in (403, 404)
    assert engine.requests == []


def test_secrets_that_were_said_are_dropped(client: TestClient, house: House) -> None:
    house.hearing = Hearing(ScriptedTranscriber(["我的密码是 hunter2x 怎么改"]))  # type: ignore[attr-defined]
    response = _ask(client)
    assert "hunter2x" not in response.text
    assert "hunter2x" not in house.dialogue.asked[0][0].text


@pytest.mark.parametrize(
    ("audio", "status", "code", "says"),
    [
        (b"", 422, "bad_input", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(900), 422, "unreadable_file", "no sound"),
        ("不是声音".encode() * 90, 422, "unreadable_file", "no sound"),
        (SPEECH[:60], 422, "unreadable_file", "cannot be read"),
        (_wav(2), 422, "bad_input", "No words were heard"),
        (_wav(121 * 1.06), 413, "too_large", "120 s"),
        (_wav(600), 413, "too_large", "120 s"),
        (bytes(25_100_000), 413, "too_large", "25 MB"),
    ],
    ids=["empty", "picture", "text", "cut off", "silence", "over two minutes", "ten minutes", "26 MB"],
)
def test_what_cannot_be_heard_is_said_so(
    client: TestClient, engine: ScriptedTranscriber, audio: bytes, status: int, code: str, says: str
) -> None:
    error = error_of(_ask(client, audio), status, code)
    assert says in error["message"]
    assert error["next_step"]
    assert engine.requests == []


def test_what_was_heard_badly_is_asked_for_again(client: TestClient, house: House) -> None:
    house.hearing = Hearing(ScriptedTranscriber([Recognition("查余额", "zh", 0.2)]))  # type: ignore[attr-defined]
    error = error_of(_ask(client), 422, "bad_input")
    assert "查余额" in error["cause"]
    assert "again" in error["next_step"]
    assert house.dialogue.asked == []


def test_an_engine_that_is_gone_is_unavailable(client: TestClient, house: House) -> None:
    house.hearing = Hearing(ScriptedTranscriber([Unavailable("gone")]))  # type: ignore[attr-defined]
    error_of(_ask(client), 503, "unavailable")


def test_a_form_without_a_recording_names_what_is_missing(client: TestClient) -> None:
    response = client.post("/v1/inquiries", files={"text": (None, "余额")})
    assert "audio" in error_of(response, 422, "bad_input")["cause"]
    response = client.post("/v1/inquiries", files={"audio": (None, "no file")})
    assert "audio" in error_of(response, 422, "bad_input")["cause"]


@pytest.mark.parametrize("fields", [{"language": "fr"}, {"conversation_id": "x"}, {"customer_id": "x" * 65}])
def test_bad_fields_are_named(client: TestClient, engine: ScriptedTranscriber, fields: dict[str, str]) -> None:
    assert next(iter(fields)) in error_of(_ask(client, **fields), 422, "bad_input")["cause"]


def test_json_is_answered_as_before(client: TestClient, engine: ScriptedTranscriber) -> None:
    body = client.post("/v1/inquiries", json={"text": "利率"}).json()
    assert "transcript" not in body
    assert engine.requests == []
