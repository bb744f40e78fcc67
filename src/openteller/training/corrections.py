"""Corrections by staff as further training rows: which of them count, and what becomes of the rows that they correct.

A correction comes before original rows with the same text. One whose text is validated or tested on is left out, so that
figures before and after are of the same rows, none of which was trained on; so is one with a label that the run does not
train. Texts are the same when they fold alike (`core.text.fold`). Knows nothing about recipes or models.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openteller.core.text import fold
from openteller.feedback.curated import read
from openteller.feedback.records import Curated, Head
from openteller.registry.manifest import sha256

#: (folded text, head)
Key = tuple[str, Head]
NOTED = "corrected"  #: the field of a manifest's settings that `Corrected.noted` fills


@dataclass(frozen=True)
class Corrected:
    """What became of a file of corrections, each in one of the five lists.

    added: their text is new; relabelled: original rows have another label and give way; agreed: original rows say the
    same already; held_out: validated or tested on; unknown: with a label that the run does not train.
    """

    sha256: str
    up_to: datetime | None
    added: tuple[Curated, ...]
    relabelled: tuple[Curated, ...]
    agreed: tuple[Curated, ...]
    held_out: tuple[Curated, ...]
    unknown: tuple[Curated, ...]

    @property
    def used(self) -> tuple[Curated, ...]:
        """Those that change what is trained on."""
        return (*self.added, *self.relabelled)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        kinds = ("added", "relabelled", "agreed", "held_out", "unknown")
        return {kind: len(getattr(self, kind)) for kind in kinds}

    def lines(self) -> list[str]:
        """What became of them, for a person."""
        n = self.counts
        told = f"corrections: {n['added']} added, {n['relabelled']} in place of original rows with another label"
        rest = {
            "agreed": "as the original rows say already",
            "held_out": "left out: their text is validated or tested on",
            "unknown": "left out: with a label that is not trained",
        }
        return ["; ".join([told, *(f"{n[kind]} {words}" for kind, words in rest.items() if n[kind])])]

    def noted(self) -> dict[str, object]:
        """What the manifest notes: the file's hash, until when decisions are in it, and the counts; no text."""
        return {"sha256": self.sha256, "up_to": self.up_to.isoformat() if self.up_to else None, **self.counts}

    def attribution(self) -> str:
        """The line of the manifest's data."""
        return f"{len(self.used)} corrections by the bank's staff (SHA-256 {self.sha256[:12]}…)"


def apply(
    path: Path,
    golds: Mapping[Key, Collection[frozenset[str]]],
    held: Collection[str],
    labels: Mapping[Head, Collection[str]],
) -> Corrected:
    """Sort out the corrections of the file `path`.

    Args:
        path: what `feedback.curated.write` wrote.
        golds: the labels of the original training rows: one set for each row of the text.
        held: the folded texts of validation and test.
        labels: head → labels that are trained; corrections of other heads are passed over.

    Raises:
        UnreadableFile: the file is missing or damaged.
    """
    sorted_out: dict[str, list[Curated]] = {"added": [], "relabelled": [], "agreed": [], "held_out": [], "unknown": []}
    rows = [row for row in read(path) if row.head in labels]
    for row in rows:
        sorted_out[_kind(row, golds, held, labels[row.head])].append(row)
    up_to = max((row.reviewed_at for row in rows), default=None)
    return Corrected(sha256(path), up_to, **{kind: tuple(found) for kind, found in sorted_out.items()})


def _kind(
    row: Curated,
    golds: Mapping[Key, Collection[frozenset[str]]],
    held: Collection[str],
    labels: Collection[str],
) -> str:
    text = fold(row.text)
    if text in held:
        return "held_out"
    if not set(row.gold) <= set(labels):
        return "unknown"
    known = golds.get((text, row.head), ())
    if not known:
        return "added"
    return "agreed" if set(known) == {frozenset(row.gold)} else "relabelled"


def keys_of(rows: Sequence[Curated]) -> dict[Key, Curated]:
    """The rows by text and head."""
    return {(fold(row.text), row.head): row for row in rows}
