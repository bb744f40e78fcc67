"""What every Synthesizer keeps: sound of the length that the words ask for, limits, repeatability, use by several threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.runtime.protocols import Synthesizer

SAID = {"zh": "您的卡已挂失。", "en": "Your card is blocked."}
STRANGE = {
    "digits": "卡号 12 尾号",
    "other script": "Привет, 您好",
    "emoji": "好🙂👩‍👩‍👧",
    "control characters": "好a\x00b\nc",
    "markup": "<speak>好</speak>",
}


def test_there_are_voices_for_both_languages(synthesizer: Synthesizer) -> None:
    assert set(synthesizer.voices) == {"zh", "en"}
    names = [name for of_language in synthesizer.voices.values() for name in of_language]
    assert len(set(names)) == len(names) >= 2


@pytest.mark.parametrize("language", SAID)
def test_a_sentence_is_audible_and_whole(synthesizer: Synthesizer, language: str) -> None:
    audio = synthesizer.synthesize(SAID[language], language=language)
    assert audio.rate == synthesizer.rate
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert 0.4 < audio.seconds < 6
    assert np.isfinite(audio.samples).all()
    assert 0.05 < np.abs(audio.samples).max() <= 1.5


def test_more_words_last_longer(synthesizer: Synthesizer) -> None:
    short = synthesizer.synthesize("您好。", language="zh")
    long = synthesizer.synthesize("您好，请问有什么可以帮您？", language="zh")
    assert long.seconds > 1.5 * short.seconds


def test_speed_shortens(synthesizer: Synthesizer) -> None:
    slow, fast = (synthesizer.synthesize(SAID["en"], language="en", speed=speed) for speed in (0.8, 1.6))
    assert fast.seconds < 0.75 * slow.seconds


def test_another_voice_sounds_different(synthesizer: Synthesizer) -> None:
    first, second = [name for of_language in synthesizer.voices.values() for name in of_language][:2]
    one, other = (synthesizer.synthesize("好的。", language="zh", voice=voice) for voice in (first, second))
    assert one.samples.shape != other.samples.shape or not np.allclose(one.samples, other.samples, atol=0.01)


def test_the_same_is_said_the_same_way_also_by_threads(synthesizer: Synthesizer) -> None:
    alone = synthesizer.synthesize("好的。", language="zh").samples
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: synthesizer.synthesize("好的。", language="zh").samples, range(2)))
    assert all(np.array_equal(alone, samples) for samples in together)


@pytest.mark.parametrize("text", ["", "  ", "……", "🙂"], ids=["empty", "space", "marks", "emoji"])
def test_nothing_to_say_gives_no_sound(synthesizer: Synthesizer, text: str) -> None:
    assert len(synthesizer.synthesize(text, language="zh").samples) == 0


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_texts_are_said_as_far_as_they_can_be(synthesizer: Synthesizer, text: str) -> None:
    assert len(synthesizer.synthesize(text, language="zh").samples) > 0


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.49, 2.01, float("nan"), float("inf")])
def test_an_impossible_speed_is_bad_input(synthesizer: Synthesizer, speed: float) -> None:
    with pytest.raises(BadInput):
        synthesizer.synthesize(SAID["zh"], language="zh", speed=speed)


def test_an_unknown_voice_or_language_is_bad_input_that_names_those_there_are(synthesizer: Synthesizer) -> None:
    with pytest.raises(BadInput, match=synthesizer.voices["zh"][0]):
        synthesizer.synthesize(SAID["zh"], language="zh", voice="nobody")
    with pytest.raises(BadInput, match="zh"):
        synthesizer.synthesize(SAID["zh"], language="de")
