"""Reads sound from files that people send: WAV of every coding, MP3, FLAC, Ogg, WebM, MP4, telephone recordings, and others.

The container is told by its first bytes, and no other reader is tried: playlists, which name further files, are no sound.
Nothing is written to disk, and no more than `max_seconds` is ever decoded. Knows nothing about speech.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openteller.core.errors import BadInput, TooLarge, UnreadableFile
from openteller.runtime.protocols import Audio, Floats
from openteller.voice.detectors import RATE, missing_voice

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

MAX_BYTES = 200_000_000
MAX_SECONDS = 300.0

# First bytes, at an offset → the demuxer of FFmpeg that reads such a file.
_SIGNATURES = (
    (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (0, b"ID3", "mp3"),
    (0, b"#!AMR", "amr"),
    (0, b"FORM", "aiff"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
)
_KNOWN = "WAV, MP3, FLAC, Ogg, WebM, M4A, AMR, AIFF or AU"
_RATES = range(4_000, 384_001)
_MOST_CHANNELS = 32
_MOST_FAULTS = 50  # packets that cannot be decoded, in a row, before the rest is given up
_SLACK = 1.05  # what a header says of the length may be an estimate
_CUT_SHORT = 0.5  # seconds that may be missing of what the header promised
_SCALES = {"uint8": (128.0, 128.0), "int16": (0.0, 2.0**15), "int32": (0.0, 2.0**31), "int64": (0.0, 2.0**63)}
_OPPOSED = 0.01  # of the channels' power that their mean must keep


@dataclass(frozen=True)
class Sound:
    """A file's sound.

    audio: mono, 16 kHz.
    rate, channels: of the file.
    notes: what a person should know, such as that the file is cut short.
    """

    audio: Audio
    rate: int
    channels: int
    notes: tuple[str, ...] = ()


def read_audio(data: bytes | Path, *, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Audio:
    """The sound of a file, mono at 16 kHz. Arguments and errors are those of `read_sound`."""
    return read_sound(data, max_seconds=max_seconds, max_bytes=max_bytes).audio


def read_sound(data: bytes | Path, *, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Sound:
    """The sound of a file. Of one that is cut short or damaged what can be decoded is used, and a note says so.

    Args:
        data: the file, or its bytes.
        max_seconds: a longer sound is refused: by its header, or as soon as decoding gets there.
        max_bytes: a larger file is refused.

    Raises:
        TooLarge: over one of the limits.
        UnreadableFile: of a kind that is not read, damaged beyond use, or without sound in it.
        BadInput: no such file, an empty one, or samples that are no numbers.
        MissingDependency: the extra `voice` is not installed.
    """
    content = _content(data, max_bytes)
    kind = _kind(content)
    with _container(content, kind) as container:
        stream = _stream(container)
        _refuse_long(_stated(container, stream, len(content)), max_seconds)
        decoder = _Decoder(max_seconds)
        samples = decoder.run(container, stream)
        stated = _stated(container, stream, len(content))
    if not len(samples):
        raise UnreadableFile(
            "No sound can be read from the file.",
            cause="It is damaged, cut off at its beginning, or has no samples.",
            next_step="Record it again.",
        )
    promised = kind in ("mov", "flac", "matroska") and stated - decoder.seconds > _CUT_SHORT
    cut = promised or bool(decoder.faults) or (kind == "wav" and _lacks_bytes(content))
    note = f"The file is damaged or cut short; the {decoder.seconds:.1f} s that can be read are used."
    return Sound(Audio(samples, RATE), decoder.rate, decoder.channels, (note,) if cut else ())


def _content(data: bytes | Path, most: int) -> bytes:
    content = _bytes_of(data, most) if isinstance(data, Path) else data
    if len(content) > most:
        raise _over(most)
    if not content:
        raise BadInput("The file is empty.", next_step="Send one with sound in it.")
    return content


def _bytes_of(file: Path, most: int) -> bytes:
    try:
        if file.stat().st_size > most:
            raise _over(most)
        return file.read_bytes()
    except OSError as error:
        raise BadInput(
            f"The file {file} cannot be read.", cause=error.strerror or str(error), next_step="Name a sound file."
        ) from error


def _over(most: int) -> TooLarge:
    return TooLarge(f"The file is over {most // 1_000_000} MB.", next_step="Compress it, or cut it into pieces.")


def _kind(content: bytes) -> str:
    """The demuxer for a file by its first bytes; zeros before them are let pass."""
    start = content[:65_536].lstrip(b"\0") if content[:1] == b"\0" and content[4:8] not in _BOXES else content
    for offset, signature, kind in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return kind
    if len(start) > 4 and start[0] == 0xFF and start[1] & 0xF6 == 0xF0:
        return "aac"  # ADTS, ISO/IEC 13818-7
    if len(start) > 4 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0 and start[1] & 0x06:
        return "mp3"
    raise UnreadableFile("The file is no sound that can be read.", cause="", next_step=f"Send {_KNOWN}.")


_BOXES = (b"ftyp", b"moov", b"mdat")


def _lacks_bytes(content: bytes) -> bool:
    """Whether a RIFF file is shorter than it says; one that was written as a stream says 0 or the highest number."""
    said = int.from_bytes(content[4:8], "little")
    return content[:4] == b"RIFF" and 0 < said < 0x7FFF_FFFF and said + 8 > len(content) + 1


@contextmanager
def _container(content: bytes, kind: str) -> "Iterator[InputContainer]":
    try:
        import av
    except ImportError as error:
        raise missing_voice() from error
    # Nothing inside a file may make FFmpeg open another.
    options = {"protocol_whitelist": "none"}
    try:
        container = av.open(io.BytesIO(content), "r", format=kind, metadata_errors="replace", container_options=options)
    # FFmpeg's errors are also OSError or ValueError by their number; a broken header can raise others from the binding.
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
        raise UnreadableFile(
            f"The file begins like {kind} and cannot be read.",
            cause=f"It is damaged or cut short ({getattr(error, 'strerror', None) or error}).",
            next_step="Record or export it again.",
        ) from error
    with container:
        yield container


def _stream(container: "InputContainer") -> "AudioStream":
    if not container.streams.audio:
        raise UnreadableFile(
            "The file has no sound in it.", cause="It holds only pictures or text.", next_step=f"Send {_KNOWN}."
        )
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise UnreadableFile("The file's sound is coded in an unknown way.", next_step=f"Send {_KNOWN}.")
    return stream


def _stated(container: "InputContainer", stream: "AudioStream", size: int) -> float:
    """Seconds that the header promises; 0 when it says nothing that can be believed."""
    stated = 0.0
    if stream.duration and stream.time_base:
        stated = float(stream.duration * stream.time_base)
    elif container.duration:
        stated = container.duration / 1_000_000
    return stated if 0 < stated < 86_400 else 0.0


def _refuse_long(seconds: float, most: float) -> None:
    if seconds > most * _SLACK:
        raise _too_long(most, seconds)


def _too_long(most: float, seconds: float | None = None) -> TooLarge:
    has = f"lasts {seconds:.0f} s" if seconds else f"goes on after {most:g} s"
    return TooLarge(f"The sound is longer than {most:g} s.", cause=f"It {has}.", next_step="Send it in shorter pieces.")


class _Decoder:
    """One file's sound, piece by piece, so that its length is known before it is too long to hold."""

    def __init__(self, max_seconds: float) -> None:
        self._most = max_seconds
        self._made: list[Floats] = []
        self._resampler: Any = None
        self.rate = self.channels = 0
        self.seconds = 0.0
        self.faults = 0

    def run(self, container: "InputContainer", stream: "AudioStream") -> Floats:
        """(n,) float32 at 16 kHz."""
        import av

        in_a_row = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except (av.FFmpegError, OSError, ValueError):
                self.faults += 1
                break
            try:
                for frame in packet.decode():
                    self._take(frame)
                in_a_row = 0
            except (av.FFmpegError, OSError):
                self.faults += 1
                in_a_row += 1
                if in_a_row >= _MOST_FAULTS:
                    break
        self._flush()
        samples: Floats = np.concatenate([*self._made, np.zeros(0, np.float32)])
        # Files of floats may go beyond full scale, and resampling does by a little.
        return np.divide(samples, max(1.0, float(np.abs(samples).max(initial=0.0))), dtype=np.float32)

    def _take(self, frame: "AudioFrame") -> None:
        samples = _mono(_planes(frame))
        self.seconds += len(samples) / _checked_rate(frame.sample_rate)
        if self.seconds > self._most:
            raise _too_long(self._most)
        if not np.isfinite(samples).all():
            raise BadInput("The sound holds samples that are no numbers.", next_step="Export it again as 16-bit WAV.")
        if frame.sample_rate != self.rate:
            self._flush()
            self._resampler = _resampler(frame.sample_rate)
        self.rate, self.channels = frame.sample_rate, frame.layout.nb_channels
        self._made.append(self._resampled(samples))

    def _flush(self) -> None:
        if self._resampler is not None:
            self._made.append(self._resampled(np.zeros(0, np.float32), last=True))
            self._resampler = None

    def _resampled(self, samples: Floats, *, last: bool = False) -> Floats:
        made: Floats = self._resampler.resample_chunk(samples, last=last)
        return made


