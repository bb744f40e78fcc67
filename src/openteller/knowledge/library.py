"""The bank's documents: adding, withdrawing, reading, importing.

Changes are made in the library's own name (who may change it is decided by its caller) and noted in the audit log.
Knows nothing about answering.
"""

import builtins
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, NotFound, UnreadableFile
from openteller.core.records import Audience, Principal, Role
from openteller.core.text import normalise
from openteller.knowledge import lexical, readers
from openteller.knowledge.chunking import passages
from openteller.knowledge.importing import documents_of
from openteller.knowledge.records import Document, DocumentLanguage, ImportOptions, ImportReport, Passage
from openteller.knowledge.repository import DocumentFilter, IndexedPassage, KnowledgeRepository
from openteller.runtime.protocols import Embedder
from openteller.store import audit
from openteller.store.database import Database

R = TypeVar("R")
Progress = Callable[[int, int], None]
"""Called with the passages done and the passages in all."""

_BATCH = 32
# Each model engine runs on one thread and lets the interpreter go meanwhile.
_SLICE = 8
_WORKERS = min(4, os.cpu_count() or 1)
_BULK = 500
_PAGE = 500
_INDEX_FORMAT = "2"
_SELF = Principal(subject="knowledge", role=Role.SERVICE)
_EVERYTHING = DocumentFilter(audiences=tuple(Audience))


class _TakenBack(Exception):
    """Ends a rehearsal."""


