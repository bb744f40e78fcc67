"""`teller models` as a person meets it; every change of stage is a row of the audit log, or it does not happen."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from openteller.assembly import auditor
from openteller.cli.main import run
from openteller.core.errors import Unavailable
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Change
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from tests.registry.artefacts import make_artefact, write_report
from tests.store.people import AGENT

REASON = ["--reason", "better on 挂失"]
GATE = ["--gate", "accuracy >= 0.8"]


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A data directory of its own, over the run's database."""
    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", database_urls[0])
    monkeypatch.setenv("OPENTELLER_DATABASE_OWNER_URL", database_urls[1])


def teller(*arguments: str) -> int:
    return run(["models", *arguments])


def told(database: Database) -> list[tuple[str, str]]:
    with database.session(AGENT) as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action.like("model.%")).order_by(AuditRow.seq))
        return [(row.action, row.subject) for row in rows]


def test_the_life_of_a_model(clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (make_artefact(tmp_path / str(a), a) for a in (0.9, 0.95))
    assert teller("list") == 0
    assert "No model is registered" in capsys.readouterr().out
    assert teller("register", str(one)) == 0
    assert teller("promote", "toy@candidate", *GATE, *REASON) == 0
    said = capsys.readouterr().out
    assert "accuracy >= 0.8: passed (0.9000, wanted 0.8000)" in said
    assert "toy@" in said.splitlines()[-1]
    assert teller("register", str(two), "--json") == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["stage"], second["name"]) == ("candidate", "toy")
    assert teller("promote", f"toy@{second['version'][:5]}", *GATE, *REASON, "--json") == 0
    assert json.loads(capsys.readouterr().out)["stage"] == "champion"
    assert teller("rollback", "toy", *REASON) == 0
    assert teller("retire", "toy@champion", *REASON) == 0
    assert [action for action, _ in told(clean)] == [
        "model.registered", "model.promoted", "model.registered", "model.promoted", "model.rolled_back", "model.retired",
    ]  # fmt: skip
    first = ModelRegistry(tmp_path / "data").slot("toy").versions()[0].version
    assert told(clean)[-1] == ("model.retired", f"toy@{first}")
    with clean.session(AGENT) as session:
        assert audit.verify(session).intact
        promotion = session.scalars(select(AuditRow).where(AuditRow.action == "model.promoted")).all()[-1]
    assert promotion.actor.startswith("cli:")
    assert (promotion.detail["reason"], promotion.detail["displaced"]) == ("better on 挂失", first)
    assert promotion.detail["verdicts"][0]["gate"] == "accuracy >= 0.8"


def test_a_failed_gate_refuses_and_force_is_recorded(
    clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teller("register", str(make_artefact(tmp_path / "a", 0.7)))
    assert teller("promote", "toy@candidate", *GATE, *REASON) == 1
    said = capsys.readouterr().err
    assert "1 of 1 gates failed" in said
    assert "0.7000, wanted 0.8000" in said
    assert told(clean) == [("model.registered", told(clean)[0][1])]
    assert teller("promote", "toy@candidate", *REASON) == 1
    assert "without a gate" in capsys.readouterr().err
    assert teller("promote", "toy@candidate", *GATE, *REASON, "--force") == 0
    with clean.session(AGENT) as session:
        detail = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc())).first().detail
    assert detail["forced"] is True
    assert teller("show", "toy") == 0
    assert "forced" in capsys.readouterr().out


