"""Rasa NLU data: intents, entities in Chinese and English text, and the lines that are wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.core.text import normalise
from openteller.training.datasets.rasa import unmark
from openteller.training.datasets.readers import read
from openteller.training.datasets.records import BadRow, Record

NLU = """\
version: "3.1"
# as Rasa writes it
nlu:
- intent: 查询余额
  examples: |
    - 我的[储蓄卡](account)（尾号１２３４）还有多少钱？
    - 查一下余额

    # a comment
    - 把[①千 元]{"entity": "amount", "value": "1000"}转给[张三]{"entity": "person", "role": "payee"}
- synonym: 储蓄卡
  examples: |
    - 借记卡
- lookup: bank
  examples: |
    - 工行
- regex: number
  examples: |
    - \\d+
- intent: faq/rates
  examples:
  - text: |
      what is the rate on [ Gold ](card:gold) cards
    metadata: {sentiment: neutral}
  - how much [now]{"entity":"date"}
"""


def _spanned(record: Record) -> list[tuple[str, str]]:
    spans = record.fields["spans"]
    assert isinstance(spans, list)
    return [(str(record.fields["text"])[start:end], kind) for start, end, kind in spans]


def test_examples_come_with_label_spans_and_line(tmp_path: Path) -> None:
    (tmp_path / "nlu.yml").write_text(NLU, "utf-8")
    rows = list(read(tmp_path / "nlu.yml"))
    lines = NLU.split("\n")
    assert [r.where for r in rows] == [f"nlu.yml:{n}" for n in (6, 7, 10, 22, 25)]
    assert "尾号" in lines[5]
    assert "张三" in lines[9]
    assert [r.fields["label"] for r in rows] == ["查询余额"] * 3 + ["faq/rates"] * 2
    assert rows[0].fields["text"] == "我的储蓄卡(尾号1234)还有多少钱?"
    assert rows[0].fields["spans"] == [[2, 5, "account"]]
    assert rows[1].fields["spans"] == []
    assert rows[2].fields["text"] == "把1千 元转给张三"
    assert [_spanned(r) for r in rows[2:]] == [
        [("1千 元", "amount"), ("张三", "person")],
        [("Gold", "card")],
        [("now", "date")],
    ]


def test_wrong_examples_are_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "nlu.yaml").write_text(
        """\
nlu:
- intent: a
  examples: |
    - good
    no hyphen
    -
    - [two][{"entity": "a"}, {"entity": "b"}]
    - [x]{"entity": }
    - [x]{"value": "y"}
    - [ ](card)
    - [[x](card)](card)
- intent: none
- story: no
- intent: {a: b}
- text
- intent: list
  examples: [{metadata: 1}, [x]]
""",
        "utf-8",
    )
    bad: list[BadRow] = []
    assert [r.fields["text"] for r in read(tmp_path / "nlu.yaml", on_bad="skip", bad=bad)] == ["good"]
    assert [int(row.where.split(":")[1]) for row in bad] == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 17]
    reasons = " / ".join(row.reason for row in bad)
    for part in ("hyphen", "without text", "cannot be read", "not JSON", "names no entity", "no text", "no examples"):
        assert part in reasons


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("rules: []", "no list `nlu`"),
        ("nlu: text", "no list `nlu`"),
        ("- a", "no list `nlu`"),
        ("nlu:\n- intent: [", "not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("nlu: " + "[" * 5000, "not YAML"),
        ("nlu: []", "empty"),
    ],
)
def test_what_is_no_nlu_file_is_refused(tmp_path: Path, content: str, cause: str) -> None:
    (tmp_path / "nlu.yml").write_text(content, "utf-8")
    with pytest.raises(BadInput) as raised:
        list(read(tmp_path / "nlu.yml"))
    assert cause in raised.value.cause
    assert raised.value.next_step


_PLAIN = st.text(st.characters(exclude_characters="[](){}", exclude_categories=["Cs"]), max_size=8)
_WORD = st.text(st.sampled_from("卡片①ａb9㎏"), min_size=1, max_size=4)


@given(st.lists(st.tuples(_PLAIN, _WORD), max_size=4), _PLAIN)
def test_a_span_covers_its_marked_text(pieces: list[tuple[str, str]], end: str) -> None:
    text, spans = unmark("".join(f"{before}[{word}](card)" for before, word in pieces) + end)
    assert text == normalise("".join(before + word for before, word in pieces) + end)
    assert [text[start:stop] for start, stop, _ in spans] == [normalise(word) for _, word in pieces]
