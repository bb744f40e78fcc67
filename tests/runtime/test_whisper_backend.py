"""What Whisper here does beyond the contract: long sound, noise, folders, simplified characters."""

from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import BadInput, ModelUnavailable, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.protocols import Audio
from openteller.runtime.whisper_backend import WhisperTranscriber
from openteller.runtime.whisper_layout import WHISPER_BASE, whisper_folder
from openteller.voice.audio_files import read_audio
from tests.runtime.hearers import edits, whisper
from tests.runtime.speakers import data_dir
from tests.voice.sounds import EN_FILE, EN_SAID, ZH_FILE, ZH_SAID

RATE = 16_000


def test_sound_over_the_window_is_cut_where_it_is_quiet() -> None:
    speech, pause = read_audio(EN_FILE).samples, np.zeros(RATE, np.float32)
    times = int(33 * RATE / len(speech)) + 1
    long = Audio(np.concatenate([speech, pause] * times), RATE)
    assert long.seconds > 33
    found = whisper().transcribe(long, language="en")
    assert edits(" ".join([EN_SAID] * times), found.text) < 0.2, found.text


@pytest.mark.parametrize("level", [0.001, 0.03])
def test_noise_has_no_words_that_are_believed(level: float) -> None:
    noise = np.random.default_rng(1).normal(0, level, 3 * RATE).astype(np.float32)
    found = whisper().transcribe(Audio(noise, RATE))
    assert found.text == "" or found.probability < 0.45, found


def test_chinese_is_simplified() -> None:
    text = whisper().transcribe(read_audio(ZH_FILE), language="zh").text
    assert "銀" not in text
    assert "银" in text


def test_hot_words_help_and_do_not_leak() -> None:
    audio = read_audio(ZH_FILE)
    words = ["挂失", "银行卡", "Pinebay", "余额", "大额存单", *["松湾定期宝" + str(i) for i in range(300)]]
    assert edits(ZH_SAID, whisper().transcribe(audio, hotwords=words).text) == 0


def test_the_folder_is_made_once_and_again_when_it_is_damaged() -> None:
    catalogue = Catalogue(data_dir())
    folder = whisper_folder(WHISPER_BASE, catalogue, data_dir())
    assert {file.name for file in folder.iterdir()} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    before = (folder / "model.bin").stat().st_ino
    assert whisper_folder(WHISPER_BASE, catalogue, data_dir()) == folder
    assert (folder / "model.bin").stat().st_ino == before
    (folder / "config.json").unlink()
    whisper_folder(WHISPER_BASE, catalogue, data_dir())
    assert (folder / "config.json").is_file()


def test_a_folder_may_be_given() -> None:
    folder = whisper_folder(WHISPER_BASE, Catalogue(data_dir()), data_dir())
    assert whisper_folder(str(folder), Catalogue(data_dir()), data_dir()) == folder


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"config\.json, tokenizer\.json, vocabulary\.json"):
        whisper_folder(str(tmp_path), Catalogue(tmp_path), tmp_path)


def test_an_unknown_name_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        whisper_folder("no-such-whisper", Catalogue(tmp_path), tmp_path)


def test_a_damaged_model_is_said_so(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        WhisperTranscriber(tmp_path)
