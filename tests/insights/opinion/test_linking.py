"""Who is named: every alias, with boundaries, unsure ones only in context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.records import LocalText
from openteller.core.text import fold
from openteller.insights.opinion.linking import Automaton, EntityLinker
from openteller.insights.opinion.records import Alias, Entity, EntityKind
from tests.insights.opinion.given import ENTITIES


@given(st.lists(st.text("abc银行", min_size=1, max_size=4), min_size=1, max_size=6), st.text("abc银行", max_size=30))
def test_every_occurrence_is_found(patterns: list[str], text: str) -> None:
    found = {(span.start, span.end, pattern) for span, pattern in Automaton(patterns).find(text)}
    looked = {
        (start, start + len(pattern), pattern)
        for pattern in patterns
        for start in range(len(text))
        if text.startswith(pattern, start)
    }
    assert found == looked


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("松湾银行今天开业", ["pinebay"]),
        ("松灣銀行", ["pinebay"]),
        ("去松湾玩了一天", []),
        ("松湾的存款利率", ["pinebay"]),
        ("PINEBAY bank and Larkfield Securities", ["pinebay", "larkfield"]),
        ("pinebaybank.example", []),
        ("Pinebay的App", ["pinebay"]),
        ("青禾涨停,松湾银行参股", ["larkfield", "pinebay"]),
    ],
)
def test_who_is_named(text: str, named: list[str]) -> None:
    assert [found.entity.id for found in EntityLinker(ENTITIES).find(text)] == named


def test_the_longest_name_counts_and_its_place_is_said() -> None:
    text = "听说松湾银行松湾存款"
    (found,) = EntityLinker(ENTITIES).find(text)
    assert [fold(text)[span.start : span.end] for span in found.spans] == ["松湾银行", "松湾"]


def test_a_short_name_inside_another_word_does_not_count() -> None:
    name = LocalText(zh="招商银行", en="Merchants")
    linker = EntityLinker(
        [Entity(id="m", kind=EntityKind.PEER, name=name, aliases=(Alias(text="商银"), Alias(text="招行")))]
    )
    assert [len(found.spans) for found in linker.find("招商银行和招行")] == [2]
    assert not linker.find("工商银行")


def test_a_name_of_two_entities_needs_context() -> None:
    two = [
        Entity(id=one, kind=EntityKind.COMPANY, name=LocalText(zh=f"东方{one}", en=one), aliases=(Alias(text="东方公司"),), context=(word,))
        for one, word in (("a", "医药"), ("b", "航运"))
    ]  # fmt: skip
    linker = EntityLinker(two)
    assert not linker.find("东方公司发布公告")
    assert [found.entity.id for found in linker.find("东方公司的航运业务")] == ["b"]
