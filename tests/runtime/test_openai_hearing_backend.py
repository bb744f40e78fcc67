"""What goes over the wire to a transcription server, and what is made of bad answers."""

import json
import math
from collections.abc import Iterator

import pytest

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.runtime.openai_hearing_backend import OpenAITranscriber
from openteller.voice.audio_files import read_audio
from tests.runtime.hearers import KEY, Heard, transcription_server
from tests.voice.sounds import ZH_FILE

SPEECH = read_audio(ZH_FILE)


@pytest.fixture(scope="module")
def server() -> Iterator[Heard]:
    with transcription_server() as server:
        yield server


def _answered(server: Heard, body: object, status: int = 200, **options: object) -> OpenAITranscriber:
    server.answer = (status, body if isinstance(body, bytes) else json.dumps(body).encode())
    return OpenAITranscriber(server.url + "/", "large", KEY, **options)  # type: ignore[arg-type]


def test_the_request_is_what_the_api_asks_for(server: Heard) -> None:
    engine = _answered(server, {"text": "你好"})
    engine.transcribe(SPEECH, language="zh", hotwords=["挂失", "银行卡", "x" * 300])
    asked = server.asked[-1]
    assert asked["path"] == "/v1/audio/transcriptions"
    assert server.headers[-1]["Authorization"] == f"Bearer {KEY}"
    assert {name: asked[name] for name in ("model", "response_format", "language", "prompt")} == {
        "model": "large",
        "response_format": "verbose_json",
        "language": "zh",
        "prompt": "挂失、银行卡",
    }
    assert read_audio(asked["file"]).seconds == pytest.approx(SPEECH.seconds)


def test_probabilities_are_taken_from_the_segments(server: Heard) -> None:
    segments = [
        {"text": "aaaa", "avg_logprob": -0.2, "no_speech_prob": 0.3},
        {"text": "bb", "avg_logprob": -0.5, "no_speech_prob": 0.1},
    ]
    found = _answered(server, {"text": " aaaa bb", "language": "english", "segments": segments}).transcribe(SPEECH)
    assert found.probability == pytest.approx(math.exp(-0.3))
    assert (found.text, found.language, found.no_speech) == ("aaaa bb", "en", 0.1)


@pytest.mark.parametrize(
    ("answer", "language", "text"),
    [
        ({"text": "餘額"}, "zh", "余额"),
        ({"text": "my balance"}, "en", "my balance"),
        ({"text": "余额", "language": "chinese"}, "zh", "余额"),
        ({"text": "", "language": "zh-CN"}, "zh", ""),
    ],
)
def test_a_plain_answer_will_do(server: Heard, answer: dict[str, str], language: str, text: str) -> None:
    found = _answered(server, answer, wants="json").transcribe(SPEECH)
    assert (found.language, found.text, found.probability) == (language, text, 1.0 if text else 0.0)
    assert server.asked[-1]["response_format"] == "json"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 1}', {"text": 5}, {"text": "a", "segments": [1]}])
def test_an_answer_that_is_none_is_unavailable(server: Heard, body: object) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        _answered(server, body).transcribe(SPEECH)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_refusals_are_our_errors(server: Heard, status: int) -> None:
    with pytest.raises(OpenTellerError) as caught:
        _answered(server, {"error": {"message": "no"}}, status).transcribe(SPEECH)
    assert caught.value.next_step
    assert KEY not in str(caught.value)


def test_nobody_there_is_unavailable_and_names_the_setting() -> None:
    with pytest.raises(Unavailable, match="OPENTELLER_ASR_URL"):
        OpenAITranscriber("http://127.0.0.1:9", "x", timeout=2).transcribe(SPEECH)
