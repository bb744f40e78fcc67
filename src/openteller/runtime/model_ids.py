"""A model by its folder in Hugging Face layout, or by its id on a hub: the entry that a catalogue would have of it.

What the hub said of an id (commit, size, SHA-256) is kept in the data directory, so that an id means the same weights from
then on, and needs the hub no more. Knows nothing about fetching weights or checking them: that is catalogue.py.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from openteller.core.errors import MissingDependency, ModelUnavailable, NotFound
from openteller.registry.durable import replace_file
from openteller.runtime.hugging_face import COMPANIONS, CONFIG, is_encoder
from openteller.runtime.weights import HubSource, PathSource, Weights, WeightsRole

WEIGHTS = "model.safetensors"
_ID = re.compile(r"(?P<repo>[^\W_][\w.-]*/[^\W_][\w.-]*?)(@(?P<revision>[\w./-]+))?", re.ASCII)
_UNKNOWN = "LicenseRef-unknown"


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form OWNER/NAME or OWNER/NAME@REVISION."""
    return _ID.fullmatch(name) is not None


def hub_client(wanted: str) -> ModuleType:
    """huggingface_hub. Raises MissingDependency."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingDependency(
            f"The weights {wanted} come from a model hub, and its client is not installed.",
            cause=f"huggingface_hub cannot be imported ({error}).",
            next_step="Run `pip install huggingface_hub`.",
        ) from error
    found: ModuleType = huggingface_hub
    return found


def in_folder(folder: Path, hash_of: Callable[[Path], str]) -> Weights | None:
    """The entry of the model in `folder`; None when it is no model in Hugging Face layout.

    Args:
        folder: a folder with config.json and model.safetensors.
        hash_of: gives a file's SHA-256.

    Raises:
        ModelUnavailable: its configuration cannot be read, or is of no model that can be built on.
    """
    path = folder / WEIGHTS
    if not (folder / CONFIG).is_file() or not path.is_file():
        return None
    role = _role(folder.name, _read(folder / CONFIG))
    licence = _licence_in(folder / "README.md")
    return Weights(
        name=_slug(folder.name), role=role, source=PathSource(path=path.resolve()), licence=licence,
        sha256=hash_of(path), size=path.stat().st_size,
    )  # fmt: skip


def on_hub(name: str, kept: Path, hub_url: str | None) -> Weights:
    """The entry of the model whose id is `name`: as it was first resolved, or as the hub says now.

    Args:
        name: OWNER/NAME, or OWNER/NAME@REVISION.
        kept: the folder in which resolved ids and the hub's files are kept.
        hub_url: the hub to ask; None: the public one.

    Raises:
        ModelUnavailable: the hub is out of reach, does not know the id, or has no single file of safetensors.
        MissingDependency: its client is not installed.
    """
    note = kept / f"{name.replace('/', '--').replace('@', '--at--')}.json"
    if note.is_file():
        return Weights.model_validate(_read(note))
    match = _ID.fullmatch(name)
    assert match is not None
    client = hub_client(name)
    try:
        entry = _ask(client, name, match["repo"], match["revision"], kept, hub_url)
    except ModelUnavailable:
        raise
    # The client raises its own, its transport's and the operating system's errors, which share no other base.
    except Exception as error:
        raise ModelUnavailable(
            f"There are no weights called {name}.",
            cause="The catalogue has none and there is no such folder; the hub is out of reach or does not know it "
            f"({type(error).__name__}: {str(error)[:200]}).",
            next_step="Name weights of the catalogue (e5-small ships) or a folder with config.json and "
            f"{WEIGHTS}; behind a mirror, set OPENTELLER_HUB_URL.",
        ) from error
    kept.mkdir(parents=True, exist_ok=True)
    replace_file(note, entry.model_dump_json(indent=1))
    return entry


def _ask(client: Any, name: str, repo: str, revision: str | None, kept: Path, hub_url: str | None) -> Weights:
    info = client.HfApi(endpoint=hub_url).model_info(repo, revision=revision, files_metadata=True)
    files = {file.rfilename: file for file in info.siblings or []}
    if WEIGHTS not in files or CONFIG not in files:
        raise ModelUnavailable(
            f"The model {repo} cannot be used.",
            cause=f"It has no {WEIGHTS} beside a {CONFIG}, but {', '.join(sorted(files)[:8]) or 'nothing'}.",
            next_step="Choose a revision that has them, or convert it with transformers' save_pretrained and name its folder.",
        )
    weights = files[WEIGHTS]
    if weights.lfs is None or not weights.size:
        raise ModelUnavailable(
            f"The hub gives no SHA-256 of {repo}'s {WEIGHTS}.",
            cause="It does not keep it as a large file.",
            next_step="Download it and name its folder.",
        )
    config = client.hf_hub_download(repo, CONFIG, revision=info.sha, cache_dir=kept, endpoint=hub_url)
    companions = tuple(file for file in COMPANIONS if file in files)
    return Weights(
        name=_slug(name), role=_role(repo, _read(Path(config))),
        source=HubSource(repo=repo, file=WEIGHTS, revision=info.sha, companions=companions),
        licence=str((info.card_data or {}).get("license") or _UNKNOWN), sha256=weights.lfs.sha256, size=weights.size,
    )  # fmt: skip


def _role(name: str, config: Mapping[str, Any]) -> WeightsRole:
    if is_encoder(config):
        return WeightsRole.ENCODER
    if config.get("model_type") == "whisper":
        return WeightsRole.TRANSCRIBER
    if any(str(a).endswith("ForCausalLM") for a in config.get("architectures") or ()):
        return WeightsRole.GENERATOR
    raise ModelUnavailable(
        f"Nothing can be built on {name}.",
        cause=f"Its model_type is {config.get('model_type')!r}: no encoder of the BERT family, causal language "
        "model or Whisper.",
        next_step="Name an encoder of BERT's, RoBERTa's, XLM-R's, ELECTRA's or DistilBERT's architecture, a decoder, or Whisper.",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        cause = "it holds no object"
    except (OSError, ValueError) as error:
        cause = str(error)
    raise ModelUnavailable(
        f"{path} cannot be read.", cause=cause, next_step="Restore the file, or delete it if the hub can be reached."
    )


def _licence_in(card: Path) -> str:
    """What the head of a model card says of the licence."""
    try:
        head = card.read_text(encoding="utf-8")[:4000]
    except (OSError, UnicodeDecodeError):
        return _UNKNOWN
    match = re.search(r"^license:\s*([\w.+-]+)\s*$", head, re.MULTILINE) if head.startswith("---") else None
    return match[1] if match else _UNKNOWN


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9._-]+", "-", name.lower()).strip("._-") or "model"


def missing(name: str, known: list[str]) -> NotFound:
    """What to say of a name that nothing is called by."""
    return NotFound(
        f"The catalogue has no weights called {name!r}.",
        cause=f"It has {', '.join(known)}.",
        next_step="Choose one of these, a folder in Hugging Face layout or an OWNER/NAME of a hub, or add an entry to "
        "models.yaml in the data directory.",
    )
