"""A tokenised corpus on disk, and the fixed-length windows that training sees of it.

    documents ─▶ tokens, document after document, in two files (train, held out) ─▶ windows, memory-mapped

A corpus is tokenised once: its folder is named by what went into it. The memory it takes does not grow with the corpus,
but for 16 bytes a document to know repeated ones. Knows nothing about models.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openteller.core.errors import BadInput
from openteller.training.optimisation import Report
from openteller.training.pretraining.corpus import Corpus
from openteller.training.tasks.task import Features

_BATCH = 128
_SLICE = 20_000  # characters that are tokenised at once
_TELL_SECONDS = 5.0
_NOTE = "corpus.json"
_SIDES = ("train", "held_out")

#: Texts to (token ids, whether each token begins a word), a pair for each text.
Tokenise = Callable[[Sequence[str]], list[tuple[Sequence[int], NDArray[np.bool_]]]]


@dataclass(frozen=True)
class Tokenised:
    """A tokenised corpus. tokens: by side, those that stand between documents included."""

    folder: Path
    documents: dict[str, int]
    repeated: int
    tokens: dict[str, int]


@dataclass(frozen=True)
class Layout:
    """What a window looks like: `size` tokens, of which `before` and `after` are the same in each.

    between: what follows each document.
    """

    size: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    between: tuple[int, ...]
    pad: int

    @property
    def content(self) -> int:
        """Tokens of the corpus in a window."""
        return self.size - len(self.before) - len(self.after)


def tokenised(corpus: Corpus, tokenise: Tokenise, layout: Layout, cache: Path, key: str, report: Report) -> Tokenised:
    """The tokens of `corpus`, from the folder `cache`/`key` if they are there.

    Raises:
        BadInput: the corpus cannot be read, or one side has no text.
    """
    folder = cache / key[:24]
    if not (folder / _NOTE).exists():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(dir=cache))
        try:
            _write(corpus, tokenise, layout, work, report)
            shutil.rmtree(folder, ignore_errors=True)
            work.replace(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Tokenised(folder, **json.loads((folder / _NOTE).read_text(encoding="utf-8")))


def _write(corpus: Corpus, tokenise: Tokenise, layout: Layout, folder: Path, report: Report) -> None:
    tokens, told = dict.fromkeys(_SIDES, 0), time.monotonic()
    with _Files(folder) as files:
        for texts in _batches(corpus.read()):
            for (_, side, last), (ids, starts) in zip(texts, tokenise([text for text, _, _ in texts]), strict=True):
                after = layout.between if last else ()
                files.append(side, [*ids, *after], [*starts, *[True] * len(after)])
                tokens[side] += len(ids) + len(after)
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                report(0, 0, f"tokenised {corpus.counts.train + corpus.counts.held_out:,} documents")
    counts = corpus.counts
    _require_both(counts.train, counts.held_out)
    documents = {"train": counts.train, "held_out": counts.held_out}
    note = {"documents": documents, "repeated": counts.repeated, "tokens": tokens}
    (folder / _NOTE).write_text(json.dumps(note), encoding="utf-8")


def _require_both(train: int, held_out: int) -> None:
    if train and held_out:
        return
    raise BadInput(
        "The corpus is empty." if train + held_out == 0 else f"Nothing is {'held out' if train else 'trained on'}.",
        cause=f"It has {train + held_out} document(s) with text; each is held out or not by the hash of its text.",
        next_step="Give more documents, cut texts by paragraph, or change validation_share.",
    )


class _Files:
    """The token files of both sides, open for writing."""

    def __init__(self, folder: Path) -> None:
        self._open: dict[str, tuple[BinaryIO, BinaryIO]] = {}
        self._folder = folder

    def __enter__(self) -> "_Files":
        for side in _SIDES:
            paths = [self._folder / f"{side}.{kind}" for kind in ("tokens", "starts")]
            self._open[side] = (paths[0].open("wb"), paths[1].open("wb"))
        return self

    def append(self, side: str, ids: Sequence[int], starts: Sequence[bool]) -> None:
        tokens, begins = self._open[side]
        tokens.write(np.asarray(ids, "<u4").tobytes())
        begins.write(np.asarray(starts, "u1").tobytes())

    def __exit__(self, *_: object) -> None:
        for pair in self._open.values():
            for file in pair:
                file.close()


def _batches(documents: Iterable[tuple[str, bool]]) -> Iterator[list[tuple[str, str, bool]]]:
    """(text, side, whether the document ends with it): long documents come in slices."""
    pending = []
    for text, held in documents:
        for at in range(0, len(text), _SLICE):
            pending.append((text[at : at + _SLICE], _SIDES[held], at + _SLICE >= len(text)))
        if len(pending) >= _BATCH:
            yield pending
            pending = []
    if pending:
        yield pending


class Windows(Sequence[Features]):
    """The windows of one side, in order; the last may be shorter. A row tells which window it is and its length."""

    def __init__(self, corpus: Tokenised, side: str, layout: Layout, most: int = 0) -> None:
        self._layout = layout
        self._tokens = np.memmap(corpus.folder / f"{side}.tokens", "<u4", "r")
        self._starts = np.memmap(corpus.folder / f"{side}.starts", "u1", "r")
        whole = -(-len(self._tokens) // layout.content)
        self._count = min(whole, most) if most else whole

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Features: ...
    @overload
    def __getitem__(self, at: slice) -> list[Features]: ...
    def __getitem__(self, at: int | slice) -> Features | list[Features]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        left = len(self._tokens) - at * self._layout.content
        return {"window": at, "length": min(self._layout.content, left) + self._layout.size - self._layout.content}

    def batch(self, rows: Sequence[Features]) -> dict[str, Tensor]:
        """``input_ids``, ``attention_mask`` and ``words`` (n, longest).

        words: the number of each token's word in its window; -1 for padding and what stands in every window.
        """
        longest = max(row["length"] for row in rows)
        ids = np.full((len(rows), longest), self._layout.pad, np.int64)
        words = np.full((len(rows), longest), -1, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for row, into, numbered, seen in zip(rows, ids, words, mask, strict=True):
            self._fill(row, into, numbered)
            seen[: row["length"]] = 1
        return {
            name: torch.from_numpy(a) for name, a in (("input_ids", ids), ("attention_mask", mask), ("words", words))
        }

    def _fill(self, row: Features, ids: NDArray[np.int64], words: NDArray[np.int64]) -> None:
        layout, at = self._layout, row["window"] * self._layout.content
        content = row["length"] - len(layout.before) - len(layout.after)
        inside = slice(len(layout.before), len(layout.before) + content)
        ids[: len(layout.before)] = layout.before
        ids[inside] = self._tokens[at : at + content]
        ids[inside.stop : row["length"]] = layout.after
        words[inside] = np.cumsum(self._starts[at : at + content])
        words[inside][np.isin(ids[inside], layout.between)] = -1
