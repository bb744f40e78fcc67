"""What every Embedder keeps: shape, length one, independence of the batch, and that related texts are closer."""

import numpy as np
import pytest

from openteller.runtime.protocols import Embedder, TextKind

TEXTS = ["How do I freeze my lost card?", "我的卡丢了，怎么冻结？", "房贷提前还款要交违约金吗？", "ok", "12,345.67 CNY"]
RELATED = {
    "en": (
        "How do I freeze my lost card?",
        "Freeze a lost card in the app.",
        "Fund fees are charged each quarter.",
    ),
    "zh": ("怎么冻结丢失的银行卡？", "银行卡丢失后请立即冻结。", "基金管理费按季度收取。"),
}
STRANGE = {
    "empty": "",
    "blank": "   \n",
    "emoji": "🙂",
    "control": "\x00",
    "long Chinese": "利率" * 20_000,
    "long English": "word " * 20_000,
}


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_vectors_are_normalised_rows_of_float32(embedder: Embedder, kind: TextKind) -> None:
    vectors = embedder.embed(TEXTS, kind)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([], "query").shape == (0, embedder.dimension)


def test_a_text_has_one_vector_whatever_stands_beside_it(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS, "passage")
    alone = np.concatenate([embedder.embed([text], "passage") for text in TEXTS])
    assert (np.sum(together * alone, axis=1) > 0.99).all()


def test_it_repeats_itself(embedder: Embedder) -> None:
    assert np.allclose(embedder.embed(TEXTS, "query"), embedder.embed(TEXTS, "query"), atol=1e-5)


def test_related_texts_are_closer(embedder: Embedder, embedder_languages: frozenset[str]) -> None:
    for language in embedder_languages:
        query, related, unrelated = RELATED[language]
        asked = embedder.embed([query], "query")[0]
        near, far = embedder.embed([related, unrelated], "passage") @ asked
        assert near > far, language


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_and_long_texts_have_a_vector(embedder: Embedder, text: str) -> None:
    vector = embedder.embed([text], "query")
    assert np.isfinite(vector).all()
    assert np.allclose(np.linalg.norm(vector), 1, atol=1e-4)
