"""Sound files: each kind holds the sound and says that a machine made it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from openteller.core.errors import BadInput, UnreadableFile
from openteller.runtime.protocols import Audio
from openteller.voice.sound_files import KINDS, Mark, read_mark, write_sound

MARK = Mark("松湾银行", "kokoro-82m zf_xiaobei", datetime(2026, 11, 27, 5, 30, 12, tzinfo=UTC), "7f3a")
TONE = Audio((0.3 * np.sin(np.arange(24_000) / 8)).astype(np.float32), 24_000)


@pytest.mark.parametrize("kind", KINDS)
def test_sound_and_mark_can_be_read_back(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"声音{kind}"
    write_sound(path, TONE, MARK)
    assert read_mark(path) == MARK
    samples, rate = soundfile.read(path)
    assert len(samples) / rate == pytest.approx(1.0, abs=0.12)
    assert np.sqrt(np.mean(np.square(samples))) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    with soundfile.SoundFile(path) as file:
        assert file.comment.startswith("AI-generated speech")
        label = json.loads(file.comment[file.comment.index("{") :])["AIGC"]
    assert (label["Label"], label["ContentProducer"]) == ("1", "松湾银行")


def test_other_programs_find_the_mark(tmp_path: Path) -> None:
    import av

    for kind in KINDS:
        write_sound(tmp_path / f"a{kind}", TONE, MARK)
        with av.open(str(tmp_path / f"a{kind}")) as file:
            found = {k.lower(): v for k, v in {**file.metadata, **file.streams.audio[0].metadata}.items()}
        assert found["comment"] == MARK.comment(), kind


def test_samples_past_full_scale_are_clipped_not_wrapped(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", Audio(np.full(1_000, 1.7, np.float32), 24_000), MARK)
    assert soundfile.read(tmp_path / "a.wav")[0].min() > 0.99


def test_a_file_without_our_mark_has_none(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE.samples, 24_000)
    assert read_mark(tmp_path / "a.wav") is None


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    for _ in range(2):
        write_sound(tmp_path / "a.flac", TONE)
    assert [file.name for file in tmp_path.iterdir()] == ["a.flac"]


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.wav"):
        write_sound(tmp_path / "a.txt", TONE)
    with pytest.raises(BadInput, match="cannot be written"):
        write_sound(tmp_path / "nowhere" / "a.wav", TONE)
    (tmp_path / "b.wav").write_text("no sound", "utf-8")
    with pytest.raises(UnreadableFile):
        read_mark(tmp_path / "b.wav")
