"""Proven copies of artefacts: whole under their name, or not there at all.

A version is the beginning of its manifest's SHA-256, and the manifest holds the hashes of the files: the name proves the
content. Knows nothing about stages.
"""

import shutil
from pathlib import Path, PurePosixPath

from openteller.core.errors import BadInput, ModelUnavailable
from openteller.registry.card import write_card
from openteller.registry.durable import replace_file, settle
from openteller.registry.evidence import read_evaluation
from openteller.registry.manifest import MANIFEST, REPORT, Manifest, read_manifest, sha256

_DIGITS = 12


def version_of(folder: Path) -> str:
    """The version of the artefact in `folder`: 12 hexadecimal digits."""
    return sha256(folder / MANIFEST)[:_DIGITS]


def bring_in(source: Path, manifest: Manifest, target: Path) -> None:
    """Have a whole copy of the artefact in `source` as `target`, a folder that is called like the version.

    A copy that is damaged is replaced, and one that is whole takes the report.json beside the original. A new copy is
    proved and on the disk before it has its name. One caller at a time for the folder that holds `target`.

    Raises:
        ModelUnavailable: the source changes meanwhile.
        UnreadableFile: the report.json beside it is damaged.
        BadInput: its manifest names files outside its folder.
    """
    read_evaluation(source, manifest)  # a damaged one is refused here
    if _is_whole(target):
        _renew_report(source, target)
        return
    incoming, damaged = (target.parent / f".{what}-{target.name}" for what in ("incoming", "damaged"))
    for left in (incoming, damaged):
        shutil.rmtree(left, ignore_errors=True)
    beside = [REPORT] if (source / REPORT).is_file() else []
    for name in (MANIFEST, *manifest.files, *beside):
        _copy(source, incoming, name)
    if not _is_whole(incoming, target.name):
        raise ModelUnavailable(
            f"{source.name} changed while it was copied.", next_step="Register it when its training is done."
        )
    write_card(incoming)
    settle(incoming)
    if target.exists():
        target.replace(damaged)
    incoming.replace(target)
    settle(target.parent)
    shutil.rmtree(damaged, ignore_errors=True)


def _copy(source: Path, target: Path, name: str) -> None:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise BadInput(f"The manifest of {source.name} names a file outside its folder: {name}.")
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / name, target / name)
    if name != REPORT:
        (target / name).chmod(0o444)
    settle(target / name)


def _renew_report(source: Path, target: Path) -> None:
    """An evaluation made since comes to the version that it is of."""
    if (source / REPORT).is_file():
        replace_file(target / REPORT, (source / REPORT).read_text(encoding="utf-8"))
        write_card(target)


def _is_whole(folder: Path, version: str = "") -> bool:
    try:
        read_manifest(folder)
    except ModelUnavailable:
        return False
    return version_of(folder) == (version or folder.name)
