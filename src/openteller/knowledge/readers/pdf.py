"""PDF to text: lines joined to paragraphs, running headers and footers dropped.

What is not covered: scans (no text recognition), columns that the file draws across, and tables, which come as lines.
"""

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openteller.core.errors import OpenTellerError
from openteller.knowledge.readers.reading import MAX_PAGES, Reading, too_large, unreadable
from openteller.knowledge.records import MAX_DOCUMENT_CHARACTERS

if TYPE_CHECKING:
    from pypdf import PdfReader

_SENTENCE_END = re.compile(r"[。！？!?；;.：:]$")
_HEADING = re.compile(r"第[一二三四五六七八九十百零\d]{1,5}[章节節编編]\s*\S{0,30}$")
_ITEM = re.compile(r"(?:[-•·▪●]|\(?\d{1,2}[.、)）]|[（(]?[一二三四五六七八九十]{1,3}[、)）]|第.{1,5}条)")
_LATIN_EDGES = re.compile(r"[!-~] [!-~]")


def read(data: bytes, name: str) -> Reading:
    """Read the text layer of a PDF."""
    if b"%PDF-" not in data[:1024]:
        raise unreadable(name, "is not a PDF", "Check the file's extension.", "It does not begin like one.")
    import pypdf

    try:
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        document = pypdf.PdfReader(io.BytesIO(data))
        if document.is_encrypted:
            step = "Remove the password, or print it to a new PDF, and import that."
            raise unreadable(name, "is encrypted", step)
        if len(document.pages) > MAX_PAGES:
            raise too_large(name, f"has {len(document.pages):,} pages", f"{MAX_PAGES:,} pages")
        pages = list(_pages(document, name))
        title = str((document.metadata.title if document.metadata else "") or "").strip()
    except OpenTellerError:
        raise
    # The package raises whatever its parts raise on a malformed document: KeyError, RecursionError, zlib.error, …
    except Exception as error:
        step = "Open it in a viewer, print it to a new PDF, and import that."
        raise unreadable(name, "cannot be read as a PDF", step, f"It is damaged ({error}).") from error
    body = "\n".join(_paragraphs(_without_running_lines(pages))).strip()
    if not body:
        step = "Run text recognition on it and import the result."
        raise unreadable(name, "has no text", step, "It is probably a scan.")
    return Reading(media_type="application/pdf", title=title or None, body=body)


def _pages(document: "PdfReader", name: str) -> Iterator[list[str]]:
    total = 0
    for page in document.pages:
        text = page.extract_text()
        total += len(text)
        if total > MAX_DOCUMENT_CHARACTERS:
            raise too_large(name, "holds too much text", f"{MAX_DOCUMENT_CHARACTERS:,} characters")
        yield [" ".join(line.split()) for line in text.splitlines()]


def _without_running_lines(pages: list[list[str]]) -> list[str]:
    """All lines but those that stand at the edge of most pages, digits aside."""
    edges = Counter(mark for page in pages for mark in {_mark(line) for line in (*page[:2], *page[-2:])})
    running = {mark for mark, count in edges.items() if len(pages) >= 4 and count > len(pages) / 2}
    return [line for page in pages for line in page if _mark(line) not in running]


def _mark(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Lines joined until one ends a sentence or is clearly shorter than the page is wide."""
    width = sorted(map(len, lines))[int(len(lines) * 0.9)] if lines else 0
    paragraph = ""
    for line in lines:
        is_heading = bool(_HEADING.match(line))
        if paragraph and (not line or is_heading or _ITEM.match(line)):
            yield paragraph
            paragraph = ""
        if is_heading:
            yield f"\n# {line}"
            continue
        joined = f"{paragraph} {line}" if _LATIN_EDGES.match(f"{paragraph[-1:]} {line[:1]}") else paragraph + line
        paragraph = joined.strip()
        if _SENTENCE_END.search(line) or len(line) < 0.6 * width:
            yield paragraph
            paragraph = ""
    yield paragraph
