"""`teller products` as a person meets it."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import openteller.demo
from openteller.cli.main import run
from openteller.cli.registered import actor
from openteller.core.clock import utc_now
from openteller.core.records import Role
from openteller.products.catalogue import read_products
from openteller.products.repository import ProductRepository
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import HoldingRow, RiskAssessmentRow
from tests.serving.api.house import staff
from tests.store.people import ANN, customer

PRODUCTS = read_products(Path(openteller.demo.__file__).parent / "bank" / "products")


@pytest.fixture(autouse=True)
def installation(data_dir: Path, clean: Database) -> None:
    """A data directory of its own, over the run's database; Ann is C4 and holds the index fund."""
    with clean.owner_session() as session:
        ProductRepository().upsert(session, PRODUCTS)
        for row in customer(ANN):
            session.add(row)
            session.flush()
        now = utc_now()
        session.add(
            RiskAssessmentRow(
                customer_id=ANN.subject, investor_class="C4", assessed_at=now - timedelta(days=2),
                expires_at=now + timedelta(days=300),
            )
        )  # fmt: skip
        session.add(
            HoldingRow(
                customer_id=ANN.subject, product_id="FUND-INDEX", amount=Decimal(500), cost=Decimal(400),
                currency="CNY", since=date(2026, 1, 1),
            )
        )  # fmt: skip


def teller(*arguments: str) -> int:
    return run(["products", *arguments])


def test_from_a_grade_to_the_report(clean: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("regrade-report", "FUND-INDEX") == 0
    assert "1 holders, 0 to tell" in capsys.readouterr().out
    assert teller("grade", "FUND-INDEX", "--bank", "R5", "--because", "波动加大", "--by", "analyst.li") == 0
    assert "bank says R5" in capsys.readouterr().out
    assert teller("regrade-report", "FUND-INDEX") == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("R5, before R4", "C000001", "grade_above_class", "1 to tell"))
    assert teller("regrade-report", "FUND-INDEX", "--json") == 0
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert (notice["customer_id"], notice["new"]) == ("C000001", True)
    assert teller("grades", "FUND-INDEX") == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("R5 counts today", "波动加大", "analyst.li"))
    assert teller("grades", "FUND-INDEX", "--json") == 0
    assert json.loads(capsys.readouterr().out)["now"]["effective"] == "R5"
    with clean.session(staff(Role.ADMIN)) as session:
        _, graded, *reports = audit.entries(session, ["product.graded", "product.rematched"])
    assert (graded.actor, graded.detail["entered_by"], len(reports)) == ("analyst.li", actor(), 2)


def test_holders_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    teller("grade", "FUND-INDEX", "--bank", "R5", "--because", "波动加大")
    capsys.readouterr()
    assert teller("notices", "FUND-INDEX") == 0
    assert "No notices." in capsys.readouterr().out
    assert teller("notices", "FUND-INDEX", "--write", "--channel", "sms") == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("1 notices written, 0 were before", "C000001", "sms", "grade_above_class"))
    assert teller("notices", "FUND-INDEX", "--write", "--unsent", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"]["added"], found["written"]["already"]) == (0, 1)
    assert [one["sent_at"] for one in found["notices"]] == [None]


def test_a_report_says_when_core_banking_keeps_the_customers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENTELLER_CORE_BANKING_URL", "http://127.0.0.1:9")
    assert teller("regrade-report", "FUND-INDEX") == 0
    assert "kept by the bank's own core-banking system" in capsys.readouterr().out


def test_a_grade_from_a_day_on_and_one_of_the_issuer(capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("grade", "FUND-INDEX", "--issuer", "R5", "--from", "2027-01-01", "--because", "notice", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["graded_by"], made["from_on"], made["author"]) == ("issuer", "2027-01-01", actor())
    assert teller("regrade-report", "FUND-INDEX", "--on", "2026-12-31", "--json") == 0
    assert json.loads(capsys.readouterr().out)["grade"] == "R4"
    assert teller("regrade-report", "FUND-INDEX", "--on", "2027-01-01", "--json") == 0
    assert json.loads(capsys.readouterr().out)["grade"] == "R5"


def test_whether_a_product_suits_a_customer(capsys: pytest.CaptureFixture[str]) -> None:
    assert teller("check", "FUND-INDEX", "--customer", "C000001", "--amount", "50") == 0
    assert "FUND-INDEX for C000001: allowed\n" in capsys.readouterr().out
    assert teller("check", "FUND-SMALLCAP", "--customer", "C000001", "--language", "en") == 0
    assert "Grade R5 is riskier than your investor class C4 allows" in capsys.readouterr().out
    assert teller("check", "FUND-INDEX", "--customer", "C000001", "--amount", "1,000", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reasons"][0]["code"] == "funds_short"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade", "NO-SUCH", "--bank", "R5", "--because", "b"], "no product 'NO-SUCH'"),
        (["grade", "FUND-INDEX", "--bank", "R5", "--because", " "], "needs a reason"),
        (["grade", "FUND-INDEX", "--bank", "R5", "--because", "b", "--by", " "], "no name"),
        (["grades", "NO-SUCH"], "no product"),
        (["regrade-report", "NO-SUCH"], "no product"),
        (["check", "FUND-INDEX", "--customer", "C9"], "no customer"),
        (["check", "NO-SUCH", "--customer", "C000001"], "no product"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert teller(*arguments) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["grade", "FUND-INDEX", "--bank", "R6", "--because", "b"],
        ["grade", "FUND-INDEX", "--bank", "R5", "--issuer", "R5", "--because", "b"],
        ["grade", "FUND-INDEX", "--bank", "R5"],
        ["grade", "FUND-INDEX", "--bank", "R5", "--because", "b", "--from", "soon"],
        ["check", "FUND-INDEX", "--customer", "C000001", "--amount", "-5"],
        ["check", "FUND-INDEX", "--customer", "C000001", "--amount", "1,5"],
    ],
)
def test_arguments_that_cannot_be_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        teller(*arguments)
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
