"""Leaving words out: the word that decides weighs most, spans are those of the text, what cannot be explained is said."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput, TooLarge
from openteller.runtime.scripted import ScriptedEncoder
from openteller.understanding.explaining import MAX_EXPLAINED_CHARACTERS, Explainer, units

EXPLAINER = Explainer(
    ScriptedEncoder({"intent": {"lost": ["card", "丢"], "rate": ["interest", "利率"], "other": []}}), {"intent": 2.0}
)


@pytest.mark.parametrize(
    ("text", "word"), [("My card is gone 🙂", "card"), ("🙂我的卡丢了，怎么办？", "丢"), ("我的 card 呢", "card")]
)
def test_the_word_that_decides_weighs_most(text: str, word: str) -> None:
    found = EXPLAINER.explain(text, "intent")
    assert found.label == "lost"
    best, *others = sorted(found.spans, key=lambda span: -span.score)
    assert (best.text, best.score > 1) == (word, True)
    assert all(abs(span.score) < 1e-3 for span in others)
    assert all(text[span.start : span.end] == span.text for span in found.spans)


def test_another_label_is_explained_when_asked_for() -> None:
    found = EXPLAINER.explain("card", "intent", "rate")
    assert found.label == "rate"
    assert found.probability < 0.5
    assert found.spans[0].score < 0


@pytest.mark.parametrize("text", ["", "   "])
def test_a_text_without_words_has_no_spans(text: str) -> None:
    assert EXPLAINER.explain(text, "intent").spans == ()


def test_what_cannot_be_explained_is_said() -> None:
    with pytest.raises(TooLarge, match="300"):
        EXPLAINER.explain("x" * (MAX_EXPLAINED_CHARACTERS + 1), "intent")
    with pytest.raises(BadInput, match="no head") as error:
        EXPLAINER.explain("card", "colour")
    assert "intent" in error.value.next_step
    with pytest.raises(BadInput, match="no label") as error:
        EXPLAINER.explain("card", "intent", "rates")
    assert "rate" in error.value.next_step


def test_pieces_of_a_word_are_joined_and_spaces_left_out() -> None:
    text = "my stolen卡丢了 isn't"
    pieces = [(0, 2), (2, 5), (5, 9), (9, 10), (10, 12), (12, 16), (16, 18)]
    assert [text[a:b] for a, b in units(text, pieces)] == ["my", "stolen", "卡", "丢了", "isn't"]


@given(st.text(alphabet="ab c，卡丢了🙂'5", max_size=30), st.lists(st.integers(0, 30), max_size=10))
def test_units_are_in_order_apart_and_within_the_text(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    found = units(text, list(pairwise(edges)))
    assert all(start < end <= len(text) for start, end in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    assert {i for start, end in found for i in range(start, end)} >= {i for i, c in enumerate(text) if not c.isspace()}
