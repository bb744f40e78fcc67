"""Tables of clips and what is said in them: metadata.csv, .tsv or .jsonl beside a folder of audio.

Columns ``file`` and ``text``; ``language`` and ``speaker`` where there are several; a recipe may name others. A table in the
layout of LJSpeech (``file|written`` or ``file|written|spoken``, without a header) is known by its bars. Files are looked for
beside the table, in its folders clips and wavs, and below the data folder; without an extension, with any. Knows nothing about
models or features.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from openteller.core.errors import BadInput, OpenTellerError
from openteller.core.text import fold, han_share
from openteller.training.datasets.encoding import require_utf8
from openteller.training.datasets.readers import OnBad, read
from openteller.training.datasets.records import BadRow, Record, refuse, tidy

LANGUAGES = ("zh", "en")
_FOLDERS = ("", "clips", "wavs")
_SAMPLE = 4096


@dataclass(frozen=True)
class Clip:
    """One row: its place in the table, the file, the words, the language (zh or en), who speaks (may be empty)."""

    where: str
    file: Path
    text: str
    language: str
    speaker: str = ""

    @property
    def key(self) -> str:
        """The words as they are matched."""
        return fold(self.text)


def read_clips(
    table: Path,
    columns: Mapping[str, str],
    language: str,
    data: Callable[[str], Path],
    on_bad: OnBad,
    bad: list[BadRow],
) -> list[Clip]:
    """The rows of a table, whose audio is not opened here.

    Args:
        table: the table, or the folder that holds a metadata file.
        columns: our name of a column → the table's.
        language: of rows that name none; empty: told by their script.
        data: finds a path below the data folder; raises an error of ours where there is none.
        on_bad: "error", or "skip" to leave rows out.
        bad: takes the rows left out.

    Raises:
        BadInput: no table, or rows that cannot be used, which are named.
    """
    path = _table(table)
    found, wrong = [], []
    for record in _records(path, on_bad, bad):
        try:
            found.append(_clip(record, path.parent, columns, language, data))
        except ValueError as error:
            wrong.append(BadRow(record.where, str(error)))
    refuse(wrong, len(found) + len(wrong), f"rows of {path.name}", on_bad=on_bad)
    bad.extend(wrong)
    return found


def _table(path: Path) -> Path:
    if not path.is_dir():
        return path
    tables = [path / f"metadata.{kind}" for kind in ("csv", "tsv", "jsonl")]
    found = next((table for table in tables if table.is_file()), None)
    if found is None:
        raise BadInput(
            f"The folder {path} has no table of its clips.",
            cause="It has no metadata.csv, metadata.tsv or metadata.jsonl.",
            next_step="Write one with the columns file and text.",
        )
    return found


def _records(path: Path, on_bad: OnBad, bad: list[BadRow]) -> Iterator[Record]:
    if path.suffix == ".csv" and path.is_file():
        with path.open("rb") as raw:
            start = raw.read(_SAMPLE)
        require_utf8(path, start)
        if b"|" in start.split(b"\n")[0]:
            return _bare(path)
    return read(path, on_bad=on_bad, bad=bad)


def _bare(path: Path) -> Iterator[Record]:
    """The rows of a table without header; the last cell is what is spoken."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        for number, cells in enumerate(csv.reader(stream, delimiter="|", quoting=csv.QUOTE_NONE), 1):
            fields = {"file": cells[0], "text": cells[-1] if len(cells) > 1 else ""} if cells else {}
            row = tidy(f"{path.name}:{number}", fields)
            if cells and isinstance(row, Record):
                yield row


def _clip(record: Record, folder: Path, columns: Mapping[str, str], language: str, data: Callable[[str], Path]) -> Clip:
    """Raises ValueError that says what is wrong with the row."""

    def cell(name: str) -> str:
        return str(record.fields.get(columns.get(name, name), ""))

    for name in ("file", "text"):
        if not cell(name):
            raise ValueError(f"the column {columns.get(name, name)!r} is empty")
    spoken = cell("language") or language or ("zh" if han_share(cell("text")) else "en")
    if spoken not in LANGUAGES:
        raise ValueError(f"the language {spoken!r} is none of {', '.join(LANGUAGES)}")
    # A file is called what it is called: normalisation may have changed its name.
    name = record.written.get(columns.get("file", "file"), cell("file"))
    return Clip(record.where, _file(folder, name, data), cell("text"), spoken, cell("speaker"))


def _file(folder: Path, name: str, data: Callable[[str], Path]) -> Path:
    """The audio that a row means. Raises ValueError."""
    for below in _FOLDERS:
        path = folder / below / name
        if path.is_file():
            return path
        if not path.suffix and path.parent.is_dir() and (found := sorted(path.parent.glob(f"{path.name}.*"))):
            return found[0]
    try:
        return data(name)
    except OpenTellerError as error:
        raise ValueError(f"there is no file {name}") from error
