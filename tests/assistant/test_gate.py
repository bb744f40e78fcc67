"""The gate: two kinds of documents, each in its own order, merged by probability; and a file that cannot be trusted."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.assistant.gate import FEATURES, Gate, Scale, Trees, evidence_of, load_gate, plain
from openteller.core.errors import ModelUnavailable
from openteller.knowledge.records import Document, Hit

SHIPPED = Path("src/openteller/assistant/gate.json")
UNIT = st.floats(0, 1, allow_nan=False)


def hit(name: str, intent: str | None, question: float, body: float, lexical: float, relevance: float | None) -> Hit:
    document = Document(document_id=name, title=name, language="en", group_id=name, intent=intent, answer="Yes.")
    return Hit(
        document=document, passage=name, passage_kind="title", evidence="Yes.", dense=max(question, body),
        question_dense=question, body_dense=body, lexical=lexical, fused=question, rank=1, relevance=relevance,
    )  # fmt: skip


def a_hit(name: str, dense: float) -> Hit:
    document = Document(document_id=name, title=name, language="zh", group_id=name, answer="答")
    return Hit(document=document, passage="问", passage_kind="question", evidence="答", dense=dense, question_dense=dense,
               body_dense=None, lexical=0.1, fused=0.5, rank=1)  # fmt: skip


HITS = st.lists(
    st.tuples(st.sampled_from([None, "fee_inquiry"]), UNIT, UNIT, UNIT, st.none() | UNIT), min_size=1, max_size=8
).map(lambda rows: [hit(f"d{i}", *row) for i, row in enumerate(rows)])


@given(st.decimals(0, 1, places=4).map(float), st.decimals(0, 1, places=4).map(float))
def test_the_gate_orders_and_never_trusts_a_later_hit_more(one: float, two: float) -> None:
    judged = load_gate().judge([a_hit("a", one), a_hit("b", two)], {})
    assert [j.hit.dense for j in judged] == sorted([one, two], reverse=True)
    assert judged[0].probability >= judged[1].probability


@given(hits=HITS, intent=UNIT)
def test_every_hit_is_judged_once_and_no_later_one_is_more_probable(hits: list[Hit], intent: float) -> None:
    judged = load_gate().judge(hits, {"fee_inquiry": intent})
    chances = [each.probability for each in judged]
    assert sorted(each.hit.document.document_id for each in judged) == sorted(h.document.document_id for h in hits)
    assert chances == sorted(chances, reverse=True)
    assert all(0 <= chance <= 1 for chance in chances)


@given(hits=HITS, intent=UNIT)
def test_intents_are_not_heard_about_documents_without_one(hits: list[Hit], intent: float) -> None:
    bare = [h.model_copy(update={"document": h.document.model_copy(update={"intent": None})}) for h in hits]
    gate = load_gate()
    assert gate.judge(bare, {"fee_inquiry": intent, "out_of_scope": 1 - intent}) == gate.judge(bare, {})


@given(st.data(), st.sampled_from([name for name, sign in FEATURES.items() if sign]), st.floats(0, 2))
def test_more_evidence_for_a_hit_never_makes_it_less_probable(data: st.DataObject, name: str, more: float) -> None:
    row = np.array([[data.draw(st.floats(-1, 1)) for _ in FEATURES]])
    raised = row.copy()
    raised[0, list(FEATURES).index(name)] += FEATURES[name] * more
    gate = load_gate()
    for trees in (gate.with_intent.trees, gate.plain.trees):
        assert trees.log_odds(raised)[0] >= trees.log_odds(row)[0] - 1e-4


def one_leaf(bias: float) -> Trees:
    zeros = np.zeros(1, np.int64)
    return Trees(zeros, np.zeros(1), zeros, zeros, np.zeros(1), zeros, 0, bias)


def test_each_kind_keeps_its_own_order() -> None:
    gate = Gate(Scale({"question": 1.0}, one_leaf(0.0), 0.4, 0.1), Scale({"body": 1.0}, one_leaf(2.0), 0.9, 0.8))
    hits = [
        hit("a", "fee_inquiry", 0.2, 0.9, 0, None),
        hit("b", "fee_inquiry", 0.8, 0.1, 0, None),
        hit("c", None, 0.8, 0.1, 0, None),
        hit("d", None, 0.2, 0.9, 0, None),
    ]
    judged = gate.judge(hits, {})
    assert [each.hit.document.document_id for each in judged] == ["d", "c", "b", "a"]
    assert [round(each.probability, 2) for each in judged] == [0.88, 0.88, 0.5, 0.5]
    assert [gate.answers(each) for each in judged] == [False, False, True, True]
    assert all(gate.asks_back(each) for each in judged)


def test_no_hits_no_judgement() -> None:
    assert load_gate().judge([], {}) == []


def test_plain_rows_say_nothing_of_intents_and_reranker() -> None:
    rows = evidence_of([hit("a", "fee_inquiry", 0.5, 0.5, 0.5, 0.9)], {"fee_inquiry": 0.9, "out_of_scope": 0.1})
    changed = np.flatnonzero(rows[0] != plain(rows)[0])
    assert [list(FEATURES)[i] for i in changed] == ["relevance", "intent", "out_of_scope", "certainty"]


def test_no_gate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="gate cannot be read"):
        load_gate(tmp_path / "gate.json")


@pytest.mark.parametrize("damage", ["", "{", "{}", "[]", "[1]", "not json", "with_intent", "plain"])
def test_a_damaged_gate_is_refused(tmp_path: Path, damage: str) -> None:
    whole = json.loads(SHIPPED.read_text("utf-8"))
    if damage in whole:
        whole[damage]["trees"]["left"][0] = 10**6
        damage = json.dumps(whole)
    (tmp_path / "gate.json").write_text(damage, "utf-8")
    with pytest.raises(ModelUnavailable, match="gate cannot be read"):
        load_gate(tmp_path / "gate.json")
