"""Terms for the lexical index: Chinese words by jieba's search mode, other words stemmed by Snowball, stop words out.

The same function cuts passages and queries. Lexemes are built here and handed to PostgreSQL as finished `tsvector`
and `tsquery` literals, so that neither its parser nor its locale has a say.
What is not covered: synonyms, spelling mistakes, and words that jieba cuts differently in two contexts.
"""

import re
from functools import cache, lru_cache
from threading import Lock
from typing import Protocol, cast

from openteller.core.segmenting import segmenter
from openteller.core.text import fold

MAX_QUERY_TERMS = 64
_MAX_TERM_CHARACTERS = 64
_MAX_POSITION = 16_383
_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,100}\}\}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TOKEN = re.compile(
    r"(?P<han>[㐀-䶿一-鿿]+)|(?P<number>\d+(?:\.\d+)?)|(?P<word>[^\W_㐀-䶿一-鿿]+(?:'[^\W\d_㐀-䶿一-鿿]+)*)"
)
_LOADING = Lock()

_STOP_WORDS = """
a an the i im ive id my me we our us you your he she it its they them their is are was were be been am do does did can
could would will should shall may to of in on for and or if so at this that these those with what how have has had
there please from by as not but just about any when which who why get got dont cant
的 了 我 你 您 他 她 它 吗 呢 啊 吧 呀 嘛 是 在 有 就 都 也 和 与 还 要 想 能 可以 可 这 那 个 一 一个 不 么 什么 怎么
怎样 如何 请 请问 你们 我们 他们 贵行 把 被 给 到 上 里 会 为 哪 哪里 多少 几 得 着 去 来 没 没有 及 或 并 等 后 中 对
让 用 应 应该
"""
_STOP = frozenset(_STOP_WORDS.split())


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


def warm() -> None:
    """Load the dictionary and the stemmer (about a second), so that the first search does not wait for them."""
    terms("预热 warming")


def searchable(text: str) -> str:
    """The text without its placeholders: what is embedded and indexed."""
    return _PLACEHOLDER.sub(" ", text)


def terms(text: str) -> list[str]:
    """The terms of a text in reading order, with repetitions."""
    folded = _THOUSANDS.sub("", fold(searchable(text)))
    found: list[str] = []
    for match in _TOKEN.finditer(folded):
        if match["han"]:
            found += [word for word in segmenter().cut_for_search(match["han"]) if word not in _STOP]
        elif match["number"]:
            found.append(match["number"])
        else:
            word = match["word"].removesuffix("'s").replace("'", "")
            if word not in _STOP:
                found.append(_stem(word))
    return [term[:_MAX_TERM_CHARACTERS] for term in found]


def segmented(text: str) -> list[str]:
    """The words of a text, spaces and marks among them; joined they are the text."""
    return list(segmenter().cut(text))


def tsvector(text: str) -> str:
    """The text's terms with their positions, as a PostgreSQL `tsvector` literal."""
    return " ".join(f"'{term}':{min(i, _MAX_POSITION)}" for i, term in enumerate(terms(text), 1))


def tsqueries(text: str) -> list[str]:
    """One `tsquery` literal for each distinct term of a query, at most 64, in reading order."""
    # A term is letters and digits, with a point inside a number: there is nothing to escape between the quotes.
    return [f"'{term}'" for term in dict.fromkeys(terms(text))][:MAX_QUERY_TERMS]


@cache
def _stemmer() -> _Stemmer:
    from snowballstemmer import stemmer  # type: ignore[import-untyped]

    return cast(_Stemmer, stemmer("english"))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    # The stemmer keeps its working word in itself: one at a time.
    with _LOADING:
        return _stemmer().stemWord(word)
