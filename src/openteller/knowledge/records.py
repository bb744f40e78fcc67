"""The records of knowledge: documents, their passages, search hits and what an import did.

Every text is cleaned when a record is made. Knows nothing about files, embeddings or the store.
"""

import unicodedata
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from openteller.core.records import Audience, Record
from openteller.core.text import han_share

MAX_DOCUMENT_CHARACTERS = 5_000_000
MAX_QUESTION_CHARACTERS = 1_000
MAX_QUESTIONS = 500

DocumentLanguage = Literal["zh", "en"]
PassageKind = Literal["question", "title", "body"]


def clean(text: str) -> str:
    """Text that can be stored and shown: without control and format characters, NFC, outer space trimmed.

    Unlike `core.text.normalise` it keeps the wording as approved: full-width punctuation stays, and 10² is not 102.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    if not text.replace("\n", "").isprintable():  # most text is, and looking at each character takes long
        kept = (c for c in text if c in "\n\t\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf"))
        text = "".join(kept)
    return unicodedata.normalize("NFC", text).strip()


Text = Annotated[str, AfterValidator(clean)]
_Required = Annotated[str, AfterValidator(clean), Field(min_length=1)]


class Document(Record):
    """A document of the bank, in one language.

    A question-and-answer article has `answer` (the approved wording, given as it stands) and `questions` (ways to ask
    for it); a free document has `body`. Both may hold ``{{PRODUCT.rate.KEY}}`` placeholders for product figures.
    """

    document_id: str = Field(min_length=1, max_length=300)
    title: _Required = Field(max_length=500)
    language: DocumentLanguage
    group_id: str = Field(min_length=1, max_length=300, description="shared by the Chinese and English twin")
    audience: Audience = Audience.PUBLIC
    category: str = Field("general", min_length=1, max_length=100)
    intent: str | None = None
    products: tuple[str, ...] = ()
    source_uri: str = ""
    media_type: str = "text/markdown"
    valid_from: date | None = Field(None, description="first day of validity; None: always was")
    valid_to: date | None = Field(None, description="last day of validity; None: until replaced")
    supersedes: str | None = Field(None, description="document_id of the version that this one replaces")
    body: Text = Field("", max_length=MAX_DOCUMENT_CHARACTERS, description="Markdown")
    answer: Text | None = Field(None, max_length=100_000, description="approved answer; None for free documents")
    questions: tuple[Annotated[_Required, Field(max_length=MAX_QUESTION_CHARACTERS)], ...] = Field(
        (), max_length=MAX_QUESTIONS
    )
    status: Literal["active", "withdrawn"] = "active"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.body and not self.answer:
            raise ValueError("a document needs a body or an answer")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self

    def is_current(self, on: date) -> bool:
        """Whether the document is active and valid on the day `on`."""
        started = self.valid_from is None or self.valid_from <= on
        return self.status == "active" and started and (self.valid_to is None or on <= self.valid_to)


class Passage(Record):
    """A searchable piece of a document; `heading` is embedded above it and not shown."""

    ordinal: int = Field(ge=0)
    kind: PassageKind
    text: str = Field(min_length=1)
    heading: str = ""


class Hit(Record):
    """A group of twins that matches a query, shown as the twin in the reply language when there is one.

    The scores are the group's best over all its passages, so that a Chinese question scores alike whether the reply
    is Chinese or English; the passages are those of the document shown.
    """

    document: Document
    passage: str = Field(description="the shown document's passage nearest to the query")
    passage_kind: PassageKind
    evidence: str = Field(description="the shown document's nearest body passage; the passage when it has none")
    dense: float = Field(description="cosine of the best passage, -1 to 1")
    question_dense: float | None = Field(description="cosine of the best question or title passage; None: has none")
    body_dense: float | None = Field(description="cosine of the best body passage; None: has none")
    lexical: float = Field(description="share of the query's terms the group holds, weighted by their rarity, 0 to 1")
    fused: float = Field(description="0 to 1; comparable within one search only")
    relevance: float | None = Field(None, description="chance that it answers, by the reranker; None: not read again")
    rank: int = Field(ge=1)


class Problem(Record):
    """A part of a file that was left out."""

    row: int | None = Field(None, description="row or line, from 1; None: the file as a whole")
    message: str


class ImportOptions(Record):
    """What an import says about the documents it makes; a sheet's own columns come first."""

    audience: Audience = Audience.PUBLIC
    category: str = "general"
    intent: str | None = None
    language: DocumentLanguage | None = Field(None, description="None: by the share of Chinese characters")
    products: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    supersedes: str | None = None
    document_id: str | None = Field(None, description="None: from the file name; a prefix for question-answer rows")
    title: str | None = Field(None, description="free documents only; None: from the file")
    source_uri: str | None = Field(None, description="None: the file name")


class ImportReport(Record):
    """What one import did."""

    name: str
    media_type: str
    document_ids: tuple[str, ...] = Field(description="every document the file holds, stored or unchanged")
    stored: int = Field(description="documents new or changed")
    unchanged: int
    problems: tuple[Problem, ...] = ()


def language_of(text: str) -> DocumentLanguage:
    """``zh`` when at least three tenths of the Han characters and Latin words are Han characters, else ``en``."""
    return "zh" if han_share(text) >= 0.3 else "en"
