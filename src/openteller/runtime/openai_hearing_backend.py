"""Speech recognised by a server that speaks the OpenAI API (`POST {base}/audio/transcriptions`): vLLM, Speaches, LocalAI, a hosted one.

Sound goes as 16-bit WAV, hot words as the prompt. Knows nothing about the model behind; of one that states no probabilities
it says 1, and the caller's gate lets everything pass.
"""

import io
import json
import math
import wave
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import httpx
import numpy as np

from openteller.core.text import simplified
from openteller.runtime.hearing_limits import check, language_of
from openteller.runtime.openai_endpoint import Endpoint
from openteller.runtime.protocols import Audio, Recognition

_LONGEST_PROMPT = 200  # characters; Whisper's prompt is 224 tokens
_NAMES = {"chinese": "zh", "mandarin": "zh", "english": "en"}


class OpenAITranscriber:
    """A Transcriber over an OpenAI-compatible server. Safe to share between threads.

    Args:
        base_url: the API's root, such as ``http://localhost:8000/v1``.
        model: the model's name at that server.
        api_key: sent as bearer token; None sends none.
        timeout: seconds to connect, and to wait for an answer.
        wants: verbose_json states probabilities; some models take json only.
        client: an httpx client of the caller's.
    """

    rate = 16_000

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        timeout: float = 30.0,
        *,
        wants: Literal["verbose_json", "json"] = "verbose_json",
        client: httpx.Client | None = None,
    ) -> None:
        self._model, self._wants = model, wants
        self._endpoint = Endpoint(base_url, api_key, timeout, client, "OPENTELLER_ASR_URL")

    def transcribe(self, audio: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()) -> Recognition:
        """The words of `audio`. Raises BadInput; Unavailable when the server gives no transcript that can be read."""
        check(audio, self.rate, language)
        if not np.any(audio.samples):
            return Recognition("", language or "zh", 0.0, 1.0)
        fields = {"model": self._model, "response_format": self._wants, "temperature": "0"}
        if language:
            fields["language"] = language
        if hotwords:
            fields["prompt"] = _prompt(hotwords)
        sound = {"file": ("speech.wav", _wav(audio), "audio/wav")}
        with self._endpoint.post("/audio/transcriptions", data=fields, files=sound) as response:
            data = response.read()
        return self._recognition(data, language)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def _recognition(self, data: bytes, language: str | None) -> Recognition:
        try:
            answer = json.loads(data)
            text = answer["text"].strip()
            probability, no_speech = _chances(answer.get("segments") or ())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._endpoint.malformed(f"no transcript: {error}") from error
        said = str(answer.get("language") or "").lower()
        language = language or _NAMES.get(said) or (said[:2] if said[:2] in ("zh", "en") else language_of(text))
        text = simplified(text) if language == "zh" else text
        return Recognition(text, language, probability if text else 0.0, no_speech if text else max(no_speech, 0.5))


def _chances(segments: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Probability of the words, and that nobody spoke; 1 and 0 where the server does not say."""
    if not segments or not all("avg_logprob" in one for one in segments):
        return 1.0, 0.0
    weights = [max(1, len(str(one.get("text", "")))) for one in segments]
    logprob = sum(float(s["avg_logprob"]) * w for s, w in zip(segments, weights, strict=True)) / sum(weights)
    no_speech = min(float(one.get("no_speech_prob", 0.0)) for one in segments)
    return min(1.0, math.exp(logprob)), min(1.0, max(0.0, no_speech))


def _prompt(hotwords: Sequence[str]) -> str:
    prompt = ""
    for word in hotwords:
        if len(prompt) + len(word) + 1 > _LONGEST_PROMPT:
            break
        prompt += ("、" if prompt else "") + word
    return prompt


def _wav(audio: Audio) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        file.writeframes((np.clip(audio.samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return made.getvalue()
