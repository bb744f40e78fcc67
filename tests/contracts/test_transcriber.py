"""What every Transcriber keeps: the words of real speech in both languages, silence without any, limits, several threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.runtime.protocols import Audio, Recognition, Transcriber
from openteller.voice.audio_files import read_audio
from tests.runtime.hearers import edits
from tests.voice.sounds import EN_FILE, EN_SAID, ZH_FILE, ZH_SAID

SPEECH = {"zh": (read_audio(ZH_FILE), ZH_SAID), "en": (read_audio(EN_FILE), EN_SAID)}


def _silence(seconds: float) -> Audio:
    return Audio(np.zeros(int(seconds * 16_000), np.float32), 16_000)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_speech_becomes_words_in_the_language_that_is_spoken(transcriber: Transcriber, language: str) -> None:
    audio, said = SPEECH[language]
    found = transcriber.transcribe(audio)
    assert found.language == language
    assert edits(said, found.text) < 0.2, found.text
    assert 0.3 < found.probability <= 1
    assert found.no_speech < 0.5


def test_a_language_may_be_named(transcriber: Transcriber) -> None:
    audio, said = SPEECH["zh"]
    found = transcriber.transcribe(audio, language="zh", hotwords=["挂失", "银行卡"])
    assert found.language == "zh"
    assert edits(said, found.text) < 0.2, found.text


@pytest.mark.parametrize("seconds", [0.0, 0.01, 2.0])
def test_silence_has_no_words(transcriber: Transcriber, seconds: float) -> None:
    found = transcriber.transcribe(_silence(seconds))
    assert found.text == ""
    assert found.probability == 0
    assert found.no_speech >= 0.5


def test_the_same_sound_gives_the_same_words(transcriber: Transcriber) -> None:
    audio, _ = SPEECH["zh"]
    assert transcriber.transcribe(audio) == transcriber.transcribe(audio)


def test_threads_get_their_own_words(transcriber: Transcriber) -> None:
    order = ["zh", "en", "zh"]
    alone = {language: transcriber.transcribe(SPEECH[language][0]) for language in ("zh", "en")}
    with ThreadPoolExecutor(3) as pool:
        together: list[Recognition] = list(pool.map(lambda one: transcriber.transcribe(SPEECH[one][0]), order))
    assert together == [alone[language] for language in order]


def test_another_rate_is_bad_input(transcriber: Transcriber) -> None:
    with pytest.raises(BadInput, match="8000"):
        transcriber.transcribe(Audio(np.zeros(8_000, np.float32), 8_000))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_bad_input(transcriber: Transcriber, bad: float) -> None:
    samples = SPEECH["zh"][0].samples.copy()
    samples[7] = bad
    with pytest.raises(BadInput):
        transcriber.transcribe(Audio(samples, 16_000))


def test_two_channels_are_bad_input(transcriber: Transcriber) -> None:
    with pytest.raises(BadInput):
        transcriber.transcribe(Audio(np.zeros((2, 800), np.float32), 16_000))


def test_another_language_is_bad_input(transcriber: Transcriber) -> None:
    with pytest.raises(BadInput, match="'fr'"):
        transcriber.transcribe(_silence(1), language="fr")
