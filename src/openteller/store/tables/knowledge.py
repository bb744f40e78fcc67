"""Documents and their embedded passages. Not customer-owned; `audience` labels are enforced in the retrieval query.

Knows nothing about how text is cut, embedded or segmented.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, BigId, one_of

EMBEDDING_DIMENSIONS = 896


class DocumentRow(Base):
    """A document. `group_id` joins language twins; `answer` is the approved answer, null for free documents."""

    __tablename__ = "documents"
    __table_args__ = (
        one_of("language", "zh", "en"),
        one_of("audience", "public", "customer", "staff"),
        one_of("status", "active", "withdrawn"),
    )

    document_id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    language: Mapped[str]
    group_id: Mapped[str] = mapped_column(index=True)
    audience: Mapped[str]
    category: Mapped[str]
    intent: Mapped[str | None] = mapped_column(index=True)
    products: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    source_uri: Mapped[str]
    media_type: Mapped[str]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    supersedes: Mapped[str | None]
    body: Mapped[str]
    answer: Mapped[str | None]
    sha256: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PassageRow(Base):
    """A searchable piece of a document: L2-normalised embedding (896) and lexemes for the lexical index."""

    __tablename__ = "passages"
    __table_args__ = (
        one_of("kind", "question", "title", "body"),
        UniqueConstraint("document_id", "ordinal"),
        Index(
            "ix_passages_embedding",
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
        ),
        Index("ix_passages_lexemes", "lexemes", postgresql_using="gin"),
    )

    id: Mapped[BigId]
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.document_id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    kind: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    embedding: Mapped[Any] = mapped_column(VECTOR(EMBEDDING_DIMENSIONS))
    lexemes: Mapped[str] = mapped_column(TSVECTOR)


class RegressionQuestionRow(Base):
    """A question whose answer must go on citing a document, whatever is changed in it."""

    __tablename__ = "regression_questions"
    __table_args__ = (UniqueConstraint("document_id", "question"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.document_id", ondelete="CASCADE"))
    question: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
