"""What was pushed over HTTP and waits in the inbox. Rows leave it in the transaction that stores their items."""

from openteller.insights.opinion.pipeline import LISTENER
from openteller.insights.opinion.records import Batch, Cursor
from openteller.insights.opinion.repository import ListeningRepository
from openteller.store.database import Database

INBOX = "push"
_EVERY = 0.5


class PushedSource:
    """The inbox. Its items keep the name of the source that pushed them: see `named`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named = INBOX

    @property
    def name(self) -> str:
        """Of the source whose items the last batch holds."""
        return self._named

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        """See Source; the cursor stays empty, for what was taken is gone from the inbox."""
        with self._database.session(LISTENER) as session:
            rows = ListeningRepository().inbox(session, limit)
        self._named = rows[0][1] if rows else INBOX
        items, ids = tuple(item for *_, item in rows), tuple(row_id for row_id, *_ in rows)
        return Batch(items=items, inbox=ids, more=len(rows) >= limit, wait=0.0 if len(rows) >= limit else _EVERY)

    def close(self) -> None:
        """See Source."""
