"""From sound to a question: corrections, figures, verdicts; with a scripted recogniser and, once, the real one."""

import numpy as np
import pytest

from openteller.core.errors import Unavailable
from openteller.runtime.protocols import Audio, Recognition
from openteller.runtime.scripted_hearing import ScriptedTranscriber
from openteller.voice.audio_files import read_audio
from openteller.voice.bank_words import BANK_WORDS, Written, written_in
from openteller.voice.hearing import Hearing
from tests.runtime.hearers import whisper
from tests.voice.sounds import ZH_FILE, ZH_SAID

SPEECH = read_audio(ZH_FILE)


def _hearing(*steps: object, words: tuple[str, ...] = ("账户", "松湾定期宝")) -> tuple[Hearing, ScriptedTranscriber]:
    engine = ScriptedTranscriber(steps)  # type: ignore[arg-type]
    return Hearing(engine, lambda: words), engine


def test_the_banks_words_are_put_right_and_numbers_written_in_figures() -> None:
    hearing, engine = _hearing("我的帐户要转三千五百块")
    heard = hearing.hear(SPEECH)
    assert heard.text == "我的账户要转3500元"
    assert heard.raw == "我的帐户要转三千五百块"
    assert [(change.before, change.after) for change in heard.changes] == [("帐户", "账户")]
    assert (heard.language, heard.verdict) == ("zh", "clear")
    assert heard.seconds == SPEECH.seconds
    assert engine.requests[0].hotwords == ("账户", "松湾定期宝")


def test_words_may_change_between_utterances() -> None:
    words = ["余额"]
    hearing = Hearing(ScriptedTranscriber(["松弯定期宝", "松弯定期宝"]), lambda: words)
    assert hearing.hear(SPEECH).text == "松弯定期宝"
    words.append("松湾定期宝")
    assert hearing.hear(SPEECH).text == "松湾定期宝"


@pytest.mark.parametrize(
    ("probability", "verdict"), [(0.9, "clear"), (0.5, "clear"), (0.3, "unsure"), (0.01, "unsure")]
)
def test_little_probability_is_unsure(probability: float, verdict: str) -> None:
    hearing, _ = _hearing(Recognition("查询余额", "zh", probability))
    heard = hearing.hear(SPEECH)
    assert heard.verdict == verdict
    assert heard.text == "查询余额"


def test_in_noise_more_is_asked_of_the_probability() -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (-16 / 20), len(SPEECH.samples)).astype(np.float32)
    noisy = Audio(SPEECH.samples + noise, SPEECH.rate)
    hearing, _ = _hearing(*[Recognition("查询余额", "zh", 0.5)] * 2)
    assert hearing.hear(SPEECH).verdict == "clear"
    heard = hearing.hear(noisy)
    assert heard.condition is not None
    assert heard.condition.snr is not None
    assert heard.condition.snr < 3
    assert heard.verdict == "unsure"


@pytest.mark.parametrize("text", ["", "。", " … "])
def test_no_words_are_nothing(text: str) -> None:
    heard = _hearing(text)[0].hear(SPEECH)
    assert (heard.text, heard.verdict, heard.probability) == ("", "nothing", 0.0)


@pytest.mark.parametrize(
    "samples", [np.zeros(16_000), np.zeros(0), np.full(16_000, 0.1)], ids=["zeros", "none", "constant"]
)
def test_silence_is_nothing_and_the_engine_is_not_asked(samples: np.ndarray) -> None:
    hearing, engine = _hearing()
    heard = hearing.hear(Audio(samples.astype(np.float32), 16_000), "en")
    assert (heard.verdict, heard.language) == ("nothing", "en")
    assert engine.requests == []


def test_an_engine_that_fails_is_said_so() -> None:
    hearing, _ = _hearing(Unavailable("gone"))
    with pytest.raises(Unavailable):
        hearing.hear(SPEECH)


def test_words_that_stand_in_the_documents_are_put_right_until_they_change() -> None:
    written = iter([Written(), written_in(["住房公积金可以提取。"]), Written()])
    hearing = Hearing(ScriptedTranscriber(["提取攻击金"] * 3), tuple, lambda: next(written))
    assert [hearing.hear(SPEECH).text for _ in range(3)] == ["提取攻击金", "提取公积金", "提取攻击金"]


def test_what_is_learnt_ahead_is_not_learnt_again() -> None:
    looked: list[int] = []

    def words() -> list[str]:
        looked.append(1)
        return ["松湾定期宝"]

    hearing = Hearing(ScriptedTranscriber(["松弯定期宝"]), words)
    hearing.learn()
    learnt = hearing._known
    assert hearing.hear(SPEECH).text == "松湾定期宝"
    assert hearing._known is learnt
    assert len(looked) == 2


def test_chinese_is_written_in_the_script_that_the_bank_wants() -> None:
    engine = ScriptedTranscriber(["我的头发剪了，发票3.5万元", "hair 发"])
    hearing = Hearing(engine, script="traditional")
    assert hearing.hear(SPEECH).text.startswith("我的頭髮剪了,發票")


def test_real_speech_with_real_words() -> None:
    heard = Hearing(whisper(), lambda: BANK_WORDS).hear(SPEECH)
    assert heard.text.rstrip("。") == ZH_SAID
    assert (heard.language, heard.verdict) == ("zh", "clear")
