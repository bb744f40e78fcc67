"""Hybrid retrieval, then a second reading: what the bank's documents say about a question, for whoever asks, on a day.

Knows nothing about answering: whether a hit answers the question is decided by its reader, from the hit's scores.
"""

from contextlib import nullcontext
from datetime import date

from sqlalchemy.orm import Session

from openteller.core.records import Principal
from openteller.core.text import normalise
from openteller.knowledge import lexical
from openteller.knowledge.records import Hit
from openteller.knowledge.repository import KnowledgeRepository
from openteller.knowledge.reranking import read_again
from openteller.runtime.protocols import Embedder, Floats, Reranker
from openteller.store.database import Database

READ_AGAIN = 2
_MAX_QUERY_CHARACTERS = 4_000


class Retriever:
    """Finds passages by meaning and by words, in one statement; the first hits are read again with the question.

    Args:
        database: holds the documents.
        embedder: the one that the index was made with.
        reranker: reads the first hits again; None: they have no relevance.
        read_again: how many hits the reranker reads; each costs a model pass.
    """

    def __init__(
        self, database: Database, embedder: Embedder, reranker: Reranker | None = None, read_again: int = READ_AGAIN
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._reranker, self._read_again = reranker, read_again
        self._repository = KnowledgeRepository()

    def warm(self) -> None:
        """Load what the first search would otherwise wait for: the dictionary and the embedder."""
        lexical.warm()
        self._embedder.embed(["预热"], "query")

    def search(
        self,
        principal: Principal,
        text: str,
        *,
        vector: Floats | None = None,
        limit: int = 8,
        on: date,
        reply_language: str,
        session: Session | None = None,
    ) -> list[Hit]:
        """The best hits, one a group of twins, best first; none for a blank text.

        Args:
            principal: who asks; only documents with a label for them are searched.
            text: the question, in Chinese or English.
            vector: (dimension,) query embedding of `text`, L2-normalised, when the caller has it already.
            limit: most hits to give.
            on: the day on which the documents must be valid.
            reply_language: ``zh`` or ``en``: the twin to show when a group has both.
            session: whose transaction to search in; None: one of the principal's own.
        """
        text = normalise(text)[:_MAX_QUERY_CHARACTERS]
        if not text or limit < 1:
            return []
        if vector is None:
            vector = self._embedder.embed([text], "query")[0]
        queries = lexical.tsqueries(text)
        with nullcontext(session) if session else self._database.session(principal) as within:
            hits = self._repository.search(
                within,
                vector,
                queries,
                audiences=principal.audiences,
                on=on,
                reply_language=reply_language,
                limit=limit,
            )
        return read_again(self._reranker, text, hits, self._read_again) if self._reranker else hits
