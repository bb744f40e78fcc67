"""A call with made-up sound and a scripted mind: manners, on the microphone's clock, faster than real time and always the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from openteller.core.errors import Unavailable
from openteller.runtime.protocols import Audio, Floats
from openteller.voice.call import Call
from openteller.voice.detectors import RATE, WINDOW
from openteller.voice.hearing import Heard
from openteller.voice.listening import AtOnce
from openteller.voice.measures import STAGES
from openteller.voice.records import Message, Piece
from openteller.voice.turns import PAUSE_SEEN

OUT = 8_000
SPEAKS, SILENT = np.ones(WINDOW, np.float32), np.zeros(WINDOW, np.float32)


@dataclass
class Ears:
    """Hears what the script says next; the last text goes on being heard."""

    script: list[Heard | Exception] = field(default_factory=list)
    asked: int = 0

    def learn(self) -> None:
        pass

    def hear(self, audio: Audio, language: str | None = None) -> Heard:
        self.asked += 1
        found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(found, Exception):
            raise found
        return found


class Mind:
    """Answers with what the script has for a text."""

    def __init__(self, answers: dict[str, list[Piece] | Exception]) -> None:
        self.answers, self.asked, self.prepared = answers, list[str](), list[str]()

    def answer(self, text: str, language: str | None) -> Iterator[Piece]:
        self.asked.append(text)
        found = self.answers.get(text, [Piece(f"关于{text}。", language or "zh")])
        if isinstance(found, Exception):
            raise found
        yield from found

    def prepare(self, text: str, language: str | None) -> None:
        self.prepared.append(text)


@dataclass
class Voice:
    """A tenth of a second for each character."""

    rate: int = OUT
    said: list[tuple[str, str, float, bool]] = field(default_factory=list)
    error: Exception | None = None

    def say(self, spoken: str, language: str, *, speed: float = 1.0, keep: bool = False) -> Audio:
        if self.error:
            raise self.error
        self.said.append((spoken, language, speed, keep))
        return Audio(np.ones(round(len(spoken) * 0.1 * OUT), np.float32), OUT)


def heard(text: str, *, language: str = "zh", probability: float = 0.95, verdict: str = "clear") -> Heard:
    return Heard(text=text, raw=text, language=language, probability=probability, seconds=1.0, verdict=verdict)  # type: ignore[arg-type]


class Line:
    """A call and both its ends."""

    def __init__(
        self,
        *script: Heard | Exception,
        answers: dict[str, list[Piece] | Exception] | None = None,
        consent: Callable[[], None] | None = None,
        transfers: bool = False,
    ) -> None:
        self.messages: list[Message] = []
        self.ears, self.mind, self.voice = Ears(list(script) or [heard("")]), Mind(answers or {}), Voice()
        self.time = 0.0
        self.call = Call(
            ears=self.ears,
            mind=self.mind,
            voice=self.voice,
            work=AtOnce(),
            speaks=lambda window: float(window[0]),
            finished=lambda speech: 0.9,
            tell=self.messages.append,
            bank={"zh": "松湾银行", "en": "Pinebay Bank"},
            consent=consent,
            transfers=transfers,
            now=lambda: self.time,
        )
        self.played: list[Floats | None] = []

    def run(self, window: Floats, seconds: float) -> None:
        for _ in range(round(seconds * RATE / WINDOW)):
            self.time += WINDOW / RATE
            self.call.hear(window)
            self.played.append(self.call.pull(OUT * WINDOW // RATE))

    def speak(self, seconds: float = 1.0) -> None:
        self.run(SPEAKS, seconds)

    def wait(self, seconds: float = 0.6) -> None:
        self.run(SILENT, seconds)

    def told(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.type == kind]

    @property
    def said(self) -> str:
        """All that was begun to be said."""
        return "".join(message.data["text"] for message in self.told("say"))

    @property
    def silent_since(self) -> float:
        """Seconds since the last window that played anything."""
        quiet = next((i for i, played in enumerate(reversed(self.played)) if played is not None), len(self.played))
        return quiet * WINDOW / RATE


LONG = [Piece("这是很长的一句回答，说给您听一听。", "zh", True), Piece("这是第二句回答，也很长很长。", "zh", True)]


def test_a_question_is_answered_in_speech() -> None:
    line = Line(heard("年费多少"))
    line.speak()
    line.wait(2)
    assert line.mind.asked == ["年费多少"]
    assert line.mind.prepared == ["年费多少"]
    assert [m.data["text"] for m in line.told("say")] == ["关于年费多少。"]
    assert [m.data["state"] for m in line.told("state")] == ["hearing", "thinking", "speaking", "listening"]
    assert line.voice.said == [("关于年费多少。", "zh", 1.0, False)]


def test_the_times_of_a_turn_are_told() -> None:
    line = Line(heard("年费多少"))
    line.speak()
    line.wait(1)
    (timing,) = line.told("timing")
    assert 0.45 <= timing.data["first_audio"] <= 0.6
    assert timing.data.keys() == {"trace_id", *STAGES}
    assert 0.05 <= timing.data["vad"] <= timing.data["hear"] == timing.data["partial"] <= timing.data["turn"]
    assert timing.data["hear"] == pytest.approx(PAUSE_SEEN)


def test_the_reply_follows_the_speakers_language() -> None:
    line = Line(
        heard("how much is the annual fee", language="en"),
        answers={"how much is the annual fee": [Piece("It is free.", "en", True)]},
    )
    line.speak()
    line.wait()
    assert line.voice.said == [("It is free.", "en", 1.0, True)]


def test_speech_that_goes_on_stops_ours_within_three_tenths() -> None:
    line = Line(heard("年费多少"), heard("贷款怎么申请"), answers={"年费多少": LONG})
    line.speak()
    line.wait(1)
    assert line.call.speaking
    line.speak(0.3)
    assert line.silent_since >= 0.3 - 0.25
    (interrupted,) = line.told("interrupted")
    assert "这是很长的一句回答".startswith(interrupted.data["heard"][:5])
    line.speak(0.7)
    line.wait()
    assert line.mind.asked == ["年费多少", "贷款怎么申请"]
    assert not line.told("resumed")


@pytest.mark.parametrize("nod", ["嗯", "对对", "好的", "继续", ""])
@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.45, 0.7])
def test_a_nod_does_not_take_the_turn(nod: str, seconds: float) -> None:
    line = Line(heard("年费多少"), heard(nod), answers={"年费多少": LONG})
    line.speak()
    line.wait(0.8)
    line.speak(seconds)
    line.wait(6)
    assert line.mind.asked == ["年费多少"]
    assert line.said == "".join(piece.text for piece in LONG)
    assert len(line.told("resumed")) == len(line.told("interrupted")) == int(seconds > 0.2)
    assert not line.call.speaking


def test_a_yes_at_the_end_of_a_question_is_its_answer() -> None:
    ask = [Piece("确认冻结尾号6688的卡片吗？", "zh")]
    line = Line(heard("我的卡怎么冻结"), heard("对"), answers={"我的卡怎么冻结": ask})
    line.speak()
    line.wait(1)
    assert line.call.speaking
    line.speak(0.3)
    line.wait(1)
    assert line.mind.asked == ["我的卡怎么冻结", "对"]


def test_stop_then_go_on_says_the_rest() -> None:
    line = Line(heard("年费多少"), heard("停"), heard("继续"), answers={"年费多少": LONG})
    line.speak()
    line.wait(0.8)
    line.speak(0.3)
    line.wait(2)
    assert line.mind.asked == ["年费多少"]
    assert not line.call.speaking
    before = line.said
    line.speak(0.4)
    line.wait(8)
    assert line.said.removeprefix(before) == "".join(piece.text for piece in LONG)


def test_say_that_again_and_more_slowly() -> None:
    line = Line(heard("年费多少"), heard("再说一遍"), heard("慢一点"))
    for _ in range(3):
        line.speak()
        line.wait(3)
    assert [spoken for spoken, *_ in line.voice.said] == [
        "关于年费多少。",
        "关于年费多少。",
        "好的。",
        "关于年费多少。",
    ]
    assert [speed for _, _, speed, _ in line.voice.said] == [1.0, 1.0, 0.85, 0.85]
    assert line.mind.asked == ["年费多少"]


def test_a_long_reply_asks_whether_to_go_on() -> None:
    many = [Piece("这是一句差不多有二十个字那么长的话对不对呀。", "zh", True) for _ in range(12)]
    line = Line(heard("讲讲"), heard("好的"), answers={"讲讲": many})
    line.speak()
    line.wait(26)
    said = [m.data["text"] for m in line.told("say")]
    assert said[-1] == "后面还有一些内容，要我继续说吗？"
    assert len(said) < 12
    line.speak(0.4)
    line.wait(10)
    assert len(line.told("say")) == 12 + 1
    assert line.mind.asked == ["讲讲"]


def test_a_choice_is_taken_by_its_number() -> None:
    offered = [Piece("您想问的是下面哪一个？", "zh", True), Piece("", "zh", True, choices=("怎么挂失", "怎么补卡"))]
    line = Line(heard("卡没了"), heard("第二个"), answers={"卡没了": offered})
    line.speak()
    line.wait(8)
    assert [m.data["text"] for m in line.told("say")][1:] == ["第一，怎么挂失", "第二，怎么补卡"]
    line.speak(0.5)
    line.wait()
    assert line.mind.asked == ["卡没了", "怎么补卡"]


def test_what_was_heard_badly_is_asked_for_again() -> None:
    line = Line(heard("嘟嘟囔囔", verdict="unsure"), heard("嘟囔", verdict="unsure"))
    line.speak()
    line.wait(4)
    line.speak()
    line.wait(9)
    assert line.mind.asked == []
    assert [m.data["code"] for m in line.told("notice")] == ["unsure", "unsure"]
    assert "转人工" in line.told("say")[-1].data["text"]


@pytest.mark.parametrize(("reply", "asked"), [("对", ["转3500元"]), ("不对", [])])
def test_figures_heard_badly_are_read_back(reply: str, asked: list[str]) -> None:
    line = Line(heard("转3500元", verdict="unsure"), heard(reply))
    line.speak()
    line.wait(5)
    assert line.told("say")[0].data["text"] == "我听到的是：转3500元。"
    assert line.mind.asked == []
    line.speak(0.5)
    line.wait()
    assert line.mind.asked == asked


def test_silence_is_asked_about_and_ends_the_call() -> None:
    line = Line()
    line.call.start()
    line.wait(16)
    assert [m.data["text"] for m in line.told("say")][-1] == "请问您还在吗？"
    line.wait(20)
    assert line.told("closed")[0].data == {"reason": "silence"}


def test_with_a_button_all_that_is_said_while_it_is_held_is_one_turn() -> None:
    line = Line(heard("年费多少"))
    line.call.push()
    line.speak(0.3)
    line.wait(3)
    line.speak(0.3)
    assert line.ears.asked == 0
    line.call.release()
    assert line.mind.asked == ["年费多少"]


def test_typed_text_is_answered_in_speech() -> None:
    line = Line()
    line.call.type("年费多少")
    line.wait(1)
    assert [m.data["text"] for m in line.told("say")] == ["关于年费多少。"]


MANY = [Piece("".join(f"这是很长很长很长的第{number}句回答。" for number in "一二三四五六七八九十"), "zh", True)]


def test_no_more_is_made_than_will_soon_be_said() -> None:
    line = Line(answers={"年费": list(MANY)})
    line.call.type("年费")
    made = len(line.voice.said)
    assert 5 <= made < 10
    line.wait(3)
    assert made < len(line.voice.said) < 10
    line.wait(20)
    assert len(line.voice.said) == len(line.told("say")) == 10
    assert not line.call.speaking


def test_nothing_is_made_for_who_hung_up() -> None:
    line = Line(answers={"年费": list(MANY)})
    line.call.type("年费")
    made = len(line.voice.said)
    line.call.end("bye")
    line.wait(20)
    assert len(line.voice.said) == made


def test_a_line_that_leads_to_a_person_ends_after_saying_so() -> None:
    transfer = [Piece("好的，为您转接人工客服。", "zh", True, hands_over=True)]
    line = Line(heard("转人工"), answers={"转人工": list(transfer)}, transfers=True)
    line.speak()
    line.wait(0.8)
    assert line.call.speaking
    assert not line.call.closed
    line.wait(2)
    assert line.call.closed == "handed_off"
    assert line.said.endswith("为您转接人工客服。")


def test_a_caller_who_changes_their_mind_is_not_transferred() -> None:
    transfer = [Piece("好的，为您转接人工客服，请您稍等，不要挂机，马上就来。", "zh", True, hands_over=True)]
    line = Line(heard("转人工"), heard("不用了我想问年费"), answers={"转人工": transfer}, transfers=True)
    line.speak()
    line.wait(0.8)
    line.speak()
    line.wait(6)
    assert not line.call.closed
    assert line.mind.asked == ["转人工", "不用了我想问年费"]


def test_with_a_screen_the_call_goes_on_in_writing() -> None:
    line = Line(answers={"转人工": [Piece("好的，为您转接。", "zh", True, hands_over=True)]})
    line.call.type("转人工")
    line.wait(3)
    assert not line.call.closed


def test_events_bear_the_name_of_the_turn_that_they_answer() -> None:
    answers = {text: [Piece(f"{text}。", event=("answer", {"text": text}))] for text in ("年费", "利率是多少")}
    line = Line(heard("利率是多少"), answers=answers)  # type: ignore[arg-type]
    line.call.type("年费", "typed-1")
    line.wait(1)
    line.speak()
    line.wait(1)
    (turn,) = [m.data["turn"] for m in line.told("heard")]
    assert [(m.data["turn"], m.data["data"]["text"]) for m in line.told("event")] == [
        ("typed-1", "年费"),
        (turn, "利率是多少"),
    ]


def test_a_deaf_engine_leaves_the_keyboard() -> None:
    line = Line(Unavailable("gone"))
    line.speak()
    line.wait()
    assert line.told("notice")[0].data["code"] == "text_only"
    line.call.type("年费多少")
    assert line.mind.asked == ["年费多少"]


def test_a_mute_engine_leaves_the_text() -> None:
    line = Line(heard("年费多少"), answers={"年费多少": [Piece(event=("answer", {"text": "十元"})), *LONG]})
    line.voice.error = Unavailable("gone")
    line.speak()
    line.wait(1)
    assert [m.data["code"] for m in line.told("notice")] == ["text_only"]
    assert line.told("event")[0].data["name"] == "answer"
    assert not line.call.speaking
    line.voice.error = None
    line.speak()
    line.wait(1)
    assert line.told("say")


def test_a_mind_that_fails_is_owned_up_to() -> None:
    line = Line(heard("年费多少"), answers={"年费多少": Unavailable("down", next_step="wait")})
    line.speak()
    line.wait(1)
    assert line.told("error")[0].data["what"] == "down"
    assert line.told("say")[0].data["text"].startswith("抱歉")


def test_withdrawn_words_are_not_said() -> None:
    answers = [Piece("没有根据的话说了一大堆啊。", "zh"), Piece("核对过的话。", "zh", replaces=True)]
    line = Line(heard("年费多少"), answers={"年费多少": answers})
    line.speak()
    line.wait(1)
    assert [m.data["text"] for m in line.told("say")] == ["核对过的话。"]
