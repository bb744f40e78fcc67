"""`teller feedback` as a person meets it."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from openteller.cli.main import run
from openteller.cli.registered import actor
from openteller.feedback import curated
from openteller.store.database import Database
from tests.feedback.desk import asked

RIGHT = ["--head", "intent", "--label", "card_atm_trouble"]


@pytest.fixture(autouse=True)
def installation(data_dir: Path) -> None:
    """A data directory of its own, over the run's database."""


def teller(*arguments: str) -> int:
    return run(["feedback", *arguments])


def test_from_the_queue_to_a_file(clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("queue") == 0
    assert "No turn waits" in capsys.readouterr().out
    assert teller("list") == 0
    assert "no such correction" in capsys.readouterr().out
    trace_id = str(asked(clean, "卡被吞了", rating=1))
    assert teller("queue") == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in (trace_id, "卡被吞了", "rated 1 of 5"))
    assert teller("correct", "--trace", trace_id, *RIGHT) == 0
    assert "pending, intent card_atm_trouble: 卡被吞了" in capsys.readouterr().out
    assert teller("accept", "newest") == 1
    assert "your own" in capsys.readouterr().err
    assert teller("accept", "newest", "--by", "analyst.wang", "--note", "对", "--json") == 0
    (accepted,) = json.loads(capsys.readouterr().out)
    assert (accepted["author"], accepted["reviewer"], accepted["note"]) == (actor(), "analyst.wang", "对")
    assert teller("reject", accepted["id"][:8], "--by", "analyst.wu") == 1
    assert "has been reviewed" in capsys.readouterr().err
    assert teller("list", "--status", "accepted") == 0
    assert "analyst.wang" in capsys.readouterr().out
    assert teller("list", "--json", "--limit", "1") == 0
    assert json.loads(capsys.readouterr().out) == [accepted]
    assert teller("export") == 0
    lines = capsys.readouterr().out
    assert teller("export", "--head", "intent", "--output", str(tmp_path / "e.jsonl")) == 0
    assert "1 examples" in capsys.readouterr().out
    assert (tmp_path / "e.jsonl").read_text("utf-8") == lines
    assert curated.read(tmp_path / "e.jsonl")[0].labels == ("card_atm_trouble",)
    assert teller("export", "--head", "needs", "--json", "--output", str(tmp_path / "n.jsonl")) == 0
    assert json.loads(capsys.readouterr().out) == {"written": 0}


def test_needs_of_a_text_are_several_or_none(capsys: pytest.CaptureFixture[str]) -> None:
    several = ["--label", "security", "--label", "saving"]
    assert teller("correct", "--text", "a", "--head", "needs", *several, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["labels"] == ["saving", "security"]
    assert teller("correct", "--text", "a", "--head", "needs", "--label", "-", "--by", "x") == 0
    assert teller("reject", "newest", "--by", "y", "--note", "saves") == 0
    assert "rejected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["correct", "--text", "a", "--head", "intent", "--label", "card_atm_troubel"], "Similar are card_atm_trouble"),
        (["correct", "--text", " ", *RIGHT], "The text is empty"),
        (["correct", "--text", "好" * 30_000, *RIGHT], "30,000 characters"),
        (["correct", "--trace", str(uuid4()), *RIGHT], "no such turn"),
        (["correct", "--text", "a", *RIGHT, "--by", " "], "This is no name"),
        (["accept", "newest"], "no such correction"),
        (["accept", "'; DROP TABLE corrections"], "no id of a correction"),
        (["export", "--output", "/dev/null/x"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert teller(*arguments) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["correct", *RIGHT],
        ["correct", "--text", "a", "--trace", str(uuid4()), *RIGHT],
        ["correct", "--trace", "x", *RIGHT],
        ["correct", "--text", "a", "--head", "tags", "--label", "O"],
        ["correct", "--text", "a", "--head", "intent"],
        [],
    ],
)
def test_what_is_no_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        teller(*arguments)
    assert "usage" in capsys.readouterr().err


def test_without_a_database_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.delenv("OPENTELLER_DATABASE_OWNER_URL")
    assert teller("queue") == 1
    assert "database does not answer" in capsys.readouterr().err
