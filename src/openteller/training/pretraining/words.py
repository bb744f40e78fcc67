"""Words as people see them: which tokens begin one, and which frequent ones a tokenizer cuts into many pieces.

Chinese words are jieba's; others stand between spaces and marks. Knows nothing about models.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from openteller.core.text import fold
from openteller.knowledge.lexical import segmented
from openteller.runtime.encoder_weights import EncoderWeights

_HAN = re.compile(r"[\u4e00-\u9fff]{2,8}")
_LATIN = re.compile(r"[a-z]{4,24}")
_WORDS = "embeddings.word_embeddings.weight"


def word_starts(text: str, offsets: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """For each token, whether it begins another word than the token before it.

    Args:
        text: what was tokenised.
        offsets: (start, end) of each token in it. A token that spans several words counts for its first.
    """
    if not offsets:
        return np.zeros(0, np.bool_)
    pieces = segmented(text)
    number = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    starts = np.array([start for start, _ in offsets])
    # A token may begin with the space before its word.
    spaces = np.array([text[start : start + 1].isspace() for start in starts])
    words = number[np.minimum(starts + spaces, len(number) - 1)]
    return np.concatenate([[True], words[1:] != words[:-1]])


def domain_words(texts: Iterable[str], tokenizer: Tokenizer, count: int, least: int) -> list[tuple[str, float]]:
    """The `count` words whose own token would spare most tokens, each with the log of its share of all words.

    Args:
        texts: the training documents.
        tokenizer: the one to extend.
        count: at most so many.
        least: how often a word has to occur.
    """
    seen: Counter[str] = Counter()
    total = 0
    for text in texts:
        pieces = segmented(fold(text))
        total += len(pieces)
        seen.update(piece for piece in pieces if _HAN.fullmatch(piece) or _LATIN.fullmatch(piece))
    spared = {}
    for word, often in seen.items():
        if often >= least and (cut := len(_pieces(word, tokenizer))) > 1:
            spared[word] = often * (cut - 1)
    chosen = sorted(spared, key=lambda word: (-spared[word], word))[:count]
    return [(word, math.log(seen[word] / total)) for word in chosen]


def extended(weights: EncoderWeights, words: Sequence[tuple[str, float]], tokenizer: Tokenizer) -> EncoderWeights:
    """`weights` with a piece for each of `words` after all others, its vector the mean of its pieces' vectors.

    A word's log probability is its own, or a little more than that of its pieces where that is higher: a unigram
    tokenizer would not choose it otherwise.
    """
    table = weights.tensors[_WORDS]
    scores = [score for _, score in weights.pieces]
    known = {piece for piece, _ in weights.pieces}
    pieces, vectors = list(weights.pieces), []
    for word, share in words:
        piece = word if _HAN.fullmatch(word) else f"▁{word}"
        if piece in known:
            continue
        ids = _pieces(word, tokenizer)
        pieces.append((piece, max(share, sum(scores[i] for i in ids) + 1e-3)))
        vectors.append(table[ids].mean(axis=0))
    if not vectors:
        return weights
    return replace(
        weights, pieces=pieces, tensors=weights.tensors | {_WORDS: np.concatenate([table, np.stack(vectors)])}
    )


def _pieces(word: str, tokenizer: Tokenizer) -> list[int]:
    """The ids of a word as it stands within a text: a Chinese one after a mark, as most do not begin a sentence."""
    before = "。" if _HAN.fullmatch(word) else ""
    encoding = tokenizer.encode(before + word, add_special_tokens=False)
    found = zip(encoding.ids, encoding.offsets, strict=True)
    return [i for i, (start, _) in found if start >= len(before)]
