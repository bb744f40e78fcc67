"""From clips to batches: log-mel features, computed once and kept, then windows with prompt and words.

Knows nothing about recipes or about the model's layers.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import WhisperFeatureExtractor

from openteller.registry.manifest import sha256
from openteller.runtime.protocols import Floats
from openteller.training.augmentation import at_speed, masked
from openteller.training.datasets.audio import RATE, read_clip
from openteller.training.datasets.clips import Clip
from openteller.training.decoders import IGNORED
from openteller.training.recogniser import PROMPT, Whisper
from openteller.training.tasks.task import Features

FRAMES = 100  #: a second
_MOST_FRAMES = 30 * FRAMES
_HOP, _REACH = 160, 200  # samples from frame to frame, and how far a frame looks to either side
_TIMED = 0.5  # share of the times that a clip comes with timestamps
_AROUND = ("start", "language", "task", "begin", "finish", "end")  # tokens that are no words
_RANGE, _FLOOR = 2.0, -1.5  # log-mel features reach so far below their loudest, and never lower than nothing at all


@dataclass(frozen=True)
class Window:
    """What of a clip the encoder looks at, and how it is changed for training.

    silence: seconds after the clip. bands, share: the widest masks of SpecAugment (augmentation.py). spread: the silence is
    longer or shorter by up to this share, so that no one length is learned.
    """

    silence: float
    bands: int = 0
    share: float = 0.0
    spread: float = 0.0

    def of(self, features: Floats) -> Floats:
        """(bands, frames): masked, and followed by silence, an even number of frames of 30 s at most."""
        changed = masked(features, self.bands, self.share) if self.bands or self.share else features
        length = self.silence * (1 + self.spread * (2 * float(torch.rand(())) - 1)) if self.spread else self.silence
        frames = min(features.shape[1] + round(length * FRAMES), _MOST_FRAMES) // 2 * 2
        return padded(changed[:, :frames], frames, quiet(features))


def quiet(features: Floats) -> float:
    """What silence looks like beside `features`."""
    return max(float(features.max()) - _RANGE, _FLOOR)


def padded(features: Floats, frames: int, value: float) -> Floats:
    """`features` (bands, n) followed by `value` up to `frames`."""
    return np.pad(features, ((0, 0), (0, frames - features.shape[1])), constant_values=value)


class Ear:
    """Clips to features, kept below a folder: (bands, frames) float16, a file for each clip and speed.

    Args:
        bands: mel bands.
        kept: the folder; what lies there is found by the hash of the audio.
    """

    def __init__(self, bands: int, kept: Path) -> None:
        self._extract = WhisperFeatureExtractor(feature_size=bands)  # type: ignore[no-untyped-call]
        self._bands, self._kept = bands, kept

    def features(self, clip: Clip, speeds: Sequence[float]) -> list[Path]:
        """The files with the features of `clip` at each of `speeds`. Raises ValueError when its audio cannot be used."""
        return self.kept(sha256(clip.file), lambda: read_clip(clip.file), speeds)

    def kept(self, digest: str, samples: Callable[[], Floats], speeds: Sequence[float]) -> list[Path]:
        """The files with the features of the sound that `digest` stands for; `samples` gives it when there are none yet."""
        found = [self._kept / digest[:2] / f"{digest[2:]}-{self._bands}-{speed:g}.npy" for speed in speeds]
        if not all(path.exists() for path in found):
            sound = samples()
            for path, speed in zip(found, speeds, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                _keep(path, self.log_mel(at_speed(sound, speed, RATE)))
        return found

    def log_mel(self, samples: Floats) -> Floats:
        """(bands, frames) of `samples` (n,) at 16 kHz, 100 frames a second, as serving computes them."""
        longer = np.pad(samples, (0, 4 * _REACH))
        given = self._extract(longer, sampling_rate=RATE, padding="do_not_pad", truncation=False, return_tensors="np")
        features: Floats = np.asarray(given["input_features"][0], np.float32)
        return features[:, : (len(samples) + _REACH) // _HOP + 1]


def _keep(path: Path, features: Floats) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    with temporary.open("wb") as file:
        np.save(file, features.astype(np.float16))
    temporary.replace(path)


def load(path: Path) -> Floats:
    """Features that an Ear kept, (bands, frames) float32."""
    found: Floats = np.load(path).astype(np.float32)
    return found


def row(whisper: Whisper, text: str, language: str, files: Sequence[Path]) -> Features:
    """A clip as the loop takes it. Raises ValueError when its words are more than the decoder can say."""
    words = whisper.words(text, language)
    most = int(whisper.model.config.max_target_positions) - len(_AROUND)
    if len(words) > most:
        raise ValueError(f"its text has {len(words)} tokens; the model says {most} at most")
    return {"words": words, "language": language, "files": list(files), "length": load(files[0]).shape[1]}


def collate(rows: Sequence[Features], whisper: Whisper, window: Window) -> dict[str, Tensor]:
    """Rows to a batch: ``features``, ``input_ids`` and the ``targets`` that follow them.

    A clip comes at one of its speeds, and every other time with the times at which it begins and ends: serving asks for
    them, other programs may not.
    """
    heard = [load(r["files"][int(torch.randint(0, len(r["files"]), ()))]) for r in rows]
    said = [_said(whisper, r, f.shape[1] / FRAMES) for r, f in zip(rows, heard, strict=True)]
    most = max(map(len, said)) - 1
    ids = np.full((len(rows), most), whisper.end)
    targets = np.full((len(rows), most), IGNORED)
    for i, tokens in enumerate(said):
        ids[i, : len(tokens) - 1] = tokens[:-1]
        first = PROMPT if tokens[PROMPT] == whisper.timestamp(0) else PROMPT + 1
        targets[i, first - 1 : len(tokens) - 1] = tokens[first:]
    return {
        "features": stacked([window.of(features) for features in heard]),
        "input_ids": torch.from_numpy(ids),
        "targets": torch.from_numpy(targets),
    }


def _said(whisper: Whisper, row: Features, seconds: float) -> list[int]:
    """All tokens of a clip that lasts so long: prompt, words, when they end or not, and the end."""
    timed = bool(torch.rand(()) < _TIMED)
    ends = [whisper.timestamp(min(seconds, _MOST_FRAMES / FRAMES))] if timed else []
    return [*whisper.prompt(row["language"], timed=timed), *row["words"], *ends, whisper.end]


def stacked(windows: Sequence[Floats]) -> Tensor:
    """(n, bands, frames) of windows; the shorter ones get more silence."""
    most = max(w.shape[1] for w in windows)
    return torch.from_numpy(np.stack([padded(w, most, quiet(w)) for w in windows]))
