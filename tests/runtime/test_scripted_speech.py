"""The scripted voice: deterministic, remembers what it was asked, fails when told to."""

import numpy as np
import pytest

from openteller.core.errors import Unavailable
from openteller.runtime.scripted_speech import Asked, ScriptedSynthesizer


def test_it_remembers_what_it_was_asked() -> None:
    synthesizer = ScriptedSynthesizer()
    synthesizer.synthesize("您好", language="zh", speed=1.5)
    synthesizer.synthesize("hi", language="en", voice="en_high")
    assert synthesizer.requests == [Asked("您好", "zh", "zh_low", 1.5), Asked("hi", "en", "en_high", 1.0)]


def test_each_letter_is_a_tone_of_its_own_length() -> None:
    synthesizer = ScriptedSynthesizer()
    assert synthesizer.synthesize("您好。", language="zh").seconds == pytest.approx(0.16)
    assert synthesizer.synthesize("您好", language="zh", speed=2).seconds == pytest.approx(0.08)
    one, other = (synthesizer.synthesize(text, language="en").samples for text in "ab")
    assert not np.allclose(one, other)


def test_it_fails_after_so_many_sentences_and_from_then_on() -> None:
    synthesizer = ScriptedSynthesizer(fails_after=1)
    assert synthesizer.synthesize("a", language="en").seconds > 0
    for _ in range(2):
        with pytest.raises(Unavailable):
            synthesizer.synthesize("a", language="en")
    assert len(synthesizer.requests) == 1
