"""`teller trends` and `teller jobs` as a person meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.cli.main import run
from openteller.core.clock import local_date, utc_now
from openteller.demo.load import load
from openteller.store.database import Database

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def installation(data_dir: Path, clean: Database) -> None:
    """A data directory of its own, over the run's database with forty customers."""
    load(clean, 40, today=local_date(utc_now(), "Asia/Shanghai"))


def test_from_the_demos_past_to_plots_and_an_alert(capsys: Out) -> None:
    assert run(["demo", "conversations", "--days", "45"]) == 0
    assert "messages of demo customers over 45 days" in capsys.readouterr().out
    assert run(["trends", "--days", "45", "--json"]) == 0
    overview = json.loads(capsys.readouterr().out)
    assert overview["topics"][0]["topic"] == "card"
    stages = [stage["through"] for stage in overview["funnel"]["stages"]]
    assert stages == sorted(stages, reverse=True)
    assert stages[-1] > 0
    for language, words in {
        "zh": ("全行", "银行卡", "负面占比", "推荐"),
        "en": ("whole bank", "Cards", "offer"),
    }.items():
        assert run(["trends", "--days", "45", "--language", language]) == 0
        shown = capsys.readouterr().out
        assert all(word in shown for word in words)
        assert "━" in shown
    assert run(["trends", "--topic", "card", "--days", "20", "--language", "en"]) == 0
    assert "Cards" in capsys.readouterr().out.splitlines()[0]
    assert run(["trends", "--look", "--language", "en"]) == 0
    assert "critical: Cards: negative mood" in capsys.readouterr().out
    assert run(["trends", "--look", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["trends", "--look"]) == 0
    assert "没有新的变化" in capsys.readouterr().out


def test_a_customer(capsys: Out) -> None:
    assert run(["demo", "conversations", "--days", "3"]) == 0
    capsys.readouterr()
    assert run(["trends", "--customer", "C000001", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert run(["trends", "--customer", "C000001", "--language", "en"]) == 0
    shown = capsys.readouterr().out
    assert ("●" in shown) == found["personalised"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("trends", "--topic", "cards"), "no topic 'cards'"),
        (("trends", "--days", "0"), "0 days"),
        (("trends", "--customer", "C999999"), "no customer C999999"),
        (("trends", "--customer", "C000001", "--topic", "card"), "no topic"),
        (("demo", "conversations", "--days", "0"), "0 days"),
        (("jobs", "run", "nothing"), "no job called 'nothing'"),
    ],
)
def test_what_cannot_be_done_says_so(arguments: tuple[str, ...], says: str, capsys: Out) -> None:
    assert run(list(arguments)) == 1
    shown = capsys.readouterr()
    assert says in shown.err
    assert not shown.out


def test_jobs_by_hand(capsys: Out) -> None:
    assert run(["jobs", "list", "--json"]) == 0
    names = [job["name"] for job in json.loads(capsys.readouterr().out)]
    assert names == ["deliveries", "trends", "regrades", "complaints", "opinion"]
    assert run(["jobs", "run", "trends"]) == 0
    assert "changes found" in capsys.readouterr().out
    assert run(["jobs", "status"]) == 0
    assert all(name in capsys.readouterr().out for name in names[:1])


def test_a_worker_from_the_terminal(database_urls: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "openteller.cli.main", "jobs", "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout
        assert "Working" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