def _checked_rate(rate: int) -> int:
    if rate not in _RATES:
        raise UnreadableFile(
            f"The file has {rate} samples a second.",
            cause="Its header is damaged, or it is no recording of sound.",
            next_step=f"Send a rate from {_RATES[0]} to {_RATES[-1]} Hz.",
        )
    return rate


def _resampler(rate: int) -> Any:
    import soxr

    return soxr.ResampleStream(rate, RATE, 1, dtype="float32")


def _planes(frame: "AudioFrame") -> Floats:
    """(channels, n) float32, full scale -1 to 1."""
    count = frame.layout.nb_channels
    if count > _MOST_CHANNELS:
        raise UnreadableFile(f"The file has {count} channels.", next_step=f"Send at most {_MOST_CHANNELS}.")
    array = frame.to_ndarray()
    if array.shape[0] != count:
        array = array.reshape(-1, count).T
    zero, scale = _SCALES.get(array.dtype.name, (0.0, 1.0))
    return ((array - zero) / scale).astype(np.float32)


def _mono(planes: Floats) -> Floats:
    """The mean of the channels; of channels that cancel each other out, as one wired the wrong way round does, the first."""
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    mean: Floats = planes.mean(axis=0, dtype=np.float32)
    powers = np.square(planes).sum(axis=1)
    if float(np.square(mean).sum()) >= _OPPOSED * float(powers.max()):
        return mean
    # Not the loudest: of two that are equally loud that would be another one at every frame.
    return np.ascontiguousarray(planes[int((powers >= powers.max() / 2).argmax())])
