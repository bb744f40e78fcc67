"""From a recipe's files to the rows that are trained on: read, checked, split, tokenised once.

Knows nothing about models but their tokenizer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from openteller.core.errors import BadInput
from openteller.training.datasets.checks import CheckReport, DuplicatePolicy, Policy, clean
from openteller.training.datasets.readers import OnBad, read
from openteller.training.datasets.records import NAMED, BadRow, Keyed, listed
from openteller.training.datasets.splits import split
from openteller.training.tasks.task import Example, Features, Task

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sources:
    """Where the rows come from and what is done about doubtful ones; the fields mean what they mean in a recipe."""

    train: str = ""
    validation: str = ""
    test: str = ""
    columns: dict[str, str] = field(default_factory=dict)  #: our name of a column → the file's
    validation_share: float = 0.1
    test_share: float = 0.0
    bad_rows: OnBad = "error"
    conflicts: Policy = "error"
    leaks: Policy = "error"
    duplicates: DuplicatePolicy = "drop"
    few_shot: int = 0
    seed: int = 20261123


@dataclass(frozen=True)
class Prepared:
    """The examples of each split, the labels of the head, and what was found on the way."""

    examples: Mapping[str, Sequence[Example]]
    labels: tuple[str, ...]
    bad: tuple[BadRow, ...]
    report: CheckReport

    def features(self, task: Task, tokenizer: Tokenizer, name: str) -> list[Features]:
        """The rows of a split, tokenised."""
        return features_of(task, self.examples[name], tokenizer, self.labels)


def features_of(task: Task, examples: Sequence[Example], tokenizer: Tokenizer, labels: Sequence[str]) -> list[Features]:
    """The rows of `examples`, tokenised, each with what it needs of the others."""
    return task.linked([task.features(example, tokenizer, labels) for example in examples])


def prepare(task: Task, sources: Sources, locate: Callable[[str], Path]) -> Prepared:
    """Read, check and split.

    Args:
        task: reads the records.
        sources: where from.
        locate: finds the path of a source.

    Raises:
        BadInput: rows that cannot be used, conflicts, leaks, too little data; the rows are named.
    """
    bad: list[BadRow] = []
    read_in = {
        name: examples_of(task, locate(getattr(sources, name)), sources, bad)
        for name in SPLITS
        if getattr(sources, name)
    }
    if not read_in.get("train"):
        raise BadInput("There is nothing to train on.", next_step="Name a file with rows in the recipe's field train.")
    cleaned = clean(
        {name: [_keyed(e) for e in examples] for name, examples in read_in.items()},
        conflicts=sources.conflicts, leaks=sources.leaks, duplicates=sources.duplicates,
    )  # fmt: skip
    kept = {name: [read_in[name][i] for i in rows] for name, rows in cleaned.kept.items()}
    parts = _split(kept, sources)
    if sources.few_shot:
        parts["train"] = few(parts["train"], sources.few_shot)
    labels = task.labels(parts["train"])
    if not parts["validation"]:
        raise BadInput(
            "Nothing is left to validate on.",
            cause=f"{len(parts['train'])} rows, none of whose labels has two texts.",
            next_step="Give more rows, or name a validation file in the recipe.",
        )
    return Prepared(parts, labels, tuple(bad), cleaned.report)


def examples_of(task: Task, path: Path, sources: Sources, bad: list[BadRow]) -> list[Example]:
    """The rows of a file as `task` reads them; those that cannot be used go to `bad`, or raise BadInput that names them."""
    found, unread = [], []
    for record in read(path, on_bad=sources.bad_rows, bad=bad):
        try:
            found.append(task.example(record, sources.columns))
        except ValueError as error:
            unread.append(BadRow(record.where, str(error)))
    if unread and sources.bad_rows != "skip":
        raise BadInput(
            f"{len(unread)} of {len(found) + len(unread)} rows of {path.name} cannot be used.",
            cause=listed([f"{row.where}: {row.reason}" for row in unread[:NAMED]], len(unread)),
            next_step="Correct them, name the right columns in the recipe, or set bad_rows: skip.",
        )
    bad.extend(unread)
    return found


def _keyed(example: Example) -> Keyed:
    return Keyed(example.where, example.key, example.stratum)


def _split(kept: dict[str, list[Example]], sources: Sources) -> dict[str, list[Example]]:
    """The splits as given; what the recipe does not name is taken from the training rows."""
    validation = 0.0 if "validation" in kept else sources.validation_share
    test = 0.0 if "test" in kept else sources.test_share
    rows = kept["train"]
    parts = split([_keyed(e) for e in rows], validation=validation, test=test, seed=sources.seed)
    return {
        "train": [rows[i] for i in parts.train],
        "validation": kept.get("validation") or [rows[i] for i in parts.validation],
        "test": kept.get("test") or [rows[i] for i in parts.test],
    }


def few(rows: Sequence[Example], most: int) -> list[Example]:
    """At most `most` rows of each label, the first as they come."""
    counts: dict[str | None, int] = {}
    kept = []
    for row in rows:
        counts[row.stratum] = counts.get(row.stratum, 0) + 1
        if counts[row.stratum] <= most:
            kept.append(row)
    return kept
