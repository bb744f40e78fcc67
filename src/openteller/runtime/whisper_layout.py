"""Lays the files of a Whisper model together as CTranslate2 wants them: one folder with model, config, tokenizer, vocabulary.

The catalogue verifies each file; here they only get the names they need, as hard links where the disk allows. The folder
appears in one step, so that several processes may make it at once. Knows nothing about speech.
"""

import os
import shutil
import tempfile
from pathlib import Path

from openteller.core.errors import BadInput, ModelUnavailable
from openteller.runtime.catalogue import Catalogue

WHISPER_BASE = "whisper-base"  #: the weights that a package carries

_MODEL = "model.bin"
_COMPANIONS = {"config": "config.json", "tokenizer": "tokenizer.json", "vocabulary": "vocabulary.txt"}


def whisper_folder(name: str, catalogue: Catalogue, data_dir: Path) -> Path:
    """The folder of the Whisper model called `name`.

    Args:
        name: a folder in CTranslate2's layout, such as fine-tuning writes; or weights in the catalogue, whose companions are
            called <name>-config, <name>-tokenizer and <name>-vocabulary.
        catalogue: where the weights are found.
        data_dir: the folder is made below its `models/`.

    Raises:
        BadInput: a folder without a model of this kind.
        NotFound: the catalogue has no such weights.
        ModelUnavailable: weights that are missing, damaged, or cannot be laid together.
    """
    if (given := Path(name)).is_dir():
        return _checked(given)
    files = {_MODEL: catalogue.locate(name)}
    files |= {file: catalogue.locate(f"{name}-{part}") for part, file in _COMPANIONS.items()}
    target = data_dir / "models" / name / f"{catalogue.entry(name).sha256[:12]}-ctranslate2"
    if not all(_same(path, target / file) for file, path in files.items()):
        _lay(files, target)
    return target


def _checked(folder: Path) -> Path:
    missing = [file for file in (_MODEL, "config.json", "tokenizer.json") if not (folder / file).is_file()]
    if not list(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json")
    if missing:
        raise BadInput(
            f"The folder {folder} has no Whisper model that can be run.",
            cause=f"It has no {', '.join(missing)}.",
            next_step="Name a folder that `teller finetune` wrote, or one made by ct2-transformers-converter with "
            "--copy_files tokenizer.json.",
        )
    return folder


def _same(source: Path, file: Path) -> bool:
    return file.is_file() and file.stat().st_size == source.stat().st_size


def _lay(files: dict[str, Path], target: Path) -> None:
    made: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".laying-", dir=target.parent))
        for file, path in files.items():
            _link(path, made / file)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    except OSError as error:
        # Another process may have been faster; what it made is as good.
        if not all(_same(path, target / file) for file, path in files.items()):
            raise ModelUnavailable(
                f"The files of the speech model cannot be laid together in {target}.",
                cause=error.strerror or str(error),
                next_step="Make 150 MB of room in the data directory, and let OpenTeller write there.",
            ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _link(source: Path, file: Path) -> None:
    try:
        os.link(source, file)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(source, file)
