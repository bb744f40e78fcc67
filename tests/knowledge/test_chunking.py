import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.knowledge.chunking import CHUNK_SIZE, chunks, passages, size
from openteller.knowledge.records import Document

_WORDS = st.lists(
    st.sampled_from(
        [
            "转账",
            "限额",
            "每日五万元。",
            "。",
            "，",
            "the ",
            "fee ",
            "is {{A.fee.b}}. ",
            "Then\n",
            "\n\n# 费用\n",
            "x" * 80,
        ]
    ),
    max_size=400,
).map("".join)


def _bare(text: str) -> str:
    return re.sub(r"[\s#]+", "", text)


def test_chunks_end_with_sentences_and_repeat_the_last_one() -> None:
    lines = [f"第{i}条规定说明客户每日转账的限额与手续费的收取办法。" for i in range(40)]
    found = chunks("".join(lines))
    assert len(found) > 3
    assert all(size(chunk) <= CHUNK_SIZE * 1.3 for chunk in found)
    assert all(chunk.endswith("。") for chunk in found)
    for one, two in pairwise(found):
        last = one.split("。")[-2] + "。"
        assert two.startswith(last)
        assert two != last


def test_english_chunks_are_about_120_words() -> None:
    text = " ".join(f"Sentence number {i} tells how a transfer fee is worked out." for i in range(60))
    found = chunks(text)
    assert all(100 <= len(chunk.split()) <= 150 for chunk in found[:-1])
    assert "out. Sentence" in found[0]


def test_each_chunk_stands_under_its_heading() -> None:
    found = chunks("# 转账\n每日限额五万元。\n## 手续费\n免费。\n- 跨境除外。\n### 空\n")
    assert found == ("转账\n每日限额五万元。", "手续费\n免费。\n- 跨境除外。")


def test_a_long_sentence_is_cut_after_a_clause_and_never_within_a_placeholder() -> None:
    sentence = "一年期存款利率为{{TD-CNY.rate.12M}}，" * 60
    found = chunks(sentence)
    assert all(chunk.count("{{TD-CNY.rate.12M}}") == chunk.count("{{") == chunk.count("}}") for chunk in found)
    assert all(chunk.endswith("，") for chunk in found)
    assert "".join(found) == sentence


@given(_WORDS)
def test_nothing_is_lost_and_nothing_is_much_too_large(body: str) -> None:
    found = chunks(body)
    assert all(chunk.strip() for chunk in found)
    assert all(size(chunk) <= CHUNK_SIZE * 1.5 for chunk in found)
    together = _bare("".join(found))
    for line in body.splitlines():
        for sentence in re.split(r"(?<=[。])|(?<=\. )", line):
            if size(sentence) < CHUNK_SIZE / 3 and not line.startswith("#"):
                assert _bare(sentence) in together


@given(st.text(max_size=3_000))
def test_any_text_can_be_cut(body: str) -> None:
    assert all(size(chunk) <= CHUNK_SIZE * 1.5 for chunk in chunks(body))


def test_passages_are_questions_then_title_then_answer() -> None:
    document = Document(
        document_id="a",
        title="怎么挂失",
        language="zh",
        group_id="a",
        questions=("卡丢了", "掛失", "挂失"),
        answer="请致电客服。",
    )
    assert [(p.ordinal, p.kind, p.text) for p in passages(document)] == [
        (0, "question", "卡丢了"),
        (1, "question", "掛失"),
        (2, "title", "怎么挂失"),
        (3, "body", "请致电客服。"),
    ]


def test_a_title_that_is_a_question_is_one_passage() -> None:
    document = Document(
        document_id="a", title="Lost Card?", language="en", group_id="a", questions=("lost card?",), answer="Call us."
    )
    assert [p.kind for p in passages(document)] == ["question", "body"]


@pytest.mark.parametrize(("answer", "heading"), [("可以。", "能改地址吗"), ("请登录手机银行，" * 12, "")])
def test_a_short_answer_is_indexed_below_the_title(answer: str, heading: str) -> None:
    document = Document(document_id="a", title="能改地址吗", language="zh", group_id="a", answer=answer)
    assert [p.heading for p in passages(document)] == ["", heading]


def test_a_long_body_beside_a_short_answer_stays_without_the_title() -> None:
    document = Document(
        document_id="a", title="能改地址吗", language="zh", group_id="a", body="请登录手机银行，" * 12, answer="可以。"
    )
    assert [(p.text[:3], p.heading) for p in passages(document)[1:]] == [("请登录", ""), ("可以。", "能改地址吗")]
