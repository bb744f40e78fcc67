"""Authored lines, and every authored file that the project holds."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.training.examples import (
    ENTITY_TYPES,
    SENTIMENTS,
    Example,
    Taxonomy,
    article_questions,
    authored,
    faq_questions,
    held_out,
    mapped,
    parse_line,
    read_taxonomy,
    same_label,
)

TAXONOMY = Taxonomy({"transfer_how": ("payments",), "greeting": ()}, ("payments", "saving"))


@pytest.fixture(scope="module")
def taxonomy(root: Path) -> Taxonomy:
    return read_taxonomy(root / "recipes/data/understanding/TAXONOMY.yaml")


@pytest.fixture(scope="module")
def own(root: Path, taxonomy: Taxonomy) -> list[Example]:
    return list(authored(root / "recipes/data/understanding", taxonomy))


def test_a_line_is_parsed_with_its_spans() -> None:
    example = parse_line("给[王芳](person)转[5000元](amount) | negative | saving", "transfer_how", TAXONOMY)
    assert example.text == "给王芳转5000元"
    assert example.spans is not None
    assert [(example.text[s:e], kind) for s, e, kind in example.spans] == [("王芳", "person"), ("5000元", "amount")]
    assert (example.sentiment, example.needs) == ("negative", ("saving",))


def test_what_a_line_leaves_out_follows_from_its_intent() -> None:
    example = parse_line("怎么转账", "transfer_how", TAXONOMY)
    assert (example.sentiment, example.needs, example.spans) == ("neutral", ("payments",), ())
    assert parse_line("怎么转账 |  | -", "transfer_how", TAXONOMY).needs == ()


@pytest.mark.parametrize(
    ("line", "intent"),
    [
        ("转账 | angry", "transfer_how"),
        ("转账 | neutral | flying", "transfer_how"),
        ("给[王芳](friend)转账", "transfer_how"),
        (" | neutral", "transfer_how"),
        ("[ 王芳](person)收", "transfer_how"),
        ("转账", "unheard_of"),
    ],
)
def test_a_wrong_line_is_refused(line: str, intent: str) -> None:
    with pytest.raises(BadInput):
        parse_line(line, intent, TAXONOMY)


def test_all_authored_lines_parse_with_known_labels(own: list[Example], taxonomy: Taxonomy) -> None:
    assert len(own) > 3000
    assert {e.intent for e in own} == set(taxonomy.intents)
    for example in own:
        assert example.sentiment in SENTIMENTS
        assert set(example.needs or ()) <= set(taxonomy.needs)
        assert example.text == normalise(example.text)
        assert "](" not in example.text, example.text
        assert all(kind in ENTITY_TYPES and 0 <= s < e <= len(example.text) for s, e, kind in example.spans or ())


def test_no_authored_text_has_two_intents(own: list[Example]) -> None:
    intents: dict[str, set[str]] = defaultdict(set)
    for example in own:
        intents[fold(example.text)].add(example.intent or "")
    assert {text: found for text, found in intents.items() if len(found) > 1} == {}


def test_article_questions_ask_for_known_intents(root: Path, taxonomy: Taxonomy) -> None:
    questions = list(article_questions(root / "src/openteller/demo/bank/articles"))
    assert len(questions) > 500
    assert {q.intent for q in questions} <= set(taxonomy.intents)
    assert all(q.group and q.text for q in questions)


@pytest.mark.parametrize("name", ["banking77", "clinc150"])
def test_public_labels_are_mapped_to_known_intents(root: Path, taxonomy: Taxonomy, name: str) -> None:
    rules = yaml.safe_load((root / f"recipes/data/mappings/{name}.yaml").read_text("utf-8"))
    assert rules
    assert {intent for intent in rules.values() if intent} <= set(taxonomy.intents)


def test_mapped_takes_so_many_of_each_known_label(tmp_path: Path) -> None:
    rows = ['{"text": "a\u2028b", "label": "x"}', '{"text": "c", "label": "x"}', '{"text": "d", "label": "y"}', ""]
    (tmp_path / "t.jsonl").write_text("\n".join(rows), "utf-8")
    assert [e.text for e in mapped(tmp_path / "t.jsonl", {"x": "greeting"}, "s", 1)] == [normalise("a\u2028b")]
    assert len(list(mapped(tmp_path / "t.jsonl", {"*": "greeting"}, "s", 5))) == 3


def test_the_split_never_changes() -> None:
    texts = ["开户需要带什么证件", "hello there", "怎么转账", "挂失", "my balance please", "基金赎回几天到账", "hi"]
    assert [held_out(t) for t in texts] == [held_out(t) for t in texts]
    assert held_out("開戶 ABC") == held_out("开户 abc")
    many = [held_out(f"question {i}") for i in range(4000)]
    assert 0.13 < sum(many) / 4000 < 0.17
    assert sum(many) == sum(held_out(f"QUESTION {i} ") for i in range(4000))
    assert all(held_out(f"q{i}", 0.3) for i in range(500) if held_out(f"q{i}", 0.15))


def test_public_texts_by_their_own_label(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(
        '{"text": "card lost", "label": "lost_card"}\n\n{"text": "where is my card", "label": "lost_card"}\n'
        '{"text": "alone", "label": "one"}\n'
    )
    (texts,) = same_label(tmp_path / "train.jsonl", "public")
    assert [(e.text, e.intent, e.group) for e in texts] == [
        ("card lost", None, "public/lost_card"),
        ("where is my card", None, "public/lost_card"),
    ]


def test_an_entry_of_a_faq_is_one_group(tmp_path: Path) -> None:
    row = {"topic": "t", "question": "What is it?", "asked": ["what's that", "huh"], "answer": "A card."}
    (tmp_path / "en.jsonl").write_text("\n".join([json.dumps(row)] * 2) + "\n")
    found = list(faq_questions(tmp_path))
    assert [e.text for e in found[:4]] == ["What is it?", "what's that", "huh", "A card."]
    assert [e.group for e in found] == ["en/00001"] * 4 + ["en/00002"] * 4
    assert {e.intent for e in found} == {None}


def test_the_shipped_faq_entries_are_whole_and_told_apart(root: Path) -> None:
    rows = [
        json.loads(line)
        for path in sorted((root / "recipes/data/retrieval").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    assert len(rows) >= 600
    for row in rows:
        assert set(row) == {"topic", "question", "asked", "answer"}, row
        assert len(row["asked"]) == 3, row
        assert all(text.strip() for text in (row["topic"], row["question"], row["answer"], *row["asked"])), row
    wordings = [fold(text) for row in rows for text in (row["question"], *row["asked"])]
    twice = [text for text, times in Counter(wordings).items() if times > 1]
    assert len(twice) <= 5, twice


@pytest.mark.parametrize("line", ["{", "[]", "7", '{"question": "q", "asked": []}', '{"question": "q", "answer": "a"}'])
def test_a_line_that_is_no_entry_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "en.jsonl").write_text(line)
    with pytest.raises(BadInput, match=r"Line 1 of en\.jsonl"):
        list(faq_questions(tmp_path))