def test_the_banks_own_gates_always_apply(clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/gates.yaml").write_text('"*": [nll <= 0.2]\n', "utf-8")
    teller("register", str(make_artefact(tmp_path / "a")))
    assert teller("promote", "toy@candidate", *GATE, *REASON) == 1
    assert "nll <= 0.2: failed (0.3000, wanted 0.2000)" in capsys.readouterr().err
    (tmp_path / "data/gates.yaml").write_text("toy: [nll <= 0.3]\n", "utf-8")
    assert teller("promote", "toy@candidate", *REASON) == 0


def test_what_the_assistant_could_not_use_is_not_promoted(
    clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_artefact(tmp_path / "a", name="understanding-zh-en", task="understanding")
    teller("register", str(folder))
    assert teller("promote", "understanding-zh-en@candidate", *GATE, *REASON) == 1
    assert "It has no intent, needs, sentiment, tags." in capsys.readouterr().err
    registry = ModelRegistry(tmp_path / "data")
    assert registry.champion("understanding-zh-en") is None


def test_without_the_store_nothing_changes(
    clean: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (make_artefact(tmp_path / str(a), a) for a in (0.9, 0.95))
    teller("register", str(one))
    before = ModelRegistry(tmp_path / "data").slot("toy")
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.delenv("OPENTELLER_DATABASE_OWNER_URL")
    for change in (
        ["register", str(two)],
        ["promote", "toy@candidate", *GATE, *REASON],
        ["retire", "toy@candidate", *REASON],
        ["rollback", "toy", *REASON],
    ):
        assert teller(*change) == 1
        assert "database does not answer" in capsys.readouterr().err
    assert ModelRegistry(tmp_path / "data").slot("toy") == before
    assert teller("list") == 0
    assert "candidate" in capsys.readouterr().out


def test_a_change_and_its_row_come_together_or_not_at_all(clean: Database, tmp_path: Path) -> None:
    folder, lost = make_artefact(tmp_path / "a"), [True]

    @contextmanager
    def witness(name: str, changes: Sequence[Change]) -> Iterator[None]:
        with auditor(clean)(name, changes):
            yield
            if lost[0]:
                raise Unavailable("The database was lost.")

    registry = ModelRegistry(tmp_path / "data", witness)
    with pytest.raises(Unavailable):
        registry.register(folder, actor="li")
    assert (registry.slots(), told(clean)) == ((), [])
    lost[0] = False
    version = registry.register(folder, actor="li").version
    assert told(clean) == [("model.registered", f"toy@{version}")]


def test_what_a_killed_command_did_not_tell_is_told_by_the_next(clean: Database, tmp_path: Path) -> None:
    untold = ModelRegistry(tmp_path / "data").register(make_artefact(tmp_path / "a"), actor="li").version
    assert teller("promote", "toy@candidate", *GATE, *REASON) == 0
    assert told(clean) == [("model.registered", f"toy@{untold}"), ("model.promoted", f"toy@{untold}")]


def test_show_and_compare(clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (make_artefact(tmp_path / str(a), a) for a in (0.9, 0.95))
    write_report(two, 0.94)
    for folder in (one, two):
        teller("register", str(folder))
    a, b = (f"toy@{v.version}" for v in ModelRegistry(tmp_path / "data").slot("toy").versions())
    teller("promote", a, *GATE, *REASON)
    capsys.readouterr()
    assert teller("show", a) == 0
    shown = capsys.readouterr().out
    assert "every file verified" in shown
    assert "0.9000" in shown
    assert teller("show", b, "--card") == 0
    assert "## Energy and time" in capsys.readouterr().out
    assert teller("show", "toy", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["changes"]) == 3
    assert teller("show", b, "--json") == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["metrics"]["accuracy"] == 0.95
    assert teller("list", "--json") == 0
    assert [v["stage"] for v in json.loads(capsys.readouterr().out)] == ["champion", "candidate"]
    assert teller("compare", "toy", b) == 0
    compared = capsys.readouterr().out
    assert "+0.0500" in compared
    assert a in compared
    assert teller("compare", a, b, "--json") == 0
    found = {pair["figure"]: pair for pair in json.loads(capsys.readouterr().out)["figures"]}
    assert found["report.accuracy"] == {"figure": "report.accuracy", "a": None, "b": 0.94, "difference": None}


def test_what_cannot_be_done_is_said(clean: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for arguments in (
        ["show", "toy"],
        ["register", str(tmp_path)],
        ["promote", "toy", *REASON],
        ["promote", "toy@candidate", *REASON],
        ["compare", "../x", "toy"],
    ):
        assert teller(*arguments) == 1
        said[" ".join(arguments[:2])] = capsys.readouterr().err
    assert "no model called toy" in said["show toy"]
    assert "no readable manifest" in said[f"register {tmp_path}"]
    assert "names no version" in said["promote toy"]
    assert "no model called toy" in said["promote toy@candidate"]
    assert "no name of a model" in said["compare ../x"]
    teller("register", str(make_artefact(tmp_path / "a")))
    assert teller("promote", "toy@candidate", "--gate", "accuracy is fine", *REASON) == 1
    assert "is no gate" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        teller("promote", "toy@candidate", *GATE)
    assert "--reason" in capsys.readouterr().err


def test_the_doctor_says_which_weights_serve(tmp_path: Path) -> None:
    from openteller.assembly import Application
    from openteller.cli.commands.doctor import _weights
    from openteller.core.errors import ModelUnavailable
    from openteller.registry.gates import parse
    from openteller.settings import load

    application = Application(load(dev=True))
    assert "understanding-zh-en: shipped, trained 2026" in _weights(application).found
    registry = ModelRegistry(tmp_path / "data")
    version = registry.register(make_artefact(tmp_path / "a"), actor="li", name="relevance-zh-en").version
    registry.promote("relevance-zh-en", version, [parse("nll <= 1")], actor="li", reason="because")
    assert f"relevance-zh-en: champion {version}, trained 2026-11-23" in _weights(application).found
    (registry.folder("relevance-zh-en", version) / "heads.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="is damaged"):
        _weights(application)
