"""From an artefact to a running encoder: built once, shared between processes, refused when damaged."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import MANIFEST, Manifest, write_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.loader import load_encoder, shipped_artefact
from tests.runtime.encoders import small_catalogue

LABELS = {"topic": ("card", "loan", "gold"), "tags": ("O", "B-date", "I-date")}
LAYER = "encoder.layer.0.output.dense"
_LOAD = """
import sys, json
from pathlib import Path
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import load_encoder
data = Path(sys.argv[2])
encoder, _ = load_encoder(Path(sys.argv[1]), Catalogue(data), data)
print(json.dumps(encoder.encode(["card"]).embedding[0].tolist()))
"""


@pytest.fixture
def catalogue(small: EncoderWeights, tmp_path: Path) -> Catalogue:
    return small_catalogue(tmp_path / "data")


@pytest.fixture
def artefact(small: EncoderWeights, tmp_path: Path) -> Path:
    folder = tmp_path / "artefact"
    folder.mkdir()
    draw = np.random.default_rng(0).normal
    adapter = {f"{LAYER}.lora_A": draw(size=(2, 1536), scale=0.02), f"{LAYER}.lora_B": draw(size=(384, 2), scale=0.02)}
    save_file({n: a.astype(np.float16) for n, a in adapter.items()}, folder / "adapter.safetensors")
    heads = {}
    for name, labels in LABELS.items():
        heads[f"{name}.weight"] = draw(size=(len(labels), small.hidden)).astype(np.float32)
        heads[f"{name}.bias"] = np.zeros(len(labels), np.float32)
    save_file(heads, folder / "heads.safetensors")
    _seal(folder, {"lora_scale": 2.0})
    return folder


def _seal(folder: Path, settings: dict[str, float]) -> None:
    manifest = Manifest(
        name="toy", task="understanding", base="small", created_at=datetime(2026, 11, 23, tzinfo=UTC), licence="MIT",
        data=(), metrics={}, labels=LABELS, settings=settings,
    )  # fmt: skip
    write_manifest(folder, manifest)


def _built(data: Path) -> list[Path]:
    return list((data / "models" / "built").iterdir())


def test_it_is_built_once_and_used_again(artefact: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    data, steps = tmp_path / "data", []
    first, manifest = load_encoder(artefact, catalogue, data, progress=lambda done, total, text: steps.append(done))
    assert steps == [0, 1, 2, 3, 4]
    (folder,) = _built(data)
    stamp = (folder / "encoder.onnx").stat().st_mtime_ns
    second, _ = load_encoder(artefact, catalogue, data, progress=lambda done, total, text: steps.append(done))
    assert len(steps) == 5
    assert (folder / "encoder.onnx").stat().st_mtime_ns == stamp
    assert manifest.name == "toy"
    one, two = first.encode(["我的卡"]), second.encode(["我的卡"])
    assert np.array_equal(one.embedding, two.embedding)
    assert one.token_logits["tags"][0].shape[1] == 3
    assert one.logits["topic"].shape == (1, 3)


def test_a_changed_artefact_is_built_anew(artefact: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before, _ = load_encoder(artefact, catalogue, data)
    a, b = np.full((2, 1536), 0.02, np.float32), np.full((384, 2), 0.02, np.float32)
    b[::2] *= -1
    save_file({f"{LAYER}.lora_A": a, f"{LAYER}.lora_B": b}, artefact / "adapter.safetensors")
    _seal(artefact, {"lora_scale": 2.0})
    after, _ = load_encoder(artefact, catalogue, data)
    assert len(_built(data)) == 2
    assert not np.allclose(before.encode(["card"]).embedding, after.encode(["card"]).embedding)


def test_a_whole_encoder_takes_the_place_of_the_base(
    artefact: Path, catalogue: Catalogue, small: EncoderWeights, tmp_path: Path
) -> None:
    (artefact / "adapter.safetensors").unlink()
    save_file(small.tensors, artefact / "encoder.safetensors")
    _seal(artefact, {})
    encoder, _ = load_encoder(artefact, catalogue, tmp_path / "data")
    assert encoder.encode(["card"]).logits["topic"].shape == (1, 3)
    save_file({n: t[:-1] for n, t in small.tensors.items()}, artefact / "encoder.safetensors")
    _seal(artefact, {})
    with pytest.raises(ModelUnavailable, match="does not fit"):
        load_encoder(artefact, catalogue, tmp_path / "data")


@pytest.mark.parametrize("name", ["adapter.safetensors", "heads.safetensors", MANIFEST])
def test_a_cut_artefact_is_refused(artefact: Path, catalogue: Catalogue, tmp_path: Path, name: str) -> None:
    body = (artefact / name).read_bytes()
    (artefact / name).write_bytes(body[: len(body) // 2])
    with pytest.raises(ModelUnavailable):
        load_encoder(artefact, catalogue, tmp_path / "data")
    assert not (tmp_path / "data" / "models" / "built").exists()


@pytest.mark.parametrize("name", ["adapter.safetensors", "heads.safetensors"])
@pytest.mark.parametrize("body", [None, b"not tensors"])
def test_an_artefact_sealed_without_its_tensors_is_refused(
    artefact: Path, catalogue: Catalogue, tmp_path: Path, name: str, body: bytes | None
) -> None:
    (artefact / name).unlink()
    if body:
        (artefact / name).write_bytes(body)
    _seal(artefact, {"lora_scale": 2.0})
    with pytest.raises(ModelUnavailable):
        load_encoder(artefact, catalogue, tmp_path / "data")


def test_a_head_without_weights_is_refused(artefact: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    save_file({"topic.weight": np.zeros((3, 384), np.float32)}, artefact / "heads.safetensors")
    _seal(artefact, {"lora_scale": 2.0})
    with pytest.raises(ModelUnavailable):
        load_encoder(artefact, catalogue, tmp_path / "data")


def test_half_a_built_folder_is_built_anew(artefact: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    load_encoder(artefact, catalogue, tmp_path / "data")
    (folder,) = _built(tmp_path / "data")
    (folder / "encoder.onnx").unlink()
    encoder, _ = load_encoder(artefact, catalogue, tmp_path / "data")
    assert encoder.dimension == 384
    assert _built(tmp_path / "data") == [folder]


def test_two_processes_may_build_at_once(artefact: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-c", _LOAD, str(artefact), str(data)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    vectors = []
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        vectors.append(json.loads(out))
    assert vectors[0] == vectors[1]
    assert len(_built(data)) == 1
    assert {p.name for p in _built(data)[0].iterdir()} == {"encoder.onnx", "tokenizer.json"}


def test_the_shipped_artefact_is_whole(tmp_path: Path) -> None:
    from openteller.registry.manifest import read_manifest

    manifest = read_manifest(shipped_artefact())
    assert set(manifest.labels) == {"intent", "sentiment", "needs", "tags"}
    assert set(manifest.temperatures) == set(manifest.labels)
    copy = tmp_path / "copy"
    shutil.copytree(shipped_artefact(), copy)
    (copy / "adapter.safetensors").unlink()
    with pytest.raises(ModelUnavailable):
        read_manifest(copy)
