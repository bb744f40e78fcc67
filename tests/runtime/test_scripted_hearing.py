"""The scripted recogniser is honest about misuse."""

import numpy as np
import pytest

from openteller.core.errors import BadInput, Unavailable
from openteller.runtime.protocols import Audio, Recognition
from openteller.runtime.scripted_hearing import Asked, ScriptedTranscriber

SOUND = Audio(np.ones(8_000, np.float32), 16_000)


def test_steps_come_in_order_and_calls_are_remembered() -> None:
    engine = ScriptedTranscriber(["余额", Recognition("b", "en", 0.2), BadInput("no")])
    assert engine.transcribe(SOUND, hotwords=["x"]).language == "zh"
    assert engine.transcribe(SOUND, language="zh") == Recognition("b", "en", 0.2)
    with pytest.raises(BadInput):
        engine.transcribe(SOUND)
    engine.finish()
    assert engine.requests == [Asked(0.5, None, ("x",)), Asked(0.5, "zh", ()), Asked(0.5, None, ())]


def test_asking_too_often_or_too_seldom_is_a_mistake_of_the_test() -> None:
    engine = ScriptedTranscriber(["a"])
    with pytest.raises(AssertionError, match="1 steps"):
        engine.finish()
    engine.transcribe(SOUND)
    with pytest.raises(AssertionError, match="one more"):
        engine.transcribe(SOUND)


def test_it_may_fail_after_so_many() -> None:
    engine = ScriptedTranscriber(lambda audio: f"{audio.seconds}", fails_after=1)
    assert engine.transcribe(SOUND).text == "0.5"
    with pytest.raises(Unavailable):
        engine.transcribe(SOUND)
    engine.finish()
