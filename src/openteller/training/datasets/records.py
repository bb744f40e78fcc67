"""What a row of a data set is: its place in the file, its fields as tidied at the door, or why it cannot be used.

Knows neither formats nor tasks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openteller.core.errors import BadInput, UnreadableFile
from openteller.core.text import normalise

#: Rows that an error names; it counts the rest.
NAMED = 20


@dataclass(frozen=True)
class Record:
    """One row. Text is normalised; a field without a value is absent.

    where: file and line, or row as a spreadsheet counts (its header is row 1); Parquet and saved sets count from 1.
    written: the text of the fields that normalisation changed, as the file has it.
    """

    where: str
    fields: Mapping[str, object]
    written: Mapping[str, str] = field(default_factory=dict, compare=False)

    def place(self, name: str, offset: int) -> int:
        """Where the code point `offset` of the text field `name`, as the file has it, stands in the normalised text."""
        return place(self.written[name], offset) if name in self.written else offset


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used, and why, on one line."""

    where: str
    reason: str


@dataclass(frozen=True)
class Keyed:
    """What checks and splits look at: `key` is the folded text or pair, `label` None when the row has none."""

    where: str
    key: str
    label: str | None


def place(written: str, offset: int) -> int:
    """Where the code point `offset` of `written` stands in ``normalise(written)``."""
    # The letter keeps a space before it from being trimmed as the end; it composes with nothing.
    return min(len(normalise(written[:offset] + "x")) - 1, len(normalise(written)))


def tidy(where: str, fields: Mapping[str, object]) -> Record | BadRow:
    """The row with text normalised and empty fields left out; a BadRow when a number is not finite."""
    kept: dict[str, object] = {}
    written: dict[str, str] = {}
    for name, value in fields.items():
        try:
            clean = _clean(value)
        except (ValueError, RecursionError) as error:
            reason = "is nested too deeply" if isinstance(error, RecursionError) else str(error)
            return BadRow(where, f"the field {name!r} {reason}")
        if clean is None or (isinstance(clean, str) and not clean):
            continue
        kept[name] = clean
        if isinstance(value, str) and value != clean:
            written[name] = value
    return Record(where, kept, written)


def _clean(value: object) -> object:
    # Empty items of a list stay: they stand beside the items of another list.
    if isinstance(value, str):
        return normalise(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"holds {value}, which is no number")
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items()}
    return value


def unreadable(path: Path, cause: str, next_step: str) -> UnreadableFile:
    """The error for a file that is broken or not what its name says."""
    return UnreadableFile(f"The data {path} cannot be read.", cause=cause, next_step=next_step)


def listed(lines: Sequence[str], count: int) -> str:
    """The first 20 of `count` lines, and how many more there are."""
    more = [f"and {count - NAMED:,} more"] if count > NAMED else []
    return "\n".join([*lines[:NAMED], *more])


def refuse(bad: Sequence[BadRow], count: int, what: str, *, on_bad: str) -> None:
    """Raise BadInput that names the `bad` of `count` rows, unless they are to be skipped. what: as a person calls them."""
    if bad and on_bad != "skip":
        raise BadInput(
            f"{len(bad)} of {count} {what} cannot be used.",
            cause=listed([f"{row.where}: {row.reason}" for row in bad[:NAMED]], len(bad)),
            next_step="Correct them, name the right columns in the recipe, or set bad_rows: skip.",
        )


def require_choice(setting: str, value: str, choices: Sequence[str]) -> None:
    """Raise BadInput unless `value` is one of `choices`."""
    if value not in choices:
        raise BadInput(f"{setting} is {value!r}.", next_step=f"Use one of: {', '.join(choices)}.")
