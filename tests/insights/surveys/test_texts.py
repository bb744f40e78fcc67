"""What is said of texts: every quote stands in the data, aspects and feelings are those of their clauses."""

import zlib
from collections.abc import Sequence
from uuid import UUID, uuid5

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from openteller.insights.surveys.aspects import aspects_of, by_aspect, feeling, heard_in
from openteller.insights.surveys.texts import clauses, language_of, sentences, words
from openteller.insights.surveys.themes import themes
from tests.insights.surveys.asked import NAMESPACE

SAID = {
    "queue": ["排队排了{n}分钟，窗口太少。", "The queue took {n} minutes at the counter."],
    "app": ["手机银行登录{n}次都闪退。", "The app crashed {n} times at login."],
    "loan": ["贷款审批拖了{n}天。", "Loan approval took {n} days of paperwork."],
    "staff": ["柜员态度耐心热情，介绍了{n}种产品。", "Teller staff were patient and polite {n} times."],
}
MEANING = {
    "排队": 0, "窗口": 0, "queue": 0, "counter": 0, "手机": 1, "登录": 1, "闪退": 1, "app": 1, "login": 1, "crashed": 1,
    "贷款": 2, "审批": 2, "loan": 2, "approval": 2, "柜员": 3, "态度": 3, "teller": 3, "staff": 3, "patient": 3,
}  # fmt: skip


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors whose first places are the meanings above, and a little noise that each text always has."""
    rows = []
    for text in texts:
        row = np.random.default_rng(zlib.crc32(text.encode())).normal(0, 0.05, 12)
        for word, place in MEANING.items():
            row[place] += word in text.lower()
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, np.float32)


def said(repeats: int = 8) -> list[tuple[UUID, str]]:
    lines = [line.format(n=n) for n in range(2, 2 + repeats) for both in SAID.values() for line in both]
    return [(uuid5(NAMESPACE, line), line) for line in lines]


def test_themes_are_what_is_spoken_of_in_both_languages() -> None:
    found = themes(said(), embed)
    names = " ".join(f"{theme.name.zh} {theme.name.en}" for theme in found)
    for zh, en in (("排队", "queue"), ("手机银行", "app"), ("贷款", "loan"), ("员工", "staff")):
        assert zh in names
        assert en in names
    assert sum(theme.sentences for theme in found) == len(said())


def test_every_quote_stands_in_the_answer_it_is_said_to_be_from() -> None:
    texts = said(300)  # more sentences than are embedded
    by_id = dict(texts)
    found = themes(texts, embed)
    quotes = [quote for theme in found for quote in theme.quotes]
    assert len(quotes) >= 8
    assert all(quote.text in by_id[quote.answer] for quote in quotes)
    assert all(
        any(language_of(q.text) == language for q in theme.quotes) for theme in found[:4] for language in ("zh", "en")
    )


def test_order_does_not_matter() -> None:
    assert themes(said(), embed) == themes(said()[::-1], embed)


def test_few_texts_have_no_themes() -> None:
    assert themes(said(2), embed) == ()
    assert themes([], embed) == ()


@given(st.text(max_size=200))
def test_sentences_and_clauses_stand_in_their_text(text: str) -> None:
    assert all(piece in text for piece in (*sentences(text), *clauses(text)))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("办得很快", "zh"),
        ("fast service", "en"),
        ("APP很好用", "zh"),
        ("我的mobile app一直crash not good", "mixed"),
        ("123", "zh"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_words_say_something() -> None:
    assert words("我们觉得排队很烦") == ["排队", "很烦"]
    assert words("The queue was very long and I waited") == ["queue", "long", "waited"]


@pytest.mark.parametrize(
    ("clause", "felt"),
    [
        ("柜员很耐心", 1), ("态度很差", -1), ("不满意", -1), ("不太满意", -1), ("不用排队", 1), ("手续费太贵", -1),
        ("不贵", 1), ("我去了网点", 0), ("The staff were kind", 1), ("not helpful", -1), ("the app keeps crashing", -1),
        ("no problems at all", 1), ("I visited the branch", 0),
    ],
)  # fmt: skip
def test_feelings(clause: str, felt: int) -> None:
    assert feeling(clause) == felt


def test_aspects_are_those_of_clauses() -> None:
    assert aspects_of("The app crashed") == ("app",)
    assert "app" not in aspects_of("What happened here")
    assert heard_in("柜员很耐心，但是手续费太贵。") == {"staff": [1], "fees": [-1]}
    assert heard_in("The queue was long, which was annoying. The staff were kind.") == {
        "waiting": [-1, -1],
        "staff": [1],
    }
    figures = {one.aspect: one for one in by_aspect(["柜员很耐心，但是手续费太贵。", "手续费合理", "手续费是两元"])}
    assert (figures["fees"].answers, figures["fees"].good, figures["fees"].neutral, figures["fees"].bad) == (3, 1, 1, 1)
    assert figures["fees"].blamed.value == 0.5
