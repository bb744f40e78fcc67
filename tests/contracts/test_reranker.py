"""What every Reranker keeps: one score a passage in 0–1, in the order given, higher for the passage that answers."""

import numpy as np
import pytest

from openteller.runtime.protocols import Reranker

CASES = [
    (
        "How do I freeze my lost card?",
        "To freeze a lost card, open the app and choose Freeze card.",
        "Fund management fees are charged each quarter.",
    ),
    ("怎么冻结丢失的银行卡？", "银行卡丢失后，请在手机银行里冻结银行卡。", "基金管理费按季度收取。"),
]


def test_scores_are_float32_within_zero_and_one(reranker: Reranker) -> None:
    scores = reranker.score("card", ["card", "", "卡", "🙂", "x" * 20_000])
    assert scores.shape == (5,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()


def test_no_passage_gives_no_score(reranker: Reranker) -> None:
    assert reranker.score("card", []).shape == (0,)


def test_an_empty_query_is_scored(reranker: Reranker) -> None:
    assert np.isfinite(reranker.score("", ["a", "b"])).all()


@pytest.mark.parametrize(("query", "good", "bad"), CASES)
def test_the_passage_that_answers_is_first(reranker: Reranker, query: str, good: str, bad: str) -> None:
    first, second = reranker.score(query, [good, bad])
    assert first > second


@pytest.mark.parametrize(("query", "good", "bad"), CASES)
def test_scores_follow_the_order_of_the_passages(reranker: Reranker, query: str, good: str, bad: str) -> None:
    assert np.allclose(reranker.score(query, [good, bad])[::-1], reranker.score(query, [bad, good]), atol=0.02)
