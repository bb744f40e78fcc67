"""A file's content to documents: what they are called, what language they are in, where their labels come from.

Knows nothing about formats (readers/) or the store.
"""

import re
from pathlib import PurePosixPath, PureWindowsPath

from pydantic import ValidationError

from openteller.core.errors import BadInput, TooLarge
from openteller.core.records import Record
from openteller.knowledge import readers
from openteller.knowledge.readers import Pair, Reading
from openteller.knowledge.records import (
    MAX_DOCUMENT_CHARACTERS,
    MAX_QUESTIONS,
    Document,
    ImportOptions,
    Problem,
    clean,
    language_of,
)

_MAX_TITLE = 200


class Imported(Record):
    """The documents of a file, ready to be stored, and what was left out."""

    media_type: str
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def documents_of(data: bytes, name: str, options: ImportOptions) -> Imported:
    """The documents of a file: one for free text, one for each question-answer pair.

    Args:
        data: the file's bytes.
        name: its name, possibly with directories, as the sender gave it; used for the ids, never as a path.
        options: labels for what the file leaves open.

    Raises:
        UnreadableFile: see `readers.read`.
        TooLarge: see `readers.read`.
        BadInput: the file or the options do not make a document.
    """
    name = clean(name).replace("\n", " ")[-255:] or "unnamed"
    reading = readers.read(data, name)
    try:
        documents, problems = _articles(reading, name, options) if reading.pairs else _free(reading, name, options)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(
            f"The file {name!r} does not make a document.",
            cause=f"{'.'.join(map(str, first['loc']))}: {first['msg']}.",
            next_step="Correct the file or the options.",
        ) from error
    return Imported(media_type=reading.media_type, documents=documents, problems=problems)


def document_id_of(name: str) -> str:
    """An id from a file's name: its path without the extension, spaces and marks as hyphens."""
    path = PurePosixPath(PureWindowsPath(name).as_posix())
    stem = str(path.with_suffix("")) if path.suffix else str(path)
    parts = (re.sub(r"[^\w.]+", "-", part).strip("-.").lower() for part in stem.split("/"))
    return "/".join(part for part in parts if part) or "document"


def _free(reading: Reading, name: str, options: ImportOptions) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    body = clean(reading.body)
    if len(body) > MAX_DOCUMENT_CHARACTERS:
        raise TooLarge(
            f"The file {name!r} holds {len(body):,} characters of text.",
            next_step=f"The limit is {MAX_DOCUMENT_CHARACTERS:,}: split it into smaller files.",
        )
    document_id = options.document_id or document_id_of(name)
    title = clean(options.title or reading.title or PurePosixPath(name).stem)[:_MAX_TITLE]
    document = Document(
        document_id=document_id,
        title=title or document_id,
        language=options.language or language_of(body),
        group_id=document_id,
        audience=options.audience,
        category=options.category,
        intent=options.intent,
        products=options.products,
        source_uri=options.source_uri or name,
        media_type=reading.media_type,
        valid_from=options.valid_from,
        valid_to=options.valid_to,
        supersedes=options.supersedes,
        body=body,
    )
    return (document,), reading.problems


def _articles(reading: Reading, name: str, options: ImportOptions) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    documents, problems = [], list(reading.problems)
    for pair in reading.pairs:
        try:
            documents.append(_article(pair, reading.media_type, name, options))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "row"
            problems.append(Problem(message=f"{pair.questions[0][:60]!r} was left out: {place}: {first['msg']}."))
    if not documents:
        raise BadInput(f"The file {name!r} holds no usable row.", cause=problems[-1].message)
    return tuple(documents), tuple(problems)


def _article(pair: Pair, media_type: str, name: str, options: ImportOptions) -> Document:
    document_id = f"{options.document_id or document_id_of(name)}:{pair.key}"
    return Document(
        document_id=document_id,
        title=(pair.title or pair.questions[0])[:_MAX_TITLE],
        language=pair.language or options.language or language_of(pair.questions[0] + pair.answer),
        group_id=document_id,
        audience=pair.audience or options.audience,
        category=pair.category or options.category,
        intent=pair.intent or options.intent,
        products=pair.products or options.products,
        source_uri=f"{options.source_uri or name}#{pair.key}",
        media_type=media_type,
        valid_from=pair.valid_from or options.valid_from,
        valid_to=pair.valid_to or options.valid_to,
        answer=pair.answer,
        questions=pair.questions[:MAX_QUESTIONS],
    )
