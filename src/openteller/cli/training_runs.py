"""What the commands that train share: their arguments, how a run that stops says why, how its result is shown, where language models lie.

Knows nothing about recipes.
"""

import argparse
import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openteller.core.errors import BadInput, OpenTellerError
from openteller.registry.manifest import Manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.weights import WeightsRole

if TYPE_CHECKING:
    from openteller.training.tuning import Places


def run_arguments(command: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """What a command that runs a recipe takes."""
    parser = argparse.ArgumentParser(
        f"teller {command}", description=description, epilog=examples, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--output", type=Path, help="default: <data_dir>/models/<name>")
    parser.add_argument("--restart", action="store_true", help="do not go on with a run that was cut off")
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    return parser


@contextmanager
def stopped_clearly(data_dir: Path) -> Iterator[None]:
    """Around a run: a loss that is no number and a full disk become errors for a person."""
    try:
        yield
    except FloatingPointError as error:
        raise OpenTellerError("Training stopped.", cause=str(error)) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OpenTellerError(
            "Training stopped.",
            cause=f"The disk is full ({error.filename or data_dir}).",
            next_step="Make room and run the same command again: it goes on from the last checkpoint.",
        ) from error


def show(manifest: Manifest, output: Path, *, as_json: bool) -> None:
    """Print what a run gave: its figures and where it is, or the manifest as JSON."""
    if as_json:
        print(json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=2))
        return
    for name, value in manifest.metrics.items():
        print(f"{name:24} {value:.4f}")
    print(f"artefact: {output}")


def places(catalogue: Catalogue, name: str, role: WeightsRole, data_dir: Path) -> "Places":
    """Where the language model called `name` and what it goes back to lie, and what is kept of it.

    Raises:
        BadInput: the weights are of another role.
        NotFound: the catalogue has no such weights, and no artefact is called so.
    """
    from openteller.training.tuning import Places

    weights = located(catalogue, name, role)
    return Places(weights, catalogue.locate(catalogue.origin(name)), data_dir / "cache")


def located(catalogue: Catalogue, name: str, role: WeightsRole) -> Path:
    """The file of the weights called `name`. Raises BadInput when they are of another role, and as `Catalogue.locate`."""
    entry = catalogue.entry(name)
    if entry.role is not role:
        known = [e.name for e in catalogue.entries() if e.role is role]
        raise BadInput(
            f"The weights {name} are of the role {entry.role}; this task needs {role}.",
            next_step=f"Name one of {', '.join(known)}, or an artefact of pre-training.",
        )
    return catalogue.locate(name)
