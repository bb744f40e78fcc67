"""No number without a source; composing stops at the first sentence without ground."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.assistant.composition import Composer, NotGrounded
from openteller.assistant.guardrails import align, numbers, unsupported_numbers
from openteller.core.errors import Unavailable
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
