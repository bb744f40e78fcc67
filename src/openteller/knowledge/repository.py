"""Documents, passages and the questions kept beside them in the store: reading, writing and the one statement of hybrid retrieval.

Every method works in the caller's transaction. Knows nothing about how texts are cut, embedded or segmented.
"""

import builtins
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from openteller.core.records import Audience
from openteller.knowledge.records import Document, DocumentLanguage, Hit, Passage
from openteller.knowledge.statements import SEARCH
from openteller.runtime.protocols import Floats
from openteller.store.tables import DocumentRow, PassageRow, RegressionQuestionRow

_COLUMNS = (
    "document_id",
    "title",
    "language",
    "group_id",
    "audience",
    "category",
    "intent",
    "products",
    "source_uri",
    "media_type",
    "valid_from",
    "valid_to",
    "supersedes",
    "body",
    "answer",
)


class IndexedPassage(NamedTuple):
    """A passage as it goes into the index: `vector` (dimension,) L2-normalised, `lexemes` a `tsvector` literal."""

    passage: Passage
    vector: Floats
    lexemes: str


class DocumentFilter(NamedTuple):
    """Which documents to list; None: any. `on`: only those active and valid on that day and not superseded."""

    audiences: tuple[Audience, ...]
    on: date | None = None
    category: str | None = None
    language: DocumentLanguage | None = None
    title: str | None = None


class KnowledgeRepository:
    """Documents with their passages."""

    def fingerprints(self, session: Session, document_ids: Iterable[str]) -> dict[str, str]:
        """document_id → SHA-256 of what is stored, for the active ones among `document_ids`."""
        query = select(DocumentRow.document_id, DocumentRow.sha256).where(
            DocumentRow.status == "active", DocumentRow.document_id == func.any(_texts(document_ids))
        )
        return {document_id: sha256 for document_id, sha256 in session.execute(query)}

    def put(self, session: Session, document: Document, sha256: str, passages: Sequence[IndexedPassage]) -> None:
        """Store a document as active with its passages, replacing an earlier one of the same id."""
        data = document.model_dump(mode="python")
        values = {name: data[name] for name in _COLUMNS} | {"products": list(document.products)}
        values |= {"audience": document.audience.value, "sha256": sha256, "status": "active", "updated_at": func.now()}
        session.execute(
            upsert(DocumentRow).values(values).on_conflict_do_update(index_elements=["document_id"], set_=values)
        )
        session.execute(delete(PassageRow).where(PassageRow.document_id == document.document_id))
        rows = [
            {
                "document_id": document.document_id,
                "ordinal": passage.ordinal,
                "kind": passage.kind,
                "language": document.language,
                "text": passage.text,
                "embedding": vector,
                "lexemes": lexemes,
            }
            for passage, vector, lexemes in passages
        ]
        session.execute(insert(PassageRow), rows)

    def withdraw(self, session: Session, document_id: str) -> bool:
        """Take an active document out of every search; False when there is none."""
        query = update(DocumentRow).where(DocumentRow.document_id == document_id, DocumentRow.status == "active")
        changed = session.scalars(query.values(status="withdrawn", updated_at=func.now()).returning(DocumentRow.status))
        return changed.first() is not None

    def get(self, session: Session, document_id: str, filter_: DocumentFilter) -> Document | None:
        """The document, when the filter lets it pass."""
        row = session.execute(_documents(filter_).where(DocumentRow.document_id == document_id)).first()
        return _document(row._mapping) if row else None

    def stored(self, session: Session, document_ids: Iterable[str]) -> dict[str, Document]:
        """document_id → document of those among `document_ids` that are stored, the withdrawn ones too."""
        everything = DocumentFilter(audiences=tuple(Audience))
        query = _documents(everything).where(DocumentRow.document_id == func.any(_texts(document_ids)))
        return {row.document_id: _document(row._mapping) for row in session.execute(query)}

    def list(self, session: Session, filter_: DocumentFilter, limit: int, offset: int) -> list[Document]:
        """Documents by category and id."""
        query = _documents(filter_).order_by(DocumentRow.category, DocumentRow.document_id)
        return [_document(row._mapping) for row in session.execute(query.limit(limit).offset(offset))]

    def count(self, session: Session, filter_: DocumentFilter) -> int:
        """How many documents the filter lets pass."""
        query = select(func.count()).select_from(DocumentRow).where(*_conditions(filter_))
        return session.scalar(query) or 0

    def version(self, session: Session, filter_: DocumentFilter) -> tuple[int, datetime | None]:
        """How many documents the filter lets pass, and when one of them was written last."""
        query = select(func.count(), func.max(DocumentRow.updated_at)).where(*_conditions(filter_))
        count, latest = session.execute(query).one()
        return count, latest

    def refresh_statistics(self, session: Session) -> None:
        """Tell the query planner what the tables hold now; after bulk changes, in the owner's session.

        Until then it plans searches for the tables as they were, several times slower than need be.
        """
        session.execute(text("ANALYZE documents, passages"))

    def search(
        self,
        session: Session,
        vector: Floats,
        queries: Sequence[str],
        *,
        audiences: Sequence[Audience],
        on: date,
        reply_language: str,
        limit: int,
    ) -> builtins.list[Hit]:
        """The best groups for a query, best first.

        Args:
            session: whose transaction; the application role's connections scan the vector index iteratively.
            vector: (dimension,) embedding of the query, L2-normalised.
            queries: one `tsquery` literal for each distinct term of the query; may be empty.
            audiences: labels the caller may read.
            on: the day on which a document must be valid.
            reply_language: ``zh`` or ``en``: which twin is shown when both are there.
            limit: most groups to give.
        """
        parameters = {
            "vector": "[" + ",".join(map(str, vector.tolist())) + "]",
            "queries": list(queries),
            "audiences": [audience.value for audience in audiences],
            "on": on,
            "language": reply_language,
            "limit": limit,
            "passages": max(60, 8 * limit),
            "groups": max(15, 2 * limit),
        }
        rows = session.execute(text(SEARCH), parameters).mappings()
        return [_hit(row, rank) for rank, row in enumerate(rows, 1)]


