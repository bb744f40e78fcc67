import json

import pytest

from openteller.core.errors import BadInput, UnreadableFile
from openteller.knowledge.readers import json_lines


def _read(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [(p.key, p.questions, p.answer) for p in json_lines.read(text.encode(), "a.jsonl").pairs]


def test_groups_of_entries() -> None:
    line = {
        "id": "2",
        "entries": [{"question": "特點？", "answers": ["入帳", "輕鬆"]}, {"question": "費用？", "answers": ["免"]}],
    }
    found = _read(json.dumps(line, ensure_ascii=False) + "\n\n")
    assert found == [("2.1", ("特點？",), "入帳\n輕鬆"), ("2.2", ("費用？",), "免")]


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 5, "question": "a", "answer": "b"}',
        '[{"id": "5", "questions": ["a"], "answers": ["b"]}]',
        '{"qna": [{"qid": "5", "q": ["a"], "a": "b"}]}',
        '{"id": "5", "question": "a", "answer": "b", "nested": {"x": [1]}}\n',
    ],
)
def test_plain_pairs_in_all_shapes(text: str) -> None:
    assert _read(text) == [("5", ("a",), "b")]


def test_incomplete_rows_are_named() -> None:
    reading = json_lines.read(b'{"question": "a", "answer": "b"}\n{"question": "c"}\n7\n', "a.jsonl")
    assert len(reading.pairs) == 1
    assert [p.row for p in reading.problems] == [2, 3]


@pytest.mark.parametrize("text", ['{"question": "a", "answer": "b"}\n{"question', "[" * 100_000, "hello"])
def test_broken_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _read(text)
    assert "is not JSON at line" in str(caught.value)


def test_no_pair_at_all() -> None:
    with pytest.raises(BadInput):
        _read('{"a": 1}')
