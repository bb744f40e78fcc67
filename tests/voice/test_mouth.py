"""What is played, held, taken up and dropped, and what of it was heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.runtime.protocols import Audio, Floats
from openteller.voice.mouth import Mouth, heard_part

RATE = 1_000


def _mouth(*texts: str, seconds: float = 1.0) -> tuple[Mouth, list[str]]:
    begun: list[str] = []
    mouth = Mouth(RATE, begun.append)
    mouth.begin()
    for text in texts:
        mouth.say(text, Audio(np.ones(round(seconds * RATE), np.float32), RATE))
    mouth.finish()
    return mouth, begun


def _pull(mouth: Mouth, count: int) -> Floats:
    found = mouth.pull(count)
    assert found is not None
    return found


def test_sentences_follow_one_another_without_a_gap() -> None:
    mouth, begun = _mouth("一。", "二。")
    played = np.concatenate([_pull(mouth, 300) for _ in range(7)])
    assert begun == ["一。", "二。"]
    assert np.all(played[20:2_000] == 1)
    assert np.all(played[2_000:] == 0)
    assert mouth.pull(300) is None
    assert not mouth.speaking
    assert mouth.heard() == "一。二。"


def test_more_to_come_is_still_speaking() -> None:
    mouth = Mouth(RATE)
    mouth.begin()
    assert mouth.speaking
    assert mouth.pull(10) is None
    mouth.finish()
    assert not mouth.speaking


def test_held_speech_is_silent_and_taken_up_a_little_before() -> None:
    mouth, _ = _mouth("一句话。", seconds=2)
    _pull(mouth, 1_000)
    mouth.hold()
    assert mouth.pull(100) is None
    assert mouth.speaking
    mouth.take_up()
    left = 0
    while mouth.pull(10) is not None:
        left += 10
    assert left == 1_000 + 350


def test_ducked_speech_goes_on_more_quietly() -> None:
    mouth, _ = _mouth("一句话。")
    _pull(mouth, 100)
    mouth.duck()
    quiet = _pull(mouth, 100)
    assert 0.1 < quiet[-1] < 0.3
    mouth.unduck()
    assert _pull(mouth, 100)[-1] == pytest.approx(1.0)


def test_dropped_speech_says_what_was_heard() -> None:
    mouth, _ = _mouth("第一句。", "第二句话。")
    _pull(mouth, 1_500)
    mouth.drop()
    assert not mouth.speaking
    assert mouth.heard() == "第一句。第二"
    assert mouth.completed == 1


@given(st.text(max_size=60), st.floats(-1, 2))
def test_the_heard_part_is_a_beginning(text: str, share: float) -> None:
    part = heard_part(text, share)
    assert text.startswith(part)
    if share >= 1:
        assert part == text.rstrip()


def test_of_english_only_whole_words_are_heard() -> None:
    assert heard_part("The annual fee is waived", 0.5) == "The annual"
