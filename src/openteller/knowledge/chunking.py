"""Cutting a document into passages: its questions, its title, and body chunks of about 300 Chinese characters or
120 English words, cut at headings and sentences, each chunk repeating the last sentence of the one before.

A body is Markdown of which only the headings are read. Placeholders (``{{…}}``) are never cut through.
Knows nothing about embeddings or the index.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from openteller.core.text import fold, sentences
from openteller.knowledge.records import Document, Passage, PassageKind

CHUNK_SIZE = 300.0
_OVERLAP_SIZE = 100.0
_REMNANT_SIZE = 75.0
_SHORT_SIZE = 40.0

_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$")
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_ATOM = re.compile(r"\{\{[^{}]{1,100}\}\}|[㐀-䶿一-鿿]|\s+|[^\s㐀-䶿一-鿿{]{1,60}|\{")
_CLAUSE_END = re.compile(r"[，,、：:；;）)。]$")
_LATIN_EDGE = re.compile(r"[!-~]$")


class _Sentence(NamedTuple):
    text: str
    starts_line: bool


def passages(document: Document) -> tuple[Passage, ...]:
    """The passages of a document: questions first (each once), the title unless it is a question, then the body.

    The body passages of an article are those of its answer, after those of its body if it has one as well. An answer
    that is too short to say what it is about ("Yes.") is indexed below the title.
    """
    found: dict[tuple[PassageKind, str], str] = {}
    for question in document.questions:
        found.setdefault(("question", fold(question)), question)
    if ("question", fold(document.title)) not in found:
        found["title", fold(document.title)] = document.title
    answer = document.answer or ""
    for text in (document.body, answer):
        for chunk in chunks(text):
            found.setdefault(("body", chunk), chunk)
    short = {("body", chunk) for chunk in chunks(answer)} if size(answer) < _SHORT_SIZE else set()
    return tuple(
        Passage(ordinal=i, kind=key[0], text=text, heading=document.title if key in short else "")
        for i, (key, text) in enumerate(found.items())
    )


def chunks(body: str) -> tuple[str, ...]:
    """The body in chunks, in order; each begins with the heading it stands under."""
    found = []
    for heading, lines in _sections(body):
        room = CHUNK_SIZE - min(size(heading), _OVERLAP_SIZE)
        texts = _packed(list(_cut_lines(lines, room)), room)
        found += [f"{heading}\n{text}" if heading else text for text in texts]
    return tuple(found) or tuple(line for line in [body.strip("# \n\t")] if line)


def size(text: str) -> float:
    """Length in units of a Han character; any other character that is no space counts a half."""
    han = len(_HAN.findall(text))
    return han + (sum(not character.isspace() for character in text) - han) / 2


def _sections(body: str) -> Iterator[tuple[str, list[str]]]:
    heading, lines = "", list[str]()
    for line in body.splitlines():
        match = _HEADING.match(line)
        if match:
            yield heading, lines
            heading, lines = match[1], []
        elif line.strip():
            lines.append(line.strip())
    yield heading, lines


def _cut_lines(lines: list[str], limit: float) -> Iterator[_Sentence]:
    for line in lines:
        pieces = [piece for sentence in sentences(line) for piece in _pieces(sentence, limit)]
        for number, piece in enumerate(pieces):
            yield _Sentence(piece, number == 0)


def _pieces(sentence: str, limit: float) -> Iterator[str]:
    """A sentence in pieces no larger than `limit`, cut after a clause where there is one in the second half."""
    if size(sentence) <= limit:
        yield sentence
        return
    atoms, total, clause = list[str](), 0.0, 0
    for atom in _ATOM.findall(sentence):
        if total + size(atom) > limit:
            cut = clause if clause > len(atoms) // 2 else len(atoms)
            yield "".join(atoms[:cut]).strip()
            atoms, clause = atoms[cut:], 0
            total = size("".join(atoms))
        atoms.append(atom)
        total += size(atom)
        if _CLAUSE_END.search(atom):
            clause = len(atoms)
    yield "".join(atoms).strip()


def _packed(cut: list[_Sentence], limit: float) -> Iterator[str]:
    chunk, total = list[_Sentence](), 0.0
    for position, sentence in enumerate(cut):
        length = size(sentence.text)
        full = total + length > limit
        if chunk and full and sum(size(rest.text) for rest in cut[position : position + 20]) > _REMNANT_SIZE:
            yield _joined(chunk)
            last = chunk[-1]
            # A repeated sentence must leave room for the new one.
            repeats = len(chunk) > 1 and size(last.text) <= min(_OVERLAP_SIZE, limit - length)
            chunk = [last] if repeats else []
            total = size(last.text) if repeats else 0.0
        chunk.append(sentence)
        total += length
    if chunk:
        yield _joined(chunk)


def _joined(chunk: list[_Sentence]) -> str:
    text = chunk[0].text
    for sentence in chunk[1:]:
        space = " " if _LATIN_EDGE.search(text) and not _HAN.match(sentence.text) else ""
        text += ("\n" if sentence.starts_line else space) + sentence.text
    return text
