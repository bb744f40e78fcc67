"""Vectors of what is written about products, computed once: kept in a file by the text and the encoder that read it.

Texts that are known are read from the file, and the encoder is not even opened. A damaged file is made anew.
Knows nothing about products or encoders.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from openteller.runtime.protocols import Floats


class KeptVectors:
    """Embeds texts, each once.

    Args:
        file: where vectors are kept.
        encoder: what tells this encoder from another.
        embed: texts → (texts, dimensions).
    """

    def __init__(self, file: Path, encoder: str, embed: Callable[[Sequence[str]], Floats]) -> None:
        self._file, self._encoder, self._embed = file, encoder, embed

    def __call__(self, texts: Sequence[str]) -> Floats:
        """(texts, dimensions)."""
        known, keys = self._read(), [self._key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            known |= dict(zip(missing, self._embed(list(missing.values())), strict=True))
            self._write(known)
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._encoder}\x00{text}".encode()).hexdigest()

    def _read(self) -> dict[str, Floats]:
        try:
            return load_file(self._file)
        except (FileNotFoundError, SafetensorError):
            return {}

    def _write(self, known: dict[str, Floats]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        save_file({key: np.ascontiguousarray(vector) for key, vector in known.items()}, beside)
        beside.replace(self._file)
