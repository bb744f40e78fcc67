"""Sound that travels with the demo bank."""

import zipfile
from pathlib import Path

import numpy as np

from openteller.demo.openings import PACK, pack, unpack
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.voice.speech import Speech
from openteller.voice.speech_cache import SpeechCache

SENTENCES = [("年费一百二十元", "zh"), ("The fee is ten dollars.", "en"), ("年费一百二十元", "zh")]


def _speech(folder: Path, engine: str = "scripted 1") -> tuple[Speech, ScriptedSynthesizer]:
    synthesizer = ScriptedSynthesizer()
    return Speech(synthesizer, engine, SpeechCache(folder)), synthesizer


def _packed(tmp_path: Path) -> Path:
    file = tmp_path / "openings.zip"
    speech, _ = _speech(tmp_path / "here")
    assert pack(speech, SENTENCES, file, lambda done, total: None) == 2
    return file


def test_what_was_packed_is_said_elsewhere_without_the_engine(tmp_path: Path) -> None:
    here, _ = _speech(tmp_path / "here")
    file = _packed(tmp_path)
    there, engine = _speech(tmp_path / "there")
    assert unpack(there, file) == 2
    assert unpack(there, file) == 0
    for spoken, language in SENTENCES:
        packed, original = there.say(spoken, language), here.say(spoken, language)
        assert abs(packed.seconds - original.seconds) < 0.05
        loudness = [float(np.sqrt(np.mean(audio.samples**2))) for audio in (packed, original)]
        assert abs(loudness[0] / loudness[1] - 1) < 0.2
    assert engine.requests == []


def test_sound_of_another_engine_is_left(tmp_path: Path) -> None:
    file = _packed(tmp_path)
    assert unpack(_speech(tmp_path / "there", "scripted 2")[0], file) == 0


def test_without_a_pack_nothing_is_taken_in(tmp_path: Path) -> None:
    assert unpack(_speech(tmp_path)[0], tmp_path / "none.zip") == 0


def test_what_ships_is_sound(tmp_path: Path) -> None:
    with zipfile.ZipFile(PACK) as archive:
        assert archive.comment.startswith(b"kokoro-82m")
        assert len(archive.namelist()) > 250
        assert archive.testzip() is None
