"""From a recipe's files to the rows that are trained on: read, checked, split, tokenised once.

Knows nothing about models but their tokenizer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from openteller.core.errors import BadInput
from openteller.feedback.records import Head
from openteller.training.corrections import Corrected, Key, apply, keys_of
from openteller.training.datasets.checks import CheckReport, DuplicatePolicy, Policy, clean
from openteller.training.datasets.readers import OnBad, read
from openteller.training.datasets.records import BadRow, Keyed, refuse
from openteller.training.datasets.splits import split
from openteller.training.tasks.task import Example, Features, Task

SPLITS = ("train", "validation", "test")
_SHOWN = 3


@dataclass(frozen=True)
class Sources:
    """Where the rows come from and what is done about doubtful ones; the fields mean what they mean in a recipe.

    train, validation, test: a file each, or several with commas between them.
    """

    train: str = ""
    validation: str = ""
    test: str = ""
    columns: dict[str, str] = field(default_factory=dict)  #: our name of a column → the file's
    labels: str = ""  #: the labels there may be, with commas between them: a row with another is bad; empty: any
    validation_share: float = 0.1
    test_share: float = 0.0
    bad_rows: OnBad = "error"
    conflicts: Policy = "error"
    leaks: Policy = "error"
    duplicates: DuplicatePolicy = "drop"
    few_shot: int = 0  #: most training rows of a label; 0: all
    feedback: str = ""  #: the assistant's head whose labels these are, so that `teller retrain` adds its corrections
    label_names: bool = False  #: the names of the labels are training texts too: ``card_arrival`` as "card arrival"
    seed: int = 20261123

    def files(self, name: str) -> tuple[str, ...]:
        """The files of a split as the recipe names them."""
        return tuple(part for file in getattr(self, name).split(",") if (part := file.strip()))


@dataclass(frozen=True)
class Prepared:
    """The examples of each split, the labels of the head, and what was found on the way."""

    examples: Mapping[str, Sequence[Example]]
    labels: tuple[str, ...]
    bad: tuple[BadRow, ...]
    report: CheckReport
    corrected: Corrected | None = None

    def lines(self) -> list[str]:
        """What was found on the way, for a person."""
        reasons = [f"{row.where}: {row.reason}" for row in self.bad]
        skipped = [f"{len(reasons):,} rows skipped: {_first(reasons)}"]
        golds = Counter(e.gold for e in self.examples["train"] if isinstance(e.gold, str))
        alone = sorted(label for label, count in golds.items() if count == 1)
        once = [f"labels with one text to train on: {_first(alone)}"]
        counts = ", ".join(f"{name} {len(rows):,}" for name, rows in self.examples.items() if rows)
        corrected = self.corrected.lines() if self.corrected else []
        return [
            *self.report.lines(),
            *corrected,
            *(skipped if self.bad else ()),
            *(once if alone else ()),
            f"rows: {counts}",
        ]

    def features(self, task: Task, tokenizer: Tokenizer, name: str) -> list[Features]:
        """The rows of a split, tokenised."""
        return features_of(task, self.examples[name], tokenizer, self.labels)


def features_of(task: Task, examples: Sequence[Example], tokenizer: Tokenizer, labels: Sequence[str]) -> list[Features]:
    """The rows of `examples`, tokenised."""
    return [task.features(example, tokenizer, labels) for example in examples]


def prepare(task: Task, sources: Sources, locate: Callable[[str], Path], corrections: Path | None = None) -> Prepared:
    """Read, check and split.

    Args:
        task: reads the records.
        sources: where from.
        locate: finds the path of a source.
        corrections: what staff corrected; changes training rows alone, and no label of the head.

    Raises:
        BadInput: rows that cannot be used, conflicts, leaks, too little data; the rows are named.
    """
    bad: list[BadRow] = []
    read_in = {
        name: [row for file in files for row in examples_of(task, locate(file), sources, bad)]
        for name in SPLITS
        if (files := sources.files(name))
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
    if sources.label_names:
        parts["train"] = [*parts["train"], *_names(parts["train"])]
    labels = task.labels(parts["train"])
    corrected = _correct(parts, labels, corrections, Head(sources.feedback)) if corrections else None
    if not parts["validation"]:
        raise BadInput(
            "Nothing is left to validate on.",
            cause=f"{len(parts['train'])} rows, none of whose labels has two texts.",
            next_step="Give more rows, or name a validation file in the recipe.",
        )
    return Prepared(parts, labels, tuple(bad), cleaned.report, corrected)


def examples_of(task: Task, path: Path, sources: Sources, bad: list[BadRow]) -> list[Example]:
    """The rows of a file as `task` reads them; those that cannot be used go to `bad`, or raise BadInput that names them."""
    found, unread = [], []
    known = {label.strip() for label in sources.labels.split(",") if label.strip()}
    for record in read(path, on_bad=sources.bad_rows, bad=bad):
        try:
            found.append(_known(task.example(record, sources.columns), known))
        except ValueError as error:
            unread.append(BadRow(record.where, str(error)))
    refuse(unread, len(found) + len(unread), f"rows of {path.name}", on_bad=sources.bad_rows)
    bad.extend(unread)
    return found


def _first(names: Sequence[str]) -> str:
    return "; ".join([*names[:_SHOWN], *([f"and {len(names) - _SHOWN:,} more"] if len(names) > _SHOWN else ())])


def _known(example: Example, labels: set[str]) -> Example:
    """The example. Raises ValueError when `labels` are given and it has another."""
    if labels and (others := example.named - labels):
        raise ValueError(f"the label {', '.join(sorted(others))} is none of {', '.join(sorted(labels))}")
    return example


def _keyed(example: Example) -> Keyed:
    return Keyed(example.where, example.key, example.stratum)


def _split(kept: dict[str, list[Example]], sources: Sources) -> dict[str, list[Example]]:
    """The splits as given; what the recipe does not name is taken from the training rows."""
    validation = 0.0 if "validation" in kept else sources.validation_share
    test = 0.0 if "test" in kept else sources.test_share
    rows = kept["train"]
    keyed = [Keyed(e.where, e.query or e.key, e.stratum) for e in rows]
    parts = split(keyed, validation=validation, test=test, seed=sources.seed)
    return {
        "train": [rows[i] for i in parts.train],
        "validation": kept.get("validation") or [rows[i] for i in parts.validation],
        "test": kept.get("test") or [rows[i] for i in parts.test],
    }


def _correct(parts: dict[str, list[Example]], labels: Sequence[str], corrections: Path, head: Head) -> Corrected:
    """Put corrections among the training rows, in place of those that they contradict."""
    golds: dict[Key, set[frozenset[str]]] = defaultdict(set)
    for row in parts["train"]:
        golds[row.key, head].add(row.named)
    held = {row.key for name in ("validation", "test") for row in parts[name]}
    corrected = apply(corrections, golds, held, {head: labels})
    one_label = isinstance(parts["train"][0].gold, str)
    gone = keys_of(corrected.relabelled)
    parts["train"] = [row for row in parts["train"] if (row.key, head) not in gone] + [
        Example(f"correction {row.id}", (row.text,), row.gold[0] if one_label else row.gold) for row in corrected.used
    ]
    return corrected


def few(rows: Sequence[Example], most: int) -> list[Example]:
    """At most `most` rows of each label, the first as they come."""
    counts: dict[str | None, int] = {}
    kept = []
    for row in rows:
        counts[row.stratum] = counts.get(row.stratum, 0) + 1
        if counts[row.stratum] <= most:
            kept.append(row)
    return kept


def _names(rows: Sequence[Example]) -> list[Example]:
    """The labels' own names as rows."""
    labels = dict.fromkeys(row.gold for row in rows if isinstance(row.gold, str))
    return [Example(f"the name of {label}", (label.replace("_", " "),), label) for label in labels]
