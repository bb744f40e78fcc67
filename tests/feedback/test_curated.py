"""Curated examples: the newest decision on a text counts, and a file of them reads back as it was."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from openteller.core.errors import UnreadableFile
from openteller.feedback import curated
from openteller.feedback.records import Correction, Curated, Head, Status
from tests.feedback.desk import example

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def accepted(text: str, label: str, minutes: int, head: Head = Head.INTENT) -> Correction:
    moment = NOON + timedelta(minutes=minutes)
    return Correction(
        id=uuid4(), text=text, head=head, labels=(label,), author="li", created_at=NOON, status=Status.ACCEPTED,
        reviewer="wang", reviewed_at=moment,
    )  # fmt: skip


def test_the_newest_decision_on_a_text_and_head_counts() -> None:
    rows = curated.newest(
        [
            accepted("開戶 ABC", "b", 3),
            accepted("开户 abc", "a", 1),
            accepted("开户 abc", "negative", 2, Head.SENTIMENT),
            accepted("other", "a", 2),
        ]
    )
    assert [(row.text, row.labels) for row in rows] == [
        ("开户 abc", ("negative",)),
        ("other", ("a",)),
        ("開戶 ABC", ("b",)),
    ]


def test_a_file_reads_back(tmp_path: Path) -> None:
    rows = (example('a\u2028b\n"c"', "x"), example("无", "-", head=Head.NEEDS))
    curated.write(tmp_path / "c.jsonl", rows)
    assert curated.read(tmp_path / "c.jsonl") == rows
    assert [row.gold for row in rows] == [("x",), ()]
    curated.write(tmp_path / "c.jsonl", ())
    assert curated.read(tmp_path / "c.jsonl") == ()


@pytest.mark.parametrize("body", [b"{", b'{"text": "a"}\n', b"\xff\xfe", b"[]"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "c.jsonl").write_bytes(body)
    for path in (tmp_path / "c.jsonl", tmp_path / "none.jsonl"):
        with pytest.raises(UnreadableFile, match="cannot be read"):
            curated.read(path)


def test_an_example_is_what_was_accepted() -> None:
    correction = accepted("a", "b", 1)
    assert Curated.of(correction).model_dump() == {
        "id": correction.id, "text": "a", "head": Head.INTENT, "labels": ("b",), "reviewed_at": correction.reviewed_at,
    }  # fmt: skip
