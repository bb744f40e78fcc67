"""The bank's documents: search, read, change, import. Knows nothing about indexing; the library holds the labels.

Who may edit reads placeholders such as ``{{DEP-12M.rate.standard}}`` as written; everybody else reads today's figures.
"""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi import Path as InPath
from pydantic import AfterValidator, BeforeValidator

from openteller.core.errors import BadInput, Conflict, NotFound, TooLarge
from openteller.core.records import Audience, Principal
from openteller.core.text import normalise
from openteller.knowledge.records import Document, DocumentLanguage, Hit, ImportOptions, ImportReport
from openteller.products.figures import readable
from openteller.products.records import Product
from openteller.products.repository import ProductRepository
from openteller.serving import errors
from openteller.serving.deps import Caller, Editor, Served, Serving, may_edit
from openteller.serving.limits import MAX_IMPORT_BYTES
from openteller.serving.wire import Clean, DocumentList, DocumentSummary, Stored

router = APIRouter(prefix="/v1/documents", tags=["documents"])


def _readable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds characters that cannot be printed")
    return text


def _spoken(language: object) -> object:
    """Any BCP 47 tag of Chinese or English as ``zh`` or ``en``."""
    return language[:2].lower() if isinstance(language, str) and language[2:3] in ("", "-") else language


# With slashes: an id may be a path within a bank's own site. It is a key, never a place on a disk.
DocumentId = Annotated[str, InPath(min_length=1, max_length=300), AfterValidator(_readable)]
SpokenLanguage = Annotated[DocumentLanguage | None, BeforeValidator(_spoken), Query(description="zh or en")]
_Words = Annotated[Clean | None, Query(max_length=4_000, description="a question or words; none: the plain list")]
_Limit = Annotated[int, Query(ge=1, le=100)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000, description="for the plain list")]
_EDITING = errors.responses(400, 401, 403, 413, 422, 429, 503)
_EXAMPLE = {
    "document_id": "fees.transfer.en",
    "title": "Is there a fee for transfers?",
    "language": "en",
    "group_id": "fees.transfer",
    "category": "transfers",
    "answer": "Transfers in the mobile app are free of charge.",
    "questions": ["What does a transfer cost?"],
}
_EXAMPLES = {"requestBody": {"content": {"application/json": {"examples": {"article": {"value": _EXAMPLE}}}}}}


class _Shown:
    """Texts of documents as the caller is to read them."""

    def __init__(self, caller: Principal, serving: Serving) -> None:
        self._caller, self._serving = caller, serving

    @cached_property
    def _products(self) -> Mapping[str, Product]:
        with self._serving.application.database.session(self._caller) as session:
            return {product.id: product for product in ProductRepository().all(session, on=self._serving.today)}

    def _text(self, text: str, language: str) -> str:
        if "{{" not in text or may_edit(self._caller):
            return text
        return readable(text, self._products, language)

    def document(self, document: Document) -> Document:
        language = document.language
        texts = {
            "title": self._text(document.title, language),
            "body": self._text(document.body, language),
            "answer": document.answer and self._text(document.answer, language),
            "questions": tuple(self._text(question, language) for question in document.questions),
        }
        return document.model_copy(update=texts)

    def summary(self, document: Document, hit: Hit | None = None) -> DocumentSummary:
        found = DocumentSummary.of(document, hit)
        passage = found.passage and self._text(found.passage, document.language)
        return found.model_copy(update={"title": self._text(found.title, document.language), "passage": passage})


@router.get("", summary="Search or list", responses=errors.responses(401, 422, 429, 503))
def find(
    caller: Caller,
    serving: Served,
    query: _Words = None,
    language: SpokenLanguage = None,
    limit: _Limit = 20,
    offset: _Offset = 0,
) -> DocumentList:
    """The documents the caller may read, the best match first.

    With a query, `language` chooses the twin to show; without one it filters.
    """
    application, shown = serving.application, _Shown(caller, serving)
    if query:
        hits = application.retriever.search(
            caller, query, limit=limit, on=serving.today, reply_language=language or "zh"
        )
        found = tuple(shown.summary(hit.document, hit) for hit in hits)
        return DocumentList(documents=found, total=len(found))
    on = None if caller.role.is_staff else serving.today
    documents = application.library.list(caller, on=on, language=language, limit=limit, offset=offset)
    total = application.library.count(caller, on=on, language=language)
    return DocumentList(documents=tuple(shown.summary(document) for document in documents), total=total)


