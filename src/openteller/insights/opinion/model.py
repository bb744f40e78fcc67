"""The fast reader's model: a linear one on hashed n-grams of a text and of what stands around the entity it is read for.

Two heads, sentiment toward the entity and kind of event, share one pass: sublinear counts times inverse document
frequency, each of the two groups of features of unit length, then a matrix product. The entity's own name is replaced by
a mark, so that nothing is learnt about who it is. Under a millisecond a text; docs/decisions/0018 says why no encoder
stands here. Knows nothing about entities' lists or the store.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from openteller.core.errors import ModelUnavailable

Floats = NDArray[np.float32]
WEIGHTS = Path(__file__).with_name("opinion.safetensors")
SLOT, TASK, FILE = "opinion", "opinion", "opinion.safetensors"
SENTIMENT, EVENT = "sentiment", "event"
_MARK = "§"
_BEFORE, _AFTER, _MOST = 15, 30, 600
_LONGEST = 4
_PIECE = re.compile(r"[a-z][a-z'’-]*|\d[\d.,]*%?|[^a-z0-9\s]+")


@dataclass(frozen=True)
class Head:
    """weights: (buckets, labels); bias: (labels,); temperature divides what comes out before the softmax."""

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    temperature: float

    def probabilities(self, rows: NDArray[np.int64], values: Floats) -> dict[str, float]:
        """Label → probability, summing to 1."""
        scores = (self.bias + values @ self.weights[rows]) / self.temperature
        odds = np.exp(scores - scores.max())
        return dict(zip(self.labels, (odds / odds.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class OpinionModel:
    """A fitted model. idf: (buckets,) float32."""

    version: str
    idf: Floats
    heads: dict[str, Head]

    def read(self, view: str, spans: Sequence[tuple[int, int]] = ()) -> dict[str, dict[str, float]]:
        """Head → label → probability.

        Args:
            view: the folded text.
            spans: where the entity is named in it, in order; none: read for whoever it is about.
        """
        rows, values = vector(features(view, spans), self.idf)
        return {name: head.probabilities(rows, values) for name, head in self.heads.items()}

    def save(self, file: Path) -> None:
        """Write the model; weights are rounded to 16 bits."""
        tensors = {"idf": self.idf.astype(np.float16)}
        said = {"version": self.version}
        for name, head in self.heads.items():
            tensors |= {
                f"{name}.weights": head.weights.astype(np.float16),
                f"{name}.bias": head.bias.astype(np.float16),
            }
            said |= {f"{name}.labels": " ".join(head.labels), f"{name}.temperature": f"{head.temperature:.4f}"}
        save_file(tensors, file, metadata=said)


def load(file: Path) -> OpinionModel:
    """The model in `file`. Raises ModelUnavailable when it is missing or damaged."""
    try:
        with safe_open(file, framework="numpy") as opened:
            said = opened.metadata()
            names = [name.removesuffix(".labels") for name in said if name.endswith(".labels")]
            heads = {
                name: Head(
                    tuple(said[f"{name}.labels"].split()),
                    opened.get_tensor(f"{name}.weights").astype(np.float32),
                    opened.get_tensor(f"{name}.bias").astype(np.float32),
                    float(said[f"{name}.temperature"]),
                )
                for name in names
            }
            return OpinionModel(said["version"], opened.get_tensor("idf").astype(np.float32), heads)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelUnavailable(
            f"The model of public opinion in {file} cannot be loaded.",
            cause=str(error),
            next_step="Promote another one: teller models list opinion",
        ) from error


@cache
def shipped_model() -> OpinionModel:
    """The model that ships, read once."""
    return load(WEIGHTS)


def features(view: str, spans: Sequence[tuple[int, int]] = ()) -> tuple[list[str], list[str]]:
    """N-grams of the text, and of what stands around the entity; the entity itself is a mark in both.

    Han and other characters give runs of up to four, words in Latin letters give themselves and their pairs, figures only
    that there is one.
    """
    marked, places = _marked(view, spans)
    around = [marked[max(place - _BEFORE, 0) : place + _AFTER] for place in places]
    return _grams(marked[:_MOST]), [gram for part in around for gram in _grams(part)]


def vector(groups: Iterable[Sequence[str]], idf: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Buckets and their values: each group sublinear, weighed by `idf` and of unit length."""
    rows, values = list[NDArray[np.int64]](), list[Floats]()
    for number, group in enumerate(groups):
        hashed = np.array([zlib.crc32(gram.encode(), number) for gram in group], dtype=np.int64) % len(idf)
        buckets, counts = np.unique(hashed, return_counts=True)
        weighed = (1 + np.log(counts)) * idf[buckets]
        rows.append(buckets)
        values.append((weighed / (np.linalg.norm(weighed) or 1.0)).astype(np.float32))
    return np.concatenate(rows), np.concatenate(values)


def _marked(view: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[int]]:
    parts, places, at = list[str](), list[int](), 0
    for start, end in spans:
        if start < at:
            continue
        parts += (view[at:start], _MARK)
        places.append(sum(map(len, parts)) - 1)
        at = end
    return "".join([*parts, view[at:]]), places


def _grams(text: str) -> list[str]:
    grams, last = list[str](), ""
    for piece in _PIECE.findall(text):
        if piece[0].isascii() and piece[0].isalpha():
            grams += (f"w {piece}", f"s {piece[:5]}", f"{last} {piece}")
            last = piece
        elif piece[0].isdigit():
            grams.append("%" if piece.endswith("%") else "#")
            last = "#"
        else:
            for size in range(1, _LONGEST + 1):
                grams += [piece[start : start + size] for start in range(len(piece) - size + 1)]
            last = _MARK if piece.endswith(_MARK) else piece[-1]
    return grams
