"""What a command needs beyond the serving install."""

from collections.abc import Iterator
from contextlib import contextmanager

from openteller.core.errors import MissingDependency


@contextmanager
def training_extra() -> Iterator[None]:
    """Around what imports the training house. Raises MissingDependency with the install hint when it cannot be."""
    try:
        yield
    except ImportError as error:
        raise MissingDependency(
            "Training is not installed.", cause=str(error), next_step='pip install "openteller[train]"'
        ) from error
