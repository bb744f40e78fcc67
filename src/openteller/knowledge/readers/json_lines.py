"""Question-answer pairs in JSON Lines or JSON.

A line is ``{"question": …, "answer": …}``, or ``{"id": …, "entries": [{"question": …, "answers": [...]}, …]}``, and a
whole file may be a list of those or a QnABot export (``{"qna": [{"qid", "q", "a"}]}``). Further keys are read as the
columns of a sheet are.
"""

import json
from collections.abc import Iterator
from typing import Any

from openteller.knowledge.readers.pairs import Collector, Field, field_of
from openteller.knowledge.readers.plain_text import decode
from openteller.knowledge.readers.reading import MAX_ROWS, Reading, no_pairs, too_large, unreadable


def read(data: bytes, name: str) -> Reading:
    """Read a JSON or JSON Lines file; rows are numbered by line, or by place in the list."""
    collector = Collector()
    for number, item in _items(decode(data, name), name):
        if number > MAX_ROWS:
            raise too_large(name, f"has more than {MAX_ROWS:,} rows", f"{MAX_ROWS:,} rows")
        _take(collector, number, item)
    if not collector.pairs:
        raise no_pairs(name, collector.problems)
    return Reading(media_type="application/jsonl", pairs=tuple(collector.pairs), problems=tuple(collector.problems))


def _items(text: str, name: str) -> Iterator[tuple[int, Any]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, list):
        yield from enumerate(whole, 1)
        return
    if isinstance(whole, dict):
        inner = whole.get("qna")
        yield from enumerate(inner if isinstance(inner, list) else [whole], 1)
        return
    # Only line feeds part lines: JSON text may hold the other line ends of Unicode.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _parsed(line, number, name)


def _parsed(line: str, number: int, name: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        step = f"Mend line {number}; each line is one JSON object."
        raise unreadable(name, f"is not JSON at line {number}", step, f"{error}.") from error


def _take(collector: Collector, number: int, item: Any) -> None:
    entries = item.get("entries") if isinstance(item, dict) else None
    if not isinstance(entries, list):
        collector.add(number, _values(item))
        return
    key = item.get("id", number)
    shared = {name: value for name, value in item.items() if name not in ("id", "entries")}
    for place, entry in enumerate(entries, 1):
        collector.add(number, _values(shared | entry if isinstance(entry, dict) else None), f"{key}.{place}")


def _values(item: Any) -> dict[Field, list[Any]]:
    """The known keys of an object; anything else gives no values, and so a row without a question."""
    values: dict[Field, list[Any]] = {}
    for name, value in item.items() if isinstance(item, dict) else ():
        field = field_of(name)
        if field and value not in (None, "", []):
            cells = value if isinstance(value, list) else [value]
            values.setdefault(field, []).extend(cell for cell in cells if isinstance(cell, str | int | float))
    return values
