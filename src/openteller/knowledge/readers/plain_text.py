"""Plain text files, in the encodings that `core.encodings` knows."""

from openteller.core.encodings import decoded
from openteller.knowledge.readers.reading import Reading, unreadable

_NEXT_STEP = "Save it as UTF-8 text, or as DOCX, PDF or XLSX, and import that."


def read(data: bytes, name: str) -> Reading:
    """Read a plain text file. Its lines are kept; it has no headings."""
    return Reading(media_type="text/plain", body=decode(data, name))


def decode(data: bytes, name: str) -> str:
    """The text of a text file.

    Raises:
        UnreadableFile: the bytes are no text in a known encoding.
    """
    text = decoded(data)
    if text is None:
        raise unreadable(
            name, "is not text", _NEXT_STEP, "It is a binary file, or in an encoding that is not known here."
        )
    return text
