"""`teller customers` as a person meets it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from openteller.cli.main import run
from openteller.store.database import Database
from openteller.store.tables import ConsentRow, TransactionRow
from tests.store.people import ANN, BEN, customer

COFFEE = {
    "customer_id": "C000001",
    "account_id": "A-C000001",
    "booked_at": "2026-11-20T09:30:00+08:00",
    "amount": "-32.50",
    "currency": "CNY",
    "merchant": "支付宝-拾光咖啡（中山路店）",
}


@pytest.fixture(autouse=True)
def installation(data_dir: Path, clean: Database) -> None:
    """A data directory of its own, over the run's database with Ann and Ben in it."""
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
        session.add(ConsentRow(customer_id="C000001", purpose="personalisation", granted=True))


def teller(*arguments: str) -> int:
    return run(["customers", *arguments])


def written(tmp_path: Path, *movements: object) -> str:
    file = tmp_path / "movements.jsonl"
    file.write_text("\n".join(m if isinstance(m, str) else json.dumps(m) for m in movements), "utf-8")
    return str(file)


def test_from_a_file_to_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    salaries = [
        COFFEE
        | {"booked_at": f"2026-{m:02d}-10T09:00:00+08:00", "amount": "9000", "merchant": "工资", "category": "salary"}
        for m in range(6, 12)
    ]
    assert teller("book", written(tmp_path, COFFEE, *salaries)) == 0
    assert "7 movements booked, 1 of them categorised" in capsys.readouterr().out
    assert teller("features", "C000001") == 0
    page = capsys.readouterr().out
    assert all(part in page for part in ("7 movements since 2026-06-10", "¥9,000.00", "salary is paid here"))
    assert teller("features", "C000001", "--language", "zh") == 0
    assert "工资在本行" in capsys.readouterr().out
    assert teller("features", "C000001", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cash_flow"]["months"][0] == {
        "month": "2026-06-01", "income": "9000.00", "fixed": "0.00", "free": "0.00", "whole": False, "surplus": "9000.00",
    }  # fmt: skip
    assert teller("recompute", "--all", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["customers"], report["movements"], report["workers"]) == (2, 7, 1)
    assert teller("recompute", "--all") == 0
    said = capsys.readouterr().out
    assert "2 customers with 7 movements" in said
    assert "fewer than five" in said
    assert teller("features", "C000001", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["cash_flow"] == found["cash_flow"]


def test_without_consent_little_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("features", "C000002") == 0
    assert "did not agree" in capsys.readouterr().out


def test_categories_of_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("categorise", "支付宝-青禾超市(中山路店)", "POS 8821 MISC") == 0
    table = capsys.readouterr().out
    assert "groceries" in table
    assert "uncategorised" in table
    assert teller("categorise", "ATM取现", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["category"] == "cash"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Line 2 is no movement"),
        (COFFEE | {"amount": "many"}, "amount"),
        (COFFEE | {"amount": "-1.005"}, "more decimals"),
        (COFFEE | {"amount": "NaN"}, "Line 2"),
        (COFFEE | {"booked_at": "2026-11-20T09:30:00"}, "no offset"),
        (COFFEE | {"category": "fun"}, "category"),
        (COFFEE | {"channel": "pigeon"}, "channel"),
        (COFFEE | {"card": "1"}, "card"),
        (COFFEE | {"customer_id": "C000009"}, "no customer C000009"),
        (COFFEE | {"customer_id": "C000002"}, "is not the customer C000002's"),
        (COFFEE | {"currency": "yen"}, "currency"),
    ],
)
def test_a_file_is_booked_whole_or_not_at_all(
    clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: object, message: str
) -> None:
    assert teller("book", written(tmp_path, COFFEE, line)) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    with clean.owner_session() as session:
        assert session.scalar(select(func.count()).select_from(TransactionRow)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["features", "C999999"], "C999999"),
        (["book", "no-such-file.jsonl"], "cannot be read"),
        (["recompute", "--all", "--workers", "0"], "0 workers"),
    ],
)
def test_errors_say_what_to_do(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert teller(*arguments) == 1
    assert message in capsys.readouterr().err


def test_recompute_asks_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        teller("recompute")
    assert "--all" in capsys.readouterr().err
