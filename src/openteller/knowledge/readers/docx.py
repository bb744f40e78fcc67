"""Word documents (DOCX) to Markdown: headings, paragraphs, lists and tables. Macros are never looked at.

What is not covered: text boxes, footnotes, headers and footers, pictures.
"""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openteller.knowledge.readers import archive
from openteller.knowledge.readers.reading import Reading, unreadable

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import Table
    from docx.text.paragraph import Paragraph

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING = re.compile(r"(?:heading|标题|標題)\s*([1-9])", re.IGNORECASE)


def read(data: bytes, name: str) -> Reading:
    """Read a Word document."""
    archive.check(data, name, member="word/document.xml", kind="a Word document (DOCX)")
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        lines = list(_lines(document))
        title = next((p.text.strip() for p in document.paragraphs if _style(p) == "Title" and p.text.strip()), "")
        title = title or next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
        title = title or (document.core_properties.title or "").strip()
    # The package raises whatever its parts raise on a malformed document: KeyError, ValueError, lxml's errors, …
    except Exception as error:
        step = "Open it in Word, save it again as DOCX without macros, and import that."
        raise unreadable(name, "cannot be read as a Word document", step, f"It is damaged ({error}).") from error
    return Reading(media_type=MEDIA_TYPE, title=title or None, body="\n".join(lines).strip())


def _lines(document: "WordDocument") -> Iterator[str]:
    from docx.table import Table

    for item in document.iter_inner_content():
        if isinstance(item, Table):
            yield from _table(item)
            continue
        text = " ".join(item.text.split())
        style = _style(item)
        heading = _HEADING.match(style)
        if heading and text:
            yield f"\n{'#' * min(int(heading[1]), 6)} {text}"
        elif style == "Title" and text:
            yield f"# {text}"
        elif text:
            yield f"- {text}" if style.startswith("List") else text


def _style(paragraph: "Paragraph") -> str:
    return (paragraph.style.name or "") if paragraph.style is not None else ""


def _table(table: "Table") -> Iterator[str]:
    for row in table.rows:
        # A merged cell comes once for each column it spans.
        cells = {id(cell._tc): " ".join(cell.text.split()) for cell in row.cells}
        if any(cells.values()):
            yield " | ".join(cells.values())
