"""Reading files: one module per format, chosen by the file's extension and checked against its content.

Nothing in a file is executed, nothing is fetched, and a file over a limit is refused before it is opened.
"""

import codecs
from collections.abc import Callable
from pathlib import PurePath

from openteller.knowledge.readers import docx, html, json_lines, markdown, pdf, plain_text, sheet
from openteller.knowledge.readers.reading import (
    MAX_FILE_BYTES,
    MAX_PAGES,
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    Pair,
    Reading,
    too_large,
    unreadable,
)

_READERS: dict[str, Callable[[bytes, str], Reading]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".txt": plain_text.read,
    ".html": html.read,
    ".htm": html.read,
    ".docx": docx.read,
    ".pdf": pdf.read,
    ".xlsx": sheet.read_xlsx,
    ".csv": sheet.read_csv,
    ".tsv": sheet.read_csv,
    ".jsonl": json_lines.read,
    ".json": json_lines.read,
}
EXTENSIONS = tuple(_READERS)


def read(data: bytes, name: str) -> Reading:
    """The content of a file.

    Args:
        data: the file's bytes, at most 20 MB.
        name: its name; the extension says what it is.

    Raises:
        UnreadableFile: it is empty, damaged, encrypted, or not what its extension says.
        TooLarge: it, or what it unpacks to, is over a limit.
        BadInput: a question-answer file without one complete pair.
    """
    check_size(len(data), name)
    reader = _READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        step = f"Save it as one of {', '.join(EXTENSIONS)}."
        raise unreadable(name, "is of a type that cannot be read", step)
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise unreadable(name, "is empty", "Check that it was saved and sent whole.")
    reading = reader(data, name)
    if not reading.pairs and not reading.body.strip():
        raise unreadable(name, "holds no text", "Check that it is the right file.")
    return reading


def check_size(size: int, name: str) -> None:
    """Refuse a file of more than 20 MB; for callers that know the size before they have the bytes."""
    if size > MAX_FILE_BYTES:
        raise too_large(name, f"has {size / 1048576:.1f} MB", "20 MB")


__all__ = [
    "EXTENSIONS",
    "MAX_FILE_BYTES",
    "MAX_PAGES",
    "MAX_ROWS",
    "MAX_UNPACKED_BYTES",
    "Pair",
    "Reading",
    "check_size",
    "read",
]
