"""The manifest of a model artefact: what it is, from which data, how good, under which licence, and its hashes.

Knows nothing about loading a model; it only proves that the files are the ones that were measured.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from openteller.core.errors import ModelUnavailable
from openteller.core.records import Record

MANIFEST = "manifest.json"


class Manifest(Record):
    """What `manifest.json` holds."""

    name: str
    task: str
    base: str = Field(description="name in the catalogue of weights of the model that was adapted")
    created_at: datetime
    licence: str
    data: tuple[str, ...] = Field(description="the data it was trained on, with licence and attribution")
    metrics: dict[str, float]
    labels: dict[str, tuple[str, ...]] = Field(description="head → its labels in output order")
    temperatures: dict[str, float] = Field({}, description="head → divisor of its logits, fitted on validation")
    settings: dict[str, Any] = Field({}, description="training arguments")
    files: dict[str, str] = Field({}, description="file name → SHA-256")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Hash the files in `folder` into the manifest and write it there."""
    files = {p.name: sha256(p) for p in sorted(folder.iterdir()) if p.is_file() and p.name != MANIFEST}
    complete = manifest.model_copy(update={"files": files})
    body = json.dumps(complete.model_dump(mode="json"), ensure_ascii=False, indent=2)
    (folder / MANIFEST).write_text(body + "\n", encoding="utf-8")
    return complete


def read_manifest(folder: Path, *, verify: bool = True) -> Manifest:
    """Read and check the manifest in `folder`. Raises ModelUnavailable when files are missing or changed."""
    again = "Restore the folder from the release, or train the model again with its recipe."
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelUnavailable(f"{folder.name} has no readable manifest.", cause=str(error), next_step=again) from error
    for name, expected in manifest.files.items() if verify else ():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise ModelUnavailable(
                f"{folder.name}/{name} is not the file that was measured.",
                cause="It is missing, cut short or was changed after training.",
                next_step=again,
            )
    return manifest
