"""Rasa NLU training data (YAML, version 3.1): examples of intents with entities marked in the text.

Synonyms, lookup tables and regular expressions are passed over; roles, groups and values of entities too.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from openteller.core.text import normalise
from openteller.training.datasets.encoding import not_utf8
from openteller.training.datasets.records import BadRow, Record, place, tidy, unreadable

_PASSED_OVER = frozenset({"synonym", "lookup", "regex"})
_MARK = re.compile(r"\[([^\[\]]+)\](?:\(([^()]+)\)|(\{[^{}]*\}))")
#: What is left of a mark that the pattern above does not take.
_HALF_MARK = re.compile(r"\](?:\(|\{|\[\{)")
_STEP = 'Name a file with `version: "3.1"` and a list `nlu`.'


def read_rasa(path: Path) -> Iterator[Record | BadRow]:
    """The examples of every intent: text, label, and spans as a list of [start, end, type].

    Raises UnreadableFile when the file is not UTF-8, not YAML, or has no list ``nlu``.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise unreadable(path, f"It is not YAML ({' '.join(str(error).split())}).", "Correct it.") from error
    entries = _entries(root).get("nlu")
    if not isinstance(entries, yaml.SequenceNode):
        raise unreadable(path, "It is no Rasa NLU file: it has no list `nlu`.", _STEP)
    for entry in entries.value:
        yield from _intent(path.name, entry)


def _intent(name: str, node: yaml.Node) -> Iterator[Record | BadRow]:
    """The examples of one entry of the list."""
    entry, where = _entries(node), f"{name}:{_line(node)}"
    label = normalise(_text(entry.get("intent")) or "")
    if not label:
        if not entry.keys() & _PASSED_OVER:
            yield BadRow(where, "an entry that is neither intent, synonym, lookup nor regex")
        return
    found = False
    for number, example in _examples(entry.get("examples")):
        found = True
        yield _row(f"{name}:{number}", example, label)
    if not found:
        yield BadRow(where, f"the intent {label} has no examples")


def _examples(node: yaml.Node | None) -> Iterator[tuple[int, str | None]]:
    """(line, text) of each example; None where there is none, or no hyphen before it."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield _line(item), _text(_entries(item).get("text", item))
    elif isinstance(node, yaml.ScalarNode):
        # A block begins on the line after its mark.
        first = _line(node) + (node.style in ("|", ">"))
        for number, line in enumerate(node.value.split("\n"), first):
            line = line.strip()
            if line and not line.startswith("#"):
                yield number, line[1:] if line.startswith("-") else None


def _row(where: str, example: str | None, label: str) -> Record | BadRow:
    if example is None:
        return BadRow(where, "no example: it has no text, or does not begin with a hyphen")
    try:
        text, spans = unmark(example)
    except ValueError as error:
        return BadRow(where, str(error))
    if not text:
        return BadRow(where, "an example without text")
    return tidy(where, {"text": text, "label": label, "spans": [list(span) for span in spans]})


def unmark(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The normalised text without marks, and (start, end, type) of each entity in it.

    Raises ValueError with the reason for a mark that cannot be read.
    """
    # Marks are read before normalisation, which would make marks of full-width brackets.
    plain, found, at = "", [], 0
    for match in _MARK.finditer(marked):
        plain += marked[at : match.start()]
        found.append((len(plain), len(plain) + len(match[1]), _type(match)))
        plain += match[1]
        at = match.end()
    plain += marked[at:]
    if _HALF_MARK.search(plain):
        raise ValueError("a mark that cannot be read; write [text](type), and one type a text")
    text = normalise(plain)
    return text, [(*_trimmed(text, place(plain, start), place(plain, end)), kind) for start, end, kind in found]


def _type(match: re.Match[str]) -> str:
    if match[2] is not None:
        kind: object = match[2].split(":")[0]  # (type:value) is how old versions gave the value
    else:
        try:
            kind = json.loads(match[3]).get("entity")
        except ValueError as error:
            raise ValueError(f"the mark {match[0]} is not JSON within its braces") from error
    if not isinstance(kind, str) or not normalise(kind):
        raise ValueError(f"the mark {match[0]} names no entity")
    return normalise(kind)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    surface = text[start:end]
    start += len(surface) - len(surface.lstrip())
    if not surface.strip():
        raise ValueError("a mark around no text")
    return start, start + len(surface.strip())


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _text(node: yaml.Node | None) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
