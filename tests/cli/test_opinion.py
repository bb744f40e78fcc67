"""`teller opinion` as a person meets it."""

import json
from pathlib import Path

import pytest

from openteller.cli.main import run

Out = pytest.CaptureFixture[str]
ENTITIES = """
entities:
  - id: pinebay
    kind: own
    name: {zh: 松湾银行, en: Pinebay Bank}
    aliases: [Pinebay, {text: 松湾, needs_context: true}]
    context: [银行]
"""


@pytest.fixture(autouse=True)
def installation(data_dir: Path) -> None:
    """A data directory of its own, over the run's empty database."""


def teller(*arguments: str) -> int:
    return run(["opinion", *arguments])


def feed(folder: Path) -> Path:
    rows = [
        {"title": "松湾银行手机银行崩溃,大量客户无法登录", "published": "2026-03-02T09:00:00+08:00"},
        {"title": "Pinebay Bank named best bank of the year", "published": "2026-03-02T09:01:00+08:00"},
    ]
    file = folder / "day.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_from_a_list_and_a_file_to_items(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "entities.yaml").write_text(ENTITIES, encoding="utf-8")
    assert teller("entities", "import", str(tmp_path / "entities.yaml")) == 0
    assert "松湾银行" in capsys.readouterr().out
    assert teller("sources", "add", "posts", str(feed(tmp_path))) == 0
    assert teller("watch", "--once", "--json") == 0
    capsys.readouterr()
    assert teller("watch", "--once", "--json") == 0
    assert json.loads(capsys.readouterr().out)["items"] == 0
    assert teller("items", "--entity", "pinebay", "--json") == 0
    items = json.loads(capsys.readouterr().out)
    assert [(i["sentiment"], i["event"]) for i in items] == [("positive", "other"), ("negative", "funds_at_risk")]
    assert teller("items", "--sentiment", "negative", "--language", "zh") == 0
    assert "资金账户风险" in capsys.readouterr().out
    assert teller("sources", "list") == 0
    assert "day.jsonl" in capsys.readouterr().out
    assert teller("topics", "--least", "1", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert teller("forget", "--days", "36500", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"items": 0}


def test_a_file_is_replayed_once(tmp_path: Path, capsys: Out) -> None:
    file = str(feed(tmp_path))
    assert teller("replay", file, "--speed", "600", "--back-fill", "--json") == 0
    assert json.loads(capsys.readouterr().out)["items"] == 2
    assert teller("replay", file) == 0
    assert "0 items" in capsys.readouterr().out
    assert teller("items", "--json") == 0
    assert {i["arrived_at"] for i in json.loads(capsys.readouterr().out)} == {
        "2026-03-02T01:00:00Z",
        "2026-03-02T01:01:00Z",
    }


@pytest.mark.parametrize(("language", "form"), [("zh", "html"), ("en", "html"), ("zh", "pdf"), ("en", "pdf")])
def test_every_claim_of_a_report_links_to_items(tmp_path: Path, capsys: Out, language: str, form: str) -> None:
    (tmp_path / "entities.yaml").write_text(ENTITIES, encoding="utf-8")
    assert teller("entities", "import", str(tmp_path / "entities.yaml")) == 0
    assert teller("replay", str(feed(tmp_path)), "--back-fill") == 0
    capsys.readouterr()
    output = tmp_path / f"report.{form}"
    days = ("--from", "2026-03-02", "--to", "2026-03-02")
    assert teller("report", *days, "--language", language, "--output", str(output), "--json") == 0
    made = json.loads(capsys.readouterr().out)
    claims = [b for s in made["sections"] for b in s["blocks"] if b["kind"] in ("paragraph", "quote")]
    assert len(claims) >= 6
    assert all(source["url"].startswith("/console/opinion") for claim in claims for source in claim["sources"])
    assert all(claim["sources"] for claim in claims)
    assert output.read_bytes().startswith(b"%PDF" if form == "pdf" else b"<!doctype html>")


def test_texts_are_read_without_being_stored(capsys: Out) -> None:
    assert teller("read", "某公司净利润同比下降四成", "--json") == 0
    (read,) = json.loads(capsys.readouterr().out)
    assert (read["sentiment"], read["event"], read["level"]) == ("negative", "earnings_decline", "low")
    assert teller("bursts") == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sources", "add", "a b", "https://news.example/"), "no name of a source"),
        (("sources", "add", "a", "/nowhere"), "is not there"),
        (("sources", "remove", "a"), "no source called a"),
        (("sources", "add"), "Which source?"),
        (("entities", "import"), "Which file?"),
        (("entities", "import", "/nowhere.yaml"), "cannot be read"),
        (("replay", "/nowhere.jsonl"), "is not there"),
        (("report", "--output", "x.doc"), "neither HTML nor PDF"),
        (("report", "--from", "2026-03-02", "--to", "2026-03-01", "--output", "x.html"), "1 to 367 days"),
        (("forget", "--days", "0"), "from 1 to 36,500"),
    ],
)
def test_what_cannot_be_done_says_so(arguments: tuple[str, ...], says: str, capsys: Out) -> None:
    assert teller(*arguments) == 1
    assert says in capsys.readouterr().err


def test_a_list_is_imported_whole_or_not_at_all(tmp_path: Path, capsys: Out) -> None:
    file = tmp_path / "entities.yaml"
    for text, says in (
        (ENTITIES + "  - {id: pinebay, kind: own, name: {zh: 甲, en: A}}\n", "there twice: pinebay"),
        (ENTITIES + "  - {id: b, kind: bank, name: {zh: 甲, en: A}}\n", "Entry 2"),
        ("entities: []", "has no entities"),
        ("entities: [", "cannot be read"),
    ):
        file.write_text(text, encoding="utf-8")
        assert teller("entities", "import", str(file)) == 1
        assert says in capsys.readouterr().err
    assert teller("entities", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
