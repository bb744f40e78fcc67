"""Speech: what is kept and what never is, damage, room, several processes, making ahead, loudness."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.core.errors import BadInput, Unavailable
from openteller.runtime.protocols import Audio
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.voice.loudness import PEAK, TARGET, levelled, loudness_of
from openteller.voice.speech import Speech
from openteller.voice.speech_cache import SpeechCache

APPROVED = "利率以公告为准。"


def _speech(folder: Path, synthesizer: ScriptedSynthesizer | None = None, engine: str = "tones 1") -> Speech:
    return Speech(synthesizer or ScriptedSynthesizer(), engine, SpeechCache(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*")) if folder.exists() else []


def test_an_approved_sentence_is_made_once(tmp_path: Path) -> None:
    synthesizer = ScriptedSynthesizer()
    first = _speech(tmp_path, synthesizer).say(APPROVED, "zh", keep=True)
    again = _speech(tmp_path, synthesizer).say(APPROVED, "zh")
    assert len(synthesizer.requests) == 1
    assert np.allclose(first.samples, again.samples, atol=1e-4)
    assert again.rate == first.rate


def test_a_personal_sentence_never_reaches_the_disk(tmp_path: Path) -> None:
    speech, folder = _speech(tmp_path / "cache"), tmp_path / "cache"
    speech.say("您的余额是一万元。", "zh")
    assert _files(folder) == []


@pytest.mark.parametrize("change", ["text", "language", "voice", "speed", "engine"])
def test_other_words_voice_speed_or_engine_are_made_anew(tmp_path: Path, change: str) -> None:
    _speech(tmp_path).say(APPROVED, "zh", keep=True)
    synthesizer = ScriptedSynthesizer()
    speech = _speech(tmp_path, synthesizer, "tones 2" if change == "engine" else "tones 1")
    speech.say(
        APPROVED + ("好" if change == "text" else ""),
        "en" if change == "language" else "zh",
        voice="zh_high" if change == "voice" else None,
        speed=1.1 if change == "speed" else 1.0,
    )
    assert len(synthesizer.requests) == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    _speech(tmp_path).say(APPROVED, "zh", keep=True)
    (file,) = _files(tmp_path)
    data = file.read_bytes()
    changed = data[:500] + bytes([data[500] ^ 1]) + data[501:]
    file.write_bytes({"cut": data[:-100], "changed": changed, "empty": b""}[damage])
    synthesizer = ScriptedSynthesizer()
    _speech(tmp_path, synthesizer).say(APPROVED, "zh", keep=True)
    assert len(synthesizer.requests) == 1
    assert _files(tmp_path) == [file]


def test_the_least_recently_used_goes_when_there_is_no_room(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 240_000).astype(np.float32)  # about 0.45 MiB as FLAC
    cache = SpeechCache(tmp_path, megabytes=2)
    for number in range(4):
        cache.put(f"key{number}", Audio(noise, 24_000), "tones")
    assert cache.get("key0") is not None  # used: younger than key1 now
    for number in (4, 5):
        cache.put(f"key{number}", Audio(noise, 24_000), "tones")
    assert "key0" in cache
    assert "key1" not in cache
    assert sum(file.stat().st_size for file in _files(tmp_path)) <= 2 << 20


def test_a_folder_that_cannot_be_written_costs_no_speech(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _speech(tmp_path / "file" / "cache").say(APPROVED, "zh", keep=True).seconds > 0


_OTHER = """
import sys
from pathlib import Path
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.voice.speech import Speech
from openteller.voice.speech_cache import SpeechCache
speech = Speech(ScriptedSynthesizer(), "tones 1", SpeechCache(Path(sys.argv[1])))
for number in range(30):
    assert speech.say("一二三四五六七八九"[: 1 + number % 9], "zh", keep=True).seconds > 0
"""


def test_several_processes_share_the_folder(tmp_path: Path) -> None:
    others = [subprocess.Popen([sys.executable, "-c", _OTHER, str(tmp_path)]) for _ in range(2)]
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(_files(tmp_path)) == 9
    synthesizer = ScriptedSynthesizer()
    _speech(tmp_path, synthesizer).say("一二三", "zh")
    assert synthesizer.requests == []


def test_preparing_tells_how_far_it_is_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    sentences = [("一", "zh"), ("one", "en"), ("一", "zh"), ("二", "zh"), ("三", "zh")]
    told: list[tuple[int, int]] = []
    synthesizer = ScriptedSynthesizer()
    made = _speech(tmp_path, synthesizer).prepare(sentences, lambda d, t: told.append((d, t)), lambda: len(told) > 2)
    assert made == 2
    assert told == [(0, 4), (1, 4), (2, 4)]
    assert _speech(tmp_path, synthesizer).prepare(sentences, lambda d, t: told.append((d, t))) == 2
    assert told[-1] == (4, 4)
    assert [asked.text for asked in synthesizer.requests] == ["一", "one", "二", "三"]


def test_an_engine_that_fails_while_preparing_leaves_what_was_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        _speech(tmp_path, ScriptedSynthesizer(fails_after=1)).prepare([("一", "zh"), ("二", "zh")])
    assert len(_files(tmp_path)) == 1


def test_preparing_waits_while_somebody_waits_for_speech(tmp_path: Path) -> None:
    started, may_end = threading.Event(), threading.Event()

    class Slow(ScriptedSynthesizer):
        def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
            if text == "live":
                started.set()
                may_end.wait(10)
            return super().synthesize(text, language=language, voice=voice, speed=speed)

    synthesizer = Slow()
    speech = _speech(tmp_path, synthesizer)
    caller = threading.Thread(target=speech.say, args=("live", "en"))
    caller.start()
    started.wait(10)
    preparing = threading.Thread(target=speech.prepare, args=([("一", "zh")],))
    preparing.start()
    preparing.join(0.3)
    assert synthesizer.requests == []
    may_end.set()
    caller.join(10)
    preparing.join(10)
    assert [asked.text for asked in synthesizer.requests] == ["live", "一"]


def test_the_voices_that_the_bank_named_are_used() -> None:
    synthesizer = ScriptedSynthesizer()
    Speech(synthesizer, "tones", voices={"zh": "zh_high"}).say("好", "zh")
    assert synthesizer.requests[0].voice == "zh_high"
    with pytest.raises(BadInput, match="zh_low"):
        Speech(synthesizer, "tones", voices={"zh": "nobody"})


def test_a_wrong_language_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        _speech(tmp_path).say("hola", "es")


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1.0), st.floats(0.05, 2.0), st.integers(100, 3_000))
def test_everything_has_one_loudness_or_touches_the_ceiling(level: float, seconds: float, pitch: int) -> None:
    time = np.arange(int(seconds * 24_000)) / 24_000
    audio = levelled(Audio((level * np.sin(2 * np.pi * pitch * time)).astype(np.float32), 24_000))
    peak = float(np.abs(audio.samples).max())
    assert peak <= PEAK + 1e-5
    assert loudness_of(audio) == pytest.approx(TARGET, abs=0.3) or peak == pytest.approx(PEAK, abs=1e-3)


def test_silence_stays_silent() -> None:
    for length in (0, 100, 24_000):
        assert not levelled(Audio(np.zeros(length, np.float32), 24_000)).samples.any()