@router.post("", summary="Add", status_code=201, responses=_EDITING | errors.responses(409), openapi_extra=_EXAMPLES)
def add(document: Document, editor: Editor, serving: Served, response: Response) -> Stored:
    """Store a new document and index it."""
    library = serving.application.library
    try:
        library.get(editor, document.document_id)
    except NotFound:
        response.headers["Location"] = f"/v1/documents/{document.document_id}".encode("ascii", "replace").decode()
        return Stored(stored=library.add([document], actor=editor.subject))
    raise Conflict(
        "A document of this id exists already.", next_step=f"Change it with PUT {router.prefix}/{{document_id}}."
    )


@router.post("/import", summary="Import a file", responses=_EDITING)
def import_file(
    editor: Editor,
    serving: Served,
    file: Annotated[UploadFile, File(description="Markdown, HTML, DOCX, PDF, XLSX, CSV or text, up to 25 MB")],
    audience: Annotated[Audience, Form()] = Audience.PUBLIC,
    category: Annotated[Clean, Form(min_length=1, max_length=100)] = "general",
    language: Annotated[Literal["zh", "en"] | None, Form(description="none: detected")] = None,
    intent: Annotated[Clean | None, Form(max_length=100)] = None,
    valid_from: Annotated[date | None, Form()] = None,
    valid_to: Annotated[date | None, Form()] = None,
    supersedes: Annotated[Clean | None, Form(max_length=300)] = None,
    document_id: Annotated[Clean | None, Form(max_length=300)] = None,
    title: Annotated[Clean | None, Form(max_length=500)] = None,
) -> ImportReport:
    """Read a file, store its documents, and say what was left out. A sheet's own columns come before these fields."""
    content = file.file.read(MAX_IMPORT_BYTES + 1)
    if len(content) > MAX_IMPORT_BYTES:
        raise TooLarge(f"The file is over {MAX_IMPORT_BYTES // 1_000_000} MB.", next_step="Split it.")
    options = ImportOptions(
        audience=audience,
        category=category,
        language=language,
        intent=intent,
        valid_from=valid_from,
        valid_to=valid_to,
        supersedes=supersedes,
        document_id=document_id,
        title=title,
    )
    name = _file_name(file.filename or "")
    return serving.application.library.import_file(content, name, options, actor=editor.subject)


@router.get("/{document_id:path}", summary="Read", responses=errors.responses(401, 404, 422, 429))
def read(document_id: DocumentId, caller: Caller, serving: Served) -> Document:
    """A document, when the caller may read it today; staff also read those withdrawn or expired."""
    on = None if caller.role.is_staff else serving.today
    return _Shown(caller, serving).document(serving.application.library.get(caller, document_id, on=on))


@router.put("/{document_id:path}", summary="Add or change", responses=_EDITING, openapi_extra=_EXAMPLES)
def put(document_id: DocumentId, document: Document, editor: Editor, serving: Served) -> Stored:
    """Store the document under its id, in place of what was there."""
    if document.document_id != document_id:
        raise BadInput("The document_id of the address and of the body differ.", next_step="Make them equal.")
    return Stored(stored=serving.application.library.add([document], actor=editor.subject))


@router.delete("/{document_id:path}", summary="Withdraw", status_code=204, responses=_EDITING | errors.responses(404))
def withdraw(document_id: DocumentId, editor: Editor, serving: Served) -> None:
    """Take a document out of every search and answer; staff can still read it."""
    serving.application.library.withdraw(document_id, actor=editor.subject)


def _file_name(given: str) -> str:
    """The last part of the name that a browser sent; names with directories come from old ones, or from attackers."""
    return PurePosixPath(normalise(given).replace("\\", "/")).name[:200]
