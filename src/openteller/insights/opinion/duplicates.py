"""Near-duplicates by MinHash (Broder 1997) and locality-sensitive hashing, over a sliding window of bounded memory.

Two items are near-duplicates when the Jaccard similarity of their character shingles is at least `THRESHOLD`: the LSH
(datasketch) proposes, the signatures decide. Knows nothing about what an item says.
"""

import re
import zlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import MissingDependency
from openteller.insights.opinion.normalising import bare_words

if TYPE_CHECKING:
    from datasketch import MinHash

THRESHOLD = 0.6
SHINGLE = 3
PERMUTATIONS = 128
_BANDS, _ROWS = 32, 4
_SCHEME = "affine32"
_SAME_FIGURES = 0.3
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class _Kept(NamedTuple):
    at: datetime
    signature: "MinHash"
    figures: frozenset[str]
    topic_id: int | None


class DuplicateWindow:
    """The items of the last `hours`, at most `size` of them. One thread at a time.

    Raises:
        MissingDependency: datasketch is not installed.
    """

    def __init__(self, size: int = 20_000, hours: float = 72.0) -> None:
        self._size, self._age = size, timedelta(hours=hours)
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._index = _index()
        self._last: tuple[str, MinHash, frozenset[str]] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, words: str) -> int | None:
        """The id of the item that `words` nearly repeat, the most similar; None when there is none."""
        signature, figures = self._read(words)
        best, found = THRESHOLD, None
        for other in self._index.query(signature):
            kept = self._kept[other]
            likeness = float(signature.jaccard(kept.signature))
            if likeness >= best and _alike(figures, kept.figures):
                best, found = likeness, other
        return found

    def topic(self, item_id: int) -> int | None:
        """The topic that an item was added with; None when it is not remembered."""
        kept = self._kept.get(item_id)
        return kept.topic_id if kept else None

    def add(self, item_id: int, words: str, at: datetime, topic_id: int | None = None) -> None:
        """Remember an item; the oldest are forgotten beyond size or age."""
        signature, figures = self._read(words)
        self._kept[item_id] = _Kept(at, signature, figures, topic_id)
        self._index.insert(item_id, signature, check_duplication=False)
        while self._kept and (len(self._kept) > self._size or next(iter(self._kept.values())).at < at - self._age):
            oldest, _ = self._kept.popitem(last=False)
            self._index.remove(oldest)

    def _read(self, words: str) -> "tuple[MinHash, frozenset[str]]":
        """Signature and figures; what is looked for and then added is read once."""
        if self._last is None or self._last[0] != words:
            self._last = (words, _signed(words), _figures(words))
        return self._last[1:]


def _index() -> Any:
    try:
        from datasketch import MinHashLSH
    except ImportError as error:
        raise MissingDependency(
            "Listening to public opinion is not installed.",
            cause=str(error),
            next_step='pip install "openteller[opinion]"',
        ) from error
    return MinHashLSH(num_perm=PERMUTATIONS, params=(_BANDS, _ROWS))


def _signed(words: str) -> "MinHash":
    from datasketch import MinHash

    signature = MinHash(num_perm=PERMUTATIONS, hashfunc=zlib.crc32, permutations=_permutations(), scheme=_SCHEME)
    signature.update_batch([part.encode() for part in shingles(words)])
    return signature


_DRAWN: list[tuple[NDArray[np.uint64], NDArray[np.uint64]]] = []


def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Drawn once: datasketch draws them anew for each signature, which costs more than the signature."""
    from datasketch import MinHash

    if not _DRAWN:
        _DRAWN.append(MinHash(num_perm=PERMUTATIONS, scheme=_SCHEME).permutations)
    return _DRAWN[0]


def _figures(words: str) -> frozenset[str]:
    return frozenset(_NUMBER.findall(words))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Daily figures are told in the same words every day: figures that are mostly others make another item."""
    return not one or not other or len(one & other) >= _SAME_FIGURES * len(one | other)


def shingles(words: str) -> set[str]:
    """Runs of three characters of the bare words; a shorter text is its own shingle."""
    bare = bare_words(words)[:3_000]
    return {bare[start : start + SHINGLE] for start in range(max(len(bare) - SHINGLE + 1, 1))}
