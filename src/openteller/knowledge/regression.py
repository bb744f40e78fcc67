"""Questions that must go on finding an article: kept beside it, and asked of a change before it is published.

A change is rehearsed in the store itself, in a transaction that is taken back: what is asked is the real search over the
real documents. What is not covered: whether the answer is then given, asked back or refused, which is for the assistant's
gate; and answers that are computed from the product table. Knows nothing about answering.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import Principal, Record, Role
from openteller.core.text import normalise
from openteller.knowledge.library import Library
from openteller.knowledge.records import MAX_QUESTION_CHARACTERS, Document, language_of
from openteller.knowledge.repository import RegressionRepository
from openteller.knowledge.retrieval import Retriever
from openteller.store import audit
from openteller.store.database import Database

MOST_QUESTIONS = 300
"""Of the whole bank: each is asked twice, before and after a change."""
_EDITORS = (Role.ANALYST, Role.ADMIN, Role.SERVICE)


class RegressionQuestion(Record):
    """A question that must find the article `document_id`, or its twin in the other language."""

    id: UUID
    document_id: str
    question: str
    added_by: str
    added_at: datetime


class Rehearsed(Record):
    """What a change would do to one question. `before`, `after`: the document found first; empty for none."""

    question: RegressionQuestion
    before: str
    after: str
    holds: bool = Field(description="whether the article is found first after the change")

    @property
    def changed(self) -> bool:
        """Whether another document is found than before."""
        return self.before != self.after


class RegressionDesk:
    """Keeps and asks the questions. Safe to share between threads."""

    def __init__(self, database: Database, library: Library, retriever: Retriever) -> None:
        self._database, self._library, self._retriever = database, library, retriever
        self._questions = RegressionRepository()

    def questions(self, principal: Principal, document_id: str | None = None) -> tuple[RegressionQuestion, ...]:
        """The questions of one article, or of all, the oldest first. Raises NotAllowed."""
        _require(principal)
        with self._database.session(principal) as session:
            return _records(self._questions.all(session, document_id))

    def add(self, principal: Principal, document_id: str, question: str) -> None:
        """Ask this of every change from now on.

        Raises:
            BadInput: the question is empty or over 1,000 characters, or there are 300 already.
            Conflict: the article has it already; or there is no such article.
            NotAllowed: the principal may not change documents.
        """
        _require(principal)
        text = normalise(question)
        if not text or len(text) > MAX_QUESTION_CHARACTERS:
            raise BadInput(f"A question has 1 to {MAX_QUESTION_CHARACTERS:,} characters.", next_step="Write another.")
        with self._database.session(principal) as session:
            if self._questions.count(session) >= MOST_QUESTIONS:
                raise BadInput(f"There are {MOST_QUESTIONS} questions already.", next_step="Remove one first.")
            if not self._questions.add(session, document_id, text, principal.subject):
                raise Conflict("The article has this question already.", next_step="Write another.")
            audit.record(session, principal.subject, "regression_question.added", document_id, {})

    def remove(self, principal: Principal, question_id: UUID) -> None:
        """Ask it no more. Raises NotFound, NotAllowed."""
        _require(principal)
        with self._database.session(principal) as session:
            document_id = self._questions.remove(session, question_id)
            if document_id is None:
                raise NotFound("There is no such question.", next_step="Read the list again.")
            audit.record(session, principal.subject, "regression_question.removed", document_id, {})

    def rehearse(self, principal: Principal, draft: Document, on: date) -> tuple[Rehearsed, ...]:
        """What publishing `draft` on day `on` would do to every question; those of the draft's article first.

        Raises:
            NotAllowed: the principal may not change documents.
        """
        questions = sorted(self.questions(principal), key=lambda one: one.document_id != draft.document_id)
        groups = {id_: found.group_id for id_, found in self._library.stored(q.document_id for q in questions).items()}
        groups[draft.document_id] = draft.group_id
        before = [self._first(principal, one.question, on) for one in questions]
        after = self._library.rehearse(
            draft, lambda session: [self._first(principal, one.question, on, session) for one in questions]
        )
        return tuple(
            Rehearsed(
                question=one,
                before=old.document_id if old else "",
                after=new.document_id if new else "",
                holds=new is not None and new.group_id == groups.get(one.document_id),
            )
            for one, old, new in zip(questions, before, after, strict=True)
        )

    def _first(self, principal: Principal, question: str, on: date, session: Session | None = None) -> Document | None:
        language = language_of(question)
        hits = self._retriever.search(principal, question, limit=3, on=on, reply_language=language, session=session)
        return hits[0].document if hits else None


def _records(rows: Sequence[dict[str, object]]) -> tuple[RegressionQuestion, ...]:
    return tuple(RegressionQuestion.model_validate(row) for row in rows)


def _require(principal: Principal) -> None:
    if principal.role not in _EDITORS:
        raise NotAllowed(
            "Only those who may change documents keep their questions.",
            cause=f"This login's role is {principal.role.value}.",
            next_step="Ask an analyst or administrator.",
        )
