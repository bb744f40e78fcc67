"""The manifest proves that an artefact's files are the ones that were measured."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import MANIFEST, Manifest, read_manifest, sha256, write_manifest


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    (tmp_path / "heads.safetensors").write_bytes(b"heads" * 100)
    (tmp_path / "adapter.safetensors").write_bytes(b"adapter" * 100)
    write_manifest(tmp_path, _manifest())
    return tmp_path


def _manifest() -> Manifest:
    return Manifest(
        name="toy",
        task="classification",
        base="e5-small",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        licence="Apache-2.0",
        data=("自写的句子",),
        metrics={"accuracy": 0.5},
        labels={"label": ("no", "yes")},
        temperatures={"label": 1.5},
        settings={"steps": 3},
    )


def test_what_is_written_is_read(artefact: Path) -> None:
    manifest = read_manifest(artefact)
    assert manifest.model_copy(update={"files": {}}) == _manifest()
    assert set(manifest.files) == {"heads.safetensors", "adapter.safetensors"}
    assert manifest.files["heads.safetensors"] == hashlib.sha256(b"heads" * 100).hexdigest()
    assert "自写的句子" in (artefact / MANIFEST).read_text("utf-8")


def test_writing_again_follows_the_files(artefact: Path) -> None:
    (artefact / "heads.safetensors").write_bytes(b"other")
    assert write_manifest(artefact, _manifest()).files["heads.safetensors"] == sha256(artefact / "heads.safetensors")
    assert read_manifest(artefact)


def test_a_changed_file_is_refused(artefact: Path) -> None:
    body = bytearray((artefact / "heads.safetensors").read_bytes())
    body[7] ^= 1
    (artefact / "heads.safetensors").write_bytes(body)
    with pytest.raises(ModelUnavailable, match=r"heads\.safetensors is not the file"):
        read_manifest(artefact)
    assert read_manifest(artefact, verify=False).name == "toy"


def test_a_cut_file_is_refused(artefact: Path) -> None:
    path = artefact / "adapter.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelUnavailable, match=r"adapter\.safetensors"):
        read_manifest(artefact)


def test_a_missing_file_is_refused(artefact: Path) -> None:
    (artefact / "adapter.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"adapter\.safetensors") as caught:
        read_manifest(artefact)
    assert caught.value.next_step


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"name": "to', b"\xff\xfe{"])
def test_a_damaged_manifest_is_refused(artefact: Path, body: bytes) -> None:
    (artefact / MANIFEST).write_bytes(body)
    with pytest.raises(ModelUnavailable, match="no readable manifest"):
        read_manifest(artefact)


def test_an_unknown_field_is_refused(artefact: Path) -> None:
    raw = json.loads((artefact / MANIFEST).read_text("utf-8")) | {"surprise": 1}
    (artefact / MANIFEST).write_text(json.dumps(raw), "utf-8")
    with pytest.raises(ModelUnavailable):
        read_manifest(artefact)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        read_manifest(tmp_path / "nowhere")