class RegressionRepository:
    """Questions that must go on finding an article."""

    def all(self, session: Session, document_id: str | None = None) -> builtins.list[dict[str, Any]]:
        """Those of one document, or of all, the oldest first."""
        row = RegressionQuestionRow
        query = select(row.id, row.document_id, row.question, row.added_by, row.added_at).order_by(row.added_at, row.id)
        found = session.execute(query if document_id is None else query.where(row.document_id == document_id))
        return [dict(one) for one in found.mappings()]

    def count(self, session: Session) -> int:
        """How many there are."""
        return session.scalar(select(func.count()).select_from(RegressionQuestionRow)) or 0

    def add(self, session: Session, document_id: str, question: str, by: str) -> bool:
        """Keep a question; False when the document has it already."""
        values = {"document_id": document_id, "question": question, "added_by": by}
        statement = upsert(RegressionQuestionRow).values(values).on_conflict_do_nothing()
        return session.scalar(statement.returning(RegressionQuestionRow.id)) is not None

    def remove(self, session: Session, question_id: UUID) -> str | None:
        """Drop a question; its document, or None when there is no such question."""
        statement = delete(RegressionQuestionRow).where(RegressionQuestionRow.id == question_id)
        return session.scalar(statement.returning(RegressionQuestionRow.document_id))


def _texts(values: Iterable[str]) -> ColumnElement[Any]:
    return cast(literal(list(values), ARRAY(TEXT)), ARRAY(TEXT))


def _conditions(filter_: DocumentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [DocumentRow.audience.in_([a.value for a in filter_.audiences])]
    if filter_.on is not None:
        newer = aliased(DocumentRow)
        conditions.append(_is_current(DocumentRow, filter_.on))
        conditions.append(~exists().where(newer.supersedes == DocumentRow.document_id, _is_current(newer, filter_.on)))
    if filter_.category is not None:
        conditions.append(DocumentRow.category == filter_.category)
    if filter_.language is not None:
        conditions.append(DocumentRow.language == filter_.language)
    if filter_.title:
        conditions.append(DocumentRow.title.icontains(filter_.title, autoescape=True))
    return conditions


def _is_current(row: Any, on: date) -> ColumnElement[bool]:
    return and_(
        row.status == "active",
        or_(row.valid_from.is_(None), row.valid_from <= on),
        or_(row.valid_to.is_(None), row.valid_to >= on),
    )


def _documents(filter_: DocumentFilter) -> Select[Any]:
    questions = (
        select(func.array_agg(aggregate_order_by(PassageRow.text, PassageRow.ordinal)))
        .where(PassageRow.document_id == DocumentRow.document_id, PassageRow.kind == "question")
        .scalar_subquery()
    )
    columns = [getattr(DocumentRow, name) for name in (*_COLUMNS, "status")]
    return select(*columns, questions.label("questions")).where(*_conditions(filter_))


def _document(row: Any) -> Document:
    values = {name: row[name] for name in (*_COLUMNS, "status")}
    return Document(**values | {"products": tuple(row["products"]), "questions": tuple(row["questions"] or ())})


def _hit(row: Any, rank: int) -> Hit:
    return Hit(
        document=_document(row),
        passage=row["passage"],
        passage_kind=row["passage_kind"],
        evidence=row["evidence"] or row["passage"],
        dense=row["dense"],
        question_dense=row["question_dense"],
        body_dense=row["body_dense"],
        lexical=row["lexical"],
        fused=row["fused"],
        rank=rank,
    )
