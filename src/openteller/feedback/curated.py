"""Curated examples: accepted corrections as JSONL, one example a line, the newest decision on a text first to count.

Knows nothing about models or original data.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from openteller.core.errors import UnreadableFile
from openteller.core.text import fold
from openteller.feedback.records import Correction, Curated
from openteller.registry.durable import replace_file


def newest(corrections: Iterable[Correction]) -> tuple[Curated, ...]:
    """One example for each text and head, as last accepted; in the order of acceptance.

    Texts that differ in case, width or Chinese script alone are one: the models read them as one.
    """
    found: dict[tuple[str, str], Curated] = {}
    for correction in sorted(corrections, key=lambda c: (c.reviewed_at or c.created_at, c.created_at)):
        key = (fold(correction.text), correction.head)
        found.pop(key, None)
        found[key] = Curated.of(correction)
    return tuple(found.values())


def as_lines(examples: Sequence[Curated]) -> str:
    """The examples as JSONL."""
    return "".join(f"{example.model_dump_json()}\n" for example in examples)


def write(path: Path, examples: Sequence[Curated]) -> None:
    """Write the examples as the file `path`, in one step."""
    replace_file(path, as_lines(examples))


def read(path: Path) -> tuple[Curated, ...]:
    """The examples of a file. Raises UnreadableFile when it is missing or damaged."""
    try:
        # Not splitlines: a text may hold U+2028.
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line]
        return tuple(Curated.model_validate_json(line) for line in lines)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UnreadableFile(
            f"The corrections {path} cannot be read.",
            cause=str(error).split("\n")[0],
            next_step="Gather them again: teller retrain TASK --restart, or teller feedback export.",
        ) from error