class Library:
    """Documents with their index.

    Args:
        database: the store.
        embedder: gives the passages' vectors; searches must use the same one.
        index_version: names the embedder's weights; with another one every document counts as changed.
    """

    def __init__(self, database: Database, embedder: Embedder, *, index_version: str = "") -> None:
        self._database = database
        self._embedder = embedder
        self._index_version = index_version
        self._repository = KnowledgeRepository()

    def add(self, documents: Iterable[Document], *, actor: str = "knowledge", progress: Progress | None = None) -> int:
        """Store documents, replacing those of the same id; how many were new or changed.

        What is stored alike already is left alone, so that an import that was cut off goes on where it stopped: each
        transaction holds whole documents of about 32 passages. A withdrawn document becomes active again.

        Args:
            documents: what to store; two of one id must be equal.
            actor: who asked for it, for the audit log.
            progress: called after every 32 passages with passages done and passages in all.

        Raises:
            BadInput: two different documents of one id.
        """
        changed = self._changed(_by_id(documents))
        cut = [(document, passages(document)) for document in changed]
        done, total = 0, sum(len(pieces) for _, pieces in cut)

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if progress:
                progress(done, total)

        advance(0)
        for batch in _batches(cut):
            self._store(batch, actor, advance)
        if total >= _BULK:
            with self._database.owner_session() as session:
                self._repository.refresh_statistics(session)
        return len(changed)

    def rehearse(self, draft: Document, work: Callable[[Session], R]) -> R:
        """What `work` finds in a transaction in which `draft` is stored; nothing of it stays."""
        indexed = self._index(passages(draft), lambda _: None)
        with suppress(_TakenBack), self._database.session(_SELF) as session:
            self._repository.put(session, draft, self._sha256(draft), indexed)
            found = work(session)
            raise _TakenBack
        return found

    def withdraw(self, document_id: str, *, actor: str = "knowledge") -> None:
        """Take a document out of every search; it stays stored, and staff still see it.

        Raises:
            NotFound: there is no active document of that id.
        """
        with self._database.session(_SELF) as session:
            if not self._repository.withdraw(session, document_id):
                raise _no_document(document_id)
            audit.record(session, actor, "document.withdrawn", document_id, {})

    def get(self, principal: Principal, document_id: str, *, on: date | None = None) -> Document:
        """The document, when this principal may read it.

        Staff may read any, others one that is valid on the day `on` (None: today, in UTC).

        Raises:
            NotFound: there is none for this principal.
        """
        with self._database.session(principal) as session:
            document = self._repository.get(session, document_id, _filter(principal, on))
        if document is None:
            raise _no_document(document_id)
        return document

    def stored(self, document_ids: Iterable[str]) -> dict[str, Document]:
        """document_id → document of those that are stored, the withdrawn ones too; for whoever fills the library."""
        with self._database.session(_SELF) as session:
            return self._repository.stored(session, document_ids)

    def list(
        self,
        principal: Principal,
        *,
        on: date | None = None,
        category: str | None = None,
        language: DocumentLanguage | None = None,
        title: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> builtins.list[Document]:
        """Documents by category and id.

        Args:
            principal: who asks. Staff see withdrawn and expired ones too, unless `on` is given.
            on: only what is valid on that day; None: see above, and today (UTC) for others.
            category: only this one.
            language: only ``zh`` or ``en``.
            title: only titles that contain this, whatever the case.
            limit: most to give.
            offset: how many to leave out first.
        """
        filter_ = _filter(principal, on)._replace(category=category, language=language, title=title)
        with self._database.session(principal) as session:
            return self._repository.list(session, filter_, limit, offset)

    def count(
        self,
        principal: Principal,
        *,
        on: date | None = None,
        category: str | None = None,
        language: DocumentLanguage | None = None,
        title: str | None = None,
    ) -> int:
        """How many documents `list` would give without limit."""
        filter_ = _filter(principal, on)._replace(category=category, language=language, title=title)
        with self._database.session(principal) as session:
            return self._repository.count(session, filter_)

    def version(self, principal: Principal, *, on: date | None = None) -> object:
        """Compares equal as long as `list` gives the same without limit."""
        with self._database.session(principal) as session:
            return self._repository.version(session, _filter(principal, on))

    def import_file(
        self,
        source: Path | bytes,
        name: str | None = None,
        options: ImportOptions | None = None,
        *,
        actor: str = "knowledge",
        progress: Progress | None = None,
    ) -> ImportReport:
        """Read a file and store its documents. Nothing is stored when the file as a whole cannot be used.

        Args:
            source: the file, or its bytes.
            name: its name, needed with bytes; two files of one name are one document in two versions.
            options: labels for what the file leaves open.
            actor: who asked for it, for the audit log.
            progress: see `add`.

        Raises:
            NotFound: there is no such file.
            UnreadableFile: it is empty, damaged, encrypted, or not what its extension says.
            TooLarge: it is over a limit.
            BadInput: it holds nothing that makes a document, or bytes came without a name.
        """
        data = _bytes(source) if isinstance(source, Path) else source
        name = name or (source.name if isinstance(source, Path) else None)
        if not name:
            raise BadInput("The file has no name.", next_step="Name it: the extension says what it is.")
        imported = documents_of(data, name, options or ImportOptions())
        stored = self.add(imported.documents, actor=actor, progress=progress)
        return ImportReport(
            name=name,
            media_type=imported.media_type,
            document_ids=tuple(document.document_id for document in imported.documents),
            stored=stored,
            unchanged=len(imported.documents) - stored,
            problems=imported.problems,
        )

    def reindex(self, *, actor: str = "knowledge", progress: Progress | None = None) -> int:
        """Embed anew every active document that was indexed under another `index_version`; how many."""
        return self.add(self._active(), actor=actor, progress=progress)

    def _active(self) -> Iterator[Document]:
        offset = 0
        while True:
            with self._database.session(_SELF) as session:
                page = self._repository.list(session, _EVERYTHING, _PAGE, offset)
            yield from (document for document in page if document.status == "active")
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def _changed(self, documents: dict[str, Document]) -> builtins.list[Document]:
        with self._database.session(_SELF) as session:
            stored = self._repository.fingerprints(session, documents)
        return [d for d in documents.values() if stored.get(d.document_id) != self._sha256(d)]

    def _sha256(self, document: Document) -> str:
        content = document.model_dump(mode="json", exclude={"status"})
        stamped = [_INDEX_FORMAT, self._index_version, content]
        return hashlib.sha256(json.dumps(stamped, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def _store(
        self, batch: Sequence[tuple[Document, Sequence[Passage]]], actor: str, advance: Callable[[int], None]
    ) -> None:
        # Embedding takes long: it is done before the transaction.
        indexed = iter(self._index([passage for _, pieces in batch for passage in pieces], advance))
        with self._database.session(_SELF) as session:
            for document, pieces in batch:
                self._repository.put(session, document, self._sha256(document), [next(indexed) for _ in pieces])
            ids = [document.document_id for document, _ in batch]
            audit.record(session, actor, "documents.stored", ids[0], {"documents": ids})

    def _index(self, pieces: Sequence[Passage], advance: Callable[[int], None]) -> builtins.list[IndexedPassage]:
        indexed: builtins.list[IndexedPassage] = []
        embed = partial(self._embedder.embed, kind="passage")
        with ThreadPoolExecutor(_WORKERS) as pool:
            for start in range(0, len(pieces), _BATCH):
                batch = pieces[start : start + _BATCH]
                texts = [_indexed_text(passage) for passage in batch]
                slices = [texts[i : i + _SLICE] for i in range(0, len(texts), _SLICE)]
                vectors = (row for rows in pool.map(embed, slices) for row in rows)
                for passage, vector in zip(batch, vectors, strict=True):
                    indexed.append(IndexedPassage(passage, vector, lexical.tsvector(passage.text)))
                advance(len(batch))
        return indexed


def _indexed_text(passage: Passage) -> str:
    text = f"{passage.heading}\n{passage.text}" if passage.heading else passage.text
    return normalise(lexical.searchable(text)) or text


def _by_id(documents: Iterable[Document]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for document in documents:
        if found.setdefault(document.document_id, document) != document:
            raise BadInput(
                f"Two different documents are named {document.document_id!r}.", next_step="Rename one of them."
            )
    return found


def _batches(
    cut: Sequence[tuple[Document, tuple[Passage, ...]]],
) -> Iterator[builtins.list[tuple[Document, tuple[Passage, ...]]]]:
    batch, size = builtins.list[tuple[Document, tuple[Passage, ...]]](), 0
    for document, pieces in cut:
        batch.append((document, pieces))
        size += len(pieces)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _filter(principal: Principal, on: date | None) -> DocumentFilter:
    if on is None and not principal.role.is_staff:
        on = utc_now().date()
    return DocumentFilter(audiences=principal.audiences, on=on)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise NotFound(f"There is no file {str(path)!r}.", next_step="Check the path.")
    try:
        readers.check_size(path.stat().st_size, path.name)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            f"The file {path.name!r} cannot be opened.", cause=f"{error.strerror}.", next_step="Check its permissions."
        ) from error


def _no_document(document_id: str) -> NotFound:
    return NotFound(
        f"There is no document {document_id!r} for you.", next_step="Check the id with the list of documents."
    )
