"""JSONL and CSV files, and folders of them, as they grow. Reads UTF-8 with and without a mark, UTF-16 with one, GB18030.

The cursor holds for each file how many bytes were read. A last line without its end counts once the file has rested for a
moment; a file that became shorter is read anew. A JSONL line or a CSV row has the fields of `RawItem`, under their own
names or the usual ones (id, link, content, date …). Knows nothing about what becomes of items.
"""

import codecs
import csv
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from pydantic import ValidationError

from openteller.core.errors import BadInput, Unavailable
from openteller.insights.opinion.records import (
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    Batch,
    Cursor,
    RawItem,
)
from openteller.insights.opinion.sources.moments import moment_of

SUFFIXES = (".jsonl", ".csv")
_NAMES = MappingProxyType(
    {
        "external_id": ("external_id", "id", "guid", "编号"),
        "url": ("url", "link", "链接"),
        "title": ("title", "headline", "标题"),
        "text": ("text", "content", "body", "summary", "正文", "内容"),
        "published_at": ("published_at", "published", "date", "time", "时间", "发布时间"),
    }
)
_RESTED = 2.0
_LONGEST_LINE = 1_000_000
_MOST_FAULTS = 20


class _Line(NamedTuple):
    """A line's or row's fields (or why there are none), and where the next one begins."""

    fields: Mapping[str, Any] | None
    fault: str
    end: int


class FileSource:
    """A file, or every .jsonl and .csv file of a folder, in the order of their names.

    Args:
        name: the source's.
        path: the file or folder.
    """

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path

    @property
    def name(self) -> str:
        """See Source."""
        return self._name

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        """See Source."""
        if not self._path.exists():
            raise Unavailable(f"{self._path} is not there.", next_step="Put it there, or remove the source.")
        files = self._files()
        read = {file.name: int(cursor.get(file.name, 0)) for file in files}
        items, faults, resting = list[RawItem](), list[str](), False
        for file in files:
            if len(items) >= limit:
                break
            read[file.name], waits = _read_on(file, read[file.name], limit - len(items), items, faults)
            resting = resting or waits
        more = len(items) >= limit or resting
        return Batch(
            items=tuple(items),
            cursor=read,
            faults=tuple(faults[:_MOST_FAULTS]),
            more=more,
            wait=0.0 if len(items) >= limit else 0.5,
        )

    def close(self) -> None:
        """See Source."""

    def _files(self) -> list[Path]:
        if self._path.is_dir():
            return sorted(file for file in self._path.iterdir() if file.suffix in SUFFIXES and file.is_file())
        if self._path.suffix not in SUFFIXES:
            raise BadInput(f"{self._path.name} is no .jsonl or .csv file.", next_step="Convert it, or name a folder.")
        return [self._path]


def _read_on(file: Path, start: int, limit: int, items: list[RawItem], faults: list[str]) -> tuple[int, bool]:
    """Read `file` on from byte `start`; where the next look begins, and whether a last line has yet to rest."""
    try:
        size, rested = file.stat().st_size, time.time() - file.stat().st_mtime >= _RESTED
        if size == start:
            return start, False
        start = 0 if size < start else start
        with file.open("rb") as stream:
            encoding, first = _encoding(stream)
            lines = _rows if file.suffix == ".csv" else _lines
            for line in lines(stream, encoding, first, max(start, first), whole=rested):
                start = line.end
                _take(file, line, items, faults)
                if len(items) >= limit:
                    return start, False
    except OSError as error:
        raise Unavailable(f"{file} cannot be read.", cause=str(error), next_step="Check its rights.") from error
    return start, start < size and not rested


def _take(file: Path, line: _Line, items: list[RawItem], faults: list[str]) -> None:
    if line.fields is None:
        if line.fault:
            faults.append(f"{file.name}, byte {line.end}: {line.fault}")
        return
    try:
        items.append(raw_item(line.fields))
    except (ValidationError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        faults.append(f"{file.name}, byte {line.end}: {said}")


def raw_item(fields: Mapping[str, Any]) -> RawItem:
    """The item that a line's fields describe; texts that are too long are cut. Raises ValueError."""
    named = {str(name).strip().lower(): value for name, value in fields.items() if value not in (None, "")}
    found = {field: next((named[n] for n in names if n in named), "") for field, names in _NAMES.items()}
    return RawItem(
        external_id=str(found["external_id"])[:MAX_ID_CHARACTERS],
        url=str(found["url"]),
        title=str(found["title"])[:MAX_TITLE_CHARACTERS],
        text=str(found["text"])[:MAX_TEXT_CHARACTERS],
        published_at=moment_of(str(found["published_at"])) if found["published_at"] else None,
    )


def _encoding(stream: BinaryIO) -> tuple[str, int]:
    """The encoding by the file's mark or its first 64 KiB, and where its text begins."""
    head = stream.read(65_536)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return encoding, len(mark)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "gb18030", 0
    return "utf-8", 0


def _physical(stream: BinaryIO, encoding: str, start: int, *, whole: bool) -> Iterator[tuple[str | None, int]]:
    """Lines decoded (None: not in the encoding, or too long), with where the next one begins."""
    stream.seek(start)
    width = 2 if encoding.startswith("utf-16") else 1
    while line := stream.readline(_LONGEST_LINE):
        if width == 2 and line.endswith(b"\n") and encoding.endswith("le"):
            line += stream.read(1)
        ended = line.endswith((b"\n", b"\n\x00")) or len(line) >= _LONGEST_LINE
        if not ended and not whole:
            return
        start += len(line)
        try:
            yield line.decode(encoding), start
        except UnicodeDecodeError:
            yield None, start


def _lines(stream: BinaryIO, encoding: str, _first: int, start: int, *, whole: bool) -> Iterator[_Line]:
    for text, end in _physical(stream, encoding, start, whole=whole):
        if text is None:
            yield _Line(None, f"not {encoding}", end)
        elif text.strip():
            yield _json_line(text, end)
        else:
            yield _Line(None, "", end)


def _json_line(text: str, end: int) -> _Line:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _Line(None, f"not JSON ({error})", end)
    return _Line(fields, "", end) if isinstance(fields, dict) else _Line(None, "no JSON object", end)


def _rows(stream: BinaryIO, encoding: str, first: int, start: int, *, whole: bool) -> Iterator[_Line]:
    """CSV rows, whose fields may hold line breaks; the first row of the file names the columns."""
    reached = [first]

    def texts(at: int) -> Iterable[str]:
        for text, end in _physical(stream, encoding, at, whole=whole):
            reached[0] = end
            yield "" if text is None else text

    header = next(csv.reader(texts(first)), None)
    if not header:
        return
    start = max(start, reached[0])
    try:
        for row in csv.reader(texts(start)):
            fields = dict(zip(header, row, strict=False))
            yield _Line(fields if any(row) else None, "", reached[0])
    except csv.Error as error:
        yield _Line(None, f"no CSV ({error})", reached[0])
