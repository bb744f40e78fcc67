"""The documents of a corpus, one by one: read from files or the knowledge base, normalised, each text once, and held out
by the hash of the text, so that none stands on both sides.

Text files give a document a paragraph (between blank lines), a line or a file; rows of other formats one each. What is
not covered: texts that differ in a word are two texts, and may stand on either side. Knows nothing about tokens.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.registry.manifest import sha256
from openteller.training.checkpoints import digest
from openteller.training.datasets.encoding import SAMPLE_BYTES, not_utf8, require_utf8
from openteller.training.datasets.readers import OnBad, read
from openteller.training.datasets.records import NAMED, BadRow, Record, listed, require_choice
from openteller.training.examples import held_out

Texts = Callable[[], Iterable[str]]  #: the texts of the knowledge base, from the first whenever it is called
_LONGEST = 1 << 20  # characters of a paragraph; a longer one becomes several documents, so that memory stays small
_CHOICES = {"source": ("files", "knowledge"), "documents": ("paragraph", "line", "file")}


@dataclass(frozen=True)
class CorpusFields:
    """Which texts a recipe names."""

    source: str = "files"  #: or knowledge: the public documents of the knowledge base that are valid today
    #: files below OPENTELLER_DATA, .txt or of rows; `file#field,field` for one whose text stands elsewhere than `text` says
    corpus: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=lambda: ["text"])  #: the fields that are text; those a row has are joined
    documents: str = "paragraph"  #: of a .txt: paragraph, line or file
    bad_rows: OnBad = "error"
    validation_share: float = 0.05  #: of the documents


@dataclass
class Counts:
    """What a pass over the corpus met."""

    train: int = 0
    held_out: int = 0
    repeated: int = 0


class Corpus:
    """The documents of a recipe; reading them again gives the same.

    Args:
        asked: which.
        locate: finds the path of a file.
        knowledge: gives the knowledge base's texts; None where there is none.

    Raises:
        BadInput: nothing is named, or a choice is unknown.
    """

    def __init__(self, asked: CorpusFields, locate: Callable[[str], Path], knowledge: Texts | None = None) -> None:
        for name, choices in _CHOICES.items():
            require_choice(name, getattr(asked, name), choices)
        if asked.source == "files" and not asked.corpus:
            raise BadInput("The recipe names no corpus.", next_step="List its files in the field corpus.")
        if asked.source == "knowledge" and knowledge is None:
            raise BadInput("There is no knowledge base here.", next_step="Run it by `teller pretrain`.")
        self._asked, self._knowledge = asked, knowledge
        named = [name.partition("#") for name in asked.corpus] if asked.source == "files" else []
        self._files = [(locate(name), fields.split(",") if fields else asked.text) for name, _, fields in named]
        self.counts = Counts()

    @property
    def names(self) -> tuple[str, ...]:
        """What it is made of, for the manifest."""
        return tuple(self._asked.corpus) if self._files else ("the knowledge base",)

    def digest(self) -> str:
        """What stands for the texts and how they are cut into documents."""
        how = [self._asked.documents, self._asked.bad_rows, self._asked.validation_share]
        if self._knowledge is not None and not self._files:
            whole = hashlib.sha256()
            for text in self._knowledge():
                whole.update(f"{len(text)}\n{text}".encode("utf-8", "replace"))
            return digest([how, whole.hexdigest()])
        return digest([how, [(sha256(path) if path.is_file() else str(path), fields) for path, fields in self._files]])

    def read(self) -> Iterator[tuple[str, bool]]:
        """(text, whether it is held out) of every document; a text that was there before is passed over.

        Raises:
            BadInput: a file or rows of it cannot be used.
            UnreadableFile: a file is damaged or not UTF-8.
        """
        self.counts, seen = Counts(), set()
        for raw in self._texts():
            text = normalise(raw)
            key = fold(text)
            mark = hashlib.sha256(key.encode()).digest()[:16]
            if not key:
                continue
            if mark in seen:
                self.counts.repeated += 1
                continue
            seen.add(mark)
            held = held_out(key, self._asked.validation_share)
            self.counts.held_out += held
            self.counts.train += not held
            yield text, held

    def _texts(self) -> Iterator[str]:
        if not self._files:
            assert self._knowledge is not None  # by the constructor
            yield from self._knowledge()
        for path, fields in self._files:
            yield from _plain(path, self._asked.documents) if path.suffix == ".txt" else self._rows(path, fields)

    def _rows(self, path: Path, fields: list[str]) -> Iterator[str]:
        wrong: list[BadRow] = []
        count = bad = 0
        for record in read(path, on_bad=self._asked.bad_rows):
            count += 1
            if text := text_of(record, fields):
                if self._asked.bad_rows == "skip" or not bad:
                    yield text
                continue
            bad += 1
            wrong += [BadRow(record.where, f"it has {', '.join(record.fields) or 'no field'}")] if bad <= NAMED else []
        if bad and (self._asked.bad_rows == "error" or bad == count):
            raise BadInput(
                f"{bad:,} of {count:,} rows of {path.name} have no text in {', '.join(fields)}.",
                cause=listed([f"{row.where}: {row.reason}" for row in wrong], bad),
                next_step="Name the right fields in the recipe's field text, or set bad_rows: skip.",
            )


def text_of(record: Record, names: list[str]) -> str:
    """The text of the fields `names` that the record has, a line each; of a nested field all the text in it."""
    return "\n".join(text for name in names for text in _strings(record.fields.get(name)))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _plain(path: Path, documents: str) -> Iterator[str]:
    """The documents of a text file; a file that cannot be opened or is not UTF-8 raises BadInput."""
    try:
        with path.open("rb") as stream:
            require_utf8(path, stream.read(SAMPLE_BYTES))
        with path.open(encoding="utf-8-sig") as lines:
            yield from _cut(lines, documents)
    except UnicodeDecodeError as error:
        raise not_utf8(path, f"It is not UTF-8 ({error.reason}, byte {error.start}).") from error
    except OSError as error:
        step = "Check the path and who may read it."
        raise BadInput(f"The text {path} cannot be read.", cause=str(error), next_step=step) from error


def _cut(lines: Iterable[str], documents: str) -> Iterator[str]:
    pending: list[str] = []
    size = 0
    for line in lines:
        ends = documents == "line" or (documents == "paragraph" and not line.strip())
        pending.append(line)
        size += len(line)
        if ends or (size > _LONGEST and documents != "file"):
            yield "".join(pending)
            pending, size = [], 0
    yield "".join(pending)
