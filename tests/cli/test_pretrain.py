"""`teller pretrain` and `teller finetune` with task sft: what they print, what they refuse, and the knowledge base's texts."""

import json
from datetime import date
from pathlib import Path

import pytest

for _package in ("torch", "transformers", "peft", "sklearn", "gguf"):
    pytest.importorskip(_package)

from openteller.cli.commands.pretrain import knowledge_texts  # noqa: E402 - after the check
from openteller.cli.main import run  # noqa: E402
from openteller.core.records import Audience  # noqa: E402
from openteller.knowledge.library import Library  # noqa: E402
from openteller.knowledge.records import Document  # noqa: E402
from openteller.runtime.scripted import ScriptedEmbedder  # noqa: E402
from openteller.store.database import Database  # noqa: E402
from tests.training.decoders import tiny_catalogue  # noqa: E402

LINES = "\n\n".join(f"Fee number {i} is due on day {i} of the month." for i in range(30))
LOOP = "threads: 1\nsteps: 2\nbatch_size: 2\nmax_tokens: 32\nevaluations: 1\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with the decoder ``tiny``, and OPENTELLER_DATA with a corpus and chats."""
    tiny_catalogue(tmp_path / "home")
    (tmp_path / "corpus.txt").write_text(LINES, "utf-8")
    chats = [{"prompt": f"Fee {i}?", "completion": "Free."} for i in range(30)]
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, chats)), "utf-8")
    for name, value in {"DATA_DIR": tmp_path / "home", "DEV": "1", "DATA": tmp_path}.items():
        monkeypatch.setenv(f"OPENTELLER_{name}", str(value))
    return tmp_path


def recipe(folder: Path, body: str) -> str:
    (folder / "recipe.yaml").write_text(body + LOOP, "utf-8")
    return str(folder / "recipe.yaml")


def test_both_commands_train_and_print_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recipe(home, "task: clm\nname: first\nweights: tiny\nadapter: lora\ncorpus: [corpus.txt]\n")
    assert run(["pretrain", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "clm"
    assert (home / "home/models/first/adapter.gguf").exists()
    path = recipe(home, "task: sft\nname: second\nweights: first\ntrain: chats.jsonl\nsamples: 0\n")
    assert run(["finetune", path, "--output", str(home / "out")]) == 0
    shown = capsys.readouterr().out
    assert "perplexity_before" in shown
    assert f"artefact: {home / 'out'}" in shown


@pytest.mark.parametrize(
    ("command", "body", "message"),
    [
        ("pretrain", "task: sft\n", "no recipe of pre-training"),
        ("pretrain", "task: mlm\nweights: tiny\ncorpus: [corpus.txt]\n", "of the role generator"),
        ("pretrain", "task: clm\nweights: nothing\ncorpus: [corpus.txt]\n", "no weights called 'nothing'"),
        ("pretrain", "task: clm\nweights: tiny\ncorpus: [none.txt]\n", "none.txt is not there"),
        ("pretrain", "task: clm\nweights: tiny\nmask_share: 2.0\n", "mask_share"),
        ("pretrain", "task: clm\nweights: tiny\ncorpora: [corpus.txt]\n", "unknown fields: corpora"),
        ("finetune", "task: sft\nweights: tiny\ntrain: corpus.txt\n", "unknown type"),
        ("finetune", "task: sft\nweights: e5-small\ntrain: chats.jsonl\n", "of the role encoder"),
    ],
)
def test_errors_are_told_without_a_traceback(
    home: Path, capsys: pytest.CaptureFixture[str], command: str, body: str, message: str
) -> None:
    assert run([command, recipe(home, body)]) == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("finetune", "task: classification\nweights: tiny\ntrain: chats.jsonl\n"),
        ("finetune", "task: multi-task\nweights: tiny\n"),
        ("search", "task: classification\nweights: tiny\nsearch: {space: {dropout: [0.0, 0.1]}}\n"),
    ],
    ids=["classification", "multi-task", "search"],
)
def test_a_decoder_is_no_encoder(home: Path, capsys: pytest.CaptureFixture[str], command: str, body: str) -> None:
    (home / "recipe.yaml").write_text(body, "utf-8")
    assert run([command, str(home / "recipe.yaml")]) == 1
    assert "of the role generator" in capsys.readouterr().err


def test_the_knowledge_base_gives_its_public_valid_texts(clean: Database) -> None:
    def document(name: str, **fields: object) -> Document:
        given = {
            "title": f"About {name}",
            "language": "en",
            "group_id": name,
            "answer": f"The {name} costs {{{{X.fee.A}}}}.",
        }
        return Document(document_id=f"{name}:en", **(given | fields))  # type: ignore[arg-type]

    library = Library(clean, ScriptedEmbedder())
    library.add(
        [
            document("card", questions=("How much is a card?",)),
            document("old", valid_to=date(2020, 1, 1)),
            document("manual", audience=Audience.STAFF),
        ]
    )
    (text,) = knowledge_texts(library, {}, date(2026, 11, 26))
    assert text == "About card\nHow much is a card?\nThe card costs (please ask the bank)."
