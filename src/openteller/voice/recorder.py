"""Both sides of one call as they are recorded: the customer left, the assistant right, 16 kHz, on the customer's clock.

What was heard and played is taken in on the call's thread, which only keeps it; every 10 s or so another thread mixes it,
encodes it as FLAC in memory and hands it to a `SealedFile`. A killed process loses the segment that was open.

The assistant's side is what was sent: up to 0.1 s more than was heard where the caller interrupted. Knows nothing about consent,
retention or the audit log.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.runtime.protocols import Floats
from openteller.voice.detectors import RATE, missing_voice
from openteller.voice.sealed import SealedFile

_SEGMENT = 10 * RATE
_SETTLED = 3 * RATE // 10  # samples behind the customer's clock where nothing more is placed
_FLAC = b"fLaC"

Samples = NDArray[np.int16]


class Recorder:
    """Records one call. All methods are called from one thread.

    Args:
        file: takes the segments; closed at the end.
        rate: samples a second of what is played.
        scribe: a thread that does what takes long, in order.
        finished: told the seconds recorded, and whether all was, while the file is still held.
        fault: told what stopped the recording; the call goes on.
    """

    def __init__(
        self,
        file: SealedFile,
        rate: int,
        scribe: Executor,
        finished: Callable[[float, bool], None],
        fault: Callable[[Exception], None],
    ) -> None:
        self._file, self._rate, self._scribe, self._finished, self._fault = file, rate, scribe, finished, fault
        self._mix = _Mix(rate)
        self._heard: list[Samples] = []
        self._played: list[tuple[int, Samples]] = []
        self._now = self._handed = self._played_to = 0
        self._written, self._is_whole = 0, True
        self._ended: Future[None] | None = None

    def heard(self, samples: Floats) -> None:
        """(n,) samples of the customer at 16 kHz."""
        if self._ended:
            return
        self._heard.append(_pcm(samples))
        self._now += len(samples)
        if self._now - self._handed >= _SEGMENT:
            self._handed = self._now
            self._hand_over(self._now - _SETTLED)

    def played(self, samples: Floats) -> None:
        """(n,) samples of the assistant, at its rate: they follow the ones before, or after a pause begin now."""
        if self._ended:
            return
        now, settled = (at * self._rate // RATE for at in (self._now, max(0, self._now - _SETTLED)))
        start = self._played_to if self._played_to >= settled and self._played_to else now
        self._played.append((start, _pcm(samples)))
        self._played_to = start + len(samples)

    def finish(self) -> "Future[None]":
        """Have what is left written and the file closed, which is not given up with whoever waits for it; once."""
        if self._ended is None:
            self._hand_over(max(self._now, -(-self._played_to * RATE // self._rate)), is_last=True)
            self._ended = self._scribe.submit(self._end)
        return self._ended

    def _hand_over(self, upto: int, *, is_last: bool = False) -> None:
        heard, self._heard = self._heard, []
        played, self._played = self._played, []
        self._scribe.submit(self._write, heard, played, upto, is_last)

    # On the scribe's thread

    def _write(self, heard: list[Samples], played: list[tuple[int, Samples]], upto: int, is_last: bool) -> None:
        if not self._is_whole:
            return
        try:
            segment = self._mix(heard, played, upto, is_last=is_last)
            if len(segment):
                self._file.add(encoded(segment))
                self._written += len(segment)
            if is_last:
                self._file.add(json.dumps({"seconds": self._written / RATE}).encode())
        except Exception as error:  # Whatever it is, the call is worth more than its recording.
            self._is_whole = False
            self._fault(error)

    def _end(self) -> None:
        try:
            self._finished(self._written / RATE, self._is_whole)
        except Exception as error:
            self._fault(error)
        finally:
            self._file.close()


class _Mix:
    """Lays the two sides beside each other, segment after segment, and brings the assistant's to 16 kHz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left, self._right, self._track = (np.zeros(0, np.int16) for _ in range(3))
        self._from = 0  # the sample of the assistant's that `_track` begins with
        self._resampled = _resampler(rate)

    def __call__(self, heard: list[Samples], played: list[tuple[int, Samples]], upto: int, *, is_last: bool) -> Samples:
        """The next (n, 2) samples, up to about `upto` on the customer's clock, at the end all there are."""
        self._left = np.concatenate([self._left, *heard])
        for start, samples in played:
            self._place(start - self._from, samples)
        count = upto * self._rate // RATE - self._from
        self._place(count, self._track[:0])
        ready, self._track = self._track[:count], self._track[count:]
        self._from += count
        self._right = np.concatenate([self._right, self._resampled(ready, is_last)])
        if is_last:
            whole = max(len(self._left), len(self._right))
            self._left, self._right = (_longer(side, whole) for side in (self._left, self._right))
        both = min(len(self._left), len(self._right))
        segment = np.stack([self._left[:both], self._right[:both]], axis=1)
        self._left, self._right = self._left[both:], self._right[both:]
        return segment

    def _place(self, at: int, samples: Samples) -> None:
        self._track = _longer(self._track, at + len(samples))
        self._track[at : at + len(samples)] = samples


def encoded(segment: Samples) -> bytes:
    """(n, 2) samples at 16 kHz as FLAC. Raises MissingDependency."""
    written = io.BytesIO()
    sound_file().write(written, segment, RATE, format="FLAC", subtype="PCM_16")
    return written.getvalue()


def decoded(pieces: Iterable[bytes]) -> Iterator[Samples]:
    """The segments among the pieces of a recording, each (n, 2) at 16 kHz. Raises MissingDependency."""
    for piece in pieces:
        if piece.startswith(_FLAC):
            samples, _ = sound_file().read(io.BytesIO(piece), dtype="int16", always_2d=True)
            yield samples


def is_end(piece: bytes) -> bool:
    """Whether the piece is the one that ends a whole recording."""
    return piece.startswith(b'{"seconds"')


def sound_file() -> Any:
    """The package soundfile. Raises MissingDependency."""
    try:
        import soundfile
    except ImportError as error:
        raise missing_voice() from error
    return soundfile


def _resampler(rate: int) -> Callable[[Samples, bool], Samples]:
    if rate == RATE:
        return lambda samples, is_last: samples
    try:
        import soxr
    except ImportError as error:
        raise missing_voice() from error
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")  # with int16 it would lay dither over silence

    def resampled(samples: Samples, is_last: bool) -> Samples:
        floats: Floats = stream.resample_chunk(samples.astype(np.float32), last=is_last)
        return np.clip(np.rint(floats), -32_768, 32_767).astype(np.int16)

    return resampled


def _pcm(samples: Floats) -> Samples:
    return (np.clip(samples, -1, 1) * 32_767).astype(np.int16)


def _longer(samples: Samples, count: int) -> Samples:
    """`samples` with silence after them, where there are fewer than `count`."""
    return np.pad(samples, (0, max(0, count - len(samples))))
