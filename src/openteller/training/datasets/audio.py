"""Reading a clip: any format that FFmpeg knows, mixed to one channel at 16 kHz; one that is cut short or silent is named.

Knows nothing about transcripts or features.
"""

import struct
from pathlib import Path

import numpy as np

from openteller.core.errors import MissingDependency
from openteller.runtime.protocols import Floats

RATE = 16_000  #: samples a second
SHORTEST, LONGEST = 0.1, 30.0  #: seconds of a clip; Whisper's window is 30
_SILENT = 1e-4  # of full scale
_MISSING = 0.1  # seconds that a file may be shorter than it says: codecs' edges


def read_clip(path: Path) -> Floats:
    """The samples of a clip, (n,) at 16 kHz, full scale -1 to 1.

    Raises:
        ValueError: it is missing, damaged, cut short, silent, too short or too long; the text says which.
        MissingDependency: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependency(
            "Audio cannot be read.", cause=str(error), next_step='pip install "openteller[train,voice]"'
        ) from error
    if not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    if _is_cut_wave(path):
        raise ValueError(f"{path.name} is cut short")
    try:
        samples, promised = _decoded(path)
    except (av.FFmpegError, IndexError, OSError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged or no audio ({error})") from error
    _require(path, samples, promised)
    return samples


def _decoded(path: Path) -> tuple[Floats, float]:
    """The samples, and how many seconds the file says it has (0: it does not say)."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        promised = float((stream.duration or 0) * (stream.time_base or 0))
        frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
    arrays = [part.to_ndarray()[0] for part in [*frames, *resampler.resample(None)]]
    return np.concatenate([np.zeros(0), *arrays]).astype(np.float32), promised


def _is_cut_wave(path: Path) -> bool:
    """Whether a WAV file ends before its header says; FFmpeg takes what there is without a word."""
    with path.open("rb") as file:
        mark, size, kind = struct.unpack("<4sI4s", file.read(12).ljust(12))
    streamed = size in (0, 0xFFFFFFFF)  # written without knowing its end
    return mark == b"RIFF" and kind == b"WAVE" and not streamed and size + 8 > path.stat().st_size + 1


def _require(path: Path, samples: Floats, promised: float) -> None:
    seconds = len(samples) / RATE
    if promised - seconds > max(_MISSING, 0.05 * promised):
        raise ValueError(f"{path.name} is cut short: {seconds:.1f} of {promised:.1f} s")
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"{path.name} lasts {seconds:.2f} s; it should be {SHORTEST:g} to {LONGEST:g} s")
    if not np.isfinite(samples).all() or np.abs(samples).max() < _SILENT:
        raise ValueError(f"{path.name} is silent")
