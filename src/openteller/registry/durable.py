"""What survives kill -9 at any moment: a file replaced in one step, a folder that is on the disk before it is named, and a
lock that a dead process does not keep.

Knows nothing about what is written. Works on a local POSIX file system; a network file system must honour flock.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openteller.core.errors import Conflict

_POLL_SECONDS = 0.02


def replace_file(path: Path, content: str | bytes) -> None:
    """Write the file `path`, text as UTF-8: whoever reads meets the old file or the new one, also after a power cut.

    Of several writers at once the last one wins; take a lock when that is not enough.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    settle(path.parent)


def settle(path: Path) -> None:
    """Have the disk hold a file's content, or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, seconds: float = 60.0) -> Iterator[None]:
    """Hold the lock file `path` alone, among threads and processes; the system lets go of it when its holder dies.

    Raises:
        Conflict: somebody else held it for `seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait(descriptor, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Conflict(
                    f"{path.parent.name} is being changed by somebody else.",
                    cause=f"The lock {path} is held.",
                    next_step="Try again when the other command is done.",
                ) from error
            time.sleep(_POLL_SECONDS)
