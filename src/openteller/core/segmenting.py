"""Chinese words by jieba's dictionary, loaded once for the whole process. Knows nothing about what words mean."""

from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Protocol, cast

_LOADING = Lock()


class Segmenter(Protocol):
    """What we use of jieba's tokenizer; `FREQ` counts each word, with 0 for what only begins one."""

    FREQ: dict[str, int]

    def cut(self, sentence: str, *, HMM: bool = True) -> Iterator[str]: ...
    def cut_for_search(self, sentence: str) -> list[str]: ...


def segmenter() -> Segmenter:
    """The one segmenter of the process; the first call loads the dictionary (about a second)."""
    with _LOADING:
        return _load()


@cache
def _load() -> Segmenter:
    from jieba import Tokenizer

    tokenizer = Tokenizer()
    # Its own loading reads a marshalled cache from the shared temporary directory, where anybody may have put one.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return cast(Segmenter, tokenizer)
