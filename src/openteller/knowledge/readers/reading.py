"""What every reader gives back, and the limits that hold for every file.

Knows nothing about any one format.
"""

from datetime import date

from pydantic import Field

from openteller.core.errors import BadInput, TooLarge, UnreadableFile
from openteller.core.records import Audience, Record
from openteller.knowledge.records import DocumentLanguage, Problem

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_PAGES = 5_000
MAX_ROWS = 200_000


class Pair(Record):
    """A question with its answer, as a file gives it; None where the file is silent."""

    key: str = Field(description="stable within the file: its id, or one made from the first question")
    questions: tuple[str, ...] = Field(min_length=1)
    answer: str
    title: str | None = None
    category: str | None = None
    intent: str | None = None
    audience: Audience | None = None
    language: DocumentLanguage | None = None
    products: tuple[str, ...] | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class Reading(Record):
    """A file's content: either a body in Markdown, or question-answer pairs."""

    media_type: str
    title: str | None = None
    body: str = ""
    pairs: tuple[Pair, ...] = ()
    problems: tuple[Problem, ...] = ()


def unreadable(name: str, what: str, next_step: str, cause: str = "") -> UnreadableFile:
    """The error for a file that cannot be read, worded alike for every format."""
    return UnreadableFile(f"The file {name!r} {what}.", cause=cause, next_step=next_step)


def too_large(name: str, what: str, limit: str) -> TooLarge:
    """The error for a file over a limit; `limit` reads like ``20 MB``."""
    return TooLarge(f"The file {name!r} {what}.", next_step=f"The limit is {limit}: split it into smaller files.")


def no_pairs(name: str, problems: list[Problem]) -> BadInput:
    """The error for a question-answer file in which not one row is complete."""
    first = f"The first problem: {problems[0].message}" if problems else ""
    return BadInput(
        f"The file {name!r} holds no complete question with an answer.",
        cause=first,
        next_step="Give each row a question and an answer.",
    )
