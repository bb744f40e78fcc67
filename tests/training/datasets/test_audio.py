"""Reading a clip: formats, channels and rates; what is cut short, silent or no audio is told apart."""

import re
from pathlib import Path

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("av")

from openteller.training.datasets.audio import RATE, read_clip  # noqa: E402 - after the check

KINDS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}


def tone(path: Path, rate: int = RATE, channels: int = 1, seconds: float = 2.0, loud: float = 0.3) -> Path:
    samples = loud * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, np.stack([samples] * channels, 1), rate, subtype=KINDS[path.suffix[1:]])
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2)])
def test_formats(tmp_path: Path, kind: str, rate: int, channels: int) -> None:
    samples = read_clip(tone(tmp_path / f"a.{kind}", rate, channels))
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.1)
    assert np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, kind: str) -> None:
    whole = tone(tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(whole[: len(whole) * 2 // 5])
    with pytest.raises(ValueError, match=r"cut short|damaged"):
        read_clip(tmp_path / f"a.{kind}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"loud": 0.0}, "is silent"), ({"seconds": 0.05}, "lasts 0.05 s"), ({"seconds": 31.0}, "lasts 31.00 s")],
)
def test_what_teaches_nothing_is_refused(tmp_path: Path, changes: dict[str, float], reason: str) -> None:
    path = tone(tmp_path / "a.wav", **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=re.escape(reason)):
        read_clip(path)


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no file"):
        read_clip(tmp_path / "none.wav")
    for body in (b"", b"no audio", b"RIFF"):
        (tmp_path / "a.wav").write_bytes(body)
        with pytest.raises(ValueError, match=r"a\.wav is (damaged|cut short)"):
            read_clip(tmp_path / "a.wav")
