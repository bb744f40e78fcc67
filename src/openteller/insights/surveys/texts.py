"""Texts cut into what is counted: language, sentences, clauses, words. Knows nothing about surveys.

Sentences and clauses are pieces of the text as it stands, never reworded: each can be found in it again.
"""

import re
from functools import cache
from importlib.resources import files

from openteller.core.text import fold, han_share
from openteller.core.text import sentences as cut
from openteller.core.yaml_text import read_yaml

_ENGLISH = re.compile(r"[a-z]+(?:'[a-z]+)?")
_CLAUSE = re.compile(
    r"[,，;；。.!！?？\n、~…]+|(?:\s+but\s+|\s+however\s+|\s+although\s+|\s+while\s+)|(?=但是?|可是|不过|然而|就是|只是)",
    re.I,
)
_SHORTEST = 2


def language_of(text: str) -> str:
    """zh, en or mixed: Chinese when at least two thirds of its units are, English when at most a twentieth, else mixed.

    A text without letters counts as Chinese, the language of most customers.
    """
    share = han_share(text)
    if share == 0:
        return "en" if _ENGLISH.search(text.lower()) else "zh"
    return "zh" if share >= 2 / 3 else "en" if share <= 0.05 else "mixed"


def sentences(text: str) -> tuple[str, ...]:
    """The sentences, each as it stands in the text."""
    return tuple(cut(text))


def clauses(text: str) -> tuple[str, ...]:
    """The pieces between commas, stops and turns (but, 但是), each as it stands in the text."""
    return tuple(part.strip() for part in _CLAUSE.split(text) if part and len(part.strip()) >= _SHORTEST)


def words(text: str) -> list[str]:
    """The words that say something, folded: Chinese ones of two characters or more by jieba, English ones of three letters."""
    import jieba

    jieba.setLogLevel(60)
    folded, stop = fold(text), stop_words()
    if not han_share(folded):
        return [word for word in _ENGLISH.findall(folded) if len(word) > 2 and word not in stop]
    found = []
    for word in jieba.lcut(folded):
        word = word.strip()
        enough = len(word) > 2 if word.isascii() else len(word) > 1
        if enough and word not in stop and (word.isascii() is False or _ENGLISH.fullmatch(word)):
            found.append(word)
    return found


@cache
def stop_words() -> frozenset[str]:
    """Words that name no theme, in both languages."""
    text = files(__package__).joinpath("stop_words.yaml").read_text("utf-8")
    return frozenset(word for line in read_yaml(text).values() for word in line.split())
