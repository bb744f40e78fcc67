"""`teller survey` and `teller complaints` as a person meets them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

import openteller.demo
from openteller.cli.main import run
from openteller.core.clock import local_date, utc_now

DEMO = Path(openteller.demo.__file__).parent / "bank/surveys"


@pytest.fixture(autouse=True)
def installation(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data directory of its own, over the run's database, and a key to sign links with."""
    monkeypatch.setenv("OPENTELLER_SECRET_KEY", "a-secret-that-only-these-tests-know-0123456789")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(list(arguments)) == code, capsys.readouterr().err
    came = capsys.readouterr()
    return came.out if code == 0 else came.err


def test_from_a_survey_to_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no survey yet" in said(capsys, "survey", "list")
    assert "version 1 stored, 6 questions" in said(capsys, "survey", "create", str(DEMO / "service.yaml"))
    assert "version 1 unchanged" in said(capsys, "survey", "create", str(DEMO / "service.yaml"), "--by", "analyst.li")
    assert "no answer yet" in said(capsys, "survey", "answers", "service")
    error = said(capsys, "survey", "report", "service", code=1)
    assert "no answers in that time" in error
    first = said(capsys, "survey", "import", "service", str(DEMO / "service.csv"))
    assert "36 answers added, 0 were there before, 0 rows left out" in first
    again = json.loads(said(capsys, "survey", "import", "service", str(DEMO / "service.csv"), "--json"))
    assert again == {"added": 0, "known": 36, "faults": [], "ignored": []}
    html, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
    told = said(capsys, "survey", "report", "service", "--html", str(html), "--pdf", str(pdf), "--language", "en")
    assert "36 answers; NPS -8.3" in told
    assert "How satisfied are you with Pinebay Bank" in html.read_text("utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")
    found = json.loads(said(capsys, "survey", "report", "service", "--json"))
    counted = found["summaries"][0]["promotion"]
    assert (counted["promoters"], counted["detractors"]) == (12, 15)
    assert all(one["contact"] is not None for one in json.loads(said(capsys, "survey", "answers", "service", "--json")))
    assert "loan" in said(capsys, "survey", "answers", "service", "--limit", "40")
    assert "recommend" in said(capsys, "survey", "show", "service")
    assert json.loads(said(capsys, "survey", "show", "service", "--json"))["version"] == 1
    assert said(capsys, "survey", "link", "service", "--days", "14").startswith("/survey/")
    assert json.loads(said(capsys, "survey", "link", "service", "--many", "--json"))["path"].startswith("/survey/")
    assert "closed" in said(capsys, "survey", "close", "service")
    assert "closed" in said(capsys, "survey", "list")
    assert json.loads(said(capsys, "survey", "open", "service", "--json"))["state"] == "open"
    assert json.loads(said(capsys, "survey", "list", "--json"))[0]["answers"] == 36


def test_bad_rows_are_named_and_left_out_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "survey", "create", str(DEMO / "service.yaml"))
    file = tmp_path / "a.csv"
    file.write_text("Q1,意见\n9,好\n99,坏\n", "utf-8")
    mapped = ["--map", "Q1=recommend", "--map", "意见=words"]
    error = said(capsys, "survey", "import", "service", str(file), *mapped, code=1)
    assert "line 3: '99'" in error
    assert "--skip-bad" in error
    done = said(capsys, "survey", "import", "service", str(file), *mapped, "--skip-bad")
    assert "1 answers added" in done
    assert "line 3" in done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["survey", "create", "/nowhere.yaml"], "cannot be read"),
        (["survey", "import", "nothing", str(DEMO / "service.csv")], "no such survey"),
        (["survey", "import", "service", str(DEMO / "service.csv"), "--map", "Q1"], "maps nothing"),
        (["survey", "report", "nothing"], "no such survey"),
        (["survey", "show", "nothing"], "no such survey"),
        (["complaints", "show", "9"], "no such complaint"),
        (["complaints", "open", "--text", " "], "is empty"),
        (["complaints", "collect", "--days", "0"], "A day at least"),
        (["complaints", "open", "--answer", "7c9e6679-7425-40de-944b-e07fc1f90ae7"], "no such answer"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in said(capsys, *arguments, code=1)


def test_a_complaint_and_its_clock(capsys: pytest.CaptureFixture[str]) -> None:
    today = local_date(utc_now(), "Asia/Shanghai")
    received = str(today - timedelta(days=13))
    opened = said(capsys, "complaints", "open", "--text", "收了两次年费", "--received", received, "--json")
    number = str(json.loads(opened)["number"])
    assert json.loads(said(capsys, "complaints", "due", "--json"))[0]["number"] == int(number)
    assert "agent.zhou" in said(capsys, "complaints", "assign", number, "agent.zhou")
    said(capsys, "complaints", "note", number, "已联系")
    assert str(today + timedelta(days=17)) in said(capsys, "complaints", "extend", number, "--because", "复杂")
    assert "There is none" in said(capsys, "complaints", "due")
    second = ["complaints", "extend", number, "--because", "很复杂", "--by", "agent.zhou"]
    assert "Nobody has asked" in said(capsys, *second, code=1)
    approved = said(capsys, *second, "--approved-by", "analyst.wang", "--told")
    assert str(today + timedelta(days=47)) in approved
    assert "收了两次年费" in said(capsys, "complaints", "list", "--owner", "agent.zhou")
    assert "not been told" in said(capsys, "complaints", "close", number, "--decision", "已退还", code=1)
    assert "closed" in said(capsys, "complaints", "close", number, "--decision", "已退还", "--told")
    shown = json.loads(said(capsys, "complaints", "show", number, "--json"))
    assert [event["actor"] for event in shown["events"]][-2] == "analyst.wang"
    assert "extended" in said(capsys, "complaints", "show", number)
    assert said(capsys, "complaints", "collect") == "There is none.\n"
    assert number in said(capsys, "complaints", "list", "--all")


def test_an_unhappy_answer_becomes_a_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "survey", "create", str(DEMO / "service.yaml"))
    said(capsys, "survey", "import", "service", str(DEMO / "service.csv"))
    found = json.loads(said(capsys, "survey", "report", "service", "--json"))["follow_up"][0]
    assert found["score"] == 0
    made = json.loads(said(capsys, "complaints", "open", "--answer", found["answer"], "--json"))
    assert found["worst"] in made["text"]
    again = json.loads(said(capsys, "complaints", "open", "--answer", found["answer"], "--json"))
    assert again["number"] == made["number"]
