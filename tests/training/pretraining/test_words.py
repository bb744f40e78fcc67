"""Words: which tokens begin one, and which ones get a token of their own."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from openteller.core.text import fold
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.pretraining.words import domain_words, extended, word_starts
from tests.runtime.encoders import small

WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def cut() -> Callable[[str], list[list[str]]]:
    tokenizer = build_tokenizer(small())

    def words(text: str) -> list[list[str]]:
        found = tokenizer.encode(fold(text), add_special_tokens=False)
        grouped: list[list[str]] = []
        for token, begins in zip(found.tokens, word_starts(fold(text), found.offsets), strict=True):
            grouped = [*grouped, [token]] if begins else [*grouped[:-1], [*grouped[-1], token]]
        return grouped

    return words


def test_tokens_of_a_word_stand_together(cut: Callable[[str], list[list[str]]]) -> None:
    english = cut("the creditworthiness of it")
    assert ["".join(group) for group in english] == ["▁the", "▁creditworthiness", "▁of", "▁it"]
    assert len(english[1]) > 1
    words = ["".join(group) for group in cut("请提前还清住房公积金贷款")]
    assert any("公积金" in word for word in words)
    assert "".join(words).replace("▁", "") == "请提前还清住房公积金贷款"


@pytest.mark.parametrize("text", ["", " ", "。", "a", "银行"])
def test_short_texts_have_starts(text: str) -> None:
    tokenizer = build_tokenizer(small())
    found = tokenizer.encode(text, add_special_tokens=False)
    starts = word_starts(text, found.offsets)
    assert len(starts) == len(found.ids)
    assert len(starts) == 0 or starts[0]


def test_frequent_words_that_are_cut_get_a_token_of_their_own() -> None:
    weights, texts = small(), ["玉山银行的存款准备金与creditworthiness都要看。我们有存款准备金。"] * 12
    tokenizer = build_tokenizer(weights)
    found = domain_words(texts, tokenizer, 8, least=10)
    names = [word for word, _ in found]
    assert "creditworthiness" in names
    assert all(math.isfinite(share) and share < 0 for _, share in found)
    assert domain_words(texts, tokenizer, 8, least=100) == []
    grown = extended(weights, found, tokenizer)
    assert len(grown.pieces) == len(weights.pieces) + len(found)
    assert grown.tensors[WORDS].shape == (len(grown.pieces), grown.hidden)
    again = build_tokenizer(grown)
    for word in names:
        text = f"the {word} of" if word.isascii() else f"我说，{word}是"
        assert len(again.encode(text).ids) < len(tokenizer.encode(text).ids)
    old = tokenizer.encode("creditworthiness", add_special_tokens=False).ids
    (new,) = again.encode("creditworthiness", add_special_tokens=False).ids
    np.testing.assert_allclose(grown.tensors[WORDS][new], weights.tensors[WORDS][old].mean(0), rtol=1e-5)


def test_other_texts_keep_their_tokens() -> None:
    weights = small()
    tokenizer = build_tokenizer(weights)
    grown = build_tokenizer(extended(weights, [("creditworthiness", -9.0)], tokenizer))
    for text in ("信用卡年费是多少", "what is the annual fee"):
        assert grown.encode(text).ids == tokenizer.encode(text).ids
