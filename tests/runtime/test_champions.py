"""What serves: the champion where the registry has one, else what ships; a damaged champion is said, never stepped in for."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from openteller.assembly import Application
from openteller.core.errors import ModelUnavailable
from openteller.registry.gates import parse
from openteller.registry.manifest import Manifest, write_manifest
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Version
from openteller.runtime.loader import RELEVANCE, SERVED, UNDERSTANDING, serving_artefact, shipped_artefact, try_out
from openteller.settings import load
from tests.registry.artefacts import make_artefact
from tests.runtime.encoders import small, small_catalogue


def champion(data_dir: Path, source: Path, slot: str) -> Version:
    registry = ModelRegistry(data_dir)
    version = registry.register(source, actor="li", name=slot)
    gates = [parse("accuracy >= 0.5")]
    return registry.promote(slot, version.version, gates, actor="li", reason="because")


@pytest.mark.parametrize("slot", SERVED)
def test_the_champion_serves_and_what_ships_without_one(tmp_path: Path, slot: str) -> None:
    assert serving_artefact(slot, tmp_path) == shipped_artefact(SERVED[slot])
    version = champion(tmp_path, make_artefact(tmp_path / "a"), slot)
    assert serving_artefact(slot, tmp_path) == tmp_path / "registry" / slot / version.version
    ModelRegistry(tmp_path).retire(slot, version.version, actor="li", reason="back")
    assert serving_artefact(slot, tmp_path) == shipped_artefact(SERVED[slot])


def test_a_damaged_champion_is_said(tmp_path: Path) -> None:
    champion(tmp_path, make_artefact(tmp_path / "a"), UNDERSTANDING)
    (serving_artefact(UNDERSTANDING, tmp_path) / "heads.safetensors").unlink()
    application = Application(load(data_dir=tmp_path, dev=True))
    with pytest.raises(ModelUnavailable, match="is damaged") as caught:
        _ = application.embedder
    assert f"teller models rollback {UNDERSTANDING}" in caught.value.next_step
    assert application.artefact(RELEVANCE) == shipped_artefact("knowledge")


def test_what_the_settings_name_goes_first(tmp_path: Path) -> None:
    champion(tmp_path, make_artefact(tmp_path / "a"), UNDERSTANDING)
    named = Application(load(data_dir=tmp_path, dev=True, encoder=tmp_path / "own"))
    assert named.artefact(UNDERSTANDING) == tmp_path / "own"


def encoder_with_heads(folder: Path, task: str, heads: dict[str, tuple[str, ...]]) -> Path:
    folder.mkdir()
    save_file(small().tensors, folder / "encoder.safetensors")
    tensors = {f"{n}.weight": np.zeros((len(labels), 384), np.float32) for n, labels in heads.items()}
    save_file(
        tensors | {f"{n}.bias": np.zeros(len(ls), np.float32) for n, ls in heads.items()}, folder / "heads.safetensors"
    )
    manifest = Manifest(
        name="toy", task=task, base="small", created_at=datetime(2026, 11, 23, tzinfo=UTC), licence="MIT", data=(),
        metrics={"accuracy": 0.9}, labels=heads, temperatures=dict.fromkeys(heads, 1.0), settings={"max_tokens": 32},
    )  # fmt: skip
    write_manifest(folder, manifest)
    return folder


def test_a_model_that_could_not_serve_is_refused_before_it_does(tmp_path: Path) -> None:
    catalogue = small_catalogue(tmp_path / "data")
    half = encoder_with_heads(tmp_path / "half", "understanding", {"intent": ("a", "b"), "tags": ("O", "B-x")})
    with pytest.raises(ModelUnavailable, match="It has no needs, sentiment") as caught:
        try_out(UNDERSTANDING, half, catalogue, tmp_path / "data")
    assert "recipes/understanding-zh-en.yaml" in caught.value.next_step
    other = encoder_with_heads(tmp_path / "other", "multi-label", {"relevance": ("relevant",)})
    with pytest.raises(ModelUnavailable, match="is no reranker"):
        try_out(RELEVANCE, other, catalogue, tmp_path / "data")
    try_out("banking77", tmp_path / "nowhere", catalogue, tmp_path / "data")
    reranker = encoder_with_heads(tmp_path / "r", "reranking", {"relevance": ("relevant",)})
    try_out(RELEVANCE, reranker, catalogue, tmp_path / "data")


def test_looking_for_the_champion_imports_nothing_heavy() -> None:
    code = "import sys, openteller.registry.registry; print([m for m in sys.modules if m.split('.')[0] in "
    code += "('numpy', 'torch', 'sqlalchemy', 'rich', 'onnxruntime')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
