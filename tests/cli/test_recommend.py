"""`teller recommend` as a person meets it."""

import json
from pathlib import Path

import pytest

from openteller.cli import batch_offers
from openteller.cli.main import run
from openteller.core.clock import local_date, utc_now
from openteller.core.records import Principal, Role
from openteller.demo.load import BANK, load
from openteller.products.catalogue import read_products
from openteller.products.repository import ProductRepository
from openteller.store.database import Database

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def installation(data_dir: Path, clean: Database) -> None:
    """A data directory of its own, over the run's database with forty customers and the demo's products."""
    load(clean, 40, today=local_date(utc_now(), "Asia/Shanghai"))
    with clean.session(Principal(subject="test", role=Role.SERVICE)) as session:
        ProductRepository().upsert(session, read_products(BANK / "products"))


def teller(*arguments: str) -> int:
    return run(["recommend", *arguments])


def test_offers_and_why_not(capsys: Out) -> None:
    assert teller("C000001", "--json") == 0
    offers = json.loads(capsys.readouterr().out)
    assert offers
    assert teller("C000001", "--language", "en", "--limit", "1") == 0
    assert offers[0]["product_id"] in capsys.readouterr().out
    assert teller("C000001", "--why-not", offers[0]["product_id"], "--json") == 0
    assert json.loads(capsys.readouterr().out)["offered"] is True
    assert teller("C000001", "--why-not", "SAV-CNY", "--language", "en") == 0
    assert "You have this product already." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("C999999",), "There is no customer C999999."),
        (("C000001", "--why-not", "NOTHING"), "No product NOTHING is on sale."),
        (("train",), "too little to learn from"),
        (("evaluate",), "too little to learn from"),
        (("campaign", "NOTHING", "--budget", "3"), "a product on sale"),
        (("campaign", "TD-CNY", "--budget", "0"), "a budget of 1 or more"),
        (("experiment", "show", "x"), "no experiment called x"),
        (("experiment", "start", "x", "--arm", "a=1.5"), "do not share out everybody"),
        (("experiment", "start", "x", "--arm", "half"), "NAME=SHARE"),
        (("batch", "--all", "--workers", "0"), "0 processes"),
        (("batch", "--all", "--workers", "1", "--output", "/nowhere/offers.jsonl"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_says_so(arguments: tuple[str, ...], says: str, capsys: Out) -> None:
    assert teller(*arguments) == 1
    shown = capsys.readouterr()
    assert says in shown.err
    assert not shown.out


def test_a_batch_is_one_line_a_customer(tmp_path: Path, capsys: Out) -> None:
    file = tmp_path / "offers.jsonl"
    assert teller("batch", "--all", "--profiles", "--workers", "1", "--output", str(file), "--json") == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert json.loads(capsys.readouterr().out) == {"customers": len(lines)}
    assert len(lines) > 20
    first = next(line for line in lines if line["customer_id"] == "C000001")
    assert teller("C000001", "--json") == 0
    assert json.loads(capsys.readouterr().out) == first["offers"]
    assert teller("batch", "--all", "--workers", "1", "--limit", "1") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(lines)


def test_a_batch_on_ray_is_the_same(tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(batch_offers, "PART", 10)
    assert teller("batch", "--all", "--workers", "1", "--limit", "2") == 0
    alone = capsys.readouterr().out
    file = tmp_path / "offers.jsonl"
    assert teller("batch", "--all", "--ray", "local", "--workers", "1", "--limit", "2", "--output", str(file)) == 0
    assert alone
    assert file.read_text(encoding="utf-8") == alone


def test_from_made_up_outcomes_to_a_model_that_serves(tmp_path: Path, capsys: Out) -> None:
    assert run(["demo", "offers", "--customers", "40"]) == 0
    assert "opened" in capsys.readouterr().out
    assert teller("train", "--json", "--reason", "a test") == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["stage"]) == ("offers", "candidate")
    assert teller("evaluate", "--json", "--output", str(tmp_path / "report")) == 0
    measured = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8")) == measured
    ranking = measured.pop("ranking")
    assert measured == made["report"]
    assert set(measured["off_policy"]) >= {"as logged", "always the best, ips", "always the best, doubly robust"}
    assert set(ranking["views"]) == {"popularity", "EASE", "ALS", "content", "as served"}
    shown = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert f"{ranking['views']['as served']['figures']['ndcg@10']['value']:.4f}" in shown
    assert "<script" not in shown
    assert run(["models", "promote", "offers@candidate", "--gate", "auc present", "--reason", "a test"]) == 0
    capsys.readouterr()
    assert teller("C000001", "--language", "en") == 0
    assert "TD-CNY" in capsys.readouterr().out


def test_campaigns_and_experiments(capsys: Out) -> None:
    assert teller("campaign") == 0
    assert "no such campaign" in capsys.readouterr().out
    assert teller("campaign", "TD-CNY", "--budget", "5", "--until", "2099-12-31", "--json") == 0
    (campaign,) = json.loads(capsys.readouterr().out)
    assert (campaign["budget"], campaign["spent"], campaign["valid_to"]) == (5, 0, "2099-12-31")
    assert teller("experiment", "start", "ranking", "--arm", "rules=0.5", "--arm", "model=0.5") == 0
    assert run(["demo", "offers", "--customers", "5"]) == 0
    capsys.readouterr()
    assert teller("experiment", "show", "ranking", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown["against"]) == ["model"]
    assert shown["against"]["model"]["decided"] is False
    assert teller("experiment", "end", "ranking") == 0
    assert "model" in capsys.readouterr().out
    assert teller("experiment", "end", "ranking") == 1
