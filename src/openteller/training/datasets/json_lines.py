"""JSONL, plain or gzipped: one JSON object a line, or one array, whose places are columns called 0, 1, 2, …"""

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Literal, NoReturn

from openteller.training.datasets.encoding import SAMPLE_BYTES, require_utf8, wrong_byte
from openteller.training.datasets.records import BadRow, Record, tidy, unreadable

_Opener = Callable[[Path, Literal["rb"]], BufferedIOBase]


def read_jsonl(path: Path) -> Iterator[Record | BadRow]:
    """The rows of a JSONL file; blank lines are passed over."""
    return _read(path, open)


def read_jsonl_gz(path: Path) -> Iterator[Record | BadRow]:
    """The rows of a gzipped JSONL file. Raises UnreadableFile where the archive is broken."""
    try:
        yield from _read(path, gzip.open)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        step = "Pack or copy it again; `gzip -t` says whether it is whole."
        raise unreadable(path, f"It is no gzip file, or cut off ({error}).", step) from error


def _read(path: Path, opened: _Opener) -> Iterator[Record | BadRow]:
    with opened(path, "rb") as stream:
        require_utf8(path, stream.read(SAMPLE_BYTES))
    with opened(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if line.strip():
                yield _row(f"{path.name}:{number}", line)


def _row(where: str, line: bytes) -> Record | BadRow:
    if (reason := wrong_byte(line)) is not None:
        return BadRow(where, reason)
    try:
        fields = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return BadRow(where, f"not JSON ({error.msg}, column {error.colno})")
    except ValueError as error:
        return BadRow(where, f"not JSON ({error})")
    except RecursionError:
        return BadRow(where, "nested too deeply")
    if isinstance(fields, list):
        fields = {str(place): value for place, value in enumerate(fields)}
    if not isinstance(fields, dict):
        return BadRow(where, f"no JSON object or array but {type(fields).__name__}")
    return tidy(where, fields)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
