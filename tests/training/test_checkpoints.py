"""Checkpoints: the newest whole one is found, damage is set aside, another run is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from openteller.core.errors import BadInput
from openteller.training.checkpoints import claim, discard, newest_whole


def checkpoint(folder: Path, step: int) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "trainer_state.json").write_text("{}")
    save_file({"w": torch.ones(3)}, path / "model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt"):
        torch.save({"step": step}, path / name)
    return path


@pytest.mark.parametrize("file", ["trainer_state.json", "model.safetensors", "optimizer.pt", "scheduler.pt"])
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_checkpoint_is_set_aside_and_named(tmp_path: Path, file: str, damage: str) -> None:
    before, newest, told = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10), []
    victim = newest / file
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")
    if damage == "gone":
        victim.unlink()
    assert newest_whole(tmp_path, lambda _, __, text: told.append(text)) == before
    assert (tmp_path / "damaged-checkpoint-10").exists()
    assert "checkpoint-10 is damaged" in told[0]


def test_none_is_none(tmp_path: Path) -> None:
    assert newest_whole(tmp_path / "nothing", lambda *_: None) is None


def test_another_run_is_refused_and_the_same_goes_on(tmp_path: Path) -> None:
    claim(tmp_path, {"lr": 1})
    claim(tmp_path, {"lr": 2})  # nothing was trained yet
    checkpoint(tmp_path, 1)
    claim(tmp_path, {"lr": 2})
    with pytest.raises(BadInput, match="another run"):
        claim(tmp_path, {"lr": 3})
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(BadInput, match="another run"):
        claim(tmp_path, {"lr": 2})
    discard(tmp_path)
    claim(tmp_path, {"lr": 3})
    assert json.loads((tmp_path / "run.json").read_text())["settings"] == {"lr": 3}
