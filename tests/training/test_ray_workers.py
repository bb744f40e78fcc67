"""Ray Train: workers share a run, and what one of them raises reaches a person."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openteller.runtime.catalogue import Catalogue
from tests.training.test_finetune import LINES, SHARED, quiet, write

pytest.importorskip("ray")

COMMAND = [sys.executable, "-m", "openteller.cli.main", "finetune"]
RECIPE = """
task: classification
name: toy
weights: small
train: toy.jsonl
validation_share: 0.3333
epochs: 4
batch_size: 4
learning_rate: 1.0e-3
dropout: 0.0
"""


def finetune(folder: Path, data_dir: Path, workers: int) -> subprocess.CompletedProcess[str]:
    (folder / "toy.yaml").write_text(RECIPE, "utf-8")
    environment = os.environ | {"OPENTELLER_DATA_DIR": str(data_dir), "OPENTELLER_DATA": str(folder)}
    command = [*COMMAND, "toy.yaml", "--ray-workers", str(workers), "--output", "artefact", "--json"]
    return subprocess.run(
        command, cwd=folder, env=environment | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300
    )


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="Ray gives each worker a core")
def test_two_workers_learn_what_one_process_learns(data_dir: Path, tmp_path: Path) -> None:
    from openteller.training.finetune import finetune as alone

    write(tmp_path / "toy.jsonl", LINES)
    done = finetune(tmp_path, data_dir, 2)
    assert done.returncode == 0, done.stderr
    shared = json.loads(done.stdout)["metrics"]
    expected = alone(SHARED, tmp_path.joinpath, Catalogue(data_dir).locate("small"), tmp_path / "alone", quiet)
    assert shared["nll"] == pytest.approx(expected.metrics["nll"], abs=2e-3)
    assert shared["train_rows"] == expected.metrics["train_rows"]


def test_more_workers_than_cores_are_refused(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl", LINES)
    done = finetune(tmp_path, data_dir, 999)
    assert done.returncode == 1
    assert "999 workers are asked for" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_worker_raises_is_said(data_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "toy.jsonl", LINES[:1])
    done = finetune(tmp_path, data_dir, 1)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-3].startswith("Error: "), done.stderr
    assert "label" in done.stderr
