"""The manifest of a model artefact: what it is, from which data, how good, under which licence, and its hashes.

What people read beside it (the card, reports, pages, pictures) is no part of the artefact: it can be written anew, after
an evaluation or by a later release, without the model becoming another one. Knows nothing about loading a model; it only
proves that the files are the ones that were measured.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from openteller.core.errors import ModelUnavailable
from openteller.core.records import Record
from openteller.registry.durable import replace_file

MANIFEST = "manifest.json"
CARD = "README.md"
REPORT = "report.json"
_FOR_PEOPLE = frozenset({".md", ".html", ".png"})


class Machine(Record):
    """What trained a model. `accelerator`: empty for none."""

    processor: str
    cores: int = Field(ge=1, description="that training may use")
    accelerator: str = ""


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
    languages: tuple[str, ...] = Field((), description="of the training texts, most frequent first (zh, en)")
    machine: Machine | None = Field(None, description="None: not noted")
    files: dict[str, str] = Field({}, description="file name → SHA-256")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest, *, below: Iterable[str] = ()) -> Manifest:
    """Hash the files in `folder`, and in its folders `below`, into the manifest and write it there."""
    found = [path for place in (folder, *(folder / name for name in below)) for path in sorted(place.iterdir())]
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in found if _is_part(path)}
    complete = manifest.model_copy(update={"files": files})
    body = json.dumps(complete.model_dump(mode="json"), ensure_ascii=False, indent=2)
    replace_file(folder / MANIFEST, body + "\n")
    return complete


def _is_part(path: Path) -> bool:
    beside = path.name in (MANIFEST, REPORT) or path.suffix in _FOR_PEOPLE
    return path.is_file() and not beside and not path.name.startswith(".")


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
