"""Whether an exported model decides as the torch model that was trained, text by text.

A text counts as equal when each head decides the same: the label, the whole set of labels, or, of a token head, counted
token by token, the tag. Of a model without heads, when the vectors' cosine is at least 0.99. Knows nothing about files.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.runtime.onnx_backend import OnnxEncoder
from openteller.runtime.protocols import Encoding, Floats, Text
from openteller.training.optimisation import Report
from openteller.training.tasks.task import padded
from openteller.training.trained import HeadKind, TrainedEncoder

LEAST_EQUAL = 0.995
VECTORS = "embedding"  #: stands for a head where there is none
_LEAST_COSINE = 0.99
_BATCH = 32


@dataclass(frozen=True)
class Outputs:
    """What a model says of n texts.

    vectors: (n, hidden), of length one. logits: head → an array a text: (labels,), or (tokens, labels) of a token head.
    """

    vectors: Floats
    logits: dict[str, list[Floats]]


@dataclass(frozen=True)
class HeadParity:
    """How a head's decisions compare.

    equal: of `decisions`. difference: the largest |Δ logit|, and its root mean square.
    margin: between the two best choices of torch, the mean over decisions that differ and over all; None for no difference.
    texts: indices of texts with a decision that differs.
    """

    head: str
    kind: str
    decisions: int
    equal: int
    difference: float
    rms: float
    margin: float | None
    margin_of_all: float
    texts: tuple[int, ...]

    @property
    def share(self) -> float:
        """Decisions that are equal, 0–1."""
        return self.equal / self.decisions


@dataclass(frozen=True)
class Parity:
    """How an exported model compares on `count` texts. cosine: between the vectors of a text, least and mean."""

    count: int
    cosine_least: float
    cosine_mean: float
    heads: tuple[HeadParity, ...]

    @property
    def passed(self) -> bool:
        """Whether every head decides the same at least 995 times of 1,000."""
        return all(head.share >= LEAST_EQUAL for head in self.heads)

    def as_dict(self) -> dict[str, Any]:
        """For parity.json: figures alone, none of the texts."""
        heads = {h.head: {**asdict(h), "share": h.share} for h in self.heads}
        for figures in heads.values():
            figures.pop("head")
            figures.pop("texts")
        return {"texts": self.count, "passed": self.passed, "cosine_least": self.cosine_least,
                "cosine_mean": self.cosine_mean, "heads": heads}  # fmt: skip


def torch_outputs(model: TrainedEncoder, texts: Sequence[Text], report: Report) -> Outputs:
    """What the torch model says, adapters unmerged; texts of like length go through together."""
    encodings = [model.tokens(text) for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
    vectors: dict[int, NDArray[Any]] = {}
    logits: dict[str, dict[int, NDArray[Any]]] = {name: {} for name in model.heads}
    for at in range(0, len(order), _BATCH):
        chosen = order[at : at + _BATCH]
        report(at, len(order), "torch")
        found, by_head = model.outputs(padded([encodings[i].ids for i in chosen], model.pad))
        vectors |= dict(zip(chosen, found, strict=True))
        for name, rows in by_head.items():
            for i, row in zip(chosen, rows, strict=True):
                tokens = np.flatnonzero(np.array(encodings[i].special_tokens_mask) == 0)
                logits[name][i] = row[tokens] if model.kind(name) is HeadKind.TOKENS else row
    every = range(len(texts))
    return Outputs(np.stack([vectors[i] for i in every]), {n: [rows[i] for i in every] for n, rows in logits.items()})


def onnx_outputs(encoder: OnnxEncoder, texts: Sequence[Text], report: Report, name: str) -> Outputs:
    """What the exported model says, by the way that serves: its own tokenizer, one text at a time."""
    found: list[Encoding] = []
    for i, text in enumerate(texts):
        report(i, len(texts), name)
        found.append(encoder.encode([text]))
    logits = {
        head: [(e.token_logits[head] if head in e.token_logits else e.logits[head])[0] for e in found]
        for head in encoder.labels
    }
    return Outputs(np.concatenate([e.embedding for e in found]), logits)


def compare(model: TrainedEncoder, expected: Outputs, found: Outputs) -> Parity:
    """`found` held against what torch said of the same texts."""
    cosines = (expected.vectors * found.vectors).sum(axis=1)
    heads = tuple(
        _compare_head(name, model.kind(name), expected.logits[name], found.logits[name]) for name in model.heads
    )
    return Parity(len(cosines), float(cosines.min()), float(cosines.mean()), heads or (_compare_vectors(cosines),))


def _compare_head(name: str, kind: HeadKind, expected: Sequence[Floats], found: Sequence[Floats]) -> HeadParity:
    if any(a.shape != b.shape for a, b in zip(expected, found, strict=True)):
        # Other tokens or other labels: nothing can be held against anything.
        return HeadParity(name, kind, len(expected), 0, np.inf, np.inf, None, 0.0, tuple(range(len(expected))))
    one, other = (np.concatenate([np.atleast_2d(row) for row in rows]) for rows in (expected, found))
    text = np.repeat(np.arange(len(expected)), [len(np.atleast_2d(row)) for row in expected])
    same, margins = _decided_alike(kind, one, other), _margins(kind, one)
    difference = np.abs(one - other)
    return HeadParity(
        head=name,
        kind=kind,
        decisions=len(same),
        equal=int(same.sum()),
        difference=float(difference.max(initial=0.0)),
        rms=float(np.sqrt(np.mean(difference**2))),
        margin=None if same.all() else float(margins[~same].mean()),
        margin_of_all=float(margins.mean()),
        texts=tuple(dict.fromkeys(text[~same].tolist())),
    )


def _decided_alike(kind: HeadKind, one: Floats, other: Floats) -> NDArray[np.bool_]:
    if kind is HeadKind.MANY:
        same: NDArray[np.bool_] = ((one > 0) == (other > 0)).all(axis=1)
        return same
    same = one.argmax(axis=1) == other.argmax(axis=1)
    return same


def _margins(kind: HeadKind, logits: Floats) -> Floats:
    """By how much the decision was taken: the best logit over the next, or the least distance of one to zero."""
    if kind is HeadKind.MANY:
        nearest: Floats = np.abs(logits).min(axis=1)
        return nearest
    best = np.sort(logits, axis=1)
    return best[:, -1] - best[:, -2]


def _compare_vectors(cosines: Floats) -> HeadParity:
    same = cosines >= _LEAST_COSINE
    away = float(np.sqrt(2 * np.clip(1 - cosines, 0, None)).max())
    return HeadParity(VECTORS, "vectors", len(same), int(same.sum()), away, away, None, 0.0,
                      tuple(np.flatnonzero(~same).tolist()))  # fmt: skip
