"""What a source is: something that is asked, again and again, what came since a cursor.

A source keeps nothing that must outlive it: whatever it needs to go on stands in the cursor, which is stored together
with the items. Knows nothing about what becomes of them.
"""

from typing import Protocol

from openteller.insights.opinion.records import Batch, Cursor


class Source(Protocol):
    """A plug-in."""

    @property
    def name(self) -> str:
        """By which the source is stored and its items are known."""
        ...

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        """What came since `cursor` ({} at first), at most `limit` items, with the cursor after them.

        The same cursor gives the same items again, as long as the source still has them. What cannot be read is passed
        over and said in `faults`; where nothing at all can be read:

        Raises:
            Unavailable: the source does not answer; later it may.
            BadInput: it can never be read as it is set up.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
