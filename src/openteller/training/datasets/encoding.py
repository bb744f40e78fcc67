"""Whether a text file is UTF-8: one wrong line is a bad row, a file in another encoding is refused as a whole.

Otherwise leaving bad rows out would silently take every Chinese row from a file saved as GB18030.
"""

import codecs
from pathlib import Path

from openteller.core.errors import UnreadableFile
from openteller.training.datasets.records import unreadable

SAMPLE_BYTES = 1 << 16
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_FEWEST_WRONG_LINES = 3


def not_utf8(path: Path, cause: str = "It is not UTF-8.") -> UnreadableFile:
    """The error for a file in another encoding."""
    return unreadable(path, cause, "Save it as UTF-8 (in Excel: CSV UTF-8).")


def require_utf8(path: Path, start: bytes) -> None:
    """Raise UnreadableFile when `start`, the first bytes of the file, show that it is in another encoding."""
    if start.startswith(_WIDE_MARKS) or start.count(0) * 10 > len(start):
        raise not_utf8(path, "It is UTF-16 or UTF-32, or no text at all.")
    lines = start.split(b"\n")
    if len(start) >= SAMPLE_BYTES:
        lines.pop()  # may be cut within a character
    foreign = [line for line in lines if not line.isascii()]
    wrong = sum(wrong_byte(line) is not None for line in foreign)
    # A few wrong lines are bad rows; where most lines beyond ASCII are wrong and they are many, the file is.
    if wrong >= _FEWEST_WRONG_LINES and wrong * 2 > len(foreign) and wrong * 10 >= len(lines):
        raise not_utf8(path)


def wrong_byte(line: bytes) -> str | None:
    """Why `line` is not UTF-8, or None when it is."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte 0x{line[error.start]:02X} at position {error.start + 1})"
    return None
