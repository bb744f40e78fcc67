"""A call that is recorded: the caller is told first, and both sides reach the tape."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from openteller.runtime.protocols import Floats
from openteller.voice.call import Call
from openteller.voice.detectors import WINDOW
from openteller.voice.hearing import Heard
from openteller.voice.listening import AtOnce
from openteller.voice.records import Message
from tests.voice.test_call import OUT, Ears, Line, Mind, Voice, heard


@dataclass
class Tape:
    left: list[Floats] = field(default_factory=list)
    right: list[Floats] = field(default_factory=list)

    def heard(self, samples: Floats) -> None:
        self.left.append(samples)

    def played(self, samples: Floats) -> None:
        self.right.append(samples)


@pytest.mark.parametrize(("language", "told"), [("zh", "本次通话将被录音"), ("en", "This call is being recorded")])
def test_the_caller_is_told_before_anything_else(language: str, told: str) -> None:
    tape, messages = Tape(), list[Message]()
    call = made(messages, tape, language)
    call.start()
    played, microphone = [], np.full(WINDOW, 0.1, np.float32)
    for _ in range(300):
        call.hear(microphone)
        played.append(call.pull(OUT * WINDOW // 16_000))
    said = [message.data["text"] for message in messages if message.type == "say"]
    assert told in "".join(said[:2])
    assert len(said) > 2
    assert len(tape.left) == 300
    assert all(each is microphone for each in tape.left)
    sound = [each for each in played if each is not None]
    assert len(sound) == len(tape.right) > 100
    assert all(a is b for a, b in zip(sound, tape.right, strict=True))


def test_without_a_tape_nobody_says_so() -> None:
    messages = list[Message]()
    call = made(messages, None, "zh")
    call.start()
    for _ in range(300):
        call.hear(np.zeros(WINDOW, np.float32))
        call.pull(OUT * WINDOW // 16_000)
    said = [message.data["text"] for message in messages if message.type == "say"]
    assert said
    assert not any("录音" in text for text in said)


def made(messages: list[Message], tape: Tape | None, language: str) -> Call:
    return Call(
        ears=Ears([heard("")]),
        mind=Mind({}),
        voice=Voice(),
        work=AtOnce(),
        speaks=lambda window: 0.0,
        finished=lambda speech: 0.9,
        tell=messages.append,
        bank={"zh": "松湾银行", "en": "Pinebay Bank"},
        language=language,
        tape=tape,
    )


def test_consent_in_the_middle_of_a_call_is_told_and_can_be_taken_back() -> None:
    tape, messages = Tape(), list[Message]()
    call = made(messages, None, "zh")
    call.hear(np.zeros(WINDOW, np.float32))
    call.record(tape)
    call.hear(np.zeros(WINDOW, np.float32))
    call.record(None)
    call.hear(np.zeros(WINDOW, np.float32))
    assert len(tape.left) == 1
    assert [message.data["on"] for message in messages if message.type == "recording"] == [True, False]
    call.pull(OUT)
    assert any("录音" in m.data["text"] or "服务质量" in m.data["text"] for m in messages if m.type == "say")


MAY_RECORD = "本次通话可以录音吗？"


def asked_for_consent(*script: Heard | Exception) -> tuple[Line, list[str]]:
    """A call that asks aloud whether it may be recorded, its question said; and what came of it."""
    agreed: list[str] = []
    line = Line(*script, consent=lambda: agreed.append("yes"))
    line.call.start()
    line.wait(15)
    assert line.said.endswith(MAY_RECORD)
    return line, agreed


def test_a_caller_without_a_screen_is_asked_and_a_yes_records() -> None:
    line, agreed = asked_for_consent(heard("可以"))
    line.speak(0.5)
    line.wait(1)
    assert agreed == ["yes"]
    assert line.mind.asked == []
    line.call.record(Tape())
    line.wait(8)
    assert line.said.endswith("本次通话将被录音。请问有什么可以帮您？")


def test_a_recording_that_cannot_begin_is_owned_up_to() -> None:
    line, _ = asked_for_consent(heard("好的"))
    line.speak(0.5)
    line.wait(1)
    line.call.record(None)
    line.wait(8)
    assert line.said.endswith("本次通话不录音。请问有什么可以帮您？")


@pytest.mark.parametrize("no", ["不可以", "不同意", "No."])
def test_a_no_is_a_no(no: str) -> None:
    line, agreed = asked_for_consent(heard(no))
    line.speak(0.5)
    line.wait(8)
    assert agreed == []
    assert line.mind.asked == []
    assert line.said.endswith("本次通话不录音。请问有什么可以帮您？")


def test_a_question_is_no_consent_and_is_answered() -> None:
    line, agreed = asked_for_consent(heard("年费多少"), heard("可以"))
    line.speak()
    line.wait(3)
    assert (agreed, line.mind.asked) == ([], ["年费多少"])
    line.speak(0.5)
    line.wait(3)
    assert agreed == []
