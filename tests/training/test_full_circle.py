"""From the road to a judged candidate: turns stored, one rated 1, corrected, accepted, trained on; killed and gone on with."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from openteller.assistant.dialogue import inquiry_of
from openteller.cli.main import run
from openteller.core.records import Satisfaction
from openteller.feedback import curated
from openteller.registry.manifest import sha256
from openteller.registry.registry import ModelRegistry
from openteller.store.database import Database
from openteller.store.tables import AuditRow
from tests.assistant.test_dialogue import road
from tests.feedback.desk import LI
from tests.store.people import VISITOR
from tests.training.test_finetune import LINES, write

LABELS = {"lost": "card_lost_stolen", "rate": "loan_rate"}
RECIPE = {
    "task": "classification", "name": "toy", "weights": "small", "epochs": 6, "batch_size": 8, "learning_rate": 1e-3,
    "validation_share": 0.2, "threads": 1, "feedback": "intent",
}  # fmt: skip
GATE = ["--gate", "accuracy >= 0.5", "--gate", "accuracy >= champion - 0.005"]


@pytest.fixture
def home(
    tmp_path: Path, data_dir: Path, clean: Database, database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A data directory with the small encoder, over the run's database, and a recipe whose labels are intents."""
    for name in ("small.bin", "models.yaml"):
        shutil.copy(data_dir / name, tmp_path / name)
    write(tmp_path / "toy.jsonl", [row | {"label": LABELS[str(row["label"])]} for row in LINES])
    recipe = RECIPE | {"train": str(tmp_path / "toy.jsonl")}
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", database_urls[0])
    monkeypatch.setenv("OPENTELLER_DATABASE_OWNER_URL", database_urls[1])
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(list(arguments)) == code, capsys.readouterr().err
    return capsys.readouterr().out


def corrected(capsys: pytest.CaptureFixture[str], clean: Database, text: str, label: str) -> str:
    """The road answers `text`, the customer is unhappy, staff correct it; the trace id."""
    turn = road(clean).walk(inquiry_of(text), VISITOR)
    road(clean).rate(VISITOR, Satisfaction(trace_id=turn.inquiry.trace_id, rating=1))
    queue = json.loads(said(capsys, "feedback", "queue", "--json"))
    trace_id = str(turn.inquiry.trace_id)
    assert [(t["trace_id"], t["reasons"]) for t in queue] == [(trace_id, ["rated 1 of 5"])]
    right = ("--trace", trace_id, "--head", "intent", "--label", label)
    (made,) = json.loads(said(capsys, "feedback", "correct", *right, "--by", "analyst.li", "--json"))
    said(capsys, "feedback", "accept", made["id"], "--by", "analyst.wang")
    return trace_id


def killed_in_mid_training(home: Path, root: Path) -> None:
    command = [sys.executable, "-m", "openteller.cli.main", "retrain", str(home / "toy.yaml"), *GATE]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        done, _, _ = line.partition("/")
        if done.isdecimal() and int(done) >= 9:  # in the fourth of six epochs
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stderr.close()
    assert process.returncode == -signal.SIGKILL


def test_the_full_circle(
    home: Path, root: Path, clean: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    recipe = str(home / "toy.yaml")
    assert "0 new accepted corrections" in said(capsys, "retrain", recipe)
    corrected(capsys, clean, "我叫王芳，卡在地铁丢了", "card_lost_stolen")
    assert "1 new accepted" in said(capsys, "retrain", recipe, "--at-least", "2")
    killed_in_mid_training(home, root)
    folder = home / "retraining/toy"
    assert list((folder / "model/checkpoints").glob("checkpoint-*"))
    gathered = sha256(folder / "corrections.jsonl")
    corrected(capsys, clean, "首套房利率", "loan_rate")

    assert run(["retrain", recipe, *GATE, "--promote", "--json"]) == 0
    shown = capsys.readouterr()
    done, steps = (
        json.loads(shown.out),
        [int(line.partition("/")[0]) for line in shown.err.splitlines() if "/18 " in line],
    )
    assert done["went_on"] is True
    assert done["corrections"]["sha256"] == gathered
    assert (done["corrections"]["added"], done["promoted"]) == (1, True)
    assert [verdict["passed"] for verdict in done["verdicts"]] == [True, True]
    assert min(steps) > 3, "it went on from a checkpoint"
    assert max(steps) == 18
    (row,) = curated.read(folder / "corrections.jsonl")
    assert (row.text, row.labels) == ("我叫[姓名],卡在地铁丢了", ("card_lost_stolen",))
    registry = ModelRegistry(home)
    _, manifest = registry.artefact("toy", done["version"]["version"])
    assert manifest.settings["corrected"]["sha256"] == gathered
    assert "corrections.jsonl" not in manifest.files
    assert manifest.metrics["train_rows"] + manifest.metrics["validation_rows"] == len(LINES) + 1

    looked_at = said(capsys, "retrain", recipe, "--dry-run")
    assert "2 added" in looked_at
    assert "Dry run" in looked_at
    refused = said(capsys, "retrain", recipe, "--gate", "accuracy >= 1.01", "--promote", code=1)
    assert "accuracy >= 1.01: failed" in refused
    assert "candidate" in refused
    assert "0 new accepted corrections since" in said(capsys, "retrain", recipe)
    with clean.session(LI) as session:
        actions = session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()
    assert [a for a in actions if a.startswith(("correction", "model"))] == [
        *["correction.added", "correction.accepted"] * 2, "model.registered", "model.promoted", "model.registered",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing-of-this-name"], "nothing called"),
        (["toy", "--recipe", "x.yaml"], "Two recipes"),
        (["understanding", "--recipe", "none.yaml"], "cannot be read"),
        (["recipes/wikiqa.yaml"], "takes no corrections"),
        (["banking77"], "does not say which corrections"),
    ],
)
def test_what_cannot_be_trained_again_is_said(
    home: Path, root: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(root)
    assert run(["retrain", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_without_a_database_nothing_is_trained(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENTELLER_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.delenv("OPENTELLER_DATABASE_OWNER_URL")
    assert run(["retrain", str(home / "toy.yaml")]) == 1
    assert "database does not answer" in capsys.readouterr().err
    assert not (home / "retraining").exists()
