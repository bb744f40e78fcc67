"""Tasks: how records are read, what a batch holds, and that the spans and rankings come out as they went in."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from openteller.core.errors import BadInput
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.datasets.records import Record
from openteller.training.tasks.catalogue import TASKS, task_named
from openteller.training.tasks.embedding import Embedding, info_nce
from openteller.training.tasks.reranking import Reranking, relevance_loss
from openteller.training.tasks.sequences import Classification, MultiLabelClassification, at_least_two
from openteller.training.tasks.tokens import TokenClassification, spans_of, tag_ids


@pytest.fixture(scope="module")
def tokenizer(data_dir) -> Tokenizer:  # type: ignore[no-untyped-def]
    return build_tokenizer(load_backbone(Catalogue(data_dir).locate("small")), max_tokens=64)


def record(**fields: object) -> Record:
    return Record("rows.jsonl:1", fields)


def test_a_task_is_found_by_name_and_an_unknown_one_lists_them() -> None:
    assert task_named("tokens") is TASKS["tokens"]
    with pytest.raises(BadInput, match="sentiment") as error:
        task_named("sentiment")
    assert "multi-label" in str(error.value.next_step)


@pytest.mark.parametrize(
    ("task", "fields", "reason"),
    [
        ("classification", {"label": "a"}, "text is missing"),
        ("classification", {"text": 7, "label": "a"}, "text is int"),
        ("classification", {"text": "x", "label": None}, "not a label"),
        ("classification", {"text": "x", "label": 1.5}, "not a label"),
        ("pair-classification", {"text": "x", "label": 1}, "pair is missing"),
        ("multi-label", {"text": "x", "labels": 7}, "not a list"),
        ("tokens", {"text": "abc", "spans": [[2, 9, "x"]]}, "no span"),
        ("tokens", {"text": "abc", "spans": [[0, 2, "x"], [1, 3, "y"]]}, "overlap"),
        ("tokens", {"text": "abc", "spans": ["a"]}, "no span"),
        ("embedding", {"text": "x", "pair": "y", "negatives": [1]}, "list of texts"),
        ("embedding", {"text": "x"}, "pair is missing"),
        ("reranking", {"text": "x", "pair": "y"}, "not a label"),
        ("reranking", {"text": "x", "pair": "y", "label": 2}, "neither 1 nor 0"),
    ],
)
def test_a_record_that_does_not_fit_says_why(task: str, fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TASKS[task].example(record(**fields), {})


def test_columns_are_renamed_and_labels_become_text() -> None:
    task = Classification(pair=True)
    example = task.example(record(question="卡丢了", sentence="请挂失", score=1.0), {
        "text": "question", "pair": "sentence", "label": "score"
    })  # fmt: skip
    assert (example.texts, example.gold, example.stratum) == (("卡丢了", "请挂失"), "1", "1")
    assert example.key == "卡丢了\n请挂失"


def test_labels_are_in_order_of_value() -> None:
    assert at_least_two({"10", "9", "b", "a"}) == ("9", "10", "a", "b")
    with pytest.raises(BadInput, match="1 label"):
        at_least_two({"a"})


def test_a_label_that_training_does_not_know_is_out_of_scope(tokenizer: Tokenizer) -> None:
    task = Classification()
    examples = [task.example(record(text=t, label=k), {}) for t, k in (("a", "x"), ("b", "y"), ("c", "z"))]
    rows = [task.features(e, tokenizer, ("x", "y")) for e in examples]
    assert [row["target"] for row in rows] == [0, 1, -1]
    found = task.predictions(task.rows_of(np.eye(3)[:, :2], rows), examples, rows, ("x", "y"))
    assert found.gold.tolist() == [0, 1, -1]  # type: ignore[union-attr]


def test_any_number_of_labels_none_included(tokenizer: Tokenizer) -> None:
    task = MultiLabelClassification()
    examples = [task.example(record(text="t", labels=labels), {}) for labels in (["b", "a"], "a | c", None)]
    assert [e.gold for e in examples] == [("a", "b"), ("a", "c"), ()]
    labels = task.labels(examples)
    batch = task.collate([task.features(e, tokenizer, labels) for e in examples], 1)
    assert batch["target"].tolist() == [[1, 1, 0], [1, 0, 1], [0, 0, 0]]
    with pytest.raises(BadInput, match="No row has a label"):
        task.labels(examples[2:])


SPANNED = [
    ("请转500元给王小明", [(2, 6, "amount"), (7, 10, "person")]),
    ("send 500 yuan to Ann", [(5, 13, "amount"), (17, 20, "person")]),
    ("三年期", [(0, 3, "term")]),
    ("无", []),
]


@pytest.mark.parametrize(("text", "spans"), SPANNED)
def test_tags_spell_the_spans_they_were_made_of(tokenizer: Tokenizer, text: str, spans: list[object]) -> None:
    task = TokenClassification()
    examples = [task.example(record(text=t, spans=[list(s) for s in found]), {}) for t, found in SPANNED]
    labels = task.labels(examples)
    example = task.example(record(text=text, spans=[list(s) for s in spans]), {})  # type: ignore[call-overload]
    row = task.features(example, tokenizer, labels)
    logits = np.eye(len(labels))[[max(tag, 0) for tag in row["target"]]]
    (found,) = task.predictions([logits], [example], [row], labels).predicted  # type: ignore[union-attr]
    # The small vocabulary may glue a space to a token; what counts is that the words are found.
    assert {(text[a:b].strip(), kind) for a, b, kind in found} == {(text[a:b], kind) for a, b, kind in example.gold}  # type: ignore[misc,union-attr]


@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=12))
def test_spans_of_any_tags_are_apart_and_of_known_types(tags: list[str]) -> None:
    spans = sorted(spans_of(tags, [(i, i + 1) for i in range(len(tags))], [0] * len(tags)))
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert sum(b - a for a, b, _ in spans) == sum(tag != "O" for tag in tags)


def test_two_spans_of_one_type_side_by_side_stay_two(tokenizer: Tokenizer) -> None:
    encoding = tokenizer.encode("ab cd")
    ids = tag_ids(encoding, [(0, 2, "x"), (3, 5, "x")], ("O", "B-x", "I-x"))
    assert sum(i == 1 for i in ids) == 2


def test_info_nce_against_hand_worked_values() -> None:
    vectors = torch.eye(4)[[0, 1, 0, 1]]
    right = info_nce(vectors, torch.tensor([0, 1]), 1.0)
    assert right.item() == pytest.approx(-math.log(math.e / (math.e + 1)))
    with_negative = info_nce(torch.cat([vectors, torch.eye(4)[2:3]]), torch.tensor([0, 1]), 1.0)
    hard = -math.log(math.e / (math.e + 2))
    assert with_negative.item() == pytest.approx((hard + right.item()) / 2)
    assert info_nce(vectors, torch.tensor([7, 7]), 1.0).item() == pytest.approx(0.0)


def test_pairs_of_one_label_are_partners_and_never_oneself(tokenizer: Tokenizer) -> None:
    task = Embedding(labelled=True)
    examples = [task.example(record(text=t, label=t[0]), {}) for t in ("a1", "a2", "b1", "b2", "c1")]
    rows = task.trained_on([task.features(e, tokenizer, ()) for e in examples])
    assert [row["partners"] == [row["ids"][0]] for row in rows] == [False, False, False, False, True]
    batch = task.collate(rows, 1)
    assert batch["input_ids"].shape[0] == 10
    assert batch["group"].tolist() == [0, 0, 1, 1, 2]
    vectors = [np.stack([v, v]) for v in np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.5, 0.5]])]
    found = task.predictions(vectors, examples, rows, ())
    assert [g.tolist() for g in found.gold[:2]] == [[1, 0, 0, 0], [1, 0, 0, 0]]  # type: ignore[union-attr]
    with pytest.raises(BadInput, match="no pairs"):
        task.labels(examples[::2])


def test_hard_negatives_follow_the_pairs(tokenizer: Tokenizer) -> None:
    task = Embedding()
    examples = [
        task.example(record(text="a", pair="b", negatives=["c", "d"]), {}),
        task.example(record(text="e", pair="f"), {}),
    ]
    rows = [task.features(e, tokenizer, ()) for e in examples]
    batch = task.collate(task.trained_on(rows), 1)
    assert batch["input_ids"].shape[0] == 6
    assert batch["pairs"].tolist() == [0, 1]
    logits = np.arange(12, dtype=float).reshape(6, 2)
    assert task.rows_of(logits, rows)[1].tolist() == [[2, 3], [6, 7]]


CANDIDATES = [
    ("卡丢了怎么办", "挂失银行卡", 1),
    ("卡丢了怎么办", "房贷利率", 0),
    ("卡丢了怎么办", "开户材料", 0),
    ("天气怎么样", "房贷利率", 0),
]


def test_a_query_is_trained_on_once_with_its_rivals_and_ranked_over_all_of_them(tokenizer: Tokenizer) -> None:
    task = Reranking(rivals=3)
    examples = [task.example(record(text=q, pair=c, label=y), {}) for q, c, y in CANDIDATES]
    assert task.labels(examples) == ("relevant",)
    rows = [task.features(e, tokenizer, ("relevant",)) for e in examples]
    trained = task.trained_on(rows)
    assert [(row["relevant"], len(row["rivals"])) for row in trained] == [(True, 2), (False, 1)]
    batch = task.collate(trained, 1)
    assert batch["target"].tolist() == [1, 0, 0, 0]
    assert batch["lists"].tolist() == [[0, 1, 2, -1]]
    scores = task.rows_of(np.array([[2.0], [3.0], [1.0], [0.0]]), rows)
    found = task.predictions(scores, examples, rows, ("relevant",))
    assert [g.tolist() for g in found.gold] == [[1, 0, 0], [0]]  # type: ignore[union-attr]
    assert found.ranked[0].tolist() == [0, 1, 0]  # type: ignore[union-attr]


def test_a_relevant_pair_may_bring_its_negatives(tokenizer: Tokenizer) -> None:
    task = Reranking()
    examples = [task.example(record(text="a", pair="b", negatives=["c", "d"]), {})]
    assert (examples[0].gold, task.labels(examples)) == ("1", ("relevant",))
    rows = [task.features(e, tokenizer, ()) for e in examples]
    assert len(task.trained_on(rows)[0]["rivals"]) == 2
    assert task.collate(rows, 1)["input_ids"].shape[0] == 3
    found = task.predictions(task.rows_of(np.array([[2.0], [3.0], [1.0]]), rows), examples, rows, ())
    assert found.gold[0].tolist() == [1, 0, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("q", "a", 1), ("q", "b", 1)], "2 are relevant and 0 name"),
        ([("q", "a", 0)], "0 are relevant"),
    ],
)
def test_a_reranker_needs_both_what_is_relevant_and_what_is_not(rows: list[tuple[str, str, int]], said: str) -> None:
    task = Reranking()
    with pytest.raises(BadInput) as error:
        task.labels([task.example(record(text=q, pair=c, label=y), {}) for q, c, y in rows])
    assert said in str(error.value.cause)


def test_the_list_loss_against_hand_worked_values() -> None:
    scores, target = torch.zeros(3), torch.tensor([1.0, 0.0, 0.0])
    binary = (2 + 1 + 1) * math.log(2) / 3
    none = torch.empty(0, 3, dtype=torch.long)
    assert relevance_loss(scores, target, none).item() == pytest.approx(binary)
    lists = torch.tensor([[0, 1, -1]])
    assert relevance_loss(scores, target, lists).item() == pytest.approx(binary + math.log(2) / 2)
