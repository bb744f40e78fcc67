"""The fakes: a script is played just as written, and mistakes of a test are not swallowed."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import Unavailable
from openteller.runtime.protocols import Message
from openteller.runtime.scripted import ScriptedClassifier, ScriptedEmbedder, ScriptedGenerator, ScriptedReranker

ASK = [Message("user", "hello")]


def test_steps_are_played_in_order_and_requests_are_kept() -> None:
    with ScriptedGenerator(["one", ["t", "wo"], Unavailable("down")]) as generator:
        assert list(generator.generate(ASK)) == ["one"]
        assert list(generator.generate([Message("user", "second")])) == ["t", "wo"]
        with pytest.raises(Unavailable, match="down"):
            list(generator.generate(ASK))
    assert [request[0].content for request in generator.requests] == ["hello", "second", "hello"]


def test_one_call_too_many_is_an_assertion_error() -> None:
    generator = ScriptedGenerator(["one"])
    list(generator.generate(ASK))
    with pytest.raises(AssertionError, match="1 steps"):
        list(generator.generate(ASK))


def test_a_step_that_was_not_played_is_an_assertion_error() -> None:
    with pytest.raises(AssertionError, match="2 of the script's 3"), ScriptedGenerator(["1", "2", "3"]) as generator:
        list(generator.generate(ASK))


def test_another_error_is_not_hidden_by_the_unplayed_step() -> None:
    with pytest.raises(ZeroDivisionError), ScriptedGenerator(["1"]):
        raise ZeroDivisionError


@given(st.text())
def test_cutting_a_step_loses_nothing(text: str) -> None:
    assert "".join(ScriptedGenerator([text]).generate(ASK, max_tokens=10_000)) == text


def test_vectors_are_the_same_in_another_process() -> None:
    code = (
        "from openteller.runtime.scripted import ScriptedEmbedder as E; print(E().embed(['卡 card'], 'query')[0].sum())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(there) == pytest.approx(float(ScriptedEmbedder().embed(["卡 card"], "query")[0].sum()), abs=1e-6)


def test_case_and_script_make_no_difference() -> None:
    upper, lower, traditional, simplified = ScriptedEmbedder().embed(["CARD", "card", "銀行帳戶", "银行账户"], "query")
    assert np.allclose(upper, lower)
    assert float(traditional @ simplified) > 0.4


def test_the_classifier_counts_keywords() -> None:
    classifier = ScriptedClassifier({"card": ["card", "卡"], "loan": ["loan"]})
    (first, second), neutral = classifier.classify(["My CARD, 我的卡", "?"])
    assert (first.label, second.label) == ("card", "loan")
    assert first.probability > 0.99
    assert [one.probability for one in neutral] == [0.5, 0.5]


def test_the_reranker_gives_the_share_of_tokens_found() -> None:
    scores = ScriptedReranker().score(
        "freeze card 冻结", ["Freeze the CARD", "如何冻结", "freeze card 冻结 now", "loan"]
    )
    assert scores.tolist() == pytest.approx([2 / 3, 1 / 3, 1.0, 0.0])
