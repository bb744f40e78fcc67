"""What commands that change the registry share: who asks, the audit log as witness, what serves, figures side by side.

Knows nothing about any one command.
"""

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openteller.cli.progress import console_progress
from openteller.cli.tables import table
from openteller.core.errors import BadInput
from openteller.core.text import normalise
from openteller.registry.evidence import Figures, figures_of
from openteller.registry.gates import Gate, parse, read_gates
from openteller.registry.registry import FigurePair, ModelRegistry
from openteller.settings import Settings

if TYPE_CHECKING:
    from openteller.assembly import Application


def actor() -> str:
    """Whoever runs the command, for records of what was done."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container whose user has no name
        return f"cli:{os.getuid()}"


def named(by: str | None) -> str:
    """Who a command says does it (--by); None: whoever runs it. Raises BadInput for what is no name."""
    if by is None:
        return actor()
    if not (name := normalise(by)) or len(name) > 200:
        raise BadInput("This is no name.", next_step="Write who does it: --by analyst.li")
    return name


@contextmanager
def opened(settings: Settings) -> Iterator[tuple["Application", ModelRegistry]]:
    """The application, and the registry with the audit log for its witness; the store is reached before anything changes."""
    from openteller.assembly import Application, auditor

    with closing(Application(settings, console_progress())) as application:
        yield application, ModelRegistry(settings.data_dir, auditor(application.database))


def gates_for(settings: Settings, name: str, given: Sequence[str]) -> tuple[Gate, ...]:
    """The gates that always apply to the slot, and those `given` on the command line. Raises BadInput, ConfigurationError."""
    return (*read_gates(settings.data_dir / "gates.yaml", name), *map(parse, given))


def try_out(settings: Settings, name: str, folder: Path) -> None:
    """Load an artefact as it would serve as `name`. Raises ModelUnavailable when it would not."""
    from openteller.assembly import open_catalogue
    from openteller.runtime.loader import try_out

    try_out(name, folder, open_catalogue(settings), settings.data_dir, settings.threads, console_progress())


def shipped(name: str) -> Figures | None:
    """The figures of what serves as long as the slot has no champion; None for a slot that is not served from."""
    from openteller.runtime.loader import SERVED, shipped_artefact

    return figures_of(shipped_artefact(SERVED[name])) if name in SERVED else None


def told_to_restart(name: str) -> None:
    """After a change of what serves as `name`: say that a running server does not notice."""
    from openteller.runtime.loader import SERVED

    if name in SERVED:
        print("A server that runs goes on with the model it has: restart `teller serve`.")


def side_by_side(names: Sequence[str], pairs: Sequence[FigurePair]) -> str:
    """The figures of two artefacts as a table."""
    rows = [(p.figure, *(_shown(value) for value in (p.a, p.b)), _shown(p.difference, "+")) for p in pairs]
    return table(("figure", *names, "difference"), rows, words=1)


def _shown(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.4f}"
