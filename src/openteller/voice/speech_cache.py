"""Sentences that were synthesised before, as FLAC files: found again by what was said, with which voice and how fast.

Several processes may share the folder. A file is written in one step; it ends in the SHA-256 of what comes before, so a
damaged one is noticed, removed and made anew. The least recently used go when the folder is full. A folder that cannot be
written costs the time of synthesis, no more. Knows nothing about what may be kept: that is its caller's to say.
"""

import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from openteller.runtime.protocols import Audio
from openteller.voice.recorder import sound_file
from openteller.voice.sound_files import marked, sound_bytes

_DIGEST = 32  # bytes
_MIB = 1 << 20
_CROWDED, _ROOM = 1.0, 0.9  # shares of the largest size: at the one files go, down to the other


class SpeechCache:
    """Keeps sound by key. Safe to share between threads and processes.

    Args:
        folder: where the files lie; made when the first is kept.
        megabytes: the largest size of all files, MiB.
        producer: whom the files' mark names.
    """

    def __init__(self, folder: Path, megabytes: int = 512, producer: str = "OpenTeller") -> None:
        self._folder, self._largest, self._producer = folder, megabytes * _MIB, producer

    def __contains__(self, key: str) -> bool:
        return self._path(key).is_file()

    def get(self, key: str) -> Audio | None:
        """The sound kept under `key`; None without one, or when it is damaged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        sound, digest = data[:-_DIGEST], data[-_DIGEST:]
        if hashlib.sha256(sound).digest() != digest:
            with suppress(OSError):
                path.unlink()
            return None
        samples, rate = sound_file().read(io.BytesIO(sound), dtype="float32")
        return Audio(np.asarray(samples, np.float32), int(rate))

    def put(self, key: str, audio: Audio, generator: str) -> None:
        """Keep `audio` under `key`; generator: the engine and voice, for the file's mark."""
        sound = sound_bytes(audio, ".flac", marked(self._producer, generator))
        path = self._path(key)
        temporary = path.with_name(f".{key}.{os.getpid()}.{id(audio)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(sound + hashlib.sha256(sound).digest())
            temporary.replace(path)
            self._make_room()
        except OSError:  # a full or read-only disk
            with suppress(OSError):
                temporary.unlink()

    def _make_room(self) -> None:
        files = []
        for entry in os.scandir(self._folder):
            with suppress(OSError):  # another process removed it
                status = entry.stat()
                files.append((status.st_mtime, status.st_size, entry.path))
        size = sum(size for _, size, _ in files)
        if size <= self._largest * _CROWDED:
            return
        for _, bytes_of_it, path in sorted(files):
            if size <= self._largest * _ROOM:
                break
            with suppress(OSError):
                os.unlink(path)
            size -= bytes_of_it

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.flac"
