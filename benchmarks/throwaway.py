"""An installation for one measurement: an empty embedded store of its own, thrown away at the end."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from openteller.assembly import Application
from openteller.settings import Settings


@contextmanager
def installation(settings: Settings) -> Iterator[Application]:
    """Like `settings`, but on a new data directory and never on the bank's own database."""
    with TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as directory:
        own = {"data_dir": Path(directory), "database_url": None, "database_owner_url": None}
        with closing(Application(settings.model_copy(update=own))) as application:
            yield application
