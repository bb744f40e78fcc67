"""Writing the files of an artefact so that a folder holds the old ones or the new ones, never half of either taken for whole.

Knows nothing about what the files are.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from openteller.registry.card import write_card
from openteller.registry.manifest import MANIFEST, Manifest, write_manifest
from openteller.training.provenance import this_machine

CURVE = "perplexity.png"  #: of a language model


@contextmanager
def written_whole(output: Path) -> Iterator[Path]:
    """A folder to write an artefact in; at the end of a block that went well its files replace those of `output`.

    The manifest goes first and comes last: without one a folder is no artefact. Folders in `output` stay.
    """
    output.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=".writing-", dir=output))
    try:
        yield work
        (output / MANIFEST).unlink(missing_ok=True)
        for old in [path for path in output.iterdir() if path.is_file()]:
            old.unlink()
        for new in sorted(work.iterdir(), key=lambda path: path.name == MANIFEST):
            new.replace(output / new.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def described(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest of the files in `folder`, with the machine it was trained on, and its card; it with their hashes."""
    complete = write_manifest(folder, manifest.model_copy(update={"machine": manifest.machine or this_machine()}))
    write_card(folder)
    return complete
