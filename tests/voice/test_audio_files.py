"""Files that people send: every usual coding gives the same sound; everything else is refused in words."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput, OpenTellerError, TooLarge, UnreadableFile
from openteller.voice.audio_files import read_audio, read_sound
from tests.voice.sounds import ZH_FILE

TONE = (0.4 * np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)).astype(np.float32)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def _file(samples: Any, rate: int = 16_000, **kind: str) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, rate, **({"format": "WAV"} | kind))
    return made.getvalue()


def _coded(container: str, codec: str) -> bytes:
    made = io.BytesIO()
    with av.open(made, "w", format=container) as file:
        stream = file.add_stream(codec, rate=48_000, layout="mono")
        samples = (np.repeat(TONE, 3) * 32_767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return made.getvalue()


FILES = {
    **{name: _file(TONE, subtype=name) for name in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "ALAW")},
    "telephone": _file(TONE[::2], 8_000, subtype="ULAW"),
    "48 kHz stereo": _file(np.repeat(TONE, 3)[:, None].repeat(2, 1), 48_000),
    "six channels": _file(TONE[:, None].repeat(6, 1)),
    "opposed channels": _file(np.stack([TONE, -TONE], 1)),
    "flac": _file(TONE, format="FLAC"),
    "mp3": _file(TONE, format="MP3"),
    "ogg opus": _file(TONE, format="OGG", subtype="OPUS"),
    "ogg vorbis": _file(TONE, format="OGG", subtype="VORBIS"),
    "aiff": _file(TONE, format="AIFF"),
    "webm opus": _coded("webm", "libopus"),
    "m4a": _coded("mp4", "aac"),
    "aac": _coded("adts", "aac"),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_every_coding_gives_the_tone(data: bytes) -> None:
    audio = read_audio(data)
    assert audio.rate == 16_000
    assert audio.samples.dtype == np.float32
    assert audio.seconds == pytest.approx(2.0, abs=0.1)
    middle = audio.samples[8_000:24_000]
    spectrum = np.abs(np.fft.rfft(middle))
    assert int(spectrum.argmax()) == 440
    # The encoder of Opus that soundfile has pushes lone tones up.
    assert 0.25 < np.sqrt(np.square(middle).mean()) < 0.55


@pytest.mark.parametrize("cut", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("name", ["PCM_16", "flac", "webm opus"])
def test_of_a_file_cut_short_the_rest_is_used_and_said_so(name: str, cut: float) -> None:
    data = FILES[name]
    sound = read_sound(data[: int(len(data) * cut)])
    assert 0 < sound.audio.seconds < 2.0
    if sound.audio.seconds < 1.5:
        assert f"{sound.audio.seconds:.1f} s" in sound.notes[0]


def test_a_whole_file_bears_no_note() -> None:
    assert [name for name, data in FILES.items() if read_sound(data).notes] == []


def test_a_stream_of_unknown_length_is_whole() -> None:
    data = bytearray(FILES["PCM_16"])
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    sound = read_sound(bytes(data))
    assert sound.notes == ()
    assert sound.audio.seconds == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", BadInput, "empty"),
        ("你好 hello".encode() * 50, UnreadableFile, "no sound"),
        (PNG, UnreadableFile, "no sound"),
        (bytes(5_000), UnreadableFile, "no sound"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", UnreadableFile, "no sound"),
        (b"RIFF" + PNG, UnreadableFile, "damaged"),
        (b"OggS" + PNG, UnreadableFile, "damaged"),
        (b"\xff\xfb\x90\x00" + PNG, UnreadableFile, ""),
        (FILES["PCM_16"][:44], UnreadableFile, "No sound"),
        (FILES["PCM_16"][:20], UnreadableFile, "damaged"),
        (FILES["m4a"][: len(FILES["m4a"]) // 2], UnreadableFile, "damaged"),
        (_file(np.zeros((800, 40), np.float32)), UnreadableFile, "40 channels"),
        (_file(np.where(np.arange(32_000) == 9, np.nan, TONE), subtype="FLOAT"), BadInput, "no numbers"),
    ],
)
def test_what_is_no_sound_is_refused_with_what_to_do(data: bytes, kind: type[OpenTellerError], says: str) -> None:
    with pytest.raises(kind) as caught:
        read_audio(data)
    assert says in str(caught.value)
    assert caught.value.next_step


def test_pictures_without_sound_are_refused() -> None:
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for packet in (*stream.encode(picture), *stream.encode(None)):
            file.mux(packet)
    with pytest.raises(UnreadableFile, match="no sound in it"):
        read_audio(made.getvalue())


@pytest.mark.parametrize("kind", [{}, {"format": "OGG", "subtype": "OPUS"}, {"format": "MP3"}], ids=str)
def test_ten_minutes_are_refused_with_the_limit(kind: dict[str, str]) -> None:
    with pytest.raises(TooLarge, match="300 s"):
        read_audio(_file(np.zeros(600 * 16_000, np.float32), **kind))


def test_length_is_found_while_decoding_where_no_header_tells() -> None:
    with pytest.raises(TooLarge, match="goes on"):
        read_audio(FILES["aac"], max_seconds=1.99)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.wav").write_bytes(FILES["PCM_16"])
    for data in (FILES["PCM_16"], tmp_path / "large.wav"):
        with pytest.raises(TooLarge):
            read_audio(data, max_bytes=1_000)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"missing\.wav"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(BadInput):
        read_audio(tmp_path)


def test_floats_beyond_full_scale_are_brought_down() -> None:
    assert np.abs(read_audio(_file(TONE * 9, subtype="FLOAT")).samples).max() == pytest.approx(1.0, abs=0.01)


@given(st.sampled_from(sorted(FILES)), st.data())
def test_damage_never_shows_as_anything_but_our_errors(name: str, given_data: st.DataObject) -> None:
    data = bytearray(FILES[name])
    for _ in range(given_data.draw(st.integers(1, 8))):
        data[given_data.draw(st.integers(0, len(data) - 1))] = given_data.draw(st.integers(0, 255))
    try:
        audio = read_audio(bytes(data[: given_data.draw(st.integers(0, len(data)))]))
    except BadInput:
        return
    assert np.isfinite(audio.samples).all()


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(ZH_FILE.read_bytes())
    data[3_000:6_000] = bytes(3_000)
    read_audio(bytes(data))
    with pytest.raises(BadInput):
        read_audio(b"OggS" + PNG)
    assert capfd.readouterr() == ("", "")
