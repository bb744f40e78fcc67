"""Reading a data set as a stream of records: the format by the file's name, bad rows by the caller's choice.

Knows nothing about what the fields mean.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_args

from openteller.core.errors import BadInput
from openteller.training.datasets.columns import read_parquet, read_saved
from openteller.training.datasets.json_lines import read_jsonl, read_jsonl_gz
from openteller.training.datasets.rasa import read_rasa
from openteller.training.datasets.records import NAMED, BadRow, Record, listed, require_choice
from openteller.training.datasets.tables import read_csv, read_xlsx

Reader = Callable[[Path], Iterator[Record | BadRow]]
OnBad = Literal["error", "skip"]

_READERS: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl_gz,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
    ".parquet": read_parquet,
    ".yml": read_rasa,
    ".yaml": read_rasa,
}
EXTENSIONS = tuple(_READERS)


def read(path: Path, *, on_bad: OnBad = "error", bad: list[BadRow] | None = None) -> Iterator[Record]:
    """The rows of a file, or of a directory that ``Dataset.save_to_disk`` wrote, one by one.

    The path and its type are looked at before the first row is asked for, all else while rows are read.

    Args:
        path: the file or directory.
        on_bad: "error" raises at the end of the file and gives no row after the first bad one; "skip" leaves them out.
        bad: takes the rows left out.

    Raises:
        BadInput: no such file, of unknown type, empty, or with bad rows (20 of them are named).
        UnreadableFile: it is damaged, or not of the type or encoding that it should be.
        MissingDependency: its format needs a package of the extra `train`.
    """
    require_choice("bad_rows", on_bad, get_args(OnBad))
    return _accepted(path, _reader(path)(path), on_bad, [] if bad is None else bad)


def _reader(path: Path) -> Reader:
    """The function that reads `path`. Raises BadInput when there is nothing that can be read."""
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise _not_opened(path, error) from error
    if path.is_dir():
        return read_saved
    reader = next((r for extension, r in _READERS.items() if path.name.lower().endswith(extension)), None)
    if reader is None:
        step = f"Save it as one of {', '.join(EXTENSIONS)}."
        raise BadInput(f"The data {path} are of unknown type.", cause="The extension says the type.", next_step=step)
    if not size:
        raise _no_rows(path)
    return reader


def _accepted(path: Path, rows: Iterator[Record | BadRow], on_bad: OnBad, bad: list[BadRow]) -> Iterator[Record]:
    first: list[BadRow] = []
    good = wrong = 0
    try:
        for row in rows:
            if isinstance(row, BadRow):
                wrong += 1
                if len(first) < NAMED:
                    first.append(row)
                if on_bad == "skip":
                    bad.append(row)
            elif on_bad == "skip" or not wrong:
                good += 1
                yield row
    except OSError as error:
        raise _not_opened(path, error) from error
    if wrong and (on_bad == "error" or not good):
        raise _bad_rows(path, first, wrong, on_bad)
    if not good:
        raise _no_rows(path)


def _bad_rows(path: Path, first: list[BadRow], count: int, on_bad: OnBad) -> BadInput:
    step = "Correct them, or set bad_rows: skip." if on_bad == "error" else "No other row is left; correct them."
    return BadInput(
        f"{path.name} has {count:,} row(s) that cannot be used.",
        cause=listed([f"{row.where}: {row.reason}" for row in first], count),
        next_step=step,
    )


def _no_rows(path: Path) -> BadInput:
    return BadInput(f"The data {path} have no rows.", cause="The file is empty.", next_step="Name a file with rows.")


def _not_opened(path: Path, error: Exception) -> BadInput:
    cause = f"{getattr(error, 'strerror', None) or error}."
    return BadInput(f"The data {path} cannot be opened.", cause=cause, next_step="Check the path and who may read it.")
