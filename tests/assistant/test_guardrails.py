"""No number without a source; composing stops at the first sentence without ground; the gate orders."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.assistant.composition import Composer, NotGrounded
from openteller.assistant.gate import FEATURES, load_gate
from openteller.assistant.guardrails import align, numbers, unsupported_numbers
from openteller.core.errors import ModelUnavailable, Unavailable
from openteller.knowledge.records import Document, Hit
from openteller.runtime.scripted import ScriptedEmbedder, ScriptedGenerator

PASSAGE = "一年期定期存款的年利率为1.25%，五十元起存。"


@given(st.sets(st.integers(0, 10**9)), st.sets(st.integers(0, 10**9)))
def test_exactly_the_numbers_without_source_are_found(said: set[int], sourced: set[int]) -> None:
    found = unsupported_numbers(" x ".join(f"a {n}" for n in said), [" x ".join(map(str, sourced))])
    assert found == {Decimal(n) for n in said - sourced}


def test_list_markers_do_not_count_and_chinese_numerals_do() -> None:
    assert unsupported_numbers("1. 打开手机\n2、确认", []) == set()
    assert numbers("五十元起存，百分之三，十二个月，两万元") == {Decimal(50), Decimal(3), Decimal(12), Decimal(20000)}
    assert unsupported_numbers("三十天内到账", ["30 天内到账"]) == set()


def test_alignment_points_at_the_nearest_passage() -> None:
    (one,) = align("信用卡年费", ["房贷提前还款", "信用卡年费"], ScriptedEmbedder())
    assert one.passage == 1
    assert one.support == pytest.approx(1, abs=1e-5)


def compose(step: str | Exception) -> list[str]:
    with ScriptedGenerator([step]) as generator:
        composer = Composer(generator, ScriptedEmbedder(), {"zh": "松湾银行", "en": "Pinebay"})
        return list(composer.compose("利率多少", [PASSAGE], "zh"))


def test_a_grounded_sentence_passes() -> None:
    assert "".join(compose(PASSAGE)) == PASSAGE


def test_an_invented_rate_or_an_unrelated_sentence_does_not() -> None:
    with pytest.raises(NotGrounded):
        compose("一年期定期存款的年利率为3.75%。")
    with pytest.raises(NotGrounded):
        compose("今天天气晴朗适合郊游。")


def test_a_silent_engine_is_unavailable() -> None:
    for step in (Unavailable("down"), ""):
        with pytest.raises(Unavailable):
            compose(step)


def a_hit(name: str, dense: float) -> Hit:
    document = Document(document_id=name, title=name, language="zh", group_id=name, answer="答")
    return Hit(document=document, passage="问", passage_kind="question", evidence="答", dense=dense, question_dense=dense,
               body_dense=None, lexical=0.1, fused=0.5, rank=1)  # fmt: skip


@given(st.decimals(0, 1, places=4).map(float), st.decimals(0, 1, places=4).map(float))
def test_the_gate_orders_and_never_trusts_a_later_hit_more(one: float, two: float) -> None:
    judged = load_gate().judge([a_hit("a", one), a_hit("b", two)], {})
    assert [j.hit.dense for j in judged] == sorted([one, two], reverse=True)
    assert judged[0].probability >= judged[1].probability


@given(st.data(), st.sampled_from([name for name, sign in FEATURES.items() if sign]), st.floats(0, 2))
def test_more_evidence_for_a_hit_never_makes_it_less_probable(data: st.DataObject, name: str, more: float) -> None:
    row = np.array([[data.draw(st.floats(-1, 1)) for _ in FEATURES]])
    raised = row.copy()
    raised[0, list(FEATURES).index(name)] += FEATURES[name] * more
    trees = load_gate().trees
    assert trees.log_odds(raised)[0] >= trees.log_odds(row)[0] - 1e-4


def test_the_gate_without_hits() -> None:
    assert load_gate().judge([], {"card_lost_stolen": 0.9}) == []


_LEADING_NOWHERE = """{"rank": {}, "answer_at": 0.9, "clarify_at": 0.2, "trees": {"feature": [0], "threshold": [0], "left": [7],
"right": [0], "value": [0], "roots": [0], "depth": 1, "bias": 0}}"""


@pytest.mark.parametrize("content", [None, "{", "{}", "[]", _LEADING_NOWHERE])
def test_a_damaged_gate_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "gate.json").write_text(content)
    with pytest.raises(ModelUnavailable):
        load_gate(tmp_path / "gate.json")
